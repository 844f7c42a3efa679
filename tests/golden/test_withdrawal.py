"""Payouts of a personal account by case file (NJ-4.2)."""

from dataclasses import dataclass
from datetime import date

import pytest

from app.domain.enrolment import EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.problem import problem_text
from app.domain.withdrawal import AccountFacts, WithdrawalRequest, after_the_end, check_withdrawal
from tests.domain.regions import load_region
from tests.golden.cases import document

CASES = document("withdrawal")


def person_of(case: dict) -> PersonFacts:
    common = {"region": case["region"], "category": "employee", "employer_no": f"{case['region']}00001"}
    stretches = [
        EnrolmentFacts(**common | row) for row in case.get("enrolments", [{"start_month": "2020-01"}])
    ]
    known = {"matches": 1, "name": "测试甲", "enrolments": tuple(stretches)}
    return PersonFacts(**known | case.get("person", {}))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_withdrawal_cases(case) -> None:
    params = load_region(case["region"])
    plain = {"end_day": date(2026, 10, 15), "reason": "6401", "payee": "示例亲属", "relation": "02"}
    verdict = check_withdrawal(
        params,
        WithdrawalRequest(**plain | case.get("request", {})),
        person_of(case),
        EmployerFacts(f"{case['region']}00001", case["region"]),
        AccountFacts(**{"payable_fen": 32000} | case.get("account", {})),
        case["today"],
    )
    assert [problem.code for problem in verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in verdict.warnings] == case.get("warn", [])
    texts = [problem_text(params, problem) for problem in verdict.problems + verdict.warnings]
    assert case.get("text", "") in "".join(texts)
    assert all("{" not in text for text in texts)


@dataclass(frozen=True)
class Line:
    accrual_month: str
    due_type: str
    due_month: str = "2026-11"
    received_on: date | None = None


def test_whatever_is_owed_after_a_death_is_taken_back() -> None:
    before, month, backpaid = Line("2026-10", "10"), Line("2026-11", "10"), Line("2026-11", "31")
    paid = Line("2026-12", "10", received_on=date(2026, 11, 5))
    assert after_the_end([before, month, backpaid, paid], "2026-10") == ([month, backpaid], [paid])
