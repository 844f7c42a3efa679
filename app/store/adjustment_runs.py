"""Previews of late figures and their carrying out: what was shown, what is written, how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, select, update

from app.extensions import db
from app.store.models import AdjustmentChunk, AdjustmentRun, Employer
from app.store.session import insert_rows, lock

COUNTING, READY, QUEUED, RUNNING = "counting", "ready", "queued", "running"
FINISHED, FAILED, REPLACED = "finished", "failed", "replaced"
# what a job works on; what waits for a person is not taken up again by itself
UNFINISHED = (COUNTING, QUEUED, RUNNING)
WAITING, WRITTEN, BILLED, CHANGED = "waiting", "written", "billed", "changed"
Sums = list[list[Any]]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; `beat_at_utc` is the machine's time of its last sign of life."""

    id: int
    region: str
    first_month: str
    last_month: str
    employer_id: int | None
    state: str
    total_employers: int
    done_employers: int
    position: int
    digest: str
    message: str
    created_by_id: int | None
    created_by_name: str
    created_at_utc: datetime
    confirmed_by_id: int | None
    confirmed_by_name: str
    confirmed_at_utc: datetime | None
    finished_at_utc: datetime | None
    beat_at_utc: datetime


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """Some people of an employer; amounts in fen, `sums` are rows of fund, due type, party and fen."""

    id: int
    run_id: int
    employer_id: int
    after_person_id: int
    until_person_id: int
    state: str
    people: int
    lines: int
    employer_fen: int
    employee_fen: int
    allocation_fen: int
    sums: Sums
    digest: str


_RUN = AdjustmentRun.__table__
_CHUNK = AdjustmentChunk.__table__
_RUN_COLUMNS = [_RUN.c[name] for name in RunRow.__slots__]
_SUMMED = ("people", "lines", "employer_fen", "employee_fen", "allocation_fen")
_CHUNK_COLUMNS = [_CHUNK.c[name] for name in ChunkRow.__slots__]


def add_run(row: RunRow) -> None:
    """Add a run."""
    insert_rows(AdjustmentRun, [{name: getattr(row, name) for name in RunRow.__slots__}])


def find_run(run_id: int, *, held: bool = False) -> RunRow | None:
    """One run; held, nobody else changes it until the commit."""
    query = select(*_RUN_COLUMNS).where(_RUN.c.id == run_id)
    row = db.session.execute(lock(query) if held else query).one_or_none()
    return None if row is None else RunRow(*row)


def _same(region: str, first: str, last: str, employer_id: int | None) -> Any:
    return (
        (_RUN.c.region == region)
        & (_RUN.c.first_month == first)
        & (_RUN.c.last_month == last)
        & _RUN.c.employer_id.is_not_distinct_from(employer_id)
    )


