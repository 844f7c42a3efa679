"""What a charged month owes more, or less, where a figure for it was announced after it had been charged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple, Protocol

from app.domain.assessment import Charge, Insured
from app.domain.collection import (
    BASE_DIFFERENCE,
    MONTH_DUES,
    NORMAL,
    RATE_DIFFERENCE,
    RETIREMENT_DUE,
    SUPPLEMENTARY,
)
from app.domain.contribution import RATE_SCALE, FenLine

CHARGES = frozenset({NORMAL, SUPPLEMENTARY, RETIREMENT_DUE})
# All that a month carries of its own: what was charged for it, and later corrections of that.
OWN_DUES = MONTH_DUES | CHARGES
NO_RATE = "0"
Key = tuple[str, str]


class OwnLine(Protocol):
    """A line of the ledger as a late figure looks at it; `taken_back` tells one that no longer stands."""

    @property
    def id(self) -> int: ...
    @property
    def fund(self) -> str: ...
    @property
    def party(self) -> str: ...
    @property
    def due_type(self) -> str: ...
    @property
    def base_fen(self) -> int: ...
    @property
    def rate(self) -> str | None: ...
    @property
    def amount_fen(self) -> int: ...
    @property
    def retired(self) -> bool: ...
    @property
    def wage_fen(self) -> int | None: ...
    @property
    def taken_back(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Cover:
    """An enrolment at the employer: its months, and the wage of each of them. Ids rise with time."""

    id: int
    from_month: str
    to_month: str | None
    active: bool
    insured: Insured

    def covers(self, month: str) -> bool:
        """Return whether the person is insured by it in a month."""
        return self.active and self.from_month <= month and (self.to_month is None or month <= self.to_month)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a fund and party of a month carries so far, in fen; `rate` is the one that counted last.

    Shape: `rate` is a decimal text, "" for a fixed amount.
    """

    base_fen: int
    amount_fen: int
    rate: str
    retired: bool


class Difference(NamedTuple):
    """One line to write: type 34 or 35, base and amount as differences in fen."""

    due_type: str
    line: FenLine
    retired: bool
    wage_fen: int | None


def insured_in(
    person_id: int, month: str, lines: Collection[OwnLine], covers: Collection[Cover]
) -> list[Insured]:
    """Return in which funds a person's month at an employer is charged, on which wage.

    Shape: `lines` are all of the month at that employer, those taken back too; `covers` the enrolments there.
    The wage is the one that is declared for the month. Where no enrolment covers it any more (paid back
    before a stop), it is the wage behind the newest line, else the base that the month carries. A fund that
    cost nothing when the month was charged has no charge: it counts where the person was enrolled in it by
    then, unless a charge of it was taken back.
    """
    standing = [line for line in lines if not line.taken_back and line.due_type in OWN_DUES]
    charges = [line for line in standing if line.due_type in CHARGES]
    if not charges:
        return []
    here = [each for each in covers if each.covers(month)]
    found: dict[str, Insured] = {}
    for line in charges:
        if line.fund not in found:
            found[line.fund] = _insured(person_id, line, standing, here)
    touched = {line.fund for line in lines if line.due_type in CHARGES}
    charged_from = min(line.id for line in charges)
    for each in here:
        if each.insured.fund not in touched and each.id < charged_from:
            found[each.insured.fund] = each.insured
    return [found[fund] for fund in sorted(found)]


def _insured(person_id: int, line: OwnLine, standing: Iterable[OwnLine], here: Iterable[Cover]) -> Insured:
    alike = sorted(
        (each for each in here if each.insured.retired == line.retired),
        key=lambda each: (each.insured.fund != line.fund, each.id),
    )
    if alike:
        return replace(alike[0].insured, fund=line.fund)
    own = [each for each in standing if each.fund == line.fund]
    wages = [each.wage_fen for each in sorted(own, key=lambda each: each.id) if each.wage_fen is not None]
    base_fen = max((held.base_fen for held in carried_by_line(own).values()), default=0)
    return Insured(person_id, line.fund, line.retired, wages[-1] if wages else base_fen)


