"""Who of an employer's people reaches the statutory age of retirement, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.definitions.current import parameters
from app.domain.calendar import add_months, month_of
from app.domain.identity import MALE
from app.domain.parameters import ParameterSet
from app.domain.retirement import statutory_month
from app.errors import NotFound
from app.services.actors import Actor, require_employer
from app.store.facts import employer_records
from app.store.queries.roster import Age, list_ages

# A list is asked for some months; more would be the whole roster.
MOST_MONTHS = 120
USUAL_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Reaching:
    """One person in service who reaches the age in `month`; `assumed`: the earlier women's age is taken,
    for no post that decides it is on record."""

    person_id: int
    name: str
    id_masked: str
    month: str
    assumed: bool


@dataclass(frozen=True, slots=True)
class ReachingList:
    """Who reaches the age from month to month (inclusive, `YYYY-MM`), first the earliest.

    `offered`: the region takes retirements online.
    """

    employer_no: str
    employer_name: str
    from_month: str
    to_month: str
    offered: bool
    rows: Sequence[Reaching]


def reaching(actor: Actor, now: datetime, from_month: str, to_month: str, text: str = "") -> ReachingList:
    """List the employer's people in service who reach the statutory age between two months.

    A month that is none is this month, or a year after the first; a list longer than ten years ends there.
    Raises: NotFound, Forbidden. Source: Suzhou manual 6 (6), with the ages since the gradual delay.
    """
    chosen = require_employer(actor, None)
    record = employer_records([chosen]).get(chosen)
    if record is None:
        raise NotFound("employer")
    first = _month(from_month) or month_of(now.date())
    last = _month(to_month) or add_months(first, USUAL_MONTHS - 1)
    last = min(max(first, last), add_months(first, MOST_MONTHS - 1))
    rules = parameters(record.region)
    found = [_reaches(each, rules) for each in list_ages(chosen, rules.usual_funds()[0], text=text.strip())]
    rows = sorted(
        (each for each in found if first <= each.month <= last), key=lambda each: (each.month, each.person_id)
    )
    return ReachingList(record.employer_no, record.name, first, last, rules.offers("retirement"), rows)


def _reaches(age: Age, rules: ParameterSet) -> Reaching:
    month = statutory_month(rules, age.birth_date, age.sex, age.post_category)
    assumed = age.sex != MALE and not age.post_category
    return Reaching(age.person_id, age.name, age.id_masked, month, assumed)


def _month(typed: str) -> str:
    try:
        return month_of(typed[:7])
    except ValueError:
        return ""
