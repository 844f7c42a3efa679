"""Rows of `outbox`: what must leave the database, until it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app.extensions import db
from app.store import session
from app.store.models import Outbox
from app.store.rows import values_of


@dataclass(slots=True)
class OutboxRow:
    """One thing to do outside; `payload` holds ids and codes only."""

    id: int
    topic: str
    not_before_utc: datetime
    created_at_utc: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    done_at_utc: datetime | None = None
    last_error: str = ""


_TABLE = Outbox.__table__
_COLUMNS = tuple(_TABLE.c[name] for name in OutboxRow.__slots__)


def add_outbox(rows: Sequence[OutboxRow]) -> None:
    """Insert rows in one statement."""
    session.insert_rows(Outbox, [values_of(row) for row in rows])


def find_outbox(outbox_id: int) -> OutboxRow | None:
    """Find one row, to look at it."""
    row = db.session.execute(select(*_COLUMNS).where(Outbox.id == outbox_id)).first()
    return None if row is None else OutboxRow(*row)


def hold_outbox(outbox_id: int) -> OutboxRow | None:
    """Load one row and hold it until the commit; None where there is none."""
    row = db.session.execute(session.lock(select(*_COLUMNS).where(Outbox.id == outbox_id))).first()
    return None if row is None else OutboxRow(*row)


def take_overdue(now_utc: datetime, next_try_utc: datetime, limit: int) -> list[tuple[int, str]]:
    """Take rows that should have been done, put off their next try, and give (id, topic), oldest first.

    Two sweepers never take the same row.
    """
    overdue = (
        select(Outbox.id)
        .where(Outbox.done_at_utc.is_(None), Outbox.not_before_utc <= now_utc)
        .order_by(Outbox.not_before_utc, Outbox.id)
        .limit(limit)
    )
    if session.is_postgresql():
        overdue = overdue.with_for_update(skip_locked=True)
    rows = db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(overdue))
        .values(not_before_utc=next_try_utc)
        .returning(_TABLE.c.id, _TABLE.c.topic)
    )
    return sorted((row.id, row.topic) for row in rows)


def set_done(outbox_id: int, now_utc: datetime) -> None:
    """Mark a row as done."""
    db.session.execute(
        update(_TABLE).where(_TABLE.c.id == outbox_id).values(done_at_utc=now_utc, last_error="")
    )


def set_failed(outbox_id: int, error: str, next_try_utc: datetime) -> int:
    """Count a failed attempt and say when to try again; gives the attempts so far."""
    attempts = db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == outbox_id)
        .values(attempts=_TABLE.c.attempts + 1, last_error=error[:2000], not_before_utc=next_try_utc)
        .returning(_TABLE.c.attempts)
    ).scalar()
    return int(attempts or 0)


def count_waiting(overdue_since_utc: datetime) -> tuple[int, int]:
    """Count rows not done, and those among them that are overdue since a moment."""
    row = db.session.execute(
        select(func.count(), func.count().filter(Outbox.not_before_utc <= overdue_since_utc)).where(
            Outbox.done_at_utc.is_(None)
        )
    ).one()
    return int(row[0]), int(row[1])
