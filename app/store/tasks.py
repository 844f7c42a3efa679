"""Rows of `human_task`: what waits for a person now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from app.extensions import db
from app.store import session
from app.store.models import Declaration, HumanTask, User
from app.store.rows import values_of


@dataclass(slots=True)
class TaskRow:
    """One open task."""

    id: int
    task_uid: str
    instance_id: int
    declaration_id: int
    reference: str
    process_id: str
    element_id: str
    kind: str
    title: str
    region: str
    employer_id: int
    role: str
    form: str
    due_at_utc: datetime
    created_at_utc: datetime
    summary: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    priority: int = 50
    batch_id: int | None = None
    claimed_by_id: int | None = None
    claimed_at_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskName:
    """Which open task it is, without its case."""

    id: int
    reference: str
    region: str
    kind: str
    element_id: str
    title: str


_TABLE = HumanTask.__table__
_NAME = tuple(_TABLE.c[name] for name in TaskName.__slots__)


def add_tasks(rows: Sequence[TaskRow]) -> None:
    """Insert tasks in one statement."""
    session.insert_rows(HumanTask, [values_of(row) for row in rows])


def remove_tasks(ids: Sequence[int]) -> None:
    """Delete ended tasks in one statement."""
    if ids:
        db.session.execute(delete(_TABLE).where(_TABLE.c.id.in_(ids)))


def set_summaries(declaration_id: int, summary: dict[str, Any]) -> None:
    """Change what lists show of a case's open tasks (a draft saved again)."""
    db.session.execute(
        update(_TABLE).where(_TABLE.c.declaration_id == declaration_id).values(summary=summary)
    )


def claim_task(task_id: int, user_id: int, now_utc: datetime) -> bool:
    """Give a task to somebody where nobody has it; one statement decides a race."""
    row = db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == task_id, _TABLE.c.claimed_by_id.is_(None))
        .values(claimed_by_id=user_id, claimed_at_utc=now_utc)
        .returning(_TABLE.c.id)
    ).first()
    return row is not None


def release_task(task_id: int, user_id: int) -> bool:
    """Put a task back where this person has it."""
    row = db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == task_id, _TABLE.c.claimed_by_id == user_id)
        .values(claimed_by_id=None, claimed_at_utc=None)
        .returning(_TABLE.c.id)
    ).first()
    return row is not None


def name_tasks(ids: Sequence[int]) -> list[TaskName]:
    """Name those of these tasks that are open, in the order of their ids."""
    rows = db.session.execute(select(*_NAME).where(_TABLE.c.id.in_(ids)).order_by(_TABLE.c.id))
    return [TaskName(*row) for row in rows]


def find_next(
    regions: Sequence[str],
    roles: Sequence[str],
    user_id: int,
    kind: str | None = None,
    employer_id: int | None = None,
    skip: Sequence[int] = (),
) -> int | None:
    """Find the most urgent task that nobody has and that is not the person's own case.

    On PostgreSQL rows that somebody is taking right now are passed over.
    """
    statement = (
        select(HumanTask.id)
        .join(Declaration.__table__, Declaration.id == HumanTask.declaration_id)
        .where(
            HumanTask.region.in_(regions),
            HumanTask.role.in_(roles),
            HumanTask.claimed_by_id.is_(None),
            Declaration.created_by_id != user_id,
            Declaration.submitted_by_id.is_distinct_from(user_id),
        )
        .order_by(HumanTask.due_at_utc, HumanTask.id)
        .limit(1)
    )
    if kind:
        statement = statement.where(HumanTask.kind == kind)
    if employer_id:
        statement = statement.where(HumanTask.employer_id == employer_id)
    if skip:
        statement = statement.where(HumanTask.id.not_in(skip))
    if session.is_postgresql() and session.in_transaction():
        statement = statement.with_for_update(of=HumanTask.__table__, skip_locked=True)
    return db.session.execute(statement).scalar()


def names_of(user_ids: Sequence[int | None]) -> dict[int, str]:
    """Find the names of accounts, for words such as who has claimed a task."""
    wanted = [user_id for user_id in set(user_ids) if user_id is not None]
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}
