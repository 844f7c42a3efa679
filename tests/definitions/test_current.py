"""Looking up what is published: a region's own wins, instances keep theirs, and filing asks nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask

from app.definitions import current, seeds
from app.definitions.catalogue import DefinitionMissing
from app.engine import runtime
from app.store import definitions as store
from app.store.session import transaction
from tests.definitions.conftest import ORDINARY, SEVENTH
from tests.fixtures.database import TEST_NOW

NOW = datetime(2026, 11, 18, 10)
APPROVE = {"decision": "approve"}


def facts(region: str, **more: Any) -> dict[str, Any]:
    return {
        "declaration_id": 1, "region": region, "kind": "enrol", "employer_id": 2,
        "channel": "03", "batch": False, "reason": "", **more,
    }  # fmt: skip


def file_case(bundle: current.Bundle, region: str) -> tuple[runtime.Outcome, Callable]:
    def call(name: str, given: dict, data: Any) -> dict:
        return {}

    outcome = runtime.start(bundle.spec, facts(region), call, NOW)
    return runtime.complete(bundle.spec, outcome.state, outcome.tasks[0].task_id, {}, call, NOW), call


def test_a_bundle_holds_everything_the_process_calls(seeded: Flask) -> None:
    bundle = current.current_bundle("enrol", ORDINARY)
    assert bundle.process_ids() == ["enrol", "audit", "materials"]
    held = {(version.key.kind, version.key.name) for version in bundle.versions}
    assert {("decision", "policy"), ("decision", "materials"), ("form", "enrol"), ("form", "audit")} <= held
    assert "first_audit" in bundle.description("audit").elements
    assert bundle.diagram("audit").startswith(b"<?xml")
    assert bundle.form("enrol").by_name["id_type"].options
    with pytest.raises(DefinitionMissing):
        bundle.form("nothing")


def test_a_regions_own_file_wins(seeded: Flask) -> None:
    for key in current.published().versions:
        if key.kind == "process" and key.region:
            own = current.current_bundle(key.name, key.region)
            assert own.diagram(key.name) != current.current_bundle(key.name, ORDINARY).diagram(key.name)
        if (key.kind, key.name) == ("form", "enrol") and key.region:
            assert current.current_bundle("enrol", key.region).form_version("enrol").key.region == key.region


def test_regions_with_the_same_files_share_the_compiled_process(seeded: Flask) -> None:
    bundles = [current.current_bundle("enrol", code) for code, _ in current.regions()]
    assert len({bundle.id for bundle in bundles}) == len(bundles) >= 6
    assert len({id(bundle.spec) for bundle in bundles}) < len(bundles)


def test_unknown_kinds_and_regions_are_named(seeded: Flask) -> None:
    with pytest.raises(DefinitionMissing):
        current.current_bundle("never_heard_of", ORDINARY)
    with pytest.raises(DefinitionMissing):
        current.parameters(SEVENTH)


def test_a_bundle_is_made_once(seeded: Flask) -> None:
    first = current.current_bundle("enrol", ORDINARY)
    current.forget()
    again = current.current_bundle("enrol", ORDINARY)
    assert (again.id, again.version_ids) == (first.id, first.version_ids)
    current.forget()
    assert current.get_bundle(first.id).version_ids == first.version_ids


def test_many_at_once_make_one_bundle(seeded: Flask) -> None:
    found: list[int] = []
    barrier = Barrier(4)

    def ask() -> None:
        with seeded.app_context():
            barrier.wait()
            found.append(current.current_bundle("enrol", ORDINARY).id)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_bundle_of_a_transaction_that_fails_is_not_remembered(seeded: Flask) -> None:
    with pytest.raises(RuntimeError), transaction():
        lost = current.current_bundle("enrol", ORDINARY)
        raise RuntimeError
    with transaction():
        kept = current.current_bundle("enrol", ORDINARY)
    assert kept.id != lost.id
    assert store.get_bundle(kept.id).kind == "enrol"


def test_looking_up_costs_no_statement_when_warm(seeded: Flask, statement_counter, monkeypatch) -> None:
    bundle = current.current_bundle("enrol", ORDINARY)
    monkeypatch.setattr(current, "CHECK_SECONDS", 0.0)
    with statement_counter() as seen, transaction():
        assert current.current_bundle("enrol", ORDINARY) is bundle
        assert current.get_bundle(bundle.id) is bundle
        bundle.form("enrol")
        current.parameters(ORDINARY)
        current.kinds(ORDINARY)
    assert seen.total == 0


def test_what_another_process_published_is_seen_soon(seeded: Flask, folder: Path, monkeypatch) -> None:
    before = current.current_bundle("enrol", ORDINARY)
    path = folder / "bpmn" / "processes" / "audit.bpmn"
    path.write_text(path.read_text("utf-8").replace("超时", "逾期"), "utf-8")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(current, "forget", lambda: None)
        seeds.sync(folder, now=TEST_NOW)
    assert current.current_bundle("enrol", ORDINARY) is before
    monkeypatch.setattr(current, "CHECK_SECONDS", 0.0)
    assert current.current_bundle("enrol", ORDINARY).id != before.id


def test_a_case_keeps_the_versions_it_started_with(seeded: Flask, folder: Path) -> None:
    old = current.current_bundle("enrol", ORDINARY)
    outcome, call = file_case(old, ORDINARY)
    path = folder / "bpmn" / "processes" / "audit.bpmn"
    path.write_text(path.read_text("utf-8").replace("first_audit", "opening_audit"), "utf-8")
    seeds.sync(folder, now=TEST_NOW)

    new = current.current_bundle("enrol", ORDINARY)
    assert [task.element_id for task in file_case(new, ORDINARY)[0].tasks] == ["opening_audit"]
    pinned = current.get_bundle(old.id)
    assert pinned.version_ids == old.version_ids
    done = runtime.complete(pinned.spec, outcome.state, outcome.tasks[0].task_id, APPROVE, call, NOW)
    assert outcome.tasks[0].element_id == "first_audit"
    assert done.end_properties["status"] == "approved"


def test_a_seventh_region_comes_from_files_alone(seeded: Flask, folder: Path, seventh: Path) -> None:
    seeds.sync([folder, seventh], now=TEST_NOW)
    assert SEVENTH in dict(current.regions())
    assert "enrol" in current.kinds(SEVENTH)
    bundle = current.current_bundle("enrol", SEVENTH)
    assert {v.key.region for v in bundle.versions if v.key.name == "policy"} == {SEVENTH}
    outcome, call = file_case(bundle, SEVENTH)
    for element, answer in (("confirm", {}), ("first_audit", APPROVE), ("second_audit", APPROVE)):
        assert [task.element_id for task in outcome.tasks] == [element]
        outcome = runtime.complete(bundle.spec, outcome.state, outcome.tasks[0].task_id, answer, call, NOW)
    assert outcome.end_properties["status"] == "approved"


def test_a_region_without_any_file_of_its_own_is_audited(seeded: Flask) -> None:
    outcome, _ = file_case(current.current_bundle("enrol", ORDINARY), SEVENTH)
    assert (outcome.data["audits"], outcome.data["pending"]) == (1, False)


def test_parameters_follow_what_is_published(seeded: Flask, folder: Path) -> None:
    name = current.parameters(ORDINARY).name
    path = folder / "bpmn" / "parameters" / f"{ORDINARY}.yaml"
    path.write_text(path.read_text("utf-8").replace(f"name: {name}", "name: 另一个名字"), "utf-8")
    seeds.sync(folder, now=TEST_NOW)
    assert current.parameters(ORDINARY).name == "另一个名字"
    assert dict(current.regions())[ORDINARY] == "另一个名字"
