"""A service task that fails leaves nothing changed, becomes an incident, and can be run again."""

from collections import Counter

import pytest

from app.errors import Conflict, Forbidden, NotFound, Rejected, ServiceFailure
from app.services import audits, declarations, incidents, service_tasks
from app.store.crypto import decrypt_json
from app.store.models import (
    ContributionLine,
    Declaration,
    Effect,
    Enrolment,
    Event,
    HumanTask,
    Incident,
    Outbox,
    Person,
    ProcessInstance,
)  # fmt: skip
from tests.services.conftest import NANTONG, SUZHOU, citizen, nantong_form, rows, suzhou_form, task_of

TABLES = (
    ContributionLine, Declaration, Effect, Enrolment, Event, HumanTask, Outbox, Person, ProcessInstance,
)  # fmt: skip


class BrokenError(Exception):
    """What no rule foresees."""


@pytest.fixture
def broken(monkeypatch):
    """Let a service work and then fail, until `mend` is called."""

    def break_(name: str):
        real = service_tasks.SERVICES[name]

        def fail(context, **given):
            real(context, **given)
            raise BrokenError("the registry is on fire")

        monkeypatch.setattr(service_tasks, "SERVICES", {**service_tasks.SERVICES, name: fail})
        return monkeypatch.undo

    return break_


def everything():
    return Counter({model.__tablename__: len(rows(model)) for model in TABLES})


def test_filing_that_breaks_changes_nothing_and_can_be_retried(suzhou, person, broken, now):
    found = citizen(SUZHOU, "unknown")
    before, mend = everything(), broken("enrolment.apply")
    with pytest.raises(ServiceFailure) as caught:
        declarations.file(suzhou, "enrol", suzhou_form(found), now)
    assert everything() == before
    (incident,) = rows(Incident)
    assert str(incident.id) in caught.value.message
    assert "on fire" not in caught.value.message
    assert (incident.action, incident.element_id, incident.status) == ("file", "enrolment.apply", "open")
    assert (incident.region, incident.actor_id) == (SUZHOU, suzhou.id)
    kept = incident.action_cipher
    assert found.id_number.encode() not in kept
    assert decrypt_json(kept)["arguments"]["data"]["id_number"] == found.id_number
    assert found.id_number not in incident.message + incident.detail

    supervisor = person("suzhou.supervisor")
    with pytest.raises(ServiceFailure):
        incidents.retry(supervisor, incident.id, now)
    mend()
    receipt = incidents.retry(supervisor, incident.id, now)
    assert receipt.status == "done"
    (case,) = rows(Declaration)
    assert (case.created_by_id, case.submitted_by_id) == (suzhou.id, suzhou.id)
    assert rows(Incident, id=incident.id)[0].status == "resolved"
    with pytest.raises(Conflict):
        incidents.retry(supervisor, incident.id, now)
    assert len(rows(Declaration)) == 1


def test_a_decision_that_breaks_leaves_the_task_open(submitted, auditor, person, broken, now):
    receipt = submitted()
    task, mend = task_of(receipt.reference), broken("enrolment.apply")
    before = everything()
    with pytest.raises(ServiceFailure):
        audits.decide(auditor, task, "approve", "", [], now)
    assert everything() == before
    assert task_of(receipt.reference) == task
    (case,) = rows(Declaration)
    assert (case.status, case.decision) == ("submitted", None)
    (incident,) = rows(Incident)
    assert incident.declaration_id == case.id
    assert declarations.get_case(auditor, receipt.reference, now).incident_id == incident.id
    assert rows(ProcessInstance)[0].status == "incident"

    with pytest.raises(ServiceFailure):
        audits.decide(auditor, task, "approve", "", [], now)
    assert [row.attempts for row in rows(Incident)] == [2]

    mend()
    assert incidents.retry(person("nantong.supervisor"), incident.id, now).status == "approved"
    assert rows(ProcessInstance)[0].status == "completed"
    assert declarations.get_case(auditor, receipt.reference, now).incident_id is None


