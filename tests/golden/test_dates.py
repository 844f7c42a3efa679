"""Periods, latest starts, back-pay and stop months by case file."""

import pytest

from app.domain.enrolment import backpay_months
from app.domain.window import declaration_period, latest_start_month, stop_months
from tests.domain.regions import load_region
from tests.golden.cases import document

CASES = document("dates")


def cases(part: str) -> list:
    numbered = enumerate(CASES[part], 1)
    return [pytest.param(case, id=f"{number}-{case['region']}-{case['today']}") for number, case in numbered]


@pytest.mark.parametrize("case", cases("latest_start"))
def test_latest_start(case) -> None:
    assert latest_start_month(load_region(case["region"]), case["today"]) == case["month"]


@pytest.mark.parametrize("case", cases("period"))
def test_declaration_period(case) -> None:
    period = declaration_period(load_region(case["region"]), case["today"])
    assert (period.month, period.stage) == (case["month"], case["stage"])
    assert (period.first_day, period.last_day) == (case["first"], case["last"])


@pytest.mark.parametrize("case", cases("backpay"))
def test_backpay_months(case) -> None:
    charged = frozenset(case.get("charged", ()))
    found = backpay_months(load_region(case["region"]), case["start"], case["today"], charged)
    assert found == case["months"]


@pytest.mark.parametrize("case", cases("stop_months"))
def test_stop_months(case) -> None:
    assert list(stop_months(load_region(case["region"]), case["today"])) == case["months"]
