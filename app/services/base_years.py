"""How far a base year is declared: who is left, and at which employers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.definitions.current import parameters
from app.domain.base import ANNUAL
from app.domain.base_year import year_of_list
from app.domain.parameters import COUNTER, ParameterSet
from app.errors import NotFound
from app.services.actors import Actor, require_employer, require_region
from app.services.seasons import closed_words
from app.store.facts import employer_records
from app.store.queries.base_year import (
    EmployerCount,
    UndeclaredRow,
    count_by_employer,
    list_undeclared,
)

CARRY = "base_carry"


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A page of people without an approved base of `year`; `closed` says why nobody can be declared now."""

    employer_no: str
    employer_name: str
    region: str
    year: str
    closed: str
    counts: EmployerCount | None
    rows: Sequence[UndeclaredRow]


def undeclared(
    actor: Actor, now: datetime, employer_id: int | None = None, after_id: int = 0, limit: int = 20
) -> Undeclared:
    """The people of an employer whom nobody declared for the year. Raises: NotFound, Forbidden."""
    chosen = require_employer(actor, employer_id) if employer_id is None else employer_id
    record = employer_records([chosen]).get(chosen)
    if record is None or not actor.sees(record.region, record.id):
        raise NotFound("employer")
    rules = rules_of(record.region)
    fund, year = rules.usual_funds()[0], year_of_list(rules, now.date())
    counts = count_by_employer(record.region, fund, year, employer_id=chosen)
    return Undeclared(
        record.employer_no,
        record.name,
        record.region,
        year,
        closed_words(ANNUAL, rules, now.date()),
        counts[0] if counts else None,
        list_undeclared(chosen, fund, year, after_id=after_id, limit=limit),
    )


def employers(
    actor: Actor, region: str, now: datetime, after_no: str = "", limit: int = 20
) -> tuple[str, Sequence[EmployerCount]]:
    """The base year and a page of a region's employers with their counts. Raises: NotFound."""
    require_region(actor, region)
    rules = rules_of(region)
    year = year_of_list(rules, now.date())
    found = count_by_employer(region, rules.usual_funds()[0], year, after_no=after_no, limit=limit)
    return year, found


def rules_of(region: str) -> ParameterSet:
    """The rules of a region that has the yearly declaration. Raises: NotFound."""
    rules = parameters(region)
    if not rules.offers(ANNUAL, COUNTER):
        raise NotFound("kind")
    return rules
