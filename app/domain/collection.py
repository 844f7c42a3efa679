"""Supplementary collection: lines for past months, their period, and the late fee."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.calendar import month_of
from app.domain.contribution import ACTIVE, Line, tariff
from app.domain.money import round_fen
from app.domain.parameters import ParameterSet
from app.domain.window import declaration_period

NORMAL, REFUND, SUPPLEMENTARY, ONE_OFF = "10", "20", "31", "32"
RETIREMENT_DUE, BASE_DIFFERENCE, RATE_DIFFERENCE = "33", "34", "35"
# What a month carries: its charge, and later corrections of it.
MONTH_DUES = frozenset({NORMAL, SUPPLEMENTARY, BASE_DIFFERENCE, RATE_DIFFERENCE})


@dataclass(frozen=True, slots=True)
class DueLine:
    """One line with the month it is for and the month it is billed in."""

    accrual_month: str
    due_month: str
    due_type: str
    line: Line


def backpay_lines(
    params: ParameterSet,
    months: Iterable[str],
    wage: Decimal,
    today: date,
    funds: Iterable[str] | None = None,
    status: str = ACTIVE,
    due_type: str = SUPPLEMENTARY,
) -> list[DueLine]:
    """Return the lines of past months for a monthly wage in yuan, billed in the month of the operation.

    Each accrual month has its own rates, floor and cap; a wage outside is held to the bounds, since
    it was accepted for the start month. Raises ParameterMissing. Source: Suzhou manual 7 (3).
    """
    chosen = None if funds is None else tuple(funds)
    due_month = month_of(today)
    return [
        DueLine(month, due_month, due_type, line)
        for month in months
        for line in tariff(params, month, status, chosen).quote(wage, "clip").lines
    ]


def may_cancel(params: ParameterSet, made_on: date, today: date, paid: bool) -> bool:
    """Return whether back-pay may still be cancelled: same declaration period, nothing received.

    Source: Suzhou manual 3.
    """
    same = declaration_period(params, made_on).month == declaration_period(params, today).month
    return same and not paid


def late_fee(params: ParameterSet, principal: Decimal, days: int, at: str | date) -> Decimal:
    """Return the late fee in yuan for full days after the due date: simple, at most the principal.

    Raises: ValueError for negative days or principal; ParameterMissing.
    Source: 社会保险法 article 86; 行政强制法 article 45.
    """
    if days < 0 or principal < 0:
        raise ValueError("days and principal are not negative")
    fee = round_fen(principal * params.decimal("late_fee.daily_rate", at) * days)
    return min(fee, round_fen(principal * params.decimal("late_fee.cap_share", at)))


def days_late(due_date: date, today: date) -> int:
    """Return the days in default: the first is the day after the due date."""
    return max(0, (today - due_date).days)
