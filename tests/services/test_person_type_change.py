"""Employees become civil servants and the other way round without a stop (1101, 1102)."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select

from app.clock import to_utc
from app.errors import Rejected
from app.extensions import db
from app.services import audits, declarations, trials
from app.store.ledger import add_lines, line_values
from app.store.models import ContributionLine, Declaration, Employer, Enrolment, EnrolmentChange
from app.store.queries.insured import insured_on
from app.store.session import transaction
from tests.services.conftest import SUZHOU, rows, task_of
from tests.services.test_stop import employee, open_funds, stop_form

PAID = date(2026, 10, 26)


@pytest.fixture
def public(suzhou):
    """The operator, for the employer that takes part in the civil servants' fund."""
    found = db.session.scalars(select(Employer.id).where(Employer.employer_no == f"{SUZHOU}00003")).one()
    return replace(suzhou, employer_id=found)


@pytest.fixture
def decider(person):
    return person("suzhou.auditor")


def form(found, person_type="1102", month="2026-11", **more):
    return {"id_number": found.id_number, "person_type": person_type, "from_month": month, **more}


def change(actor, auditor, found, now, **more):
    made = declarations.file(actor, "person_type_change", form(found, **more), now)
    assert made.status == "submitted"
    return audits.decide(auditor, task_of(made.reference), "approve", "", [], now)


def codes(act):
    with pytest.raises(Rejected) as caught:
        act()
    return [error.code for error in caught.value.errors]


def clear(found):
    with transaction() as session:
        session.execute(delete(ContributionLine).where(ContributionLine.person_id == found.person_id))


def charge(actor, found, month, now, fund="310", received=None, fen=60000):
    row = line_values(
        region=SUZHOU, person_id=found.person_id, employer_id=actor.employer_id, fund=fund, party="employer",
        due_type="10", due_month=month, accrual_month=month, base_fen=1000000, rate="0.06", fixed_fen=None,
        amount_fen=fen, declaration_id=None, created_at_utc=to_utc(now), received_on=received,
    )  # fmt: skip
    with transaction():
        add_lines([row])
    return row["id"]


def test_an_employee_becomes_a_civil_servant(public, decider, now):
    found = employee(public, person_type="1101")
    clear(found)
    before = open_funds(found.person_id)
    charge(public, found, "2026-08", now, received=PAID)
    charge(public, found, "2026-09", now)
    done = change(public, decider, found, now, month="2026-09")
    assert (done.status, done.message_code) == ("approved", "person_type_change.accepted")
    after = open_funds(found.person_id)
    assert after == {**before, "320": "2026-09"}
    (case,) = rows(Declaration, reference=done.reference)
    lines = rows(ContributionLine, declaration_id=case.id)
    added = [row for row in lines if row.fund == "320" and row.accrual_month == "2026-09"]
    assert added
    assert {(row.due_type, row.base_fen) for row in added} == {("31", 1000000)}
    assert all(row.amount_fen > 0 for row in added)
    assert not [row for row in lines if row.fund != "320" and row.accrual_month < "2026-09"]
    # nothing was stopped, and the type of each month is known
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"type"}
    types = {
        month: [row.person_type for row in insured_on(public.employer_id, month, [found.person_id])]
        for month in ("2026-08", "2026-09")
    }
    assert types == {"2026-08": ["1101"], "2026-09": ["1102"]}


def test_a_civil_servant_becomes_an_employee(public, decider, now):
    found = employee(public, person_type="1102")
    clear(found)
    before = open_funds(found.person_id)
    paid = charge(public, found, "2026-09", now, "320", PAID)
    unpaid = charge(public, found, "2026-10", now, "320")
    other = charge(public, found, "2026-10", now)
    checked = trials.check(public, "person_type_change", form(found, "1101", "2026-09"), now)
    assert [each.code for each in checked.warnings] == ["person_type_change.differences"]
    assert checked.data["old_person_type"] == "1102"
    done = change(public, decider, found, now, person_type="1101", month="2026-09")
    after = open_funds(found.person_id)
    assert set(before) - set(after) == {"320"}
    (case,) = rows(Declaration, reference=done.reference)
    back = {
        row.reversal_of_id: row.due_type
        for row in rows(ContributionLine, declaration_id=case.id)
        if row.reversal_of_id is not None
    }
    assert back == {paid: "20", unpaid: "10"}
    assert rows(ContributionLine, id=other)[0].reversed_by_id is None
    (ended,) = [row for row in rows(Enrolment, person_id=found.person_id) if row.fund == "320"]
    assert (ended.to_month, ended.status) == ("2026-08", "active")
    assert {
        row.person_type for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None
    } == {"1101"}


def test_there_and_back(public, decider, now):
    found = employee(public, person_type="1101")
    change(public, decider, found, now, month="2026-10")
    assert codes(
        lambda: declarations.file(public, "person_type_change", form(found, "1102", "2026-11"), now)
    ) == ["person_type_change.same"]
    change(public, decider, found, now, person_type="1101", month="2026-12")
    types = {
        month: [row.person_type for row in insured_on(public.employer_id, month, [found.person_id])]
        for month in ("2026-09", "2026-10", "2026-11", "2026-12")
    }
    assert types == {
        "2026-09": ["1101"], "2026-10": ["1102"], "2026-11": ["1102"], "2026-12": ["1101"],
    }  # fmt: skip


def test_refusals(public, suzhou, now):
    found = employee(public, person_type="1101")

    def refused(actor=public, who=found, **more):
        return codes(lambda: declarations.file(actor, "person_type_change", form(who, **more), now))

    assert refused(person_type="1101") == ["person_type_change.same"]
    assert refused(month="2027-03") == ["person_type_change.month_limits"]
    ordinary = employee(suzhou)
    assert refused(suzhou, ordinary) == ["person_type_change.employer_fund"]
    assert refused(suzhou) == ["stop.not_active"]
    retiree = employee(public, person_type="1201") if _has_retirees(public) else None
    if retiree is not None:
        assert refused(who=retiree) == ["person_type_change.retiree"]


def _has_retirees(actor) -> bool:
    return bool(rows(Enrolment, employer_id=actor.employer_id, person_type="1201"))


def test_it_shares_one_open_declaration_with_a_stop(public, now):
    found = employee(public, person_type="1101")
    declarations.file(public, "person_type_change", form(found), now)
    assert codes(lambda: declarations.file(public, "stop", stop_form(found, SUZHOU), now)) == [
        "enrol.one_open"
    ]
