"""Figures announced late: what charged months owe more or less by today's values, and the lines for it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.clock import to_utc
from app.definitions.current import parameters
from app.domain import adjustment as rules
from app.domain.adjustment import Cover, Difference
from app.domain.assessment import Charge, Insured, charges
from app.domain.calendar import month_of
from app.domain.contribution import EMPLOYEE, EMPLOYER, Tariff
from app.errors import FieldError, Rejected
from app.services import assessing
from app.services.assessed import insured_by
from app.services.basing import tariff_of
from app.store import adjustments as store
from app.store.adjustments import CoverRow
from app.store.assessments import EmployerRow, list_employers
from app.store.bases import BaseRow, base_history
from app.store.business import hold_people
from app.store.ledger import add_lines, line_values
from app.store.session import end_read

PEOPLE_AT_ONCE = 500
EMPLOYERS_AT_ONCE = 200
EVERYBODY = 2**63 - 1
SumKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A line that a person's month is short of, or has too much."""

    person_id: int
    month: str
    difference: Difference

    @property
    def text(self) -> str:
        """All that makes the line, for the digest of what was shown."""
        due_type, line, retired, wage_fen = self.difference
        return f"{self.person_id} {self.month} {due_type} {line} {retired} {wage_fen}\n"


@dataclass
class Figures:
    """What late figures come to, in fen; `sums` by fund, due type and party."""

    people: int = 0
    lines: int = 0
    sums: dict[SumKey, int] = field(default_factory=dict)

    def add(self, people: int, lines: int, sums: Iterable[tuple[SumKey, int]]) -> None:
        """Count more of them."""
        self.people += people
        self.lines += lines
        for key, fen in sums:
            self.sums[key] = self.sums.get(key, 0) + fen

    def of_party(self, *parties: str) -> int:
        """The sum of some parties."""
        return sum(fen for (_, _, party), fen in self.sums.items() if party in parties)

    @property
    def employer_fen(self) -> int:
        """What employers owe more."""
        return self.of_party(EMPLOYER)

    @property
    def employee_fen(self) -> int:
        """What employees owe more."""
        return self.of_party(EMPLOYEE)

    @property
    def allocation_fen(self) -> int:
        """What personal accounts receive more, within what is paid."""
        return sum(self.sums.values()) - self.of_party(EMPLOYER, EMPLOYEE)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some people of an employer, behind one id and up to another, with all that is found for them."""

    employer_id: int
    after_id: int
    until_id: int
    found: Sequence[Found]

    @property
    def figures(self) -> Figures:
        """What it comes to."""
        sums: dict[SumKey, int] = defaultdict(int)
        for each in self.found:
            line = each.difference.line
            sums[line.fund, each.difference.due_type, line.party] += line.amount_fen
        return Figures(len({each.person_id for each in self.found}), len(self.found), dict(sums))

    @property
    def digest(self) -> str:
        """A name for exactly these lines."""
        return hashlib.sha256("".join(each.text for each in self.found).encode()).hexdigest()


def total_digest(digests: Iterable[str]) -> str:
    """The name of all that a preview shows, from those of its chunks in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def check_span(first: str, last: str, now: datetime) -> None:
    """Refuse months that are none, are in the wrong order or cannot be charged yet. Raises: Rejected."""
    for name, month in (("from_month", first), ("to_month", last)):
        try:
            assessing.check_month_open(month, now)
        except Rejected as refused:
            raise Rejected([FieldError(name, each.code, each.message) for each in refused.errors]) from None
    if last < first:
        words = "截止月份不能早于起始月份"
        raise Rejected([FieldError("to_month", "ledger.span_order", words)])


def employers(region: str, employer_id: int | None, after_id: int = 0) -> Iterator[EmployerRow]:
    """The employers of a region, or one of them, by id; the read transaction is renewed between pages."""
    while True:
        end_read()
        page = list_employers(region, employer_id, after_id, EMPLOYERS_AT_ONCE)
        yield from page
        if len(page) < EMPLOYERS_AT_ONCE:
            return
        after_id = page[-1].id


