"""The base year after its season: which year it is, and the base of those whom nobody declared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domain.base import YEAR, base_year_start, season_months, season_open
from app.domain.calendar import add_months, month_of
from app.domain.money import round_fen
from app.domain.parameters import ParameterSet


def running_year(params: ParameterSet, today: date) -> str:
    """Return the first month of the base year that today lies in, `YYYY-MM`."""
    month = month_of(today)
    return add_months(month, -((today.month - params.integer("base_year.first_month_of_year", month)) % YEAR))


def year_of_list(params: ParameterSet, today: date) -> str:
    """Return the base year whose declarations are looked at today: in the season the one it is for."""
    return base_year_start(params, today) if season_open(params, today) else running_year(params, today)


def season_start(params: ParameterSet, year: str) -> str:
    """Return the first month of the season before a base year, `YYYY-MM`."""
    first, _ = season_months(params, date.fromisoformat(f"{year}-01"))
    behind = (int(year[5:]) - first) % YEAR
    return add_months(year, -behind)


def carried_wage(
    params: ParameterSet, year: str, begun: str, wage: Decimal | None, base: Decimal | None
) -> Decimal | None:
    """Return the wage in yuan that an undeclared person goes on with, before it is held to the bounds.

    Shape: `begun` is the first month of the enrolment, `wage` and `base` what it carries in yuan; None
    where it carries neither. Whoever was enrolled since the season began keeps the enrolment's wage;
    others go on with the old base, or with a share above it. Raises ParameterMissing.
    Source: 社会保险法 article 62 (110 %), as the region's parameter has it.
    """
    if begun >= season_start(params, year) or base is None:
        return wage if wage is not None else base
    return round_fen(base * params.decimal("base_annual.undeclared_share", year))
