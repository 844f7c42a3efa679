"""Long work as a job, on the employers of a region or the people of a batch, and what became of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class Run(Model):
    """One run; `state` is queued, running, finished, failed or stopped.

    Of `total` employers, or people of the batch, `done` are through. An assessment counts people and lines; a
    carrying-on counts employers, and goes on after `after_no`: a number, for late figures an id.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_region", "region", "kind", "id"),
        Index("ix_run_state", "state", "beat_at_utc"),
        Index("ix_run_batch", "batch_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))  # assess carry submit adjust_count adjust_write
    region: Mapped[str] = mapped_column(String(6))
    month: Mapped[str] = mapped_column(String(7))
    employer_id: Mapped[int | None] = mapped_column(BigInteger)
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    filed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    after_no: Mapped[str] = mapped_column(String(32), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
    created_by_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by_name: Mapped[str] = mapped_column(String(64), default="")
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # by the machine's clock: a run that has been silent for long is taken up again
    beat_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    # rises with each worker that takes the run, so that one that was given up on writes nothing any more
    fence: Mapped[int] = mapped_column(default=0)
    # workers that took the run since it last came forward
    attempts: Mapped[int] = mapped_column(default=0)


class RunResult(Model):
    """What became of one employer, or one person; where there was nothing to do there is no row.

    `place` is the employer's number, or the row of the file.
    """

    __tablename__ = "run_result"
    __table_args__ = (Index("ix_run_result_outcome", "run_id", "outcome", "place"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    outcome: Mapped[str] = mapped_column(String(8))  # filed skipped refused
    reference: Mapped[str] = mapped_column(String(24), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
