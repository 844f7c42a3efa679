"""Supplementary lines that stand for a month's own charge go with it when insurance ends or turns.

Back-pay stays where it is (Suzhou manual 2 (3) 2): whoever declared it may cancel it.
"""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select

from app.clock import to_utc
from app.extensions import db
from app.services import assessing, audits, declarations
from app.store.ledger import add_lines, line_values
from app.store.models import Assessment, ContributionLine, Declaration, Employer
from app.store.session import transaction
from tests.services.conftest import SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.endings.people import NANJING, OF_AGE, employee, retirement_form
from tests.services.test_revert import enrol_form
from tests.services.test_stop import employee as suzhou_employee
from tests.services.test_stop import stop_form

TRANSFER = {"transfer_reason": "740311"}


def standing(person_id, fund="310", retired=False):
    """What stands of a fund: {accrual month: due types}, allocations left out."""
    found: dict[str, set[str]] = {}
    for line in rows(ContributionLine, person_id=person_id, fund=fund, reversed_by_id=None):
        if not line.party.startswith("allocation") and line.retired == retired:
            found.setdefault(line.accrual_month, set()).add(line.due_type)
    return found


def charge(actor, region, found, month, now, due_type="10", received=None):
    row = line_values(
        region=region, person_id=found.person_id, employer_id=actor.employer_id, fund="310",
        party="employer", due_type=due_type, due_month=max(month, "2026-11") if due_type == "31" else month,
        accrual_month=month, base_fen=800000, rate="0.06", fixed_fen=None, amount_fen=48000,
        declaration_id=None, created_at_utc=to_utc(now), received_on=received,
    )  # fmt: skip
    with transaction():
        add_lines([row])


@pytest.fixture
def decider(person):
    return person("nanjing.auditor")


@pytest.fixture
def other(handler):
    """The same operator, for the employer that people move to."""
    target = db.session.scalars(select(Employer.id).where(Employer.employer_no == f"{NANJING}00002")).one()
    return replace(handler, employer_id=target)


def test_nj_3_1_a_stop_after_a_transfer_takes_the_moved_months_back(handler, other, decider, now):
    found = employee(handler)
    for month in ("2026-09", "2026-10"):
        charge(handler, NANJING, found, month, now)
    form = {
        "people": found.id_number, "target_employer_no": f"{NANJING}00002", "transfer_month": "2026-08",
        **TRANSFER,
    }  # fmt: skip
    made = declarations.file(handler, "employer_transfer", form, now)
    audits.decide(decider, task_of(made.reference), "approve", "", [], now)
    assert {"2026-09", "2026-10"} <= set(standing(found.person_id))
    done = declarations.file(other, "stop", stop_form(found, NANJING, stop_date="2026-09-30"), now)
    assert done.status == "done"
    assert set(standing(found.person_id)) == {"2026-09"}
    assert done.message_code == "stop.accepted"


def test_sz_2_3_a_stop_takes_back_what_a_changed_type_added(person, now):
    suzhou = person("suzhou.handler")
    place = db.session.scalars(select(Employer.id).where(Employer.employer_no == f"{SUZHOU}00003")).one()
    public = replace(suzhou, employer_id=place)
    found = suzhou_employee(public, person_type="1101")
    with transaction() as session:
        session.execute(delete(ContributionLine).where(ContributionLine.person_id == found.person_id))
    for month in ("2026-10", "2026-11"):
        charge(public, SUZHOU, found, month, now)
    form = {"id_number": found.id_number, "person_type": "1102", "from_month": "2026-10"}
    made = declarations.file(public, "person_type_change", form, now)
    audits.decide(person("suzhou.auditor"), task_of(made.reference), "approve", "", [], now)
    assert {"2026-10", "2026-11"} <= set(standing(found.person_id, "320"))
    declarations.file(public, "stop", stop_form(found, SUZHOU, stop_date="2026-10-31"), now)
    assert set(standing(found.person_id)) == {"2026-10"}
    assert set(standing(found.person_id, "320")) == {"2026-10"}


def test_a_month_charged_ahead_is_no_back_pay(handler, now):
    """Enrolled after the next month was assessed: a stop of this month takes that charge back."""
    assessing.assess("2026-12", now, employer_id=handler.employer_id)
    found = citizen(NANJING, "not_insured")
    made = declarations.file(handler, "enrol", enrol_form(found, "2026-11-01"), now)
    (case,) = rows(Declaration, reference=made.reference)
    assert "2026-12" in standing(case.person_id)
    declarations.file(handler, "stop", stop_form(found, NANJING), now)
    assert set(standing(case.person_id)) == {"2026-11"}


def test_nj_4_1_a_retirement_turns_months_that_were_paid_back(desk, handler, now):
    """Whatever its type, a charge as an employee does not stand beside a retiree's month."""
    found = employee(handler, born=OF_AGE)
    charge(handler, NANJING, found, "2026-10", now, "31")
    charge(handler, NANJING, found, "2026-11", now, "31", date(2026, 11, 5))
    desk.approve(desk.file("retirement", retirement_form(found), "pension_assessment"))
    assert set(standing(found.person_id)) == {"2026-10"}
    refunds = rows(ContributionLine, person_id=found.person_id, due_type="20")
    assert [line.amount_fen for line in refunds] == [-48000]


def test_sz_2_3_2_back_pay_of_the_employers_own_still_stays(person, now):
    suzhou = person("suzhou.handler")
    with transaction() as session:
        session.execute(delete(Assessment).where(Assessment.employer_id == suzhou.employer_id))
    found = citizen(SUZHOU, "not_insured")
    declarations.file(suzhou, "enrol", suzhou_form(found, "2026-10-01"), now)
    done = declarations.file(suzhou, "stop", stop_form(found, SUZHOU, stop_date="2026-10-31"), now)
    assert done.message_code == "stop.accepted_with_backpay"
    assert "2026-11" in done.message


def figures(lines):
    """What lines say, whichever way they were made."""
    return sorted(
        (line.accrual_month, line.fund, line.party, line.due_type, line.due_month, line.amount_fen)
        for line in lines
    )


def test_nj_4_1_the_trial_shows_the_lines_that_the_retirement_makes(desk, handler, now):
    """Those taken back, and those of a retiree in the months that are assessed already."""
    found = employee(handler, born=OF_AGE)
    with transaction() as session:
        session.execute(delete(Assessment).where(Assessment.employer_id == handler.employer_id))
    for month in ("2026-11", "2026-12"):
        assessing.assess(month, now, employer_id=handler.employer_id)
    shown = declarations.quote(handler, "retirement", retirement_form(found), now)
    assert shown.months == ["2026-11", "2026-12"]
    reference = desk.file("retirement", retirement_form(found), "pension_assessment")
    desk.approve(reference)
    (case,) = rows(Declaration, reference=reference)
    assert figures(shown.lines) == figures(rows(ContributionLine, declaration_id=case.id))
    assert [line for line in shown.lines if line.amount_fen > 0 and line.party == "employee"]
