"""People who sign in, what they may do, and for whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class User(Model):
    """An account. `side` is employer, agency or platform; a raised `session_version` ends sessions.

    `status` is invited (no password yet), active, disabled or removed. `profile_cipher` holds the mail and
    the address that the account's owner keeps here.
    """

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    side: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(255))
    password_history: Mapped[list] = mapped_column(JSON, default=list)
    password_changed_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False)
    demo: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[str] = mapped_column(String(16), default="active")
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_login_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    session_version: Mapped[int] = mapped_column(Integer, default=1)
    current_employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    preferences: Mapped[dict] = mapped_column(JSON, default=dict)
    totp_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    profile_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)


class UserRole(Model):
    """A role of an account in one region ("" for the whole platform)."""

    __tablename__ = "user_role"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    region: Mapped[str] = mapped_column(String(6), primary_key=True, default="")


class UserEmployer(Model):
    """An employer that an operator acts for: the row scope of the employer side."""

    __tablename__ = "user_employer"
    __table_args__ = (Index("ix_user_employer_employer", "employer_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), primary_key=True)
