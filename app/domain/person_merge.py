"""May two records of one person become one, and what becomes of what both of them hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from app.domain.calendar import add_months
from app.domain.collection import MONTH_DUES, NORMAL, SUPPLEMENTARY
from app.domain.enrolment import ACTIVE, COUNTER_CHANNEL, ENDED
from app.domain.identity import normalise
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict

NEVER = "9999-12"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One record of a person; `number_key` is the same for two records with the same identity number."""

    person_no: str
    number_key: bytes
    name: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """What a merge asks for; `statement` says which of two differing records is right, and why."""

    kept_no: str = ""
    merged_no: str = ""
    statement: str = ""
    channel: str = "03"


@dataclass(frozen=True, slots=True)
class MergeFacts:
    """What is known of a merge: the records of the number, the two that were named, what is still open.

    Shape: `with_number` counts the records of the typed number; `kept` and `merged` are None for person
    numbers that name nobody.
    """

    with_number: int
    number_key: bytes
    kept: RecordFacts | None = None
    merged: RecordFacts | None = None
    open_kinds: Collection[str] = ()


def check_merge(params: ParameterSet, request: MergeRequest, facts: MergeFacts) -> Verdict:
    """Judge a merge of two records. Source: Suzhou manual 1 (4) 4, 2 (4) (请到柜台做人员合并)."""
    if facts.with_number == 0:
        return _refused("stop.unknown")
    if not request.kept_no or not request.merged_no:
        return _refused("person_merge.nothing")
    kept, merged = facts.kept, facts.merged
    if kept is None:
        return _refused("person_merge.record_unknown", "kept_person_no")
    if merged is None:
        return _refused("person_merge.record_unknown", "merged_person_no")
    if kept.person_no == merged.person_no:
        return _refused("person_merge.same", "merged_person_no")
    if facts.number_key not in (kept.number_key, merged.number_key):
        return _refused("person_merge.other_number")
    if facts.open_kinds:
        kinds = "、".join(params.kind_label(each) for each in facts.open_kinds)
        return Verdict((Problem("person_merge.open_case", "id_number", {"kinds": kinds}),))
    return _differing(request, kept, merged)


def _differing(request: MergeRequest, kept: RecordFacts, merged: RecordFacts) -> Verdict:
    if not differs(kept, merged):
        return Verdict()
    if request.channel != COUNTER_CHANNEL:
        return _refused("person_merge.differs_at_counter")
    if not request.statement:
        return _refused("person_merge.statement_missing", "correction_statement")
    return Verdict((), (Problem("person_merge.differs", "correction_statement"),))


def differs(kept: RecordFacts, merged: RecordFacts) -> bool:
    """Return whether two records disagree on who the person is: then somebody must state which is right."""
    return (
        kept.number_key != merged.number_key
        or normalise(kept.name) != normalise(merged.name)
        or kept.birth_date != merged.birth_date
    )


class Span(Protocol):
    """An enrolment as a merge looks at it."""

    @property
    def employer_id(self) -> int | None: ...
    @property
    def fund(self) -> str: ...
    @property
    def from_month(self) -> str: ...
    @property
    def to_month(self) -> str | None: ...
    @property
    def status(self) -> str: ...


class DueLine(Protocol):
    """A standing line as a merge looks at it."""

    @property
    def employer_id(self) -> int | None: ...
    @property
    def fund(self) -> str: ...
    @property
    def accrual_month(self) -> str: ...
    @property
    def due_type(self) -> str: ...
    @property
    def received_on(self) -> date | None: ...


AnySpan = TypeVar("AnySpan", bound=Span)
AnyLine = TypeVar("AnyLine", bound=DueLine)


def goes_on(span: Span) -> bool:
    """Return whether an enrolment has no end yet."""
    return span.status == ACTIVE and span.to_month is None


def record_to_keep(spans: Sequence[Sequence[Span]]) -> int:
    """Return which record is proposed to stay: one with insurance that goes on, the latest; else the oldest.

    Shape: the enrolments of each record, oldest record first.
    """
    starts = [max((each.from_month for each in own if goes_on(each)), default="") for own in spans]
    return starts.index(max(starts))


def ending_spans(kept: Iterable[Span], merged: Iterable[AnySpan]) -> list[tuple[AnySpan, str, str]]:
    """Return the enrolments of the merged record that cannot go on beside those of the record that stays.

    Shape: (enrolment, its last month, its status): it ends before the other one begins, or has never been.
    """
    begun: dict[str, str] = {}
    for each in kept:
        if goes_on(each):
            begun[each.fund] = each.from_month
    found = []
    for span in merged:
        start = begun.get(span.fund)
        if start is None or not goes_on(span):
            continue
        if span.from_month < start:
            found.append((span, add_months(start, -1), ACTIVE))
        else:
            found.append((span, add_months(span.from_month, -1), ENDED))
    return found


def charged_twice(kept: Iterable[AnyLine], merged: Iterable[AnyLine]) -> list[AnyLine]:
    """Return the lines to take back because both records carry a charge for a fund and month.

    Those of the merged record, unless the record that stays has not been paid for and the other one has,
    by the same employer: what was paid rightly stays paid. Shape: standing lines of each record.
    """
    ours, theirs = _by_month(kept), _by_month(merged)
    found: list[AnyLine] = []
    for key in sorted(ours.keys() & theirs.keys()):
        mine, other = ours[key], theirs[key]
        if not (_charged(mine) and _charged(other)):
            continue
        same = {each.employer_id for each in mine} == {each.employer_id for each in other}
        found += mine if same and _paid(other) and not _paid(mine) else other
    return found


def charged_beyond(
    kept: Iterable[Span], ending: Iterable[tuple[Span, str, str]], merged: Iterable[AnyLine]
) -> list[AnyLine]:
    """Return the merged record's unpaid monthly dues of months after its enrolment ends with the merge.

    They are owed where the person goes on, like those beyond a stop; at the same employer, and where money
    came in, they stay. Shape: `ending` as `ending_spans` gives it, `merged` standing lines.
    """
    there = {each.fund: each.employer_id for each in kept if goes_on(each)}
    last = {}
    for span, last_month, _status in ending:
        if span.employer_id != there.get(span.fund):
            last[span.fund, span.employer_id] = last_month
    beyond = [
        line
        for line in merged
        if line.due_type in MONTH_DUES and line.accrual_month > last.get((line.fund, line.employer_id), NEVER)
    ]
    paid = {(line.fund, line.accrual_month) for line in beyond if line.received_on is not None}
    return [line for line in beyond if (line.fund, line.accrual_month) not in paid]


def _by_month(lines: Iterable[AnyLine]) -> dict[tuple[str, str], list[AnyLine]]:
    found: dict[tuple[str, str], list[AnyLine]] = {}
    for line in lines:
        if line.due_type in MONTH_DUES:
            found.setdefault((line.accrual_month, line.fund), []).append(line)
    return found


def _charged(lines: Iterable[DueLine]) -> bool:
    return any(line.due_type in (NORMAL, SUPPLEMENTARY) for line in lines)


def _paid(lines: Iterable[DueLine]) -> bool:
    return any(line.received_on is not None for line in lines)


def _refused(code: str, field: str = "id_number") -> Verdict:
    return Verdict((Problem(code, field),))
