"""Rows of `import_batch` and `import_row`: uploaded batch files and what became of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from app.extensions import db
from app.store import session
from app.store.models import Declaration, Employer, ImportBatch, ImportRow
from app.store.rows import values_of

QUEUED, RUNNING, FINISHED, FAILED, STOPPED = "queued", "running", "finished", "failed", "stopped"
ENDED = (FINISHED, FAILED, STOPPED)
ACCEPTED, REJECTED = "accepted", "rejected"


@dataclass(slots=True)
class BatchRow:
    """One uploaded file. `fence` rises with each lease; `attempts` counts runs without progress."""

    id: int
    region: str
    employer_id: int
    kind: str
    file_name: str
    file_key: str
    sha256: str
    size_bytes: int
    bundle_id: int
    created_by_id: int
    created_at_utc: datetime
    settings_cipher: bytes | None = None
    state: str = QUEUED
    total_rows: int = 0
    done_rows: int = 0
    accepted_rows: int = 0
    rejected_rows: int = 0
    message: str = ""
    attempts: int = 0
    fence: int = 0
    lease_until_utc: datetime | None = None
    stop_requested: bool = False
    finished_at_utc: datetime | None = None
    purge_after_utc: datetime | None = None
    confirmed_at_utc: datetime | None = None


@dataclass(slots=True)
class ResultRow:
    """What became of one row of a file; `cells_cipher` is kept where the row goes back."""

    batch_id: int
    row_number: int
    state: str
    cells_cipher: bytes = b""
    errors: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    declaration_id: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """A row of a file and the case that it became."""

    row_number: int
    reference: str
    person_name: str
    id_masked: str
    status: str


_BATCH = ImportBatch.__table__
_ROW = ImportRow.__table__
_NUMBERS_AT_ONCE = 500
_COLUMNS = tuple(_BATCH.c[name] for name in BatchRow.__slots__)
_ROW_COLUMNS = tuple(_ROW.c[name] for name in ResultRow.__slots__)


def add_batch(row: BatchRow) -> None:
    """Insert one batch."""
    session.insert_rows(ImportBatch, [values_of(row)])


def find_batch(batch_id: int) -> BatchRow | None:
    """Find one batch."""
    row = db.session.execute(select(*_COLUMNS).where(_BATCH.c.id == batch_id)).first()
    return None if row is None else BatchRow(*row)


def hold_batch(batch_id: int) -> BatchRow | None:
    """Find one batch and hold it until the commit."""
    row = db.session.execute(session.lock(select(*_COLUMNS).where(_BATCH.c.id == batch_id))).first()
    return None if row is None else BatchRow(*row)


def set_batch(batch_id: int, **values: Any) -> None:
    """Change columns of one batch."""
    db.session.execute(update(_BATCH).where(_BATCH.c.id == batch_id).values(**values))


def remove_batch(batch_id: int) -> None:
    """Delete a batch with its rows."""
    db.session.execute(delete(_ROW).where(_ROW.c.batch_id == batch_id))
    db.session.execute(delete(_BATCH).where(_BATCH.c.id == batch_id))


def hold_employer(employer_id: int) -> None:
    """Let nobody else add a batch of this employer until the commit."""
    db.session.execute(session.lock(select(Employer.id).where(Employer.id == employer_id)))


def find_same_file(employer_id: int, kind: str, sha256: str) -> BatchRow | None:
    """Find the newest batch of the same content whose rows were, or still may be, taken over."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(
            _BATCH.c.employer_id == employer_id,
            _BATCH.c.kind == kind,
            _BATCH.c.sha256 == sha256,
            or_(_BATCH.c.state.in_((QUEUED, RUNNING, FINISHED)), _BATCH.c.done_rows > 0),
        )
        .order_by(_BATCH.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else BatchRow(*row)


def list_batches(employer_id: int, kind: str, before_id: int | None, limit: int) -> list[BatchRow]:
    """List an employer's batches of a kind, newest first."""
    statement = select(*_COLUMNS).where(_BATCH.c.employer_id == employer_id, _BATCH.c.kind == kind)
    if before_id is not None:
        statement = statement.where(_BATCH.c.id < before_id)
    rows = db.session.execute(statement.order_by(_BATCH.c.id.desc()).limit(limit))
    return [BatchRow(*row) for row in rows]


def take_waiting(now_utc: datetime, next_try_utc: datetime, limit: int) -> list[tuple[int, int]]:
    """Take batches that somebody should be working on by now, and put off their next try: (id, fence).

    Two sweepers never take the same one.
    """
    waiting = (
        select(_BATCH.c.id)
        .where(_BATCH.c.state.in_((QUEUED, RUNNING)), _BATCH.c.lease_until_utc <= now_utc)
        .order_by(_BATCH.c.lease_until_utc, _BATCH.c.id)
        .limit(limit)
    )
    if session.is_postgresql():
        waiting = waiting.with_for_update(skip_locked=True)
    rows = db.session.execute(
        update(_BATCH)
        .where(_BATCH.c.id.in_(waiting))
        # nobody holds it any more: whoever gets the job may take it at once
        .values(state=QUEUED, lease_until_utc=next_try_utc)
        .returning(_BATCH.c.id, _BATCH.c.fence)
    )
    return sorted((row.id, row.fence) for row in rows)


def list_outdated(now_utc: datetime, limit: int) -> list[tuple[int, str]]:
    """List ended batches whose time is over: (id, file key)."""
    rows = db.session.execute(
        select(_BATCH.c.id, _BATCH.c.file_key)
        .where(
            _BATCH.c.state.in_(ENDED),
            _BATCH.c.purge_after_utc <= now_utc,
            # what still waits for materials is reached through its batch
            ~select(Declaration.id)
            .where(Declaration.batch_id == _BATCH.c.id, Declaration.status == "draft")
            .exists(),
        )
        .order_by(_BATCH.c.id)
        .limit(limit)
    )
    return [(row.id, row.file_key) for row in rows]


def add_results(rows: Sequence[ResultRow]) -> None:
    """Insert results of rows in one statement."""
    session.insert_rows(ImportRow, [values_of(row) for row in rows])


def remove_results(batch_id: int, row_numbers: Sequence[int]) -> None:
    """Forget what became of some rows: they will be worked on again."""
    wanted = list(row_numbers)
    for start in range(0, len(wanted), _NUMBERS_AT_ONCE):
        part = wanted[start : start + _NUMBERS_AT_ONCE]
        db.session.execute(delete(_ROW).where(_ROW.c.batch_id == batch_id, _ROW.c.row_number.in_(part)))


def list_done(batch_id: int) -> set[int]:
    """The numbers of all rows that have a result."""
    return set(db.session.scalars(select(_ROW.c.row_number).where(_ROW.c.batch_id == batch_id)))


def list_results(batch_id: int, state: str, after_row: int, limit: int | None) -> list[ResultRow]:
    """List results of one state in the order of the file."""
    rows = db.session.execute(
        select(*_ROW_COLUMNS)
        .where(_ROW.c.batch_id == batch_id, _ROW.c.state == state, _ROW.c.row_number > after_row)
        .order_by(_ROW.c.row_number)
        .limit(limit)
    )
    return [ResultRow(*row) for row in rows]


def list_accepted(batch_id: int, after_row: int, limit: int) -> list[AcceptedRow]:
    """List the cases that rows became, in the order of the file."""
    case = Declaration.__table__.c
    rows = db.session.execute(
        select(_ROW.c.row_number, case.reference, case.person_name, case.id_masked, case.status)
        .join(Declaration.__table__, case.id == _ROW.c.declaration_id)
        .where(_ROW.c.batch_id == batch_id, _ROW.c.state == ACCEPTED, _ROW.c.row_number > after_row)
        .order_by(_ROW.c.row_number)
        .limit(limit)
    )
    return [AcceptedRow(*row) for row in rows]


def count_waiting(overdue_since_utc: datetime) -> tuple[int, int]:
    """Count batches that are not ended, and those among them that nobody has looked at since a moment."""
    row = db.session.execute(
        select(func.count(), func.count().filter(_BATCH.c.lease_until_utc <= overdue_since_utc)).where(
            _BATCH.c.state.in_((QUEUED, RUNNING))
        )
    ).one()
    return int(row[0]), int(row[1])
