"""What happens to accounts, and the one-time codes that prove a phone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class AccountEvent(Model):
    """Who did what to which account, old and new. Append-only: each row seals the one before it.

    A trigger of the database refuses any change of a row.
    """

    __tablename__ = "account_event"
    __table_args__ = (Index("ix_account_event_user", "user_id", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(32))
    result: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(45))
    detail: Mapped[dict] = mapped_column(JSON, default=dict)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class OneTimeCode(Model):
    """A code sent to a phone, as a keyed hash. `subject` is `user:<id>` or `case:<declaration id>`.

    Verified once, then spent once by the act that it was asked for.
    """

    __tablename__ = "one_time_code"
    __table_args__ = (Index("ix_one_time_code_subject", "subject", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(32))
    purpose: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    spent_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
