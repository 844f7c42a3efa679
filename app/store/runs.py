"""Long work as jobs: who asked for it, how far it has come, what became of each employer or person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, select, update

from app.extensions import db
from app.store.models import Employer, Run, RunResult
from app.store.rows import values_of
from app.store.session import insert_rows, lock

ASSESS, CARRY, SUBMIT = "assess", "carry", "submit"
ADJUST_COUNT, ADJUST_WRITE = "adjust_count", "adjust_write"
QUEUED, RUNNING, FINISHED, FAILED, STOPPED = "queued", "running", "finished", "failed", "stopped"
UNFINISHED = (QUEUED, RUNNING)
FILED, SKIPPED, REFUSED = "filed", "skipped", "refused"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; `beat_at_utc` is the machine's time of its last sign of life."""

    id: int
    kind: str
    region: str
    month: str
    employer_id: int | None
    batch_id: int | None
    state: str
    total: int
    created_by_id: int | None
    created_by_name: str
    created_at_utc: datetime
    beat_at_utc: datetime
    finished_at_utc: datetime | None = None
    done: int = 0
    people: int = 0
    lines: int = 0
    filed: int = 0
    skipped: int = 0
    refused: int = 0
    after_no: str = ""
    message: str = ""
    fence: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What became of one employer, or person: filed as `reference`, skipped or refused for it, in words.

    `place` is the employer's number, or the row of the file with leading zeros.
    """

    run_id: int
    place: str
    employer_id: int
    outcome: str
    reference: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The same for a list, with the employer's name."""

    place: str
    employer_id: int
    name: str
    outcome: str
    reference: str
    message: str


_TABLE = Run.__table__
_COLUMNS = [_TABLE.c[name] for name in RunRow.__slots__]
_RESULT = RunResult.__table__


def add_run(row: RunRow) -> None:
    """Add a run."""
    insert_rows(Run, [values_of(row)])


def find_run(run_id: int) -> RunRow | None:
    """One run."""
    row = db.session.execute(select(*_COLUMNS).where(_TABLE.c.id == run_id)).one_or_none()
    return None if row is None else RunRow(*row)


def hold_run(run_id: int) -> RunRow | None:
    """One run, held until the commit."""
    row = db.session.execute(lock(select(*_COLUMNS).where(_TABLE.c.id == run_id))).one_or_none()
    return None if row is None else RunRow(*row)


def find_unfinished(
    kind: str, region: str, month: str, employer_id: int | None, batch_id: int | None
) -> RunRow | None:
    """A run of the same kind, region, month, employer and batch that has not ended."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(
            _TABLE.c.kind == kind,
            _TABLE.c.region == region,
            _TABLE.c.month == month,
            _TABLE.c.employer_id.is_not_distinct_from(employer_id),
            _TABLE.c.batch_id.is_not_distinct_from(batch_id),
            _TABLE.c.state.in_(UNFINISHED),
        )
        .order_by(_TABLE.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else RunRow(*row)


def list_runs(kind: str, regions: Collection[str], before_id: int | None, limit: int) -> list[RunRow]:
    """The runs of a kind in regions, newest first, in pages by id."""
    query = select(*_COLUMNS).where(_TABLE.c.region.in_(regions), _TABLE.c.kind == kind)
    if before_id is not None:
        query = query.where(_TABLE.c.id < before_id)
    return [RunRow(*row) for row in db.session.execute(query.order_by(_TABLE.c.id.desc()).limit(limit))]


def find_last(kind: str, batch_id: int) -> RunRow | None:
    """The newest run of a kind for a batch."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(_TABLE.c.batch_id == batch_id, _TABLE.c.kind == kind)
        .order_by(_TABLE.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else RunRow(*row)


def set_run(run_id: int, **values: Any) -> None:
    """Change a run that the transaction holds."""
    db.session.execute(update(_TABLE).where(_TABLE.c.id == run_id).values(**values))


def set_running(run_id: int, fence: int, **values: Any) -> bool:
    """Say how far a run has come; False where it was stopped or another worker has it."""
    done: CursorResult[Any] = db.session.execute(  # type: ignore[assignment]
        update(_TABLE)
        .where(_TABLE.c.id == run_id, _TABLE.c.fence == fence, _TABLE.c.state == RUNNING)
        .values(**values)
    )
    return done.rowcount == 1


def take_silent(before_utc: datetime, now_utc: datetime, limit: int) -> list[tuple[int, str]]:
    """Put runs without a sign of life since a moment back in line: (id, kind).

    They are found again only after another silence.
    """
    wanted = (
        select(_TABLE.c.id)
        .where(_TABLE.c.state.in_(UNFINISHED), _TABLE.c.beat_at_utc < before_utc)
        .order_by(_TABLE.c.id)
        .limit(limit)
    )
    found = list(db.session.scalars(wanted))
    if not found:
        return []
    rows = db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(found), _TABLE.c.state.in_(UNFINISHED), _TABLE.c.beat_at_utc < before_utc)
        .values(beat_at_utc=now_utc, state=QUEUED)
        .returning(_TABLE.c.id, _TABLE.c.kind)
    )
    return sorted((row.id, row.kind) for row in rows)


def add_results(rows: Sequence[ResultRow]) -> None:
    """Keep what became of some; messages are cut to what the column takes."""
    insert_rows(RunResult, [{**values_of(row), "message": row.message[:300]} for row in rows])


def remove_results(run_id: int) -> None:
    """Drop the results of a run that begins again."""
    db.session.execute(delete(_RESULT).where(_RESULT.c.run_id == run_id))


def list_results(run_id: int, outcome: str, after: str, limit: int) -> list[Result]:
    """A page of a run's results by place; `outcome` "" for all of them."""
    query = (
        select(
            _RESULT.c.place, _RESULT.c.employer_id, Employer.name, _RESULT.c.outcome, _RESULT.c.reference,
            _RESULT.c.message,
        )
        .join(Employer, Employer.id == _RESULT.c.employer_id)
        .where(_RESULT.c.run_id == run_id, _RESULT.c.place > after)
        .order_by(_RESULT.c.place)
        .limit(limit)
    )  # fmt: skip
    if outcome:
        query = query.where(_RESULT.c.outcome == outcome)
    return [Result(*row) for row in db.session.execute(query)]
