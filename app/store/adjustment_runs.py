"""Previews of late figures and their carrying out: what was shown, confirmed and written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, delete, func, select, update

from app.extensions import db
from app.store.models import Adjustment, AdjustmentChunk, Employer, Run
from app.store.rows import values_of
from app.store.runs import UNFINISHED
from app.store.session import insert_rows, lock

# what a run works on; `ready` waits for a person
COUNTING, WRITING = "counting", "writing"
READY, REPLACED = "ready", "replaced"
WAITING, WRITTEN, BILLED, CHANGED = "waiting", "written", "billed", "changed"
Sums = list[list[Any]]


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    """One preview of late figures, as asked for and confirmed."""

    id: int
    run_id: int
    region: str
    first_month: str
    last_month: str
    employer_id: int | None
    stage: str
    digest: str
    created_by_id: int | None
    created_by_name: str
    created_at_utc: datetime
    confirmed_by_id: int | None = None
    confirmed_by_name: str = ""
    confirmed_at_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress(AdjustmentRow):
    """The same with how far its run is, in employers, and the words with which that ended."""

    run_state: str = ""
    total: int = 0
    done: int = 0
    message: str = ""

    @property
    def state(self) -> str:
        """counting, ready, queued, running, finished, failed, stopped or replaced: what a person is told."""
        if self.stage == COUNTING and self.run_state in UNFINISHED:
            return COUNTING
        return self.run_state if self.stage in (COUNTING, WRITING) else self.stage

    @property
    def active(self) -> bool:
        """Whether a run works on it."""
        return self.state in (COUNTING, *UNFINISHED)


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """Some people of an employer; amounts in fen, `sums` are rows of fund, due type, party and fen."""

    id: int
    adjustment_id: int
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


_TABLE = Adjustment.__table__
_RUN = Run.__table__
_CHUNK = AdjustmentChunk.__table__
_COLUMNS = [_TABLE.c[name] for name in AdjustmentRow.__slots__]
_SUMMED = ("people", "lines", "employer_fen", "employee_fen", "allocation_fen")
_CHUNK_COLUMNS = [_CHUNK.c[name] for name in ChunkRow.__slots__]


def add_adjustment(row: AdjustmentRow) -> None:
    """Add a preview."""
    insert_rows(Adjustment, [values_of(row)])


def hold_adjustment(adjustment_id: int) -> AdjustmentRow | None:
    """One preview, held until the commit."""
    query = select(*_COLUMNS).where(_TABLE.c.id == adjustment_id)
    row = db.session.execute(lock(query)).one_or_none()
    return None if row is None else AdjustmentRow(*row)


def get_of_run(run_id: int) -> AdjustmentRow:
    """The preview that a run counts or writes."""
    return AdjustmentRow(*db.session.execute(select(*_COLUMNS).where(_TABLE.c.run_id == run_id)).one())


def _progress() -> Select[Any]:
    return select(*_COLUMNS, _RUN.c.state, _RUN.c.total, _RUN.c.done, _RUN.c.message).join(
        _RUN, _RUN.c.id == _TABLE.c.run_id
    )


def find_adjustment(adjustment_id: int) -> Progress | None:
    """One preview, with how far its run is."""
    row = db.session.execute(_progress().where(_TABLE.c.id == adjustment_id)).one_or_none()
    return None if row is None else Progress(*row)


def _same(region: str, first: str, last: str, employer_id: int | None) -> Any:
    return (
        (_TABLE.c.region == region)
        & (_TABLE.c.first_month == first)
        & (_TABLE.c.last_month == last)
        & _TABLE.c.employer_id.is_not_distinct_from(employer_id)
    )


def find_unfinished(region: str, first: str, last: str, employer_id: int | None) -> AdjustmentRow | None:
    """What a run counts or writes in the same scope."""
    row = db.session.execute(
        select(*_COLUMNS)
        .join(_RUN, _RUN.c.id == _TABLE.c.run_id)
        .where(_same(region, first, last, employer_id), _RUN.c.state.in_(UNFINISHED))
        .order_by(_TABLE.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else AdjustmentRow(*row)


def replace_ready(region: str, first: str, last: str, employer_id: int | None) -> None:
    """Say of previews of a scope that nobody confirmed that a newer one takes their place."""
    db.session.execute(
        update(_TABLE)
        .where(_same(region, first, last, employer_id), _TABLE.c.stage == READY)
        .values(stage=REPLACED)
    )


def list_adjustments(regions: Collection[str], before_id: int | None, limit: int) -> list[Progress]:
    """The previews of regions, newest first, in pages by id."""
    query = _progress().where(_TABLE.c.region.in_(regions))
    if before_id is not None:
        query = query.where(_TABLE.c.id < before_id)
    return [Progress(*row) for row in db.session.execute(query.order_by(_TABLE.c.id.desc()).limit(limit))]


def set_adjustment(adjustment_id: int, **values: Any) -> None:
    """Change a preview that the transaction holds, or whose run it has."""
    db.session.execute(update(_TABLE).where(_TABLE.c.id == adjustment_id).values(**values))


def add_chunks(rows: Sequence[ChunkRow]) -> None:
    """Keep what was shown of an employer."""
    insert_rows(AdjustmentChunk, [values_of(row) for row in rows])


def chunks_after(adjustment_id: int, after_id: int, limit: int) -> list[ChunkRow]:
    """The chunks of a preview in their order, in pages by id."""
    query = select(*_CHUNK_COLUMNS).where(_CHUNK.c.adjustment_id == adjustment_id, _CHUNK.c.id > after_id)
    return [ChunkRow(*row) for row in db.session.execute(query.order_by(_CHUNK.c.id).limit(limit))]


def waiting_chunks(adjustment_id: int, employer_id: int) -> list[ChunkRow]:
    """The chunks of an employer that were shown and are not written."""
    query = select(*_CHUNK_COLUMNS).where(
        _CHUNK.c.adjustment_id == adjustment_id,
        _CHUNK.c.employer_id == employer_id,
        _CHUNK.c.state == WAITING,
    )
    return [ChunkRow(*row) for row in db.session.execute(query.order_by(_CHUNK.c.id))]


def count_waiting(adjustment_id: int) -> int:
    """The employers of whom something is still to be written."""
    query = select(func.count(_CHUNK.c.employer_id.distinct())).where(
        _CHUNK.c.adjustment_id == adjustment_id, _CHUNK.c.state == WAITING
    )
    return db.session.scalar(query) or 0


def unfinished_employers(adjustment_id: int, after_id: int, limit: int) -> list[int]:
    """Employers of whom something is still to be written or put on notices, by id."""
    return list(
        db.session.scalars(
            select(_CHUNK.c.employer_id)
            .where(
                _CHUNK.c.adjustment_id == adjustment_id,
                _CHUNK.c.state.in_((WAITING, WRITTEN)),
                _CHUNK.c.employer_id > after_id,
            )
            .distinct()
            .order_by(_CHUNK.c.employer_id)
            .limit(limit)
        )
    )


def set_chunk(chunk_id: int, **values: Any) -> None:
    """Change a chunk of the run that writes."""
    db.session.execute(update(_CHUNK).where(_CHUNK.c.id == chunk_id).values(**values))


def set_chunks(adjustment_id: int, before: str, after: str, employer_id: int | None = None) -> int:
    """Move the chunks of a preview from one state to another; gives their number."""
    query = update(_CHUNK).where(_CHUNK.c.adjustment_id == adjustment_id, _CHUNK.c.state == before)
    if employer_id is not None:
        query = query.where(_CHUNK.c.employer_id == employer_id)
    done: Any = db.session.execute(query.values(state=after))
    return int(done.rowcount)


def drop_empty(adjustment_id: int, state: str) -> int:
    """Forget chunks of a state that change nothing any more; gives their number."""
    done: Any = db.session.execute(
        delete(_CHUNK).where(
            _CHUNK.c.adjustment_id == adjustment_id, _CHUNK.c.state == state, _CHUNK.c.lines == 0
        )
    )
    return int(done.rowcount)


@dataclass(frozen=True, slots=True)
class EmployerSum:
    """What is changed for one employer, in fen; `open_people` are those of whom nothing is written."""

    employer_id: int
    employer_no: str
    name: str
    people: int
    lines: int
    employer_fen: int
    employee_fen: int
    allocation_fen: int
    open_people: int


def employer_sums(adjustment_id: int, after_id: int, limit: int) -> list[EmployerSum]:
    """The employers of a preview, by id, in pages."""
    still = case((_CHUNK.c.state.in_((WAITING, CHANGED)), _CHUNK.c.people), else_=0)
    rows: Any = db.session.execute(
        select(
            Employer.id, Employer.employer_no, Employer.name,
            *(func.sum(_CHUNK.c[name]) for name in _SUMMED), func.sum(still),
        )
        .join(Employer, Employer.id == _CHUNK.c.employer_id)
        .where(_CHUNK.c.adjustment_id == adjustment_id, Employer.id > after_id)
        .group_by(Employer.id, Employer.employer_no, Employer.name)
        .order_by(Employer.id)
        .limit(limit)
    )  # fmt: skip
    return [EmployerSum(*row[:3], *map(int, row[3:])) for row in rows]


def sums_of_employers(adjustment_id: int, employer_ids: Collection[int]) -> dict[int, list[Sums]]:
    """The sums by fund, due type and party of some employers' chunks, in one statement."""
    found: dict[int, list[Sums]] = {}
    rows = db.session.execute(
        select(_CHUNK.c.employer_id, _CHUNK.c.sums)
        .where(_CHUNK.c.adjustment_id == adjustment_id, _CHUNK.c.employer_id.in_(employer_ids))
        .order_by(_CHUNK.c.id)
    )
    for employer_id, sums in rows:
        found.setdefault(employer_id, []).append(sums)
    return found
