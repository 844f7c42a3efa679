"""Rows of `one_time_code`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from app.extensions import db
from app.store import session
from app.store.crypto import blind
from app.store.models import OneTimeCode


def add_code(
    *, code_id: int, subject: str, purpose: str, code: str, now_utc: datetime, expires_at_utc: datetime
) -> None:
    """Keep a code as a keyed hash."""
    row = {
        "id": code_id, "subject": subject, "purpose": purpose, "code_hash": hash_of(code_id, code),
        "tries": 0, "created_at_utc": now_utc, "expires_at_utc": expires_at_utc,
    }  # fmt: skip
    session.insert_rows(OneTimeCode, [row])


def hash_of(code_id: int, code: str) -> bytes:
    """The keyed hash of a code: equal codes of two rows differ."""
    return blind(f"{code_id:020d}X{code}")


def sent_since(subject: str, since_utc: datetime) -> tuple[int, datetime | None]:
    """How many codes a subject got since a moment, and when the newest one was made."""
    row = db.session.execute(
        select(func.count(), func.max(OneTimeCode.created_at_utc)).where(
            OneTimeCode.subject == subject, OneTimeCode.created_at_utc > since_utc
        )
    ).one()
    return int(row[0]), row[1]


def lock_newest(subject: str, purpose: str) -> OneTimeCode | None:
    """The newest code of a subject for a purpose, locked until the commit."""
    query = (
        select(OneTimeCode)
        .where(OneTimeCode.subject == subject, OneTimeCode.purpose == purpose)
        .order_by(OneTimeCode.id.desc())
        .limit(1)
    )
    return db.session.scalars(session.lock(query)).one_or_none()


def lock_code(code_id: int) -> OneTimeCode | None:
    """One code, locked until the commit."""
    return db.session.scalars(
        session.lock(select(OneTimeCode).where(OneTimeCode.id == code_id))
    ).one_or_none()
