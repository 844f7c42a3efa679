"""Every way through the enrol diagrams, run by the engine with a new load of the state before each step."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from app.definitions.bundle import Bundle
from app.definitions.catalogue import Catalogue, Version
from app.definitions.files import read_folders, sha256_of
from app.domain.declaration import STATUSES
from app.engine import runtime
from app.engine.errors import NothingWaits

NOW = datetime(2026, 11, 18, 10)
PENDING, RECALLABLE, DIRECT, WIZARD = "320600", "320800", "320500", "610500"


def refuse(region: str) -> Any:
    raise AssertionError("paths need no parameters")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    files = read_folders().items()
    return Catalogue(
        Version(key, sha256_of(text), number, 1, text) for number, (key, text) in enumerate(files)
    )


class Walk:
    """One case: complete an element (`name` or `name:decision`), send `!message`, or wait for the `timer`."""

    def __init__(self, catalogue: Catalogue, region: str, channel: str = "03") -> None:
        self.spec = Bundle(1, "enrol", region, catalogue.collect("enrol", region), refuse).spec
        self.calls: list[str] = []
        self.parameters: list[dict[str, Any]] = []
        facts = {
            "declaration_id": 1, "region": region, "kind": "enrol", "employer_id": 2,
            "channel": channel, "batch": False, "reason": "",
        }  # fmt: skip
        self.now = runtime.start(self.spec, facts, self.call, NOW)

    def call(self, name: str, given: dict[str, Any], data: Any) -> dict[str, Any]:
        self.calls.append(name)
        self.parameters.append(given)
        return {}

    def step(self, step: str) -> None:
        if step == "timer":
            assert self.now.due_at is not None
            self.now = runtime.wake(self.spec, self.now.state, self.call, self.now.due_at)
        elif step.startswith("!"):
            self.now = runtime.send(self.spec, self.now.state, step[1:], {}, self.call, NOW)
        else:
            element, _, decision = step.partition(":")
            assert [task.element_id for task in self.now.tasks] == [element]
            answer = {"decision": decision} if decision else {}
            task = self.now.tasks[0].task_id
            self.now = runtime.complete(self.spec, self.now.state, task, answer, self.call, NOW)

    @property
    def status(self) -> str:
        properties = self.now.end_properties if self.now.completed else self.now.tasks[0].properties
        return properties["status"]


CHECK, APPLY = "enrolment.check", "enrolment.apply"


@pytest.mark.parametrize(
    ("region", "steps", "status", "calls"),
    [
        (DIRECT, "fill", "done", [CHECK, APPLY]),
        (DIRECT, "!discard", "discarded", ["declaration.discard"]),
        (PENDING, "fill", "pending", [CHECK]),
        (PENDING, "fill !discard", "discarded", [CHECK, "declaration.discard"]),
        (PENDING, "fill confirm", "submitted", [CHECK, CHECK]),
        (PENDING, "fill confirm first_audit:approve", "approved", [CHECK, CHECK, APPLY]),
        (PENDING, "fill confirm first_audit:reject", "rejected", [CHECK, CHECK, "declaration.reject"]),
        (PENDING, "fill confirm first_audit:return", "returned", [CHECK, CHECK]),
        (PENDING, "fill confirm first_audit:return correct", "submitted", [CHECK] * 3),
        (
            PENDING,
            "fill confirm first_audit:return correct first_audit:return correct first_audit:approve",
            "approved",
            [*[CHECK] * 4, APPLY],
        ),
        (
            PENDING,
            "fill confirm first_audit:return !discard",
            "discarded",
            [CHECK, CHECK, "declaration.discard"],
        ),
        (RECALLABLE, "fill", "submitted", [CHECK]),
        (RECALLABLE, "fill !recall", "recalled", [CHECK, "declaration.recall"]),
        (
            RECALLABLE,
            "fill first_audit:return correct !recall",
            "recalled",
            [CHECK, CHECK, "declaration.recall"],
        ),
        (RECALLABLE, "fill timer", "submitted", [CHECK, "notice.send"]),
        (RECALLABLE, "fill timer first_audit:approve", "approved", [CHECK, "notice.send", APPLY]),
        (WIZARD, "fill", "draft", [CHECK]),
        (WIZARD, "fill verify:back fill", "draft", [CHECK, CHECK]),
        (WIZARD, "fill verify:next provide_materials", "pending", [CHECK]),
        (WIZARD, "fill verify:next !discard", "discarded", [CHECK, "declaration.discard"]),
        (WIZARD, "fill verify:next !back verify:next", "draft", [CHECK]),
        (WIZARD, "fill verify:next provide_materials confirm:back", "draft", [CHECK]),
        (WIZARD, "fill verify:next provide_materials confirm:back !back verify:back", "draft", [CHECK]),
        (WIZARD, "fill verify:next provide_materials confirm:submit", "submitted", [CHECK, CHECK]),
        (
            WIZARD,
            "fill verify:next provide_materials confirm:edit fill verify:next provide_materials confirm",
            "submitted",
            [CHECK, CHECK, CHECK],
        ),
        (
            WIZARD,
            "fill verify:next provide_materials confirm first_audit:approve",
            "approved",
            [CHECK, CHECK, APPLY],
        ),
    ],
)
def test_paths(catalogue: Catalogue, region: str, steps: str, status: str, calls: list[str]) -> None:
    walk = Walk(catalogue, region)
    for step in steps.split():
        walk.step(step)
    assert walk.status == status
    assert walk.calls == calls
    assert status in STATUSES
    assert {given["declaration_id"] for given in walk.parameters} == {1}


def test_the_counter_is_always_audited(catalogue: Catalogue) -> None:
    walk = Walk(catalogue, DIRECT, channel="02")
    walk.step("fill")
    assert [task.role for task in walk.now.tasks] == ["auditor"]


def test_recall_tells_the_service_whether_the_policy_allows_it(catalogue: Catalogue) -> None:
    for region, steps in ((RECALLABLE, "fill !recall"), (PENDING, "fill confirm !recall")):
        walk = Walk(catalogue, region)
        for step in steps.split():
            walk.step(step)
        assert walk.parameters[-1]["allowed"] is (region == RECALLABLE)


@pytest.mark.parametrize("steps", ["fill !discard", "fill first_audit:approve !recall"])
def test_late_messages_are_not_swallowed(catalogue: Catalogue, steps: str) -> None:
    walk = Walk(catalogue, RECALLABLE)
    *first, last = steps.split()
    for step in first:
        walk.step(step)
    with pytest.raises(NothingWaits):
        walk.step(last)


def test_the_wizard_asks_for_the_named_materials(catalogue: Catalogue) -> None:
    walk = Walk(catalogue, WIZARD)
    for step in ("fill", "verify:next"):
        walk.step(step)
    assert walk.now.data["material_items"] == ["identity_card", "labour_contract"]
    assert walk.now.data["material_required"] == [True, True]
