"""What the agency reads: pages of open tasks, searches, counts, and what somebody has decided.

An inbox is a merge of index ranges, each in order and cut at the page's size: its cost does not follow the
number of open tasks. Every list ends with the id, so that its order is stable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, select, text, tuple_, union_all

from app.domain.permission import AGENCY_ROLES
from app.extensions import db
from app.store.business import about_person
from app.store.crypto import blind
from app.store.models import Declaration, Employer, Event, HumanTask
from app.store.models.cases import DECIDED
from app.store.models.types import UtcDateTime
from app.store.queries.frame import LIMIT

ALL, MINE, GROUP, EVERYBODY = "all", "mine", "group", "everybody"
# shorter than any identity number: then it is a name
_NUMBER_LENGTH = 15
_FOUND_AT_MOST = 200
Cursor = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose inbox: the regions and roles of an account."""

    user_id: int
    regions: Collection[str]
    roles: Collection[str]


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What a page of tasks is asked for; None and "" mean anything.

    `box` is all (mine and unclaimed ones), mine, group (unclaimed) or everybody (the whole region).
    `declaration_ids` are what a search has found; the two moments bound the due time.
    """

    box: str = ALL
    kind: str = ""
    step: str = ""
    employer_ids: tuple[int, ...] | None = None
    declaration_ids: tuple[int, ...] | None = None
    due_from_utc: datetime | None = None
    due_until_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One open task in a list."""

    id: int
    declaration_id: int
    reference: str
    kind: str
    title: str
    role: str
    region: str
    employer_no: str
    employer_name: str
    summary: dict[str, Any]
    created_at_utc: datetime
    due_at_utc: datetime
    claimed_by_id: int | None
    settings: dict[str, str]

    @property
    def cursor(self) -> Cursor:
        return self.due_at_utc, self.id


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """One decision that somebody has made, and where its case stands now."""

    id: int
    at_utc: datetime
    action: str
    step: str
    detail: dict[str, Any]
    reference: str
    kind: str
    region: str
    status: str
    person_name: str
    id_masked: str
    employer_name: str

    @property
    def cursor(self) -> Cursor:
        return self.at_utc, self.id


_TASK = HumanTask.__table__.c
_ROW = (
    _TASK.id, _TASK.declaration_id, _TASK.reference, _TASK.kind, _TASK.title, _TASK.role, _TASK.region,
    Employer.employer_no, Employer.name, _TASK.summary, _TASK.created_at_utc, _TASK.due_at_utc,
    _TASK.claimed_by_id, _TASK.settings,
)  # fmt: skip


def list_tasks(
    scope: Scope, wanted: TaskFilter, limit: int, *, after: Cursor | None = None, before: Cursor | None = None
) -> list[InboxRow]:
    """A page of open tasks by due time, in one statement; `after` and `before` are the neighbours' ends."""
    tests = _tests(wanted)
    position = tuple_(_TASK.due_at_utc, _TASK.id)
    if after is not None:
        tests.append(position > _place(after))
    if before is not None:
        tests.append(position < _place(before))
    order = (_TASK.due_at_utc.desc(), _TASK.id.desc()) if before else (_TASK.due_at_utc, _TASK.id)
    ranges = [
        select(_TASK.id, _TASK.due_at_utc).where(*part, *tests).order_by(*order).limit(limit).subquery()
        for part in _ranges(scope, wanted)
    ]
    if not ranges:
        return []
    found = union_all(*(select(each) for each in ranges)).subquery()
    due, number = found.c.due_at_utc, found.c.id
    page = (
        select(number).order_by(due.desc(), number.desc()) if before else select(number).order_by(due, number)
    )
    ids = page.limit(limit).subquery()
    rows = db.session.execute(
        select(*_ROW)
        .join(ids, ids.c.id == _TASK.id)
        .join(Employer, Employer.id == _TASK.employer_id)
        .order_by(_TASK.due_at_utc, _TASK.id)
    )
    return [InboxRow(*row) for row in rows]


def count_tasks(scope: Scope, wanted: TaskFilter, *, exact: bool = False) -> int:
    """How many open tasks the same filters find; counting stops at `LIMIT` unless it must be exact."""
    ranges = [select(_TASK.id).where(*part, *_tests(wanted)) for part in _ranges(scope, wanted)]
    if not ranges:
        return 0
    parts = [select((each if exact else each.limit(LIMIT)).subquery()) for each in ranges]
    ids = union_all(*parts).subquery()
    counted = select(ids.c.id) if exact else select(ids.c.id).limit(LIMIT)
    return db.session.execute(select(func.count()).select_from(counted.subquery())).scalar_one()


def newest_task(scope: Scope, wanted: TaskFilter) -> int:
    """The largest id among the open tasks that the filters find; 0 where there are none."""
    ranges = [select(_TASK.id).where(*part, *_tests(wanted)) for part in _ranges(scope, wanted)]
    if not ranges:
        return 0
    ids = union_all(*ranges).subquery()
    return int(db.session.execute(select(func.max(ids.c.id))).scalar() or 0)


def find_task(task_id: int) -> InboxRow | None:
    """One open task, to show it; None where it has ended."""
    row = db.session.execute(
        select(*_ROW).join(Employer, Employer.id == _TASK.employer_id).where(_TASK.id == task_id)
    ).first()
    return None if row is None else InboxRow(*row)