def find_unfinished(region: str, first: str, last: str, employer_id: int | None) -> RunRow | None:
    """A run of the same scope that a job works on."""
    row = db.session.execute(
        select(*_RUN_COLUMNS)
        .where(_same(region, first, last, employer_id), _RUN.c.state.in_(UNFINISHED))
        .order_by(_RUN.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else RunRow(*row)


def replace_ready(region: str, first: str, last: str, employer_id: int | None) -> None:
    """Say of previews of a scope that nobody confirmed that a newer one takes their place."""
    db.session.execute(
        update(AdjustmentRun)
        .where(_same(region, first, last, employer_id), _RUN.c.state == READY)
        .values(state=REPLACED)
        .execution_options(synchronize_session=False)
    )


def list_runs(regions: Collection[str], before_id: int | None, limit: int) -> list[RunRow]:
    """The runs of regions, newest first, in pages by id."""
    query = select(*_RUN_COLUMNS).where(_RUN.c.region.in_(regions))
    if before_id is not None:
        query = query.where(_RUN.c.id < before_id)
    return [RunRow(*row) for row in db.session.execute(query.order_by(_RUN.c.id.desc()).limit(limit))]


def set_run(run_id: int, states: Collection[str], **values: Any) -> bool:
    """Change a run that is in one of the states; False where it is in none of them by now."""
    done: Any = db.session.execute(
        update(AdjustmentRun)
        .where(AdjustmentRun.id == run_id, AdjustmentRun.state.in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)


def advance(run_id: int, before_id: int, employer_id: int, beat_at_utc: datetime) -> bool:
    """Say that an employer is counted; False where somebody else counts this run, and is further."""
    done: Any = db.session.execute(
        update(AdjustmentRun)
        .where(
            AdjustmentRun.id == run_id, AdjustmentRun.state == COUNTING, AdjustmentRun.position == before_id
        )
        .values(
            position=employer_id, done_employers=AdjustmentRun.done_employers + 1, beat_at_utc=beat_at_utc
        )
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)


def take_silent(before_utc: datetime, now_utc: datetime, limit: int) -> list[int]:
    """Runs without a sign of life since a moment; they are found again only after another silence."""
    found = list(
        db.session.scalars(
            select(AdjustmentRun.id)
            .where(AdjustmentRun.state.in_(UNFINISHED), AdjustmentRun.beat_at_utc < before_utc)
            .order_by(AdjustmentRun.id)
            .limit(limit)
        )
    )
    for run_id in found:
        set_run(run_id, UNFINISHED, beat_at_utc=now_utc)
    return found


def add_chunks(rows: Sequence[ChunkRow]) -> None:
    """Keep what was shown of an employer."""
    insert_rows(AdjustmentChunk, [{name: getattr(row, name) for name in ChunkRow.__slots__} for row in rows])


def get_chunk_held(chunk_id: int) -> ChunkRow:
    """One chunk, held until the commit."""
    return ChunkRow(*db.session.execute(lock(select(*_CHUNK_COLUMNS).where(_CHUNK.c.id == chunk_id))).one())


def chunks_after(run_id: int, after_id: int, limit: int) -> list[ChunkRow]:
    """The chunks of a run in their order, in pages by id."""
    query = select(*_CHUNK_COLUMNS).where(_CHUNK.c.run_id == run_id, _CHUNK.c.id > after_id)
    return [ChunkRow(*row) for row in db.session.execute(query.order_by(_CHUNK.c.id).limit(limit))]


def waiting_chunks(run_id: int, employer_id: int) -> list[int]:
    """The chunks of an employer that were shown and are not written."""
    return list(
        db.session.scalars(
            select(_CHUNK.c.id)
            .where(_CHUNK.c.run_id == run_id, _CHUNK.c.employer_id == employer_id, _CHUNK.c.state == WAITING)
            .order_by(_CHUNK.c.id)
        )
    )


def unfinished_employers(run_id: int, after_id: int, limit: int) -> list[int]:
    """Employers of whom something is still to be written or put on notices, by id."""
    return list(
        db.session.scalars(
            select(_CHUNK.c.employer_id)
            .where(
                _CHUNK.c.run_id == run_id,
                _CHUNK.c.state.in_((WAITING, WRITTEN)),
                _CHUNK.c.employer_id > after_id,
            )
            .distinct()
            .order_by(_CHUNK.c.employer_id)
            .limit(limit)
        )
    )


def set_chunk(chunk_id: int, **values: Any) -> None:
    """Change a chunk that is held."""
    db.session.execute(
        update(AdjustmentChunk)
        .where(AdjustmentChunk.id == chunk_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def set_chunks(run_id: int, before: str, after: str, employer_id: int | None = None) -> int:
    """Move the chunks of a run from one state to another; gives their number."""
    query = update(AdjustmentChunk).where(AdjustmentChunk.run_id == run_id, AdjustmentChunk.state == before)
    if employer_id is not None:
        query = query.where(AdjustmentChunk.employer_id == employer_id)
    done: Any = db.session.execute(query.values(state=after).execution_options(synchronize_session=False))
    return int(done.rowcount)


def drop_empty(run_id: int, state: str) -> int:
    """Forget chunks of a state that change nothing any more; gives their number."""
    done: Any = db.session.execute(
        delete(AdjustmentChunk)
        .where(AdjustmentChunk.run_id == run_id, AdjustmentChunk.state == state, AdjustmentChunk.lines == 0)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


@dataclass(frozen=True, slots=True)
class EmployerSum:
    """What a run changes for one employer, in fen; `open_people` are those of whom nothing is written."""

    employer_id: int
    employer_no: str
    name: str
    people: int
    lines: int
    employer_fen: int
    employee_fen: int
    allocation_fen: int
    open_people: int


def employer_sums(run_id: int, after_id: int, limit: int) -> list[EmployerSum]:
    """The employers of a run, by id, in pages."""
    still = case((_CHUNK.c.state.in_((WAITING, CHANGED)), _CHUNK.c.people), else_=0)
    rows: Any = db.session.execute(
        select(
            Employer.id, Employer.employer_no, Employer.name,
            *(func.sum(_CHUNK.c[name]) for name in _SUMMED), func.sum(still),
        )
        .join(Employer, Employer.id == _CHUNK.c.employer_id)
        .where(_CHUNK.c.run_id == run_id, Employer.id > after_id)
        .group_by(Employer.id, Employer.employer_no, Employer.name)
        .order_by(Employer.id)
        .limit(limit)
    )  # fmt: skip
    return [EmployerSum(*row[:3], *map(int, row[3:])) for row in rows]


def sums_of_employers(run_id: int, employer_ids: Collection[int]) -> dict[int, list[Sums]]:
    """The sums by fund, due type and party of some employers' chunks, in one statement."""
    found: dict[int, list[Sums]] = {}
    rows = db.session.execute(
        select(_CHUNK.c.employer_id, _CHUNK.c.sums)
        .where(_CHUNK.c.run_id == run_id, _CHUNK.c.employer_id.in_(employer_ids))
        .order_by(_CHUNK.c.id)
    )
    for employer_id, sums in rows:
        found.setdefault(employer_id, []).append(sums)
    return found
