"""Stop checks by case file, and what becomes of charges beyond a stop."""

from dataclasses import dataclass
from datetime import date

import pytest

from app.domain.calendar import month_end, month_of
from app.domain.enrolment import EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.problem import problem_text
from app.domain.stop import (
    StopRequest,
    backpaid_months,
    check_stop,
    fixed_stop_month,
    retiree_funds,
    to_take_back,
    usual_stop_month,
)
from tests.domain.regions import REGIONS, load_region
from tests.golden.cases import document

CASES = document("stop")
TODAY = date(2026, 11, 12)


def request_of(case: dict) -> StopRequest:
    given = dict(case.get("request", {}))
    day = given.get("stop_day") or (None if "stop_month" in given else month_end(month_of(case["today"])))
    values = {"stop_month": month_of(day) if day else "", "stop_day": day, "reason": "01"} | given
    return StopRequest(**values)


def person_of(case: dict) -> PersonFacts:
    plain = [{"start_month": "2020-01"}]
    stretches = [
        EnrolmentFacts(
            **{"region": case["region"], "category": "employee", "employer_no": f"{case['region']}00001"}
            | row
        )
        for row in case.get("enrolments", plain)
    ]
    known = {
        "matches": 1,
        "name": "测试甲",
        "birth_date": date(1990, 7, 8),
        "sex": "1",
        "person_type": "1101",
    }
    return PersonFacts(**known | {"enrolments": tuple(stretches)} | case.get("person", {}))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_stop_cases(case) -> None:
    params = load_region(case["region"])
    employer = EmployerFacts(f"{case['region']}00001", case["region"])
    verdict = check_stop(params, request_of(case), person_of(case), employer, case["today"])
    assert [problem.code for problem in verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in verdict.warnings] == case.get("warn", [])
    texts = [problem_text(params, problem) for problem in verdict.problems + verdict.warnings]
    assert case.get("text", "") in "".join(texts)
    assert all("{" not in text for text in texts)


@dataclass(frozen=True)
class Line:
    accrual_month: str
    due_type: str
    due_month: str
    received_on: date | None = None
    made_by: str = ""
    fund: str = "310"


LINES = [
    Line("2026-10", "10", "2026-10", date(2026, 10, 20)),
    Line("2026-11", "10", "2026-11"),
    Line("2026-11", "34", "2026-11"),
    Line("2026-12", "10", "2026-12", date(2026, 11, 5)),
    Line("2026-11", "31", "2026-11", fund="320"),
    Line("2026-12", "32", "2026-11"),
]


@pytest.mark.parametrize(
    ("stop_month", "unpaid", "paid"),
    [("2026-12", [], []), ("2026-11", [], [LINES[3]]), ("2026-10", LINES[1:3], [LINES[3]])],
)
def test_months_beyond_the_stop_are_taken_back_but_never_what_was_paid_back(stop_month, unpaid, paid) -> None:
    assert to_take_back(LINES, stop_month) == (unpaid, paid)


def test_paid_at_the_stop_month_stays() -> None:
    assert to_take_back(LINES, "2026-09")[1] == [LINES[0], LINES[3]]


def test_what_was_moved_or_charged_ahead_is_no_back_pay() -> None:
    moved = Line("2026-11", "31", "2026-12", made_by="employer_transfer")
    ahead = Line("2026-12", "31", "2026-11", made_by="enrol")
    own = Line("2026-11", "31", "2026-12", made_by="enrol")
    assert to_take_back([moved, ahead, own], "2026-10") == ([moved, ahead], [])
    assert to_take_back([moved, ahead, own], "2026-10", backpay_stays=False) == ([moved, ahead, own], [])
    assert backpaid_months([moved, ahead, own], "2026-11") == ["2026-11"]


def test_what_corrected_back_pay_stays_with_it() -> None:
    paid_back = Line("2026-11", "31", "2026-11", made_by="enrol")
    later = [Line("2026-11", due_type, "2026-12") for due_type in ("34", "35")]
    other = Line("2026-11", "35", "2026-12", fund="320")
    assert to_take_back([paid_back, *later, other], "2026-10") == ([other], [])
    everything = [paid_back, *later, other]
    assert to_take_back(everything, "2026-10", backpay_stays=False) == (everything, [])


def test_only_back_pay_of_this_bill_is_told() -> None:
    assert backpaid_months(LINES, "2026-11") == ["2026-11"]
    assert backpaid_months(LINES, "2026-12") == []


def test_where_a_month_is_fixed_or_usual() -> None:
    fixed = {region: fixed_stop_month(load_region(region), TODAY) for region in REGIONS}
    usual = {region: usual_stop_month(load_region(region), TODAY) for region in REGIONS}
    assert {region for region, month in fixed.items() if month} == {"320600"}
    assert {region for region, month in usual.items() if month == "2026-11"} == {"320500", "320600"}


@pytest.mark.parametrize("region", REGIONS)
def test_a_retiree_keeps_the_medical_fund_and_drops_maternity(region) -> None:
    params = load_region(region)
    kept = retiree_funds(params, params.fund_codes())
    assert "310" in kept
    assert "510" not in kept
