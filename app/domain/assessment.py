"""Who is charged for a month, and what: one set of rounded lines for each person and fund."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.base import WageSpan, declared_wage
from app.domain.calendar import add_months, check_month
from app.domain.contribution import ACTIVE, RETIRED, FenLine, Tariff
from app.domain.money import to_fen

MONTHS_AHEAD = 1
Rules = Callable[[str, str, tuple[str, ...]], Tariff]


@dataclass(frozen=True, slots=True)
class Insured:
    """A person insured in one fund: the wage that the enrolment began with, and what was declared since.

    Shape: `retired` tells a benefit figure from a wage; the wage is None where none was ever declared.
    """

    person_id: int
    fund: str
    retired: bool
    wage_fen: int | None
    spans: tuple[WageSpan, ...] = ()

    def wage_in(self, month: str) -> int | None:
        """Return the wage in fen that counts for a month: the last one declared for it."""
        span = declared_wage(self.spans, month)
        return self.wage_fen if span is None else span.wage_fen


class Charge(NamedTuple):
    """One line of a person and month, in fen, with the declared wage behind it."""

    person_id: int
    month: str
    retired: bool
    wage_fen: int | None
    line: FenLine


def check_assessed_month(month: str, today_month: str) -> bool:
    """Return whether a month may be assessed already: up to the one after this month.

    Raises: ValueError unless it is a real month.
    """
    return check_month(month) <= add_months(today_month, MONTHS_AHEAD)


def charges(
    rules: Rules,
    insured: Iterable[Insured],
    month: str,
    charged: Mapping[int, Collection[str]] | None = None,
) -> list[Charge]:
    """Return the lines of a month for the people insured in it, without funds that carry a charge already.

    Shape: `rules` gives the tariff of a month, status and set of funds; `charged` maps a person to the
    funds that the month carries. A retiree pays by head where the region has it; the benefit figure serves
    the allocation only. Raises: ParameterMissing. Source: printed figures of Huai'an and Suzhou.
    """
    done = charged or {}
    groups: dict[tuple[int, bool, int | None], dict[str, None]] = {}
    for each in insured:
        if each.fund not in done.get(each.person_id, ()):
            key = (each.person_id, each.retired, each.wage_in(month))
            groups.setdefault(key, {})[each.fund] = None
    bounds = rules(month, ACTIVE, ())
    floor_fen, cap_fen = to_fen(bounds.floor), to_fen(bounds.cap)
    found = []
    for (person_id, retired, wage_fen), funds in groups.items():
        rule = rules(month, RETIRED if retired else ACTIVE, tuple(sorted(funds)))
        base_fen = wage_fen or 0
        if not retired:
            base_fen = min(max(base_fen, floor_fen), cap_fen)
        found += [Charge(person_id, month, retired, wage_fen, line) for line in rule.fen_lines(base_fen)]
    return found