def differences(due: Iterable[Charge], lines: Iterable[OwnLine]) -> list[Difference]:
    """Return the lines that make a person's month at an employer what it would be by today's values.

    Shape: `due` is what the month would be charged with now, `lines` what it carries; both of one person,
    month and employer. With the differences the month sums to `due`, to the fen, for each fund and party;
    where it does already there are none, so that a second look finds nothing. What stands of a fund that
    carries no charge any more is taken off.

    Where only the base moved (floor, cap, wage), it is type 34; where only a rate or a fixed amount changed,
    type 35. Where both did, 34 is what the new base changes at the old rate and 35 the rest: what the new
    rate changes on the new base. The base moves with the first of the lines only, so that the bases of a
    month sum to the one in force; each line carries the rate that it was calculated at.
    Source: PRACTICE 3 (floor and cap announced late), the national code set of due types.
    """
    carried = carried_by_line(line for line in lines if not line.taken_back)
    wanted = {(each.line.fund, each.line.party): each for each in due}
    base_fen = max((each.line.base_fen for each in wanted.values()), default=0)
    return [
        found
        for key in sorted(carried.keys() | wanted.keys())
        for found in _of_line(key, wanted.get(key), carried.get(key), base_fen)
    ]


def carried_by_line(standing: Iterable[OwnLine]) -> Mapping[Key, Carried]:
    """Return what each fund and party of a month carries: its charge with the later differences added."""
    found: dict[Key, Carried] = {}
    for line in sorted(standing, key=lambda each: each.id):
        if line.due_type in OWN_DUES:
            key = (line.fund, line.party)
            before = found.get(key, Carried(0, 0, "", line.retired))
            found[key] = Carried(
                before.base_fen + line.base_fen,
                before.amount_fen + line.amount_fen,
                line.rate or "",
                before.retired,
            )
    return found


def _of_line(key: Key, charge: Charge | None, before: Carried | None, base_fen: int) -> Sequence[Difference]:
    new, retired, wage_fen = _wanted(key, charge, before)
    # what was never charged had the rate nought
    held = before or Carried(0, 0, NO_RATE if new.rate else "", retired)
    if new.amount_fen == held.amount_fen:
        return ()
    # what has no charge any more is not the new base's doing
    middle = held.amount_fen if charge is None else _at_old_rate(new, held, new.base_fen or base_fen)
    moved_fen = new.base_fen - held.base_fen
    made = []
    for due_type, rate, amount_fen in (
        (BASE_DIFFERENCE, held.rate, middle - held.amount_fen),
        (RATE_DIFFERENCE, new.rate, new.amount_fen - middle),
    ):
        if amount_fen:
            line = FenLine(*key, moved_fen, rate, amount_fen)
            made.append(Difference(due_type, line, retired, wage_fen))
            moved_fen = 0
    return made


def _wanted(key: Key, charge: Charge | None, before: Carried | None) -> tuple[FenLine, bool, int | None]:
    if charge is not None:
        return charge.line, charge.retired, charge.wage_fen
    rate = NO_RATE if before is not None and before.rate else ""
    return FenLine(*key, 0, rate, 0), before is not None and before.retired, None


def _at_old_rate(new: FenLine, held: Carried, base_fen: int) -> int:
    """What the new base comes to at the rate that counted before; what is carried where nobody can tell."""
    if not held.rate or not new.rate or (new.base_fen and new.base_fen == held.base_fen):
        return held.amount_fen
    if Decimal(held.rate) == Decimal(new.rate):
        return new.amount_fen
    scaled = int(Decimal(held.rate) * RATE_SCALE)
    # half-up, as every line is
    return (base_fen * scaled + RATE_SCALE // 2) // RATE_SCALE
