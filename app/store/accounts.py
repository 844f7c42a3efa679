"""Accounts of people who sign in: their roles, regions and employers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.store.models import Employer, User, UserEmployer, UserRole
from app.store.session import insert_rows


def get_user(user_id: int) -> User:
    """One account. Raises: NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("there is no such account")
    return user


def find_user(username: str) -> User | None:
    """The account with this sign-in name, if there is one."""
    return db.session.scalars(select(User).where(User.username == username)).one_or_none()


def roles_of(user_id: int) -> list[tuple[str, str]]:
    """An account's roles as (role, region); region "" is the whole platform."""
    query = (
        select(UserRole.role, UserRole.region)
        .where(UserRole.user_id == user_id)
        .order_by(UserRole.role, UserRole.region)
    )
    return [(role, region) for role, region in db.session.execute(query)]


def employers_of(user_id: int) -> list[Employer]:
    """The employers that an account acts for, by number."""
    query = (
        select(Employer)
        .join(UserEmployer, UserEmployer.employer_id == Employer.id)
        .where(UserEmployer.user_id == user_id)
        .order_by(Employer.employer_no)
    )
    return list(db.session.scalars(query))


def operators_of(employer_id: int, roles: Sequence[str]) -> list[int]:
    """The active accounts that act for an employer in one of these roles, by sign-in name."""
    query = (
        select(User.id)
        .join(UserEmployer, UserEmployer.user_id == User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .where(UserEmployer.employer_id == employer_id, UserRole.role.in_(roles), User.status == "active")
        .order_by(UserRole.role.desc(), User.username)
    )
    return list(dict.fromkeys(db.session.scalars(query)))


def add_users(
    users: Sequence[Mapping[str, Any]],
    roles: Sequence[Mapping[str, Any]],
    employers: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Add accounts with their roles and employers, in three statements."""
    insert_rows(User, users)
    insert_rows(UserRole, roles)
    insert_rows(UserEmployer, employers)
