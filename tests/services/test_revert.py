"""Nanjing's revert of an enrolment or a stop made this month (NJ-3.3)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from app.errors import Rejected
from app.extensions import db
from app.services import declarations
from app.store.models import ContributionLine, Declaration, EmployerFund, Enrolment, EnrolmentChange, Event
from app.store.session import transaction
from tests.services.conftest import citizen, rows
from tests.services.test_stop import NANJING, charge, employee, open_funds, stop_form


@pytest.fixture
def nanjing(person):
    return person("nanjing.handler")


def enrol_form(found, start: str = "2026-11-01", **more):
    return {
        "id_number": found.id_number,
        "start_date": start,
        "phone": "13900000000",
        "wage_yuan": "8000",
        "funds": ["310", "510", "330", "410"],
        **more,
    }


def revert_form(found, kind: str):
    return {"revert_type": kind, "id_number": found.id_number}


def registry_of(person_id: int):
    """Who is insured in what, on which base, and what each month carries: what a revert must restore."""
    db.session.rollback()
    active = {
        (row.id, row.fund, row.from_month, row.to_month, row.wage_fen, row.base_fen, row.person_type)
        for row in rows(Enrolment, person_id=person_id)
        if row.status == "active"
    }
    lines = db.session.execute(
        select(
            ContributionLine.fund, ContributionLine.party, ContributionLine.accrual_month,
            func.sum(ContributionLine.amount_fen),
        )
        .where(ContributionLine.person_id == person_id)
        .group_by(ContributionLine.fund, ContributionLine.party, ContributionLine.accrual_month)
    )  # fmt: skip
    standing = {
        (line.fund, line.party, line.accrual_month, line.amount_fen)
        for line in rows(ContributionLine, person_id=person_id)
        if line.reversed_by_id is None
    }
    return active, {tuple(line) for line in lines if line[3] != 0}, standing


def refused(actor, form, now) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, "revert", form, now)
    (error,) = caught.value.errors
    assert error.field == "id_number"
    return error.code, error.message


def test_nj_3_3_a_stop_is_undone(nanjing, now):
    found = employee(nanjing)
    before = registry_of(found.person_id)
    stop = declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    assert registry_of(found.person_id) != before
    checked = declarations.check(nanjing, "revert", revert_form(found, "stop"), now)
    assert checked.ok
    assert (checked.data["name"], checked.data["handled_at"]) == (found.name, "2026-11-18 10:00")
    receipt = declarations.file(nanjing, "revert", revert_form(found, "stop"), now + timedelta(hours=1))
    assert (receipt.status, receipt.message_code) == ("done", "revert.accepted")
    assert registry_of(found.person_id) == before
    (reverted,) = rows(Declaration, reference=stop.reference)
    assert "reverted" in [event.action for event in rows(Event, declaration_id=reverted.id)]
    # the history keeps both
    (case,) = rows(Declaration, reference=receipt.reference)
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"restored"}
    assert {row.action for row in rows(EnrolmentChange, declaration_id=reverted.id)} == {"stopped"}


def test_a_stop_that_took_charges_back_gives_them_back(nanjing, now):
    found = employee(nanjing)
    charge(found.person_id, "2026-11")
    before = registry_of(found.person_id)
    declarations.file(nanjing, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    assert all(month != "2026-11" for _, _, month, _ in registry_of(found.person_id)[1])
    declarations.file(nanjing, "revert", revert_form(found, "stop"), now)
    assert registry_of(found.person_id) == before
    lines = rows(ContributionLine, person_id=found.person_id, accrual_month="2026-11")
    # nothing was deleted: each charge, what took it back, and what undid that
    assert len(lines) == 3 * len([line for line in lines if line.reversal_of_id is None])


def test_nj_3_3_an_enrolment_is_undone_with_its_back_pay(nanjing, now):
    found = citizen(NANJING, "not_insured")
    first = declarations.file(nanjing, "enrol", enrol_form(found, "2026-10-08"), now)
    (enrolled,) = rows(Declaration, reference=first.reference)
    assert rows(ContributionLine, declaration_id=enrolled.id)
    amounts = declarations.quote(nanjing, "revert", revert_form(found, "enrol"), now)
    assert sorted(-line.amount_fen for line in amounts.lines) == sorted(
        line.amount_fen for line in rows(ContributionLine, declaration_id=enrolled.id)
    )
    declarations.file(nanjing, "revert", revert_form(found, "enrol"), now)
    assert registry_of(enrolled.person_id) == (set(), set(), set())
    # the very same enrolment may be made again, charges included
    again = declarations.file(nanjing, "enrol", enrol_form(found, "2026-10-08"), now)
    assert again.status == "done"
    assert set(open_funds(enrolled.person_id)) == {"310", "510", "330", "410"}


def test_nj_3_3_once_a_day_for_one_person(nanjing, now):
    found = employee(nanjing)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    declarations.file(nanjing, "revert", revert_form(found, "stop"), now)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    words = ("revert.once_a_day", "同一身份证一天只能回退一次")
    assert refused(nanjing, revert_form(found, "stop"), now) == words
    assert refused(nanjing, revert_form(found, "stop"), now.replace(hour=23, minute=59)) == words
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=1)
    assert declarations.file(nanjing, "revert", revert_form(found, "stop"), midnight).status == "done"
    assert open_funds(found.person_id) != {}


def test_nj_3_3_never_across_months(nanjing, now):
    found = employee(nanjing)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    code, message = refused(nanjing, revert_form(found, "stop"), now.replace(month=12, day=1))
    assert (code, message) == ("revert.nothing", "当月没有可以办理停保回退的业务。")


def test_nothing_to_revert(nanjing, now):
    found = employee(nanjing)
    assert refused(nanjing, revert_form(found, "stop"), now)[0] == "revert.nothing"
    assert refused(nanjing, revert_form(citizen(NANJING, "unknown"), "enrol"), now)[0] == "stop.unknown"


def test_what_later_business_builds_on_stays(nanjing, now):
    found = citizen(NANJING, "not_insured")
    declarations.file(nanjing, "enrol", enrol_form(found), now)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    code, message = refused(nanjing, revert_form(found, "enrol"), now)
    assert code == "revert.built_upon"
    assert "退工停保登记" in message
    # the later one first
    declarations.file(nanjing, "revert", revert_form(found, "stop"), now)
    tomorrow = now + timedelta(days=1)
    assert declarations.file(nanjing, "revert", revert_form(found, "enrol"), tomorrow).status == "done"


def test_somebody_insured_elsewhere_since_is_not_brought_back(nanjing, now):
    found = employee(nanjing)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    other = next(iter(nanjing.employer_ids - {nanjing.employer_id}))
    form = enrol_form(found, "2026-12-01")
    declarations.file(nanjing, "enrol", form, now, employer_id=other)
    assert refused(nanjing, revert_form(found, "stop"), now)[0] == "revert.built_upon"


def test_paid_back_pay_is_not_undone(nanjing, now):
    found = citizen(NANJING, "not_insured")
    first = declarations.file(nanjing, "enrol", enrol_form(found, "2026-10-08"), now)
    (enrolled,) = rows(Declaration, reference=first.reference)
    with transaction():
        db.session.execute(
            update(ContributionLine)
            .where(ContributionLine.declaration_id == enrolled.id)
            .values(received_on=date(2026, 11, 18))
        )
    assert refused(nanjing, revert_form(found, "enrol"), now)[0] == "revert.charged"


def test_another_employers_business_is_not_found(nanjing, now):
    found = employee(nanjing)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    other = next(iter(nanjing.employer_ids - {nanjing.employer_id}))
    with pytest.raises(Rejected) as caught:
        declarations.file(nanjing, "revert", revert_form(found, "stop"), now, employer_id=other)
    assert caught.value.errors[0].code == "revert.nothing"


def test_a_stop_is_not_reverted_into_a_fund_that_has_ended_since(nanjing, now):
    found = employee(nanjing)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    with transaction() as session:
        session.execute(
            update(EmployerFund)
            .where(EmployerFund.employer_id == nanjing.employer_id, EmployerFund.fund == "410")
            .values(to_month="2026-11")
        )
    with pytest.raises(Rejected) as caught:
        declarations.file(nanjing, "revert", revert_form(found, "stop"), now)
    (error,) = caught.value.errors
    assert error.code == "revert.fund_ended"
    assert "失能险" in error.message
