"""Assessments of regions as jobs: who asked for them, and how far they have come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.extensions import db
from app.store.models import AssessmentRun
from app.store.session import insert_rows

QUEUED, RUNNING, FINISHED, FAILED = "queued", "running", "finished", "failed"
UNFINISHED = (QUEUED, RUNNING)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; `beat_at_utc` is the machine's time of its last sign of life."""

    id: int
    region: str
    month: str
    employer_id: int | None
    state: str
    total_employers: int
    done_employers: int
    people: int
    lines: int
    message: str
    created_by_id: int | None
    created_by_name: str
    created_at_utc: datetime
    finished_at_utc: datetime | None
    beat_at_utc: datetime


_TABLE = AssessmentRun.__table__
_COLUMNS = [_TABLE.c[name] for name in RunRow.__slots__]


def add_run(row: RunRow) -> None:
    """Add a run."""
    insert_rows(AssessmentRun, [{name: getattr(row, name) for name in RunRow.__slots__}])


def find_run(run_id: int) -> RunRow | None:
    """One run."""
    row = db.session.execute(select(*_COLUMNS).where(_TABLE.c.id == run_id)).one_or_none()
    return None if row is None else RunRow(*row)


def find_unfinished(region: str, month: str, employer_id: int | None) -> RunRow | None:
    """A run of the same region, month and employer that has not ended."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(
            _TABLE.c.region == region,
            _TABLE.c.month == month,
            _TABLE.c.employer_id.is_not_distinct_from(employer_id),
            _TABLE.c.state.in_(UNFINISHED),
        )
        .order_by(_TABLE.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else RunRow(*row)


def list_runs(regions: Collection[str], before_id: int | None, limit: int) -> list[RunRow]:
    """The runs of regions, newest first, in pages by id."""
    query = select(*_COLUMNS).where(_TABLE.c.region.in_(regions))
    if before_id is not None:
        query = query.where(_TABLE.c.id < before_id)
    return [RunRow(*row) for row in db.session.execute(query.order_by(_TABLE.c.id.desc()).limit(limit))]


def set_run(run_id: int, **values: Any) -> None:
    """Say how far a run has come."""
    db.session.execute(
        update(AssessmentRun)
        .where(AssessmentRun.id == run_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def take_silent(before_utc: datetime, now_utc: datetime, limit: int) -> list[int]:
    """Runs without a sign of life since a moment; they are found again only after another silence."""
    wanted = (
        select(AssessmentRun.id)
        .where(AssessmentRun.state.in_(UNFINISHED), AssessmentRun.beat_at_utc < before_utc)
        .order_by(AssessmentRun.id)
        .limit(limit)
    )
    found = list(db.session.scalars(wanted))
    if found:
        db.session.execute(
            update(AssessmentRun)
            .where(AssessmentRun.id.in_(found))
            .values(beat_at_utc=now_utc)
            .execution_options(synchronize_session=False)
        )
    return found
