"""Many approvals at once: each case by itself, the same rules as one by one."""

import pytest

from app.errors import Forbidden, Rejected
from app.services import approvals, audits
from app.store.models import Declaration, Enrolment, HumanTask
from app.store.queries.inbox import Scope, TaskFilter
from tests.services.conftest import NANTONG, rows, task_of

ALL = TaskFilter(kind="enrol", step="first_audit")


def scope(actor):
    return Scope(actor.id, actor.regions, actor.roles)


def test_ticked_cases_are_approved_and_applied(submitted, auditor, now):
    receipts = [submitted(place) for place in range(3)]
    result = approvals.approve(auditor, [task_of(each.reference) for each in receipts], "同意", now)
    assert (result.done, result.failed) == (3, 0)
    assert {row.status for row in rows(Declaration)} == {"approved"}
    assert {row.opinion for row in rows(Declaration)} == {"同意"}
    assert len({row.declaration_id for row in rows(Enrolment, region=NANTONG) if row.declaration_id}) == 3


def test_what_somebody_else_holds_stays(submitted, auditor, second_auditor, now):
    first, second = submitted(0), submitted(1)
    audits.claim(second_auditor, task_of(first.reference), now)
    tasks = [task_of(first.reference), task_of(second.reference)]
    result = approvals.approve(auditor, tasks, "", now)
    assert [(item.reference, item.ok) for item in result.items] == [
        (first.reference, False), (second.reference, True),
    ]  # fmt: skip
    assert "认领" in result.items[0].message
    with pytest.raises(Rejected):
        approvals.approve(auditor, [1], "", now)


def test_all_of_a_filter_slice_by_slice(submitted, auditor, now, monkeypatch):
    for place in range(5):
        submitted(place)
    newest = max(row.id for row in rows(HumanTask))
    late = submitted(5)
    monkeypatch.setattr(approvals, "CHUNK", 2)
    after, done, slices = None, 0, 0
    while True:
        part = approvals.approve_slice(auditor, scope(auditor), ALL, "", after, newest, now, seconds=0)
        done, slices, after = done + part.done, slices + 1, part.after
        if after is None:
            break
    assert (done, slices) == (5, 4)
    assert {row.reference for row in rows(Declaration, status="submitted")} == {late.reference}


def test_a_step_must_be_chosen_and_the_right_held(submitted, auditor, nantong, now):
    submitted()
    with pytest.raises(Rejected):
        approvals.approve_slice(auditor, scope(auditor), TaskFilter(kind="enrol"), "", None, 2**62, now)
    with pytest.raises(Forbidden):
        approvals.approve(nantong, [1], "", now)
