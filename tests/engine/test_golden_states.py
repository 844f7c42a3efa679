"""States written by released versions must load and run on, whatever the code looks like today.

Each file in `golden_states/` is one waiting case of the small journey as a release stored it. A release
adds a folder; none is ever changed. `python -m tests.engine.test_golden_states NAME` writes a new one.
"""

import sys
from pathlib import Path

import pytest

from app.engine import runtime
from app.engine.runtime import compile_process
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import journey

FOLDER = Path(__file__).parent / "golden_states"
STATES = sorted(FOLDER.glob("*/*.json"))
FACTS = {"declaration_id": 4611686018427387904, "region": "320600", "kind": "enrol", "batch": None}


def test_every_release_left_its_states() -> None:
    assert {path.stem for path in STATES} >= {"draft", "pending", "submitted", "returned", "overdue"}


@pytest.mark.parametrize("path", STATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_old_state_runs_on_to_its_end(path: Path, enrol: runtime.ProcessSpec, services: Services) -> None:
    outcome = runtime.wake(enrol, path.read_bytes(), services, NOW)
    assert outcome.steps == []
    statuses = []
    while not outcome.completed:
        (task,) = outcome.tasks
        statuses.append(task.properties["status"])
        answer = {"decision": "approve"} if task.element_id == "first_audit" else {}
        outcome = runtime.complete(enrol, outcome.state, task.task_id, answer, services, NOW)
    order = ["draft", "pending", "submitted"]
    expected = {"returned": ["returned", "submitted"], "overdue": ["submitted"]}
    assert statuses == expected.get(path.stem, order[order.index(path.stem) if path.stem in order else 0 :])
    assert outcome.end_properties == {"status": "approved"}
    assert outcome.data["declaration_id"] == FACTS["declaration_id"]


@pytest.mark.parametrize("path", STATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_old_state_hears_messages(path: Path, enrol: runtime.ProcessSpec, services: Services) -> None:
    message = {"draft": "discard", "pending": "discard", "submitted": "recall", "overdue": "recall"}.get(
        path.stem
    )
    if message is not None:
        outcome = runtime.send(enrol, path.read_bytes(), message, {}, services, NOW)
        assert outcome.completed


def write(release: str) -> None:
    """Write the states of this release."""
    from datetime import timedelta

    bpmn, decisions = journey()
    spec, services = compile_process("enrol", bpmn, decisions), Services()
    folder = FOLDER / release
    folder.mkdir(parents=True)
    outcome = runtime.start(spec, FACTS, services, NOW)
    (folder / "draft.json").write_bytes(outcome.state)
    for name, answer in (("pending", {}), ("submitted", {}), ("returned", {"decision": "return"})):
        outcome = runtime.complete(spec, outcome.state, outcome.tasks[0].task_id, answer, services, NOW)
        (folder / f"{name}.json").write_bytes(outcome.state)
        if name == "submitted":
            late = runtime.wake(spec, outcome.state, services, NOW + timedelta(days=8))
            (folder / "overdue.json").write_bytes(late.state)


if __name__ == "__main__":
    write(sys.argv[1])
