"""The month of declarations: the declaration period, the settlement period, the latest start."""

from dataclasses import dataclass
from datetime import date

from app.domain.calendar import add_months, month_end, month_of
from app.domain.parameters import ParameterSet

WINDOW, SETTLEMENT, ANY_TIME = "window", "settlement", "any_time"


@dataclass(frozen=True, slots=True)
class Period:
    """The declaration period that a day belongs to.

    Shape: `month` is the month declared for; `stage` is window, settlement (operations accepted, normal
    dues of this month closed) or any_time; first and last are the days of the whole period.
    """

    month: str
    stage: str
    first_day: date
    last_day: date


def declaration_period(params: ParameterSet, today: date) -> Period:
    """Return the period of a day. Source: Suzhou manual 1 (3) 1: the 11th of a month to the 6th of the next.

    The settlement days between belong to the coming period: what they start cannot touch the closed one.
    """
    month = month_of(today)
    if not params.flag("window.used", month):
        return Period(month, ANY_TIME, today.replace(day=1), month_end(month))
    opens, closes = params.integer("window.opens_day", month), params.integer("window.closes_day", month)
    settlement = params.integer("window.settlement_from_day", month)
    if today.day <= closes:
        return _period(month, WINDOW, opens, closes)
    stage = SETTLEMENT if settlement <= today.day < opens else WINDOW
    return _period(add_months(month, 1), stage, opens, closes)


def _period(month: str, stage: str, opens: int, closes: int) -> Period:
    before = month_end(add_months(month, -1))
    end = month_end(month)
    return Period(month, stage, before.replace(day=opens), end.replace(day=closes))


def latest_start_month(params: ParameterSet, today: date) -> str:
    """Return the last month that an enrolment may start in, seen from a day.

    In the tail of this month's declaration period the next month is not open yet.
    """
    month = month_of(today)
    ahead = params.integer("enrol.max_months_ahead", month)
    if in_tail(params, today):
        ahead = min(ahead, 0)
    return add_months(month, ahead)


def in_tail(params: ParameterSet, today: date) -> bool:
    """Return whether a day is in the first days of a month, when its own period is still open."""
    month = month_of(today)
    return params.flag("window.used", month) and today.day <= params.integer("window.closes_day", month)


def stop_months(params: ParameterSet, today: date) -> tuple[str, ...]:
    """Return the months that a stop may end, this month first; empty where any month may be chosen."""
    month = month_of(today)
    rule = params.text("stop.months", month)
    if rule == "free":
        return ()
    return (month,) if rule == "this" else (month, add_months(month, -1))
