"""Overdue audits are noticed by the process itself, once."""

from datetime import datetime, timedelta

import pytest

from app.clock import to_utc
from app.services import audits, declarations, incidents, service_tasks, timers
from app.store.models import Event, HumanTask, Incident, Outbox, ProcessInstance
from tests.services.conftest import rows, task_of


def test_an_overdue_audit_is_noticed_once(submitted, auditor, now):
    receipts = [submitted(place) for place in range(3)]
    assert timers.wake_due(now) == 0
    due = rows(ProcessInstance)[0].next_due_at_utc
    assert due == to_utc(now + timedelta(days=7))
    later = now + timedelta(days=8)
    assert timers.wake_due(later) == 3
    assert timers.wake_due(later) == 0
    assert [row.payload["template"] for row in rows(Outbox)] == ["overdue"] * 3
    assert len(rows(HumanTask)) == 3
    assert len(rows(Event, element_id="remind_first", action="completed")) == 3
    assert {row.status for row in rows(ProcessInstance)} == {"running"}
    for receipt in receipts:
        task = task_of(receipt.reference)
        assert audits.decide(auditor, task, "reject", "超时未补", [], later).status == "rejected"


def test_a_decided_case_has_no_timer(submitted, auditor, now):
    receipt = submitted()
    audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now)
    assert rows(ProcessInstance)[0].next_due_at_utc is None
    assert timers.wake_due(now + timedelta(days=30)) == 0


def test_a_timer_that_fails_holds_up_no_other(submitted, person, monkeypatch, now):
    bad, good = submitted(0), submitted(1)
    real = service_tasks.SERVICES["notice.send"]

    def fail_for_one(context, **given):
        if context.case.declaration.reference == bad.reference:
            raise OSError("no paper")
        return real(context, **given)

    monkeypatch.setattr(service_tasks, "SERVICES", {**service_tasks.SERVICES, "notice.send": fail_for_one})
    later = now + timedelta(days=8)
    assert timers.wake_due(later) == 1
    assert timers.wake_due(later) == 0
    (incident,) = rows(Incident)
    assert (incident.action, incident.element_id) == ("timer", "notice.send")
    monkeypatch.undo()
    supervisor = person("nantong.supervisor")
    assert declarations.get_case(supervisor, bad.reference, now).incident_id == incident.id
    assert declarations.get_case(supervisor, good.reference, now).incident_id is None
    assert incidents.retry(supervisor, incident.id, later) is True
    assert len(rows(Outbox)) == 2


@pytest.mark.parametrize("moment", [datetime(2026, 11, 25, 9, 59), datetime(2026, 11, 25, 10, 1)])
def test_to_the_minute(submitted, moment, now):
    submitted()
    assert timers.wake_due(moment) == (moment > now + timedelta(days=7))
