"""What is kept for a while only: codes, messages, outbox rows, documents of cases nobody submitted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Select, delete, select

from app.extensions import db
from app.store import session
from app.store.materials import MaterialRow
from app.store.models import BatchFile, Declaration, ImportBatch, Material, OneTimeCode, Outbox, SmsMessage

_MATERIAL = Material.__table__
_CASE = Declaration.__table__
_MATERIAL_COLUMNS = tuple(_MATERIAL.c[name] for name in MaterialRow.__slots__)


@dataclass(frozen=True, slots=True)
class Days:
    """For how many days an installation keeps what belongs to no region."""

    codes: int = 7
    messages: int = 30
    outbox: int = 30


_days = Days()


def configure(chosen: Days) -> None:
    """Say how long things are kept in this installation."""
    global _days
    _days = chosen


def days() -> Days:
    """How long things are kept in this installation."""
    return _days


def remove_codes(before_utc: datetime, limit: int) -> int:
    """Remove one-time codes that ran out before a moment, oldest first; gives how many."""
    return _remove(OneTimeCode, select(OneTimeCode.id).where(OneTimeCode.expires_at_utc < before_utc), limit)


def remove_messages(before_utc: datetime, limit: int) -> int:
    """Remove kept text messages made before a moment; one whose sending is not noted yet stays."""
    waiting = select(Outbox.id).where(Outbox.id == SmsMessage.outbox_id, Outbox.done_at_utc.is_(None))
    old = select(SmsMessage.id).where(SmsMessage.created_at_utc < before_utc, ~waiting.exists())
    return _remove(SmsMessage, old, limit)


def remove_delivered(before_utc: datetime, limit: int) -> int:
    """Remove outbox rows that were done before a moment; what was never done stays."""
    return _remove(Outbox, select(Outbox.id).where(Outbox.done_at_utc < before_utc), limit)


def _remove(model: Any, old: Select[int], limit: int) -> int:
    wanted = old.order_by(model.id).limit(limit)
    if session.is_postgresql():
        wanted = wanted.with_for_update(of=model, skip_locked=True)
    done: CursorResult[Any] = db.session.execute(  # type: ignore[assignment]
        delete(model.__table__).where(model.__table__.c.id.in_(wanted))
    )
    return done.rowcount


def take_unsubmitted(region: str, before_utc: datetime, limit: int) -> list[MaterialRow]:
    """Remove rows of documents whose cases were dropped before a moment and never submitted; gives the rows.

    A case that the agency once had keeps its documents, whatever became of it.
    """
    wanted = (
        select(*_MATERIAL_COLUMNS)
        .join(_CASE, _CASE.c.id == _MATERIAL.c.declaration_id)
        .where(
            _CASE.c.status == "discarded",
            _CASE.c.submitted_at_utc.is_(None),
            _CASE.c.updated_at_utc < before_utc,
            _CASE.c.region == region,
        )
        .order_by(_MATERIAL.c.id)
        .limit(limit)
    )
    if session.is_postgresql():
        wanted = wanted.with_for_update(of=_MATERIAL, skip_locked=True)
    found = [MaterialRow(*row) for row in db.session.execute(wanted)]
    if found:
        db.session.execute(delete(_MATERIAL).where(_MATERIAL.c.id.in_([row.id for row in found])))
    return found


def list_known(keys: Sequence[str]) -> Collection[str]:
    """Which of these keys of files some row names."""
    known: set[str] = set()
    for column in (Material.file_key, BatchFile.file_key, ImportBatch.file_key):
        known.update(db.session.scalars(select(column).where(column.in_(keys))))
    return known
