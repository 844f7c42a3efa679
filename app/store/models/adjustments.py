"""Late figures: what they change, as it was shown before it was written, and how far the writing has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class Adjustment(Model):
    """What late figures change in months of a region: previewed by one run, and written by another.

    `stage` is counting, ready, writing, finished or replaced (by a newer preview); `run_id` is the run that
    counts or writes it, or did so last. `digest` names exactly what was shown.
    """

    __tablename__ = "adjustment"
    __table_args__ = (Index("ix_adjustment_region", "region", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), unique=True)
    region: Mapped[str] = mapped_column(String(6))
    first_month: Mapped[str] = mapped_column(String(7))
    last_month: Mapped[str] = mapped_column(String(7))
    employer_id: Mapped[int | None] = mapped_column(BigInteger)
    stage: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), default="")
    created_by_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by_name: Mapped[str] = mapped_column(String(64), default="")
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(BigInteger)
    confirmed_by_name: Mapped[str] = mapped_column(String(64), default="")
    confirmed_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AdjustmentChunk(Model):
    """Some people of an employer, behind one id and up to another, with what late figures change for them.

    `state` is waiting (shown, not written), written, billed (on notices) or changed (not written, because
    the figures were others by then). `digest` names every line, `sums` are by fund, due type and party.
    """

    __tablename__ = "adjustment_chunk"
    __table_args__ = (UniqueConstraint("adjustment_id", "employer_id", "after_person_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    after_person_id: Mapped[int] = mapped_column(BigInteger)
    until_person_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    people: Mapped[int]
    lines: Mapped[int]
    employer_fen: Mapped[int] = mapped_column(BigInteger)
    employee_fen: Mapped[int] = mapped_column(BigInteger)
    allocation_fen: Mapped[int] = mapped_column(BigInteger)
    sums: Mapped[list] = mapped_column(JSON, default=list)
    digest: Mapped[str] = mapped_column(String(64))
