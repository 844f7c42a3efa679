"""Suzhou: no audit, the rules decide at once, past months are paid back in the same action."""

from collections import Counter
from datetime import date

import pytest

from app.errors import Rejected
from app.services import declarations
from app.store.models import (
    ContributionLine,
    Declaration,
    Effect,
    Enrolment,
    Event,
    HumanTask,
    Outbox,
    Person,
)
from tests.services.conftest import SUZHOU, SUZHOU_FUNDS, citizen, rows, suzhou_form

# One month of a base of 9805.00 in fen, as the city's notice prints it (2 %, 6 %, 1 %, 0.8 %, 5 yuan).
MONTH_OF_9805 = {
    ("310", "employee"): 19610,
    ("310", "employer"): 58830,
    ("310", "allocation_employee"): 19610,
    ("310", "allocation_employer"): 9805,
    ("37001", "employer"): 9805,
    ("330", "employee"): 500,
    ("510", "employer"): 7844,
}


@pytest.mark.parametrize(
    ("start", "months"),
    [
        ("2026-11-01", ["2026-11"]),
        ("2026-09-15", ["2026-09", "2026-10", "2026-11"]),
        ("2026-06-01", ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"]),
    ],
)
def test_enrols_and_pays_back(suzhou, now, start, months):
    found = citizen(SUZHOU, "unknown")
    receipt = declarations.file(suzhou, "enrol", suzhou_form(found, start), now)
    assert (receipt.status, receipt.message_code) == ("done", "enrol.accepted_with_backpay")
    assert receipt.message == "参保成功，补缴成功。后续请到“已审核数据查询”中查询信息"

    (case,) = rows(Declaration, reference=receipt.reference)
    lines = rows(ContributionLine, declaration_id=case.id)
    by_month: dict[str, dict] = {}
    for line in lines:
        assert (line.due_type, line.due_month, line.employer_id) == ("31", "2026-11", suzhou.employer_id)
        by_month.setdefault(line.accrual_month, {})[line.fund, line.party] = line.amount_fen
    assert by_month == dict.fromkeys(months, MONTH_OF_9805)

    enrolled = rows(Enrolment, declaration_id=case.id)
    assert sorted(row.fund for row in enrolled) == sorted(SUZHOU_FUNDS)
    for row in enrolled:
        assert (row.from_month, row.to_month, row.category) == (start[:7], None, "employee")
        assert (row.wage_fen, row.base_fen, row.person_type) == (980500, 980500, "1101")
        assert row.start_date == date.fromisoformat(start)
    assert [effect.effect for effect in rows(Effect, declaration_id=case.id)] == ["enrolment.apply"]
    assert rows(HumanTask, declaration_id=case.id) == []


def test_a_typed_in_person_gets_one_record(suzhou, now):
    found = citizen(SUZHOU, "unknown", 1)
    receipt = declarations.file(suzhou, "enrol", suzhou_form(found), now)
    (case,) = rows(Declaration, reference=receipt.reference)
    (person,) = rows(Person, id=case.person_id)
    assert (person.name, person.sex, person.birth_date) == (found.name, found.sex, found.birth_date)
    assert person.id_masked == f"{found.id_number[:4]}*****{found.id_number[-4:]}"
    assert found.id_number.encode() not in person.id_cipher + case.data_cipher
    assert case.open_key is None


def test_months_that_are_charged_already_are_not_charged_again(suzhou, now):
    # charged five and four months ago, stopped since: June to November without June and July is too long ago
    found = citizen(SUZHOU, "charged_partly")
    receipt = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-08-01"), now)
    (case,) = rows(Declaration, reference=receipt.reference)
    charged = {line.accrual_month for line in rows(ContributionLine, declaration_id=case.id)}
    assert charged == {"2026-08", "2026-09", "2026-10", "2026-11"}


def test_a_start_next_month_is_upcoming_and_pays_nothing_back(suzhou, now):
    receipt = declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "unknown"), "2026-12-01"), now)
    assert receipt.message == "参保成功，但补缴失败，没有查询到可以补收的时间段！"
    (case,) = rows(Declaration, reference=receipt.reference)
    assert rows(ContributionLine, declaration_id=case.id) == []
    assert {row.from_month for row in rows(Enrolment, declaration_id=case.id)} == {"2026-12"}