def test_the_next_good_action_clears_the_case(submitted, auditor, broken, now):
    receipt = submitted()
    mend = broken("enrolment.apply")
    with pytest.raises(ServiceFailure):
        audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now)
    mend()
    audits.decide(auditor, task_of(receipt.reference), "reject", "请到柜面办理", [], now)
    assert rows(ProcessInstance)[0].status == "completed"
    assert [row.status for row in rows(Incident)] == ["resolved"]


def test_one_broken_record_of_many(nantong, person, monkeypatch, now):
    references = [
        declarations.file(nantong, "enrol", nantong_form(citizen(NANTONG, "not_insured", n)), now).reference
        for n in range(3)
    ]
    real = service_tasks.SERVICES["enrolment.check"]

    def fail_for_one(context, **given):
        if context.case.declaration.reference == references[1]:
            raise BrokenError("only this one")
        return real(context, **given)

    services = {**service_tasks.SERVICES, "enrolment.check": fail_for_one}
    monkeypatch.setattr(service_tasks, "SERVICES", services)
    result = declarations.submit(nantong, references, now)
    assert [item.ok for item in result.items] == [True, False, True]
    assert result.items[1].code == "incident"
    monkeypatch.undo()
    (incident,) = rows(Incident)
    again = incidents.retry(person("nantong.supervisor"), incident.id, now)
    assert [item.status for item in again.items] == ["submitted"]
    assert rows(Incident)[0].status == "resolved"


def test_an_effect_happens_once(submitted, auditor, monkeypatch, now):
    receipt = submitted()
    real = service_tasks.SERVICES["enrolment.apply"]

    def twice(context, **given):
        real(context, **given)
        return real(context, **given)

    services = {**service_tasks.SERVICES, "enrolment.apply": twice}
    monkeypatch.setattr(service_tasks, "SERVICES", services)
    with pytest.raises(Conflict):
        audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now)
    assert rows(Effect) == []
    assert rows(Declaration)[0].status == "submitted"


def test_a_rejection_by_the_rules_is_no_incident(suzhou, now):
    with pytest.raises(Rejected):
        declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "flexible")), now)
    assert rows(Incident) == []


def test_who_may_look_at_incidents(suzhou, auditor, person, broken, now):
    broken("enrolment.apply")
    with pytest.raises(ServiceFailure):
        declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "unknown")), now)
    (incident,) = rows(Incident)
    assert [row.id for row in incidents.list_open(person("suzhou.supervisor"))] == [incident.id]
    assert incidents.list_open(person("nantong.supervisor")) == []
    assert [row.id for row in incidents.list_open(person("sysadmin"))] == [incident.id]
    for actor in (suzhou, auditor):
        with pytest.raises(Forbidden):
            incidents.list_open(actor)
    assert "on fire" in incidents.detail_of(person("sysadmin"), incident.id)
    with pytest.raises(Forbidden):
        incidents.detail_of(person("suzhou.supervisor"), incident.id)
    with pytest.raises(NotFound):
        incidents.retry(person("nantong.supervisor"), incident.id, now)


def test_a_database_that_is_away_for_a_moment_is_not_noticed(suzhou, monkeypatch, now):
    from sqlalchemy.exc import OperationalError

    from app.services import actions

    real, away = actions.transaction, [1]

    def sometimes():
        if away and away.pop():
            raise OperationalError("BEGIN", {}, OSError("server closed the connection"))
        return real()

    monkeypatch.setattr(actions, "transaction", sometimes)
    form = suzhou_form(citizen(SUZHOU, "unknown"))
    assert declarations.file(suzhou, "enrol", form, now).status == "done"
    away[:] = [1, 1]
    with pytest.raises(Conflict, match="没有保存"):
        declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "unknown", 1)), now)
    assert len(rows(Declaration)) == 1
    assert rows(Incident) == []
