"""Work on all employers of a region as a job: how far it has come, and what became of each employer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class RegionRun(Model):
    """One run over the employers of a region; `state` is queued, running, finished, failed or stopped.

    An assessment counts people and lines; a carrying-on counts employers, and goes on after `after_no`.
    """

    __tablename__ = "region_run"
    __table_args__ = (
        Index("ix_region_run_region", "region", "kind", "id"),
        Index("ix_region_run_state", "state", "beat_at_utc"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))  # assess carry
    region: Mapped[str] = mapped_column(String(6))
    month: Mapped[str] = mapped_column(String(7))
    employer_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    total_employers: Mapped[int] = mapped_column(default=0)
    done_employers: Mapped[int] = mapped_column(default=0)
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


class RegionRunResult(Model):
    """What became of one employer in a run; employers where there was nothing to do have no row."""

    __tablename__ = "region_run_result"
    __table_args__ = (Index("ix_region_run_result_outcome", "run_id", "outcome", "employer_no"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("region_run.id", ondelete="CASCADE"), primary_key=True)
    employer_no: Mapped[str] = mapped_column(String(32), primary_key=True)
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    outcome: Mapped[str] = mapped_column(String(8))  # filed skipped refused
    reference: Mapped[str] = mapped_column(String(24), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
