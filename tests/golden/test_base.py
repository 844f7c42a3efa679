"""Declared bases by case file, seasons and base years, and what a new wage changes in charged months."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from app.domain.base import (
    BaseRequest,
    Carried,
    WageSpan,
    base_differences,
    base_year_start,
    carried_by_month,
    check_base,
    declared_wage,
    season_open,
)
from app.domain.calendar import month_of
from app.domain.contribution import tariff
from app.domain.enrolment import EmployerFacts
from app.domain.problem import problem_text
from tests.domain.regions import load_region
from tests.golden.cases import document
from tests.golden.test_stop import person_of

CASES = document("base")
NANTONG, SUZHOU = "320600", "320500"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_base_cases(case) -> None:
    params = load_region(case["region"])
    given = {"from_month": month_of(case["today"]), "wage_yuan": "8000"} | case.get("request", {})
    request = BaseRequest(**given | {"wage_yuan": Decimal(given["wage_yuan"])})
    spans = [WageSpan(**span) for span in case.get("spans", [])]
    employer = EmployerFacts(f"{case['region']}00001", case["region"])
    verdict = check_base(params, request, person_of(case), employer, spans, case["today"])
    assert [problem.code for problem in verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in verdict.warnings] == case.get("warn", [])
    texts = [problem_text(params, problem) for problem in verdict.problems + verdict.warnings]
    assert case.get("text", "") in "".join(texts)
    assert all("{" not in text for text in texts)


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 5, 1), "2026-07"),
        (date(2026, 6, 30), "2026-07"),
        (date(2026, 7, 1), "2026-07"),
        (date(2026, 11, 12), "2026-07"),
        (date(2026, 12, 31), "2026-07"),
        (date(2027, 1, 1), "2027-07"),
    ],
)
def test_the_nearest_base_year(today, start) -> None:
    assert base_year_start(load_region(SUZHOU), today) == start


def test_the_season_is_open_in_its_months() -> None:
    days = [date(2026, month, 15) for month in range(1, 13)]
    assert [day.month for day in days if season_open(load_region(SUZHOU), day)] == [5, 6]


def test_what_was_declared_last_for_a_month_counts() -> None:
    spans = [
        WageSpan(1, "base_annual", "2026-07", None, 800000),
        WageSpan(3, "base", "2026-09", "2026-09", 900000),
        WageSpan(2, "base", "2026-09", None, 850000),
    ]
    found = {month: declared_wage(spans, month) for month in ("2026-06", "2026-07", "2026-09", "2026-10")}
    wages = {month: span.wage_fen if span else None for month, span in found.items()}
    assert wages == {"2026-06": None, "2026-07": 800000, "2026-09": 900000, "2026-10": 850000}


@dataclass(frozen=True)
class Line:
    fund: str
    party: str
    accrual_month: str
    base_fen: int
    amount_fen: int


def test_a_charged_month_gets_the_difference_of_each_line_and_no_fixed_amounts() -> None:
    rule = tariff(load_region(NANTONG), "2026-10", funds=("310", "330"))
    charged = [
        Line(line.fund, line.party, "2026-10", line.base_fen, line.amount_fen)
        for line in rule.fen_lines(800000)
    ]
    found = base_differences(rule, Decimal(9000), carried_by_month(charged)["2026-10"])
    assert {(line.fund, line.party, line.base_fen, line.amount_fen) for line in found} == {
        ("310", "employee", 100000, 2000),
        ("310", "employer", 100000, 7000),
        ("310", "allocation_employee", 100000, 2000),
        ("310", "allocation_employer", 100000, 1000),
    }
    # a second change starts from what the first one left
    later = [*charged, *(Line(x.fund, x.party, "2026-10", x.base_fen, x.amount_fen) for x in found)]
    again = base_differences(rule, Decimal(8000), carried_by_month(later)["2026-10"])
    assert sorted(line.amount_fen for line in again) == [-7000, -2000, -2000, -1000]
    assert base_differences(rule, Decimal(9000), carried_by_month(later)["2026-10"]) == []


def test_lines_that_the_month_does_not_carry_stay_out() -> None:
    rule = tariff(load_region(NANTONG), "2026-10", funds=("310",))
    carried = {("310", "employee"): Carried(800000, 16000)}
    assert [line.party for line in base_differences(rule, Decimal(9000), carried)] == ["employee"]