def chunks_of(employer: EmployerRow, first: str, last: str) -> Iterator[Chunk]:
    """What late figures change for an employer's people, in chunks; those without anything are left out."""
    after = 0
    while True:
        end_read()
        people = store.charged_people(employer.id, first, last, after, EVERYBODY, PEOPLE_AT_ONCE)
        full = len(people) == PEOPLE_AT_ONCE
        # whoever is charged later belongs to the last chunk: it changes what was shown of that one
        until = people[-1] if full else EVERYBODY
        found = _found(employer.region, employer.id, people, first, last)
        if found:
            yield Chunk(employer.id, after, until, found)
        if not full:
            return
        after = until


def look_again(employer: EmployerRow, first: str, last: str, after_id: int, until_id: int) -> Chunk:
    """The same of some people of an employer as it is now, inside the caller's transaction.

    The caller holds the employer; the people are held until the commit, so that nobody charges them or takes
    charges back. Raises: ParameterMissing.
    """
    people = store.charged_people(employer.id, first, last, after_id, until_id, EVERYBODY)
    hold_people(people)
    found = _found(employer.region, employer.id, people, first, last)
    return Chunk(employer.id, after_id, until_id, found)


def write(chunk: Chunk, region: str, now: datetime) -> None:
    """Charge what was found, due in the month of the act, inside the caller's transaction."""
    add_lines(
        [
            line_values(
                region=region,
                person_id=each.person_id,
                employer_id=chunk.employer_id,
                fund=each.difference.line.fund,
                party=each.difference.line.party,
                due_type=each.difference.due_type,
                due_month=month_of(now),
                accrual_month=each.month,
                base_fen=each.difference.line.base_fen,
                rate=each.difference.line.rate or None,
                fixed_fen=None if each.difference.line.rate else each.difference.line.amount_fen,
                amount_fen=each.difference.line.amount_fen,
                declaration_id=None,
                created_at_utc=to_utc(now),
                retired=each.difference.retired,
                wage_fen=each.difference.wage_fen,
            )
            for each in chunk.found
        ]
    )


def _found(region: str, employer_id: int, people: Collection[int], first: str, last: str) -> list[Found]:
    lines = store.month_lines(employer_id, people, first, last)
    covers = _covers(employer_id, people)
    by_month: dict[str, list[Insured]] = defaultdict(list)
    for (person_id, month), carried in lines.items():
        by_month[month] += rules.insured_in(person_id, month, carried, covers.get(person_id, ()))
    due = _due(region, by_month)
    return [
        Found(person_id, month, each)
        for (person_id, month), carried in lines.items()
        for each in rules.differences(due.get((person_id, month), ()), carried)
    ]


def _due(region: str, by_month: Mapping[str, Sequence[Insured]]) -> dict[tuple[int, str], list[Charge]]:
    """What the months would be charged with by the parameters as they are published now."""
    params = parameters(region)

    def tariffs(month: str, status: str, funds: tuple[str, ...]) -> Tariff:
        return tariff_of(params, month, status, funds)

    found: dict[tuple[int, str], list[Charge]] = defaultdict(list)
    for month, insured in by_month.items():
        for each in charges(tariffs, insured, month):
            found[each.person_id, month].append(each)
    return found


def _covers(employer_id: int, people: Collection[int]) -> dict[int, list[Cover]]:
    rows = store.covers_of(employer_id, people)
    history = base_history({row.id for each in rows.values() for row in each})
    return {
        person_id: [_cover(row, history.get(row.id, ())) for row in each] for person_id, each in rows.items()
    }


def _cover(row: CoverRow, declared: Sequence[BaseRow]) -> Cover:
    insured = insured_by(row, declared)
    return Cover(row.id, row.from_month, row.to_month, row.status == "active", insured)