def test_a_wage_above_the_cap_is_held_to_it(suzhou, now):
    form = suzhou_form(citizen(SUZHOU, "unknown"), wage="99999.99")
    amounts = declarations.quote(suzhou, "enrol", form, now)
    receipt = declarations.file(suzhou, "enrol", form, now)
    (case,) = rows(Declaration, reference=receipt.reference)
    enrolled = rows(Enrolment, declaration_id=case.id)
    assert {row.base_fen for row in enrolled} == {amounts.cap_fen}
    assert {row.wage_fen for row in enrolled} == {9999999}
    assert [warning["code"] for warning in case.facts["warnings"]] == ["base.clipped_cap"]


def test_the_civil_servants_fund_changes_the_person_type(suzhou, now):
    from app.store.models import EmployerFund

    with_fund = {row.employer_id for row in rows(EmployerFund, fund="320")} & suzhou.employer_ids
    if not with_fund:
        pytest.fail("the demonstration has no employer with the civil servants' fund")
    form = suzhou_form(citizen(SUZHOU, "unknown"), funds=[*SUZHOU_FUNDS, "320"])
    receipt = declarations.file(suzhou, "enrol", form, now, employer_id=min(with_fund))
    (case,) = rows(Declaration, reference=receipt.reference)
    assert {row.person_type for row in rows(Enrolment, declaration_id=case.id)} == {"1102"}


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("flexible", "enrol.active_flexible"),
        ("resident", "enrol.active_resident"),
        ("double_record", "person.duplicate"),
        ("past_age_male", "enrol.age_male"),
        ("past_age_female", "enrol.age_female"),
        ("active_elsewhere_employer", "enrol.active_at_employer"),
    ],
)
def test_a_refusal_leaves_nothing(suzhou, now, case, code):
    before = Counter({model: len(rows(model)) for model in (Declaration, Event, Enrolment, Outbox)})
    with pytest.raises(Rejected) as caught:
        declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, case)), now)
    assert code in [error.code for error in caught.value.errors]
    assert {error.field for error in caught.value.errors} <= {"id_number", "start_date"}
    assert Counter({model: len(rows(model)) for model in before}) == before


def test_a_wrong_form_is_refused_field_by_field(suzhou, now):
    form = suzhou_form(citizen(SUZHOU, "unknown"), wage="abc")
    del form["name"]
    with pytest.raises(Rejected) as caught:
        declarations.file(suzhou, "enrol", form, now)
    assert {error.field for error in caught.value.errors} == {"name", "wage_yuan"}


def test_the_check_page_says_what_filing_then_does(suzhou, now):
    form = suzhou_form(citizen(SUZHOU, "unknown"), "2026-10-01")
    result = declarations.check(suzhou, "enrol", form, now)
    assert result.ok
    assert result.amounts is not None
    assert rows(Declaration) == []
    receipt = declarations.file(suzhou, "enrol", form, now)
    (case,) = rows(Declaration, reference=receipt.reference)
    real = [
        (line.accrual_month, line.fund, line.party, line.amount_fen)
        for line in rows(ContributionLine, declaration_id=case.id)
    ]
    trial = [(line.accrual_month, line.fund, line.party, line.amount_fen) for line in result.amounts.lines]
    assert sorted(real) == sorted(trial)


def test_a_second_click_finds_the_first_case(suzhou, now):
    token = declarations.new_token(now)
    form = suzhou_form(citizen(SUZHOU, "unknown"))
    first = declarations.file(suzhou, "enrol", form, now, token=token)
    second = declarations.file(suzhou, "enrol", form, now, token=token)
    assert (second.reference, second.status, second.repeated) == (first.reference, "done", True)
    assert len(rows(Declaration)) == 1
