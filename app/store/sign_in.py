"""What signing in reads and writes: one account with its roles and employers, failures, passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, text

from app.extensions import db
from app.store.models import Employer, User, UserEmployer, UserRole
from app.store.session import lock


@dataclass(frozen=True, slots=True)
class AccountRows:
    """An account as one statement reads it; employers by number, as (id, number, name, region, status)."""

    user: Any
    roles: Sequence[tuple[str, str]]
    employers: Sequence[tuple[int, str, str, str, str]]


_ACCOUNT = (
    select(
        User.id,
        User.username,
        User.name,
        User.side,
        User.status,
        User.demo,
        User.must_change_password,
        User.password_changed_at_utc,
        User.session_version,
        User.current_employer_id,
        User.preferences,
        User.totp_cipher.is_not(None).label("has_totp"),
        UserRole.role,
        UserRole.region.label("role_region"),
        Employer.id.label("employer_id"),
        Employer.employer_no,
        Employer.name.label("employer_name"),
        Employer.region.label("employer_region"),
        Employer.status.label("employer_status"),
    )
    .outerjoin(UserRole, UserRole.user_id == User.id)
    .outerjoin(UserEmployer, UserEmployer.user_id == User.id)
    .outerjoin(Employer, Employer.id == UserEmployer.employer_id)
    .where(User.id == bindparam("user_id"))
    .order_by(Employer.employer_no, UserRole.role, UserRole.region)
)


def find_account(user_id: int) -> AccountRows | None:
    """The account with its roles and employers, in one statement: it runs for every request."""
    rows = db.session.execute(_ACCOUNT, {"user_id": user_id}).all()
    if not rows:
        return None
    roles = dict.fromkeys((row.role, row.role_region) for row in rows if row.role)
    employers = dict.fromkeys(
        (row.employer_id, row.employer_no, row.employer_name, row.employer_region, row.employer_status)
        for row in rows
        if row.employer_id is not None
    )
    return AccountRows(rows[0], tuple(roles), tuple(employers))


def find_credentials(username: str) -> Any | None:
    """The columns that decide a sign-in, or None for an unknown name."""
    columns = (User.id, User.password_hash, User.password_history, User.failed_logins)
    return db.session.execute(select(*columns).where(User.username == username)).one_or_none()


def lock_user(user_id: int) -> User:
    """The account's row, locked until the commit."""
    return db.session.scalars(lock(select(User).where(User.id == user_id))).one()


def check_database() -> None:
    """Ask the database for an answer. Raises: whatever the driver raises when there is none."""
    db.session.execute(text("SELECT 1"))
