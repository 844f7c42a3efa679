"""The statutory retirement month since the gradual delay, and the pension's minimum months."""

from dataclasses import dataclass
from datetime import date

from app.domain.calendar import add_months, month_of, months_apart
from app.domain.identity import MALE
from app.domain.parameters import ParameterSet

CATEGORIES = ("m60", "f55", "f50")
LATER_POST = "management"


@dataclass(frozen=True, slots=True)
class Retirement:
    """The month of statutory retirement, the age then, and by how many months it was delayed."""

    month: str
    age_years: int
    age_months: int
    delay_months: int


def retirement_category(sex: str, post_category: str = "") -> str:
    """Return m60, f55 or f50; a woman's post must be declared a management or technical one to be f55."""
    if sex == MALE:
        return "m60"
    return "f55" if post_category == LATER_POST else "f50"


def statutory_retirement(params: ParameterSet, birth_month: str, category: str) -> Retirement:
    """Return the statutory retirement of a birth month `YYYY-MM` (a date's first seven characters do).

    It is the legal date, not a lock: early and late retirement exist.
    Raises: ValueError for an unknown category. Source: NPCSC decision of 2024-09-13, article 1.
    """
    if category not in CATEGORIES:
        raise ValueError(f"category is one of {', '.join(CATEGORIES)}, not {category!r}")
    birth_month = month_of(birth_month)
    stem = f"retirement.{category}"
    old_age = params.integer(f"{stem}.age_years", birth_month) * 12
    elapsed = months_apart(params.text(f"{stem}.delayed_births_from", birth_month), birth_month)
    delay = 0
    if elapsed >= 0:
        step = params.integer(f"{stem}.births_per_delay_month", birth_month)
        delay = min(params.integer(f"{stem}.delay_max_months", birth_month), elapsed // step + 1)
    years, months = divmod(old_age + delay, 12)
    return Retirement(add_months(birth_month, old_age + delay), years, months, delay)


def statutory_month(params: ParameterSet, birth_date: date, sex: str, post_category: str = "") -> str:
    """Return the statutory retirement month of a person."""
    category = retirement_category(sex, post_category)
    return statutory_retirement(params, month_of(birth_date), category).month


def minimum_months(params: ParameterSet, year: int) -> int:
    """Return the contribution months that a pension needs for those who retire in a year.

    Source: State Council measures on gradual delay, article 2 (15 to 20 years, from 2030).
    """
    month = f"{year:04d}-01"
    first, last = (params.integer(f"pension.minimum_months.{end}", month) for end in ("first", "last"))
    start = params.integer("pension.minimum_months.rises_from_year", month)
    step = params.integer("pension.minimum_months.yearly_rise", month)
    return min(last, first + step * max(0, year - start + 1))