def search_declarations(regions: Collection[str], words: str) -> tuple[int, ...]:
    """Open cases by reference, whole identity number or exact name; at most a page of them."""
    typed = words.strip()
    statement = select(Declaration.id).where(Declaration.region.in_(sorted(regions)))
    if "-" in typed:
        statement = statement.where(Declaration.reference == typed.upper())
    elif len(typed) >= _NUMBER_LENGTH and typed.isalnum():
        statement = statement.where(about_person(blind(typed)))
    else:
        statement = statement.where(
            Declaration.person_name == typed, Declaration.status.in_(("submitted", "in_audit"))
        )
    rows = db.session.execute(statement.order_by(Declaration.id.desc()).limit(_FOUND_AT_MOST))
    return tuple(row.id for row in rows)


def search_employers(regions: Collection[str], words: str, limit: int = 20) -> tuple[int, ...]:
    """Employers by number, credit code or a part of the name."""
    typed = words.strip()
    same = (Employer.employer_no == typed) | (Employer.credit_code == typed.upper())
    rows = db.session.execute(
        select(Employer.id)
        .where(
            Employer.region.in_(sorted(regions)),
            same if typed.isascii() else Employer.name.contains(typed, autoescape=True),
        )
        .order_by(Employer.id)
        .limit(limit)
    )
    return tuple(row.id for row in rows)


@dataclass(frozen=True, slots=True)
class Figures:
    """A region's work at a glance; each number stops at `LIMIT`."""

    open: int
    overdue: int
    decided: int


def figures(scope: Scope, now_utc: datetime, since_utc: datetime) -> Figures:
    """What is open, overdue, and decided since a moment, in a supervisor's regions."""
    decided = (
        select(Declaration.id)
        .where(Declaration.region.in_(sorted(scope.regions)), Declaration.decided_at_utc >= since_utc)
        .limit(LIMIT)
    )
    return Figures(
        count_tasks(scope, TaskFilter(EVERYBODY)),
        count_tasks(scope, TaskFilter(EVERYBODY, due_until_utc=now_utc)),
        db.session.execute(select(func.count()).select_from(decided.subquery())).scalar_one(),
    )


def list_decided(
    user_id: int,
    *,
    kind: str = "",
    decision: str = "",
    since_utc: datetime | None = None,
    until_utc: datetime | None = None,
    before: Cursor | None = None,
    after: Cursor | None = None,
    limit: int = 20,
) -> list[DecidedRow]:
    """A page of somebody's decisions, newest first; `before` and `after` are the neighbours' ends."""
    position = tuple_(Event.at_utc, Event.id)
    statement = _decided(
        select(
            Event.id, Event.at_utc, Event.action, Event.element_name, Event.detail, Declaration.reference,
            Declaration.kind, Declaration.region, Declaration.status, Declaration.person_name,
            Declaration.id_masked, Employer.name,
        ),
        user_id, kind, decision, since_utc, until_utc,
    ).join(Employer, Employer.id == Declaration.employer_id)  # fmt: skip
    if after is not None:
        statement = statement.where(position > _place(after)).order_by(Event.at_utc, Event.id)
    else:
        if before is not None:
            statement = statement.where(position < _place(before))
        statement = statement.order_by(Event.at_utc.desc(), Event.id.desc())
    rows = [DecidedRow(*row) for row in db.session.execute(statement.limit(limit))]
    return rows[::-1] if after is not None else rows


def count_decided(
    user_id: int, kind: str, decision: str, since_utc: datetime | None, until_utc: datetime | None
) -> int:
    """How many decisions the same filters find, up to `LIMIT`."""
    ids = _decided(select(Event.id), user_id, kind, decision, since_utc, until_utc).limit(LIMIT)
    return db.session.execute(select(func.count()).select_from(ids.subquery())).scalar_one()


def _decided(
    statement: Select[Any],
    user_id: int,
    kind: str,
    decision: str,
    since_utc: datetime | None,
    until_utc: datetime | None,
) -> Select[Any]:
    found = statement.join_from(Event, Declaration, Declaration.id == Event.declaration_id)
    found = found.where(Event.actor_id == user_id, text(f"event.{DECIDED}"))
    if kind:
        found = found.where(Declaration.kind == kind)
    if decision:
        found = found.where(Event.action == f"decided_{decision}")
    if since_utc is not None:
        found = found.where(Event.at_utc >= since_utc)
    if until_utc is not None:
        found = found.where(Event.at_utc < until_utc)
    return found


def _place(cursor: Cursor) -> Any:
    moment, number = cursor
    return tuple_(literal(moment, UtcDateTime), literal(number, BigInteger))


def _ranges(scope: Scope, wanted: TaskFilter) -> Iterator[list[ColumnElement[bool]]]:
    """The index ranges that a box is made of: one for each region and role, and one's own tasks."""
    if wanted.box in (ALL, MINE):
        yield [_TASK.claimed_by_id == scope.user_id]
    if wanted.box == MINE:
        return
    roles: Sequence[str] = AGENCY_ROLES if wanted.box == EVERYBODY else sorted(scope.roles)
    for region in sorted(scope.regions):
        for role in roles:
            part = [_TASK.region == region, _TASK.role == role]
            yield part if wanted.box == EVERYBODY else [*part, _TASK.claimed_by_id.is_(None)]


def _tests(wanted: TaskFilter) -> list[ColumnElement[bool]]:
    tests: list[ColumnElement[bool]] = []
    if wanted.kind:
        tests.append(_TASK.kind == wanted.kind)
    if wanted.step:
        tests.append(_TASK.element_id == wanted.step)
    if wanted.employer_ids is not None:
        tests.append(_TASK.employer_id.in_(wanted.employer_ids))
    if wanted.declaration_ids is not None:
        tests.append(_TASK.declaration_id.in_(wanted.declaration_ids))
    if wanted.due_from_utc is not None:
        tests.append(_TASK.due_at_utc >= wanted.due_from_utc)
    if wanted.due_until_utc is not None:
        tests.append(_TASK.due_at_utc < wanted.due_until_utc)
    return tests
