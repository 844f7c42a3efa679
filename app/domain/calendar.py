"""Months as `YYYY-MM` strings (they sort as text) and working days."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import lru_cache

SATURDAY = 5


def month_of(moment: date | str) -> str:
    """Return the month `YYYY-MM` of a date, a moment or an ISO date text."""
    if isinstance(moment, str):
        return check_month(moment[:7])
    return f"{moment.year:04d}-{moment.month:02d}"


def check_month(month: str) -> str:
    """Return the month unchanged. Raises ValueError unless it is a real `YYYY-MM`."""
    _index(month)
    return month


@lru_cache(maxsize=4096)
def _index(month: str) -> int:
    year, dash, number = month[:4], month[4:5], month[5:]
    if not (dash == "-" and len(number) == 2 and (year + number).isascii() and (year + number).isdigit()):
        raise ValueError(f"not a month YYYY-MM: {month!r}")
    if not 1 <= int(number) <= 12:
        raise ValueError(f"not a month YYYY-MM: {month!r}")
    return int(year) * 12 + int(number) - 1


def add_months(month: str, count: int) -> str:
    """Return the month `count` months later (earlier where negative)."""
    year, number = divmod(_index(month) + count, 12)
    return f"{year:04d}-{number + 1:02d}"


def months_apart(first: str, last: str) -> int:
    """Return how many months `last` lies after `first` (negative where before)."""
    return _index(last) - _index(first)


def months_between(first: str, last: str) -> list[str]:
    """Return all months from `first` to `last`, both included; empty where last is earlier."""
    return [add_months(first, step) for step in range(months_apart(first, last) + 1)]


def month_end(month: str) -> date:
    """Return the last day of the month."""
    following = add_months(month, 1)
    return date(int(following[:4]), int(following[5:]), 1) - timedelta(days=1)


def add_months_to_date(day: date, count: int) -> date:
    """Return the same day `count` months later, or that month's last day where it has none."""
    last = month_end(add_months(month_of(day), count))
    return last.replace(day=min(day.day, last.day))


def is_working_day(day: date, holidays: Collection[str], workdays: Collection[str]) -> bool:
    """Return whether offices work: weekdays but holidays, and weekend days moved to work.

    Shape: holidays and workdays hold ISO dates.
    """
    text = day.isoformat()
    if text in workdays:
        return True
    return day.weekday() < SATURDAY and text not in holidays


def add_working_days(
    moment: datetime, count: int, holidays: Collection[str] = (), workdays: Collection[str] = ()
) -> datetime:
    """Return the same time of day `count` working days after the moment; the day itself is not counted."""
    result = moment
    while count > 0:
        result += timedelta(days=1)
        if is_working_day(result.date(), holidays, workdays):
            count -= 1
    return result


def working_days_left(
    now: datetime, due: datetime, holidays: Collection[str] = (), workdays: Collection[str] = ()
) -> int:
    """Return the working days after today up to the due day; negative where it has passed."""
    first, last, sign = now.date(), due.date(), 1
    if last < first:
        first, last, sign = last, first, -1
    days = (first + timedelta(days=step) for step in range(1, (last - first).days + 1))
    return sign * sum(is_working_day(day, holidays, workdays) for day in days)
