"""Medical retirements by case file (NJ-4.1), and what follows from the months."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from app.domain.enrolment import EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.problem import problem_text
from app.domain.retiring import (
    RetirementRequest,
    check_retirement,
    kept_funds,
    one_off_amount,
    overdue_months,
    retired_type,
    retirement_outcome,
)
from tests.domain.regions import REGIONS, load_region
from tests.golden.cases import document

CASES = document("retirement")
TODAY = date(2026, 11, 12)


def request_of(case: dict) -> RetirementRequest:
    plain = {"kind": "1", "retire_day": date(2026, 10, 31), "wage_yuan": "4321.50", "total_months": 360}
    values = plain | case.get("request", {})
    return RetirementRequest(**values | {"wage_yuan": Decimal(values["wage_yuan"])})


def person_of(case: dict) -> PersonFacts:
    common = {"region": case["region"], "category": "employee", "employer_no": f"{case['region']}00001"}
    stretches = [
        EnrolmentFacts(**common | row) for row in case.get("enrolments", [{"start_month": "2020-01"}])
    ]
    known = {
        "matches": 1,
        "name": "测试甲",
        "birth_date": date(1966, 5, 8),
        "sex": "1",
        "person_type": "1101",
        "enrolments": tuple(stretches),
    }
    return PersonFacts(**known | case.get("person", {}))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_retirement_cases(case) -> None:
    params = load_region(case["region"])
    employer = EmployerFacts(f"{case['region']}00001", case["region"])
    verdict = check_retirement(
        params, request_of(case), person_of(case), employer, case.get("arrears", []), case["today"]
    )
    assert [problem.code for problem in verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in verdict.warnings] == case.get("warn", [])
    texts = [problem_text(params, problem) for problem in verdict.problems + verdict.warnings]
    assert case.get("text", "") in "".join(texts)
    assert all("{" not in text for text in texts)


@dataclass(frozen=True)
class Line:
    accrual_month: str
    due_month: str
    due_type: str = "10"
    received_on: date | None = None


def test_only_old_unpaid_bills_are_arrears() -> None:
    params = load_region("320100")
    lines = [
        Line("2026-07", "2026-07", received_on=date(2026, 7, 26)),
        Line("2026-08", "2026-08"),
        Line("2026-09", "2026-09", due_type="20"),
        Line("2026-05", "2026-10"),
        Line("2026-10", "2026-10"),
        Line("2026-11", "2026-11"),
    ]
    assert overdue_months(params, lines, TODAY) == ["2026-08"]


def test_the_price_of_missing_months_is_rounded_for_each_month() -> None:
    params = load_region("320100")
    assert one_off_amount(params, Decimal("8000.05"), 3, "2026-10") == Decimal("2400.03")


def test_what_a_case_ends_with() -> None:
    assert retirement_outcome(0, "") == "retirement.accepted"
    assert retirement_outcome(5, "one_off") == "retirement.accepted_one_off"
    assert retirement_outcome(5, "continue") == "retirement.continues"
    assert (retired_type("1101"), retired_type("1102")) == ("1201", "1202")


@pytest.mark.parametrize("region", REGIONS)
def test_a_retiree_keeps_the_medical_fund_and_drops_maternity(region) -> None:
    params = load_region(region)
    kept = kept_funds(params, params.fund_codes(), "2026-10")
    assert "310" in kept
    assert "510" not in kept
