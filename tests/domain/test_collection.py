from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.collection import backpay_lines, days_late, late_fee, may_cancel
from app.domain.money import from_fen
from tests.domain.regions import load_region

TODAY = date(2026, 11, 12)


def test_each_month_has_its_own_bounds() -> None:
    lines = backpay_lines(load_region("320500"), ["2026-06", "2026-07"], Decimal(30000), TODAY)
    caps = {(line.accrual_month, line.line.base) for line in lines if line.line.fund == "310"}
    assert caps == {("2026-06", Decimal("24762.00")), ("2026-07", Decimal("25300.00"))}
    assert {(line.due_month, line.due_type) for line in lines} == {("2026-11", "31")}
    assert backpay_lines(load_region("320500"), [], Decimal(30000), TODAY) == []


def test_lines_of_three_past_months_of_the_manual() -> None:
    """Suzhou's notice: three person-months on 5,000 yuan are 300 + 900, 15, 150 and 120."""
    months = ["2022-07", "2022-08", "2022-09"]
    lines = backpay_lines(load_region("320500"), months, Decimal(5000), TODAY)
    sums: dict[tuple[str, str], Decimal] = {}
    for each in lines:
        key = (each.line.fund, each.line.party)
        sums[key] = sums.get(key, Decimal(0)) + each.line.amount
    assert sums[("310", "employee")] == 300
    assert sums[("310", "employer")] == 900
    local = (("330", "employee"), ("37001", "employer"), ("510", "employer"))
    assert [sums[key] for key in local] == [15, 150, 120]


@pytest.mark.parametrize(
    ("made", "today", "paid", "allowed"),
    [
        (date(2026, 11, 12), date(2026, 12, 6), False, True),
        (date(2026, 11, 12), date(2026, 12, 7), False, False),
        (date(2026, 11, 5), date(2026, 11, 6), False, True),
        (date(2026, 11, 5), date(2026, 11, 7), False, False),
        (date(2026, 11, 12), date(2026, 11, 13), True, False),
    ],
)
def test_backpay_is_cancelled_in_its_own_period_only(made, today, paid, allowed) -> None:
    assert may_cancel(load_region("320500"), made, today, paid) is allowed


@given(st.integers(0, 10**12), st.integers(0, 5000))
def test_the_late_fee_grows_and_stops_at_the_principal(fen: int, days: int) -> None:
    common, principal = load_region(""), from_fen(fen)
    fee = late_fee(common, principal, days, "2026-11")
    assert 0 <= fee <= principal
    assert fee <= late_fee(common, principal, days + 1, "2026-11")
    assert days < 2000 or fee == principal


def test_the_first_late_day_follows_the_due_day() -> None:
    assert days_late(date(2026, 11, 25), date(2026, 11, 25)) == 0
    assert days_late(date(2026, 11, 25), date(2026, 11, 26)) == 1
    with pytest.raises(ValueError, match="not negative"):
        late_fee(load_region(""), Decimal(1), -1, "2026-11")
