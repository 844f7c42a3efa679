"""Nanjing's medical retirement (NJ-4.1): what is asked, what turns, what is taken back, what keeps it out."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import update

from app.errors import Forbidden, NotFound, Rejected
from app.services import audits, declarations, trials
from app.store.models import (
    ContributionLine,
    Declaration,
    Enrolment,
    EnrolmentChange,
    Outbox,
)
from app.store.session import transaction
from tests.services.conftest import rows, task_of
from tests.services.endings.people import NANJING, OF_AGE, PAID, allocate
from tests.services.endings.people import employee as plain_employee
from tests.services.endings.people import retirement_form as form
from tests.services.test_stop import open_funds, refusals, stop_form


def employee(actor, born=OF_AGE, sex="1"):
    """An employee of an age, of whom the ledger says nothing yet."""
    return plain_employee(actor, born=born, sex=sex)


@pytest.fixture
def filed(desk):
    """A case with its assessment table, waiting for the first auditor."""
    return lambda found, **more: desk.file("retirement", form(found, **more), "pension_assessment")


@pytest.fixture
def approved(desk, filed):
    return lambda found, **more: desk.approve(filed(found, **more))


def test_nj_4_1_a_retiree_from_the_next_month(handler, approved, now):
    found = employee(handler)
    funds = set(open_funds(found.person_id))
    kept = allocate(handler, found, now, "2026-10", 64000, party="employer")
    unpaid = allocate(handler, found, now, "2026-11", 64000, party="employer")
    paid = allocate(handler, found, now, "2026-11", 16000, PAID)
    backpaid = allocate(handler, found, now, "2026-12", 5000, due_type="32")
    done = approved(found)
    assert (done.status, done.message_code) == ("approved", "retirement.accepted")

    (case,) = rows(Declaration, reference=done.reference)
    ended = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month == "2026-10"]
    assert {row.fund for row in ended} == funds
    after = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None]
    assert {row.fund for row in after} == {"310", "330", "410"} & funds
    assert {
        (row.person_type, row.from_month, row.employer_id, row.wage_fen, row.base_fen) for row in after
    } == {("1201", "2026-11", handler.employer_id, 432150, 432150)}
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"retired"}

    back = {row.reversal_of_id: row.due_type for row in rows(ContributionLine, declaration_id=case.id)}
    assert back == {unpaid: "10", paid: "20"}
    for line in (kept, backpaid):
        assert rows(ContributionLine, id=line)[0].reversed_by_id is None
    templates = [row.payload["template"] for row in rows(Outbox, topic="notice")]
    assert "approved" in templates


def test_nj_4_1_the_assessment_table_is_required(handler, now):
    made = declarations.file(handler, "retirement", form(employee(handler)), now).reference
    with pytest.raises(Rejected) as refused:
        declarations.proceed(handler, made, "next", now)
    assert refused.value.errors[0].message == "请上传养老退休核定表"


def test_nj_4_1_two_different_auditors(handler, filed, auditor, senior, now):
    found = employee(handler)
    made = filed(found)
    both = replace(auditor, roles=auditor.roles | senior.roles)
    audits.decide(both, task_of(made), "approve", "", [], now)
    with pytest.raises(Forbidden):
        audits.decide(both, task_of(made), "approve", "", [], now)
    assert {row.person_type for row in rows(Enrolment, person_id=found.person_id)} == {"1101"}


def test_nj_4_1_a_refusal_tells_the_employer(handler, filed, auditor, now):
    found = employee(handler)
    made = filed(found)
    done = audits.decide(auditor, task_of(made), "reject", "核定表与填报不一致", [], now)
    assert done.status == "rejected"
    assert "rejected" in [row.payload["template"] for row in rows(Outbox, topic="notice")]
    assert open_funds(found.person_id) != {}


def test_missing_months_cost_the_base_of_the_month_of_retirement(handler, now):
    found = employee(handler)
    with transaction() as session:
        # declared years ago, below today's floor
        session.execute(
            update(Enrolment)
            .where(Enrolment.person_id == found.person_id)
            .values(wage_fen=3000_00, base_fen=3368_00)
        )
    short = {"total_months": "290", "paid_months": "290", "deemed_months": "0", "shortfall_choice": "one_off"}
    trial = trials.quote(handler, "retirement", form(found, **short), now)
    assert [(line.due_type, line.base_fen, line.amount_fen) for line in trial.lines] == [
        ("32", 5060_00, 5060_00)
    ]


def test_missing_months_are_paid_at_once(handler, approved, now):
    found = employee(handler)
    base = next(row.base_fen for row in rows(Enrolment, person_id=found.person_id) if row.fund == "310")
    short = {"total_months": "290", "paid_months": "290", "deemed_months": "0"}
    (refused,) = refusals(handler, form(found, **short), now, "retirement")
    assert (refused[0], refused[1]) == ("retirement.choose", "shortfall_choice")
    assert "还差10个月" in refused[2]
    trial = trials.quote(handler, "retirement", form(found, shortfall_choice="one_off", **short), now)
    price = round(base / 10) * 10
    assert [(line.due_type, line.amount_fen) for line in trial.lines] == [("32", price)]
    done = approved(found, shortfall_choice="one_off", **short)
    assert done.message_code == "retirement.accepted_one_off"
    (case,) = rows(Declaration, reference=done.reference)
    (line,) = rows(ContributionLine, declaration_id=case.id)
    assert (line.due_type, line.party, line.fund, line.accrual_month, line.due_month, line.amount_fen) == (
        "32", "employee", "310", "2026-10", "2026-11", price,
    )  # fmt: skip


def test_missing_months_may_go_on_being_paid(handler, approved):
    found = employee(handler)
    before = open_funds(found.person_id)
    done = approved(found, total_months="290", paid_months="", deemed_months="", shortfall_choice="continue")
    assert done.message_code == "retirement.continues"
    assert open_funds(found.person_id) == before
    (case,) = rows(Declaration, reference=done.reference)
    assert rows(EnrolmentChange, declaration_id=case.id) == []


def test_a_stop_and_a_retirement_exclude_each_other(handler, filed, approved, now):
    found = employee(handler)
    filed(found)
    assert refusals(handler, stop_form(found, NANJING), now)[0][:2] == ("enrol.one_open", "id_number")


def test_after_a_retirement_no_stop_and_after_a_stop_no_retirement(handler, approved, now):
    found = employee(handler)
    approved(found)
    assert refusals(handler, stop_form(found, NANJING), now)[0][0] == "stop.retiree"
    assert refusals(handler, form(found), now, "retirement")[0][0] == "retirement.already"
    other = employee(handler)
    declarations.file(handler, "stop", stop_form(other, NANJING), now)
    assert refusals(handler, form(other), now, "retirement")[0][0] == "retirement.stopped_before"


def test_unpaid_months_keep_the_retirement_out(handler, now):
    found = employee(handler)
    allocate(handler, found, now, "2026-08", 64000, party="employer")
    (refused,) = refusals(handler, form(found), now, "retirement")
    assert refused[0] == "retirement.arrears"
    assert "2026-08" in refused[2]


def test_illness_makes_the_age_a_warning(handler, filed, now):
    found = employee(handler, born=date(1980, 1, 1))
    assert refusals(handler, form(found), now, "retirement")[0][0] == "retirement.too_early"
    made = filed(found, retirement_type="2")
    (case,) = rows(Declaration, reference=made)
    assert [each["code"] for each in case.facts["warnings"]] == ["retirement.early"]


def test_elsewhere_it_is_for_the_counter(person, now):
    suzhou = person("suzhou.handler")
    with pytest.raises((NotFound, Forbidden)):
        declarations.file(suzhou, "retirement", form(employee(suzhou)), now)


@pytest.mark.parametrize("slug", ["suzhou", "nantong", "huaian", "lianyungang"])
def test_the_counter_of_another_region_files_and_somebody_else_decides(person, now, slug):
    counter, handler = person(f"{slug}.counter"), person(f"{slug}.handler")
    found = employee(handler)
    made = declarations.file(counter, "retirement", form(found), now, employer_id=handler.employer_id)
    assert made.status == "submitted"
    with pytest.raises(Forbidden):
        audits.decide(counter, task_of(made.reference), "approve", "", [], now)
    done = audits.decide(person(f"{slug}.auditor"), task_of(made.reference), "approve", "", [], now)
    assert done.message_code == "retirement.accepted"
    after = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None]
    assert {row.person_type for row in after} == {"1201"}
    typed = stop_form(found, rows(Declaration, reference=made.reference)[0].region)
    assert refusals(handler, typed, now)[0][0] == "stop.retiree"


def test_months_are_those_of_the_submission_whenever_it_is_approved(handler, desk, filed, now):
    """Filed in November, decided in January: a retiree from November, later charges are taken back."""
    found = employee(handler)
    made = filed(found)
    december = allocate(handler, found, now, "2026-12", 64000, party="employer")
    january = now.replace(year=2027, month=1, day=8)
    audits.decide(desk.auditor, task_of(made), "approve", "", [], january)
    done = audits.decide(desk.senior, task_of(made), "approve", "", [], january)
    assert done.status == "approved"
    (case,) = rows(Declaration, reference=made)
    assert december in {row.reversal_of_id for row in rows(ContributionLine, declaration_id=case.id)}
    after = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None]
    assert {row.from_month for row in after} == {"2026-11"}


@pytest.mark.parametrize(
    "given",
    [{"retirement_date": "2026-13-01"}, {"retirement_wage_yuan": "很多"}, {"total_months": ""}],
)
def test_a_half_filled_form_has_no_amounts(handler, now, given):
    found = employee(handler)
    assert trials.quote(handler, "retirement", {**form(found), **given}, now) is None
