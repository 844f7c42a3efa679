"""A prepared start is a real start but for ids and times, and runs on to the same end."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine import runtime
from app.engine.errors import ExpressionFailed
from app.engine.outcome import Outcome
from app.engine.prepared import NotPreparable, prepare
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import (
    boundary,
    end,
    flows,
    gateway,
    journey,
    process,
    rule,
    script,
    service,
    table,
    timer,
    user,
)

BPMN, DECISIONS = journey()
SPEC = runtime.compile_process("enrol", BPMN, DECISIONS)
OWN = ("declaration_id", "employer_id", "note")
MONTHS = st.integers(0, 6)
TEXTS = st.text(max_size=40)
ROUTES = st.fixed_dictionaries(
    {
        "region": st.sampled_from(["320500", "320600"]),
        "kind": st.just("enrol"),
        "batch": st.one_of(st.none(), st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), TEXTS),
        "more": st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(-9, 9), TEXTS),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    }
)
VALUES = st.fixed_dictionaries(
    {
        "declaration_id": st.integers(1, 2**63 - 1),
        "employer_id": st.one_of(st.integers(1, 2**63 - 1), TEXTS),
        "note": st.one_of(
            st.none(), TEXTS, st.floats(-1e6, 1e6), st.lists(st.integers(0, 9), max_size=3),
            st.sampled_from(["own:0:0:", '"', "\\", "\x00", '"id":"' + "a" * 32 + '"']),
        ),
    }
)  # fmt: skip


def real(facts: dict[str, Any], answers: int, services: Services) -> tuple[Outcome, list[Any]]:
    outcome = runtime.start(SPEC, facts, services, NOW)
    steps = list(outcome.steps)
    for _ in range(answers):
        outcome = runtime.complete(SPEC, outcome.state, outcome.tasks[0].task_id, {}, services, NOW)
        steps += outcome.steps
    return outcome, steps


def comparable(state: bytes) -> Any:
    """The state with ids in order of appearance, and without the wall clock that joins keep."""
    seen: dict[str, str] = {}
    document = orjson.loads(state)
    for flow in document["flows"]:
        for row in flow["tasks"]:
            extra = row[3] if len(row) > 3 else {}
            if "id" in extra:
                extra["id"] = seen.setdefault(extra["id"], f"id {len(seen)}")
            if row[2] != 16:
                extra.pop("c", None)
    return document


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    route=ROUTES,
    own=VALUES,
    months=MONTHS,
    answers=st.integers(0, 1),
    decision=st.sampled_from(["approve", "reject", "return"]),
)
def test_a_stamped_start_equals_a_real_one(
    route: dict[str, Any], own: dict[str, Any], months: int, answers: int, decision: str
) -> None:
    services, shared = Services(), Services()
    for each in (services, shared):
        each.answers["enrolment.check"] = {"backpay_months": months}
    expected, expected_steps = real({**route, **own}, answers, services)
    prepared = prepare(SPEC, route, OWN, [("fill", {})] * answers, shared, NOW)
    prepared.stamp({"declaration_id": 1, "employer_id": 2, "note": "another case"})
    case = prepared.stamp(own)
    outcome = case.outcome
    assert comparable(outcome.state) == comparable(expected.state)
    assert outcome.data == expected.data
    assert outcome.steps == expected_steps
    assert (outcome.completed, outcome.end, outcome.due_at) == (
        expected.completed,
        expected.end,
        expected.due_at,
    )
    assert [(call.name, call.parameters) for call in case.calls] == services.calls
    for ours, theirs in zip(outcome.tasks, expected.tasks, strict=True):
        assert ours.task_id != theirs.task_id
        assert {**_fields(ours), "task_id": ""} == {**_fields(theirs), "task_id": ""}
    assert _to_the_end(outcome, decision, services) == _to_the_end(expected, decision, services)


def _fields(task: Any) -> dict[str, Any]:
    return {name: getattr(task, name) for name in task.__slots__}


def _to_the_end(outcome: Outcome, decision: str, services: Services) -> list[Any]:
    told: list[Any] = []
    decisions = [decision, "approve"]
    while not outcome.completed:
        (task,) = outcome.tasks
        answer = {"decision": decisions.pop(0)} if task.element_id == "first_audit" else {}
        services.calls.clear()
        outcome = runtime.complete(SPEC, outcome.state, task.task_id, answer, services, NOW)
        told.append((outcome.steps, outcome.data, list(services.calls), comparable(outcome.state)))
    return told


def test_ids_are_fresh_for_every_case(services: Services) -> None:
    prepared = prepare(SPEC, {"region": "320600"}, ("declaration_id",), [("fill", {})], services, NOW)
    states = [prepared.stamp({"declaration_id": number}).outcome.state for number in range(200)]
    ids = [found for state in states for found in re.findall(rb'"id":"([0-9a-f]{32})"', state)]
    assert len(ids) == len(set(ids)) >= 200


def test_stamped_cases_do_not_share_what_can_change(services: Services) -> None:
    prepared = prepare(SPEC, {"region": "320600"}, ("declaration_id",), [("fill", {})], services, NOW)
    first, second = prepared.stamp({"declaration_id": 1}), prepared.stamp({"declaration_id": 2})
    first.outcome.data["x"] = 1
    first.calls[0].parameters["x"] = 1
    assert second.outcome.data["declaration_id"] == 2
    assert "x" not in second.outcome.data
    assert second.calls[0].parameters == {"declaration_id": 2}


def test_what_is_not_plain_or_missing_is_refused(services: Services) -> None:
    prepared = prepare(SPEC, {"region": "320600"}, ("declaration_id",), [], services, NOW)
    with pytest.raises(KeyError):
        prepared.stamp({})
    with pytest.raises(ExpressionFailed):
        prepared.stamp({"declaration_id": object()})


def _spec(*parts: str, decisions: dict[str, bytes] | None = None) -> runtime.ProcessSpec:
    return runtime.compile_process("p", {"p.bpmn": process("p", *parts)}, decisions or {})


OUT = (end("e"), end("f"))
LOOKING = {
    "condition": _spec(gateway("g", "g_e"), *OUT, flows("begin -> g", "g -> e", "g -> f if own")),
    "comparison": _spec(gateway("g", "g_e"), *OUT, flows("begin -> g", "g -> e", "g -> f if own == 1")),
    "calculated parameter": _spec(service("s", "x", a="own + 1"), *OUT, flows("begin -> s", "s -> e")),
    "script": _spec(script("s", "a = own"), *OUT, flows("begin -> s", "s -> e")),
    "replaced by a script": _spec(script("s", "own = 1"), *OUT, flows("begin -> s", "s -> e")),
    "replaced by a service": _spec(
        service("s", "answering", "own"), user("u"), *OUT, flows("begin -> s", "s -> u", "u -> e")
    ),
    "echoed by a service": _spec(
        service("s", "echoing", "r", a="own"), user("u"), *OUT, flows("begin -> s", "s -> u", "u -> e")
    ),
    "decision column": _spec(
        rule("r", "d"), *OUT, flows("begin -> r", "r -> e"),
        decisions={"d": table("d", ["own"], ["a"], [(["-"], ["1"])])},
    ),
    "decision answer": _spec(
        rule("r", "d"), *OUT, flows("begin -> r", "r -> e"),
        decisions={"d": table("d", ["1"], ["a"], [(["-"], ["own"])])},
    ),
    "timer": _spec(
        user("u"), boundary("t", "u", timer("timeDate", "own")), *OUT, flows("begin -> u", "u -> e", "t -> f")
    ),
    "loop": _spec(
        user("u", "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>own</bpmn:loopDataInputRef>"
             "</bpmn:multiInstanceLoopCharacteristics>"),
        *OUT, flows("begin -> u", "u -> e"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", LOOKING)
def test_a_diagram_that_looks_at_an_own_value_is_not_prepared(place: str, services: Services) -> None:
    def call(name: str, parameters: dict[str, Any], data: Any) -> dict[str, Any] | None:
        return {"echoing": {"got": parameters.get("a")}, "answering": {"x": 1}}.get(name)

    with pytest.raises(NotPreparable):
        prepare(LOOKING[place], {}, ("own",), [], call, NOW)


def test_a_task_that_is_not_open_cannot_be_prepared(services: Services) -> None:
    with pytest.raises(NotPreparable):
        prepare(SPEC, {"region": "320600"}, ("declaration_id",), [("confirm", {})], services, NOW)
    with pytest.raises(NotPreparable):
        prepare(SPEC, {"region": "320600"}, ("note",), [("fill", {"note": 1})], services, NOW)
