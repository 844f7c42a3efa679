"""Endings and reverts over months that the monthly assessment has charged (NJ-3.3, NJ-4.1, NJ-4.2)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete

from app.errors import Rejected
from app.services import assessing, declarations, posting
from app.services.billing import notices_named
from app.store.models import Assessment, ContributionLine, Declaration, Enrolment
from app.store.session import transaction
from tests.services.conftest import citizen, rows
from tests.services.endings.people import (
    NANJING,
    OF_AGE,
    PAID,
    allocate,
    employee,
    retirement_form,
    withdrawal_form,
)
from tests.services.test_revert import enrol_form, refused, registry_of, revert_form
from tests.services.test_stop import open_funds, stop_form

MONTH = "2026-11"


@pytest.fixture
def assess(handler, now):
    """Assess a month for the employer; gives the numbers of its notices."""

    def run(month=MONTH):
        # whoever these tests are about carries nothing yet, whatever the demonstration has assessed
        here = (Assessment.employer_id == handler.employer_id, Assessment.month == month)
        with transaction() as session:
            session.execute(delete(Assessment).where(*here))
        return assessing.assess(month, now, employer_id=handler.employer_id).notices

    return run


def sums(person_id):
    """What stands of each accrual month, allocations left out, in fen."""
    found: dict[str, int] = {}
    for line in rows(ContributionLine, person_id=person_id):
        if not line.party.startswith("allocation"):
            found[line.accrual_month] = found.get(line.accrual_month, 0) + line.amount_fen
    return {month: total for month, total in found.items() if total}


def test_nj_3_3_an_enrolment_is_undone_with_the_month_assessed_on_it(handler, assess, now):
    found = citizen(NANJING, "not_insured")
    made = declarations.file(handler, "enrol", enrol_form(found, "2026-12-01"), now)
    (enrolled,) = rows(Declaration, reference=made.reference)
    person_id = enrolled.person_id
    assess("2026-12")
    assert set(sums(person_id)) == {"2026-12"}
    quote = declarations.quote(handler, "revert", revert_form(found, "enrol"), now)
    assert quote.months == ["2026-12"]
    declarations.file(handler, "revert", revert_form(found, "enrol"), now)
    assert registry_of(person_id) == (set(), set(), set())
    # nothing is left that a second run could charge
    assess("2026-12")
    assert sums(person_id) == {}


def test_nj_3_3_a_paid_month_keeps_the_enrolment(handler, assess, now):
    found = citizen(NANJING, "not_insured")
    declarations.file(handler, "enrol", enrol_form(found, "2026-12-01"), now)
    for number in assess("2026-12"):
        posting.post(number, date(2026, 11, 18), now)
    code, message = refused(handler, revert_form(found, "enrol"), now)
    assert code == "revert.charged"
    assert "柜面" in message


def test_nj_3_3_a_stop_is_undone_with_the_charges_that_it_took_back(handler, assess, now):
    found = employee(handler)
    assess()
    before = registry_of(found.person_id)
    declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    assert MONTH not in sums(found.person_id)
    declarations.file(handler, "revert", revert_form(found, "stop"), now + timedelta(hours=2))
    assert registry_of(found.person_id) == before


def test_nj_3_3_a_month_assessed_after_the_stop_is_charged_by_its_revert(handler, assess, now):
    found = employee(handler)
    declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    assess()
    assert sums(found.person_id) == {}
    declarations.file(handler, "revert", revert_form(found, "stop"), now)
    assert set(sums(found.person_id)) == {MONTH}
    assess()
    standing = [
        line for line in rows(ContributionLine, person_id=found.person_id) if line.reversed_by_id is None
    ]
    assert len({(line.fund, line.party) for line in standing}) == len(standing)


def test_a_stop_after_the_assessment_reverses_what_is_unpaid_and_refunds_what_is_paid(handler, assess, now):
    found, other = employee(handler), employee(handler, 1)
    numbers = assess()
    first = declarations.check(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    assert [each.code for each in first.warnings] == ["stop.takes_back"]
    declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    assert sums(found.person_id) == {}
    for number in numbers:
        posting.post(number, date(2026, 11, 18), now)
    declarations.file(handler, "stop", stop_form(other, NANJING, stop_date="2026-10-31"), now)
    types = {line.due_type for line in rows(ContributionLine, person_id=other.person_id)}
    assert types == {"10", "20"}
    assert all(notices_named(number, now) for number in numbers)


def test_coming_back_never_makes_two_normal_lines(handler, assess, now):
    found = employee(handler)
    assess()
    declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    again = declarations.check(handler, "enrol", enrol_form(found), now)
    assert "enrol.revert_instead" in [each.code for each in again.warnings]
    declarations.file(handler, "enrol", enrol_form(found), now)
    assess()
    standing = [
        (line.fund, line.party, line.accrual_month)
        for line in rows(ContributionLine, person_id=found.person_id)
        if line.reversed_by_id is None
    ]
    assert {month for _, _, month in standing} == {MONTH}
    assert len(set(standing)) == len(standing)


def test_a_retirement_turns_the_charges_of_later_months_into_a_retirees(handler, desk, assess, now):
    found = employee(handler, born=OF_AGE)
    assess()
    made = desk.file("retirement", retirement_form(found), "pension_assessment")
    desk.approve(made)
    month = [
        line
        for line in rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH)
        if line.reversed_by_id is None
    ]
    assert month
    assert {(line.retired, line.due_type) for line in month} == {(True, "31")}
    assert not {line.fund for line in month} & {"510", "320"}
    # the pension serves the allocation only: nobody pays a share of it
    assert {line.party for line in month if line.fund == "310"} == {"allocation_employer"}
    assess()
    again = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH)
    assert len([line for line in again if line.reversed_by_id is None]) == len(month)


def test_a_retirement_of_next_month_leaves_this_one_an_employees(handler, desk, assess, now):
    found = employee(handler, born=OF_AGE)
    desk.approve(
        desk.file("retirement", retirement_form(found, retirement_date="2026-11-30"), "pension_assessment")
    )
    assess()
    assess("2026-12")
    retired = {
        (line.accrual_month, line.retired) for line in rows(ContributionLine, person_id=found.person_id)
    }
    assert retired == {(MONTH, False), ("2026-12", True)}


def test_unpaid_months_up_to_the_death_stay_due_and_later_ones_go(handler, desk, assess, now):
    found = employee(handler)
    assess("2026-10")
    assess()
    october = sums(found.person_id)["2026-10"]
    desk.approve(desk.file("withdrawal", withdrawal_form(found), "withdrawal_picture"))
    assert sums(found.person_id) == {"2026-10": october}
    assess("2026-12")
    assert sums(found.person_id) == {"2026-10": october}
    assert open_funds(found.person_id) == {}


def test_an_undone_death_is_charged_again(handler, desk, counter, assess, now):
    found = employee(handler)
    assess()
    before = sums(found.person_id)
    desk.approve(desk.file("withdrawal", withdrawal_form(found), "withdrawal_picture"))
    assert sums(found.person_id) == {}
    form = {"id_number": found.id_number, "undo_reason": "医院误报，本人到场核验"}
    undo = declarations.file(counter, "death_undo", form, now, employer_id=handler.employer_id).reference
    desk.approve(undo)
    assert sums(found.person_id) == before
    assess("2026-12")
    assert set(sums(found.person_id)) == {MONTH, "2026-12"}


def test_an_ending_of_this_month_stays_in_the_register_of_march(handler, desk, now):
    """As-of questions: who was insured here in a month before the death."""
    found = employee(handler)
    funds = set(open_funds(found.person_id))
    desk.approve(desk.file("withdrawal", withdrawal_form(found), "withdrawal_picture"))
    march = {
        row.fund
        for row in rows(Enrolment, person_id=found.person_id)
        if row.status == "active" and row.from_month <= "2026-03" <= (row.to_month or "9999-12")
    }
    assert march <= funds
    with pytest.raises(Rejected):
        declarations.file(handler, "stop", stop_form(found, NANJING), now)


def test_arrears_keep_nobody_from_stopping(handler, now):
    """Stops stay open where months are unpaid; only the kinds that the parameter names wait."""
    found = employee(handler, born=OF_AGE)
    allocate(handler, found, now, "2026-07", 64000, party="employer")
    with pytest.raises(Rejected) as refused_one:
        declarations.file(handler, "retirement", retirement_form(found), now)
    assert refused_one.value.errors[0].code == "retirement.arrears"
    assert declarations.file(handler, "stop", stop_form(found, NANJING), now).status == "done"
    assert sums(found.person_id) == {"2026-07": 64000}


def test_taking_only_an_allocation_back_costs_nobody_anything(handler, now):
    found = employee(handler)
    allocate(handler, found, now, MONTH, 16000, PAID)
    form = stop_form(found, NANJING, stop_date="2026-10-31")
    checked = declarations.check(handler, "stop", form, now)
    assert (list(checked.warnings), checked.amounts) == ([], None)
    paid = declarations.check(handler, "withdrawal", withdrawal_form(found), now)
    assert "withdrawal.takes_back" not in [each.code for each in paid.warnings]
