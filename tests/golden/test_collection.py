"""Supplementary collections and their cancellation by case file, materials and late fee."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.backpay import (
    BackpaidMonth,
    CollectionRequest,
    check_cancellation,
    check_collection,
    late_fee_of,
    material_reason,
    select_months,
)
from app.domain.base import WageSpan
from app.domain.enrolment import EmployerFacts
from app.domain.problem import problem_text
from tests.domain.regions import load_region
from tests.golden.cases import document
from tests.golden.test_stop import person_of

HUAIAN, SUZHOU = "320800", "320500"
DECLARED = [{"id": 1, "kind": "base", "from_month": "2026-07", "to_month": None, "wage_fen": 800000}]


def words(params, verdict) -> list[str]:
    texts = [problem_text(params, problem) for problem in verdict.problems + verdict.warnings]
    assert all("{" not in text for text in texts)
    return texts


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in document("collection")])
def test_collection_cases(case) -> None:
    params = load_region(case["region"])
    request = CollectionRequest(**{"from_month": "2026-08", "to_month": "2026-10"} | case.get("request", {}))
    stretches = [{"funds": ("310",), **row} for row in case.get("enrolments", [{"start_month": "2020-01"}])]
    known = {"charged_months": frozenset(case.get("charged", []))} | case.get("person", {})
    person = person_of({**case, "enrolments": stretches, "person": known})
    employer = EmployerFacts(f"{case['region']}00001", case["region"])
    spans = [WageSpan(**span) for span in case.get("spans", DECLARED)]
    verdict = check_collection(params, request, person, employer, spans, case["today"])
    assert [problem.code for problem in verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in verdict.warnings] == case.get("warn", [])
    assert case.get("text", "") in "".join(words(params, verdict))
    if "months" in case:
        found = select_months(params, request, person, employer, spans, case["today"])
        assert found.months == case["months"]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in document("collection_cancel")]
)
def test_cancellation_cases(case) -> None:
    params = load_region(SUZHOU)
    backpaid = [BackpaidMonth(**{"made_on": None, "paid": False} | row) for row in case["backpaid"]]
    found = check_cancellation(params, case.get("matches", 1), backpaid, case["today"])
    assert list(found.months) == case.get("months", [])
    assert [problem.code for problem in found.verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in found.verdict.warnings] == case.get("warn", [])
    assert case.get("text", "") in "".join(words(params, found.verdict))


def test_more_than_six_months_need_proof() -> None:
    params, today = load_region(HUAIAN), date(2026, 11, 18)
    six = [f"2026-{month:02d}" for month in range(1, 7)]
    assert material_reason(params, six, today) == ""
    assert material_reason(params, [*six, "2026-07"], today) == "over_6_months"


@pytest.mark.parametrize(
    ("today", "fee"),
    [
        # due on the 25th: the first day in default is the 26th, five in ten thousand a day
        (date(2026, 10, 25), "0.00"),
        (date(2026, 10, 26), "0.50"),
        (date(2026, 11, 18), "12.00"),
        # at most the principal
        (date(2033, 1, 1), "1000.00"),
    ],
)
def test_the_late_fee_runs_from_the_day_after_the_due_date(today, fee) -> None:
    assert late_fee_of(load_region(HUAIAN), "2026-10", Decimal(1000), today) == Decimal(fee)
