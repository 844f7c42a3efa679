"""Rows of `process_instance`: an opaque state per case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from app.extensions import db
from app.store import session
from app.store.models import ProcessInstance
from app.store.rows import values_of

RUNNING, COMPLETED, INCIDENT = "running", "completed", "incident"


@dataclass(slots=True)
class InstanceRow:
    """One process; `state` is only readable by the engine."""

    id: int
    declaration_id: int
    bundle_id: int
    state: bytes
    status: str = RUNNING
    next_due_at_utc: datetime | None = None
    lock_version: int = 1


_TABLE = ProcessInstance.__table__
_UPDATE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        status=bindparam("b_status"),
        next_due_at_utc=bindparam("b_due"),
        lock_version=bindparam("b_version"),
    )
)


def add_instances(rows: Sequence[InstanceRow]) -> None:
    """Insert new processes in one statement."""
    session.insert_rows(ProcessInstance, [values_of(row) for row in rows])


def set_instances(rows: Sequence[InstanceRow]) -> None:
    """Write the states after an action in one statement."""
    if rows:
        db.session.execute(
            _UPDATE,
            [
                {
                    "b_id": row.id,
                    "b_state": row.state,
                    "b_status": row.status,
                    "b_due": row.next_due_at_utc,
                    "b_version": row.lock_version,
                }
                for row in rows
            ],
        )


def set_status(declaration_id: int, status: str) -> None:
    """Mark a process, for example as having an incident."""
    db.session.execute(update(_TABLE).where(_TABLE.c.declaration_id == declaration_id).values(status=status))


def list_due(now_utc: datetime, limit: int) -> list[int]:
    """List the declarations whose next timer is due, the longest waiting first; failed ones are left out."""
    rows = db.session.execute(
        select(ProcessInstance.declaration_id)
        .where(ProcessInstance.next_due_at_utc <= now_utc, ProcessInstance.status == RUNNING)
        .order_by(ProcessInstance.next_due_at_utc, ProcessInstance.id)
        .limit(limit)
    )
    return list(rows.scalars())


def count_by_status() -> dict[str, int]:
    """Count processes by status, for the doctor."""
    rows = db.session.execute(select(ProcessInstance.status, func.count()).group_by(ProcessInstance.status))
    return {row[0]: row[1] for row in rows}
