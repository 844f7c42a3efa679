"""Operators of employers: who acts for an employer, in which roles, and who of them are its admins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select

from app.extensions import db
from app.store import session
from app.store.constraints import unique_rules
from app.store.models import Declaration, Employer, User, UserEmployer, UserRole


@dataclass(slots=True)
class OperatorRow:
    """An account of the employer side with all its employers and its roles as (role, region)."""

    id: int
    username: str
    name: str
    status: str
    demo: bool
    last_login_at_utc: datetime | None
    locked_until_utc: datetime | None
    roles: list[tuple[str, str]] = field(default_factory=list)
    employer_ids: list[int] = field(default_factory=list)


_USER = (
    User.id, User.username, User.name, User.status, User.demo, User.last_login_at_utc, User.locked_until_utc,
)  # fmt: skip


def list_operators(employer_id: int) -> list[OperatorRow]:
    """The accounts that act for an employer, by sign-in name; three statements."""
    query = (
        select(*_USER)
        .join(UserEmployer, UserEmployer.user_id == User.id)
        .where(UserEmployer.employer_id == employer_id, User.side == "employer")
        .order_by(User.username)
    )
    return _filled([OperatorRow(*row) for row in db.session.execute(query)])


def find_operator(user_id: int) -> OperatorRow | None:
    """One account of the employer side."""
    query = select(*_USER).where(User.id == user_id, User.side == "employer")
    return next(iter(_filled([OperatorRow(*row) for row in db.session.execute(query)])), None)


def search_operators(regions: Collection[str], text: str, limit: int) -> list[OperatorRow]:
    """The accounts that act for units of these regions, by sign-in name: whose name holds the text, or whose
    sign-in name begins with it; three statements."""
    acts_there = (
        select(UserEmployer.user_id)
        .join(Employer, Employer.id == UserEmployer.employer_id)
        .where(UserEmployer.user_id == User.id, Employer.region.in_(sorted(regions)))
    )
    query = (
        select(*_USER)
        .where(
            User.side == "employer",
            or_(User.username.startswith(text, autoescape=True), User.name.contains(text, autoescape=True)),
            acts_there.exists(),
        )
        .order_by(User.username)
        .limit(limit)
    )
    return _filled([OperatorRow(*row) for row in db.session.execute(query)])


def _filled(rows: list[OperatorRow]) -> list[OperatorRow]:
    by_id = {row.id: row for row in rows}
    if not by_id:
        return rows
    roles = select(UserRole.user_id, UserRole.role, UserRole.region).where(UserRole.user_id.in_(by_id))
    for user_id, role, region in db.session.execute(roles.order_by(UserRole.role)):
        by_id[user_id].roles.append((role, region))
    links = select(UserEmployer.user_id, UserEmployer.employer_id).where(UserEmployer.user_id.in_(by_id))
    for user_id, employer_id in db.session.execute(links.order_by(UserEmployer.employer_id)):
        by_id[user_id].employer_ids.append(employer_id)
    return rows


def lock_employers(employer_ids: Collection[int]) -> None:
    """Hold employers until the commit, so that two admins do not remove each other at once."""
    query = select(Employer.id).where(Employer.id.in_(employer_ids)).order_by(Employer.id)
    db.session.execute(session.lock(query)).all()


def admins_of(employer_ids: Collection[int], statuses: Sequence[str]) -> dict[int, set[int]]:
    """Employer -> accounts of these statuses that are admins in the employer's region."""
    found: dict[int, set[int]] = defaultdict(set)
    query = (
        select(UserEmployer.employer_id, User.id)
        .join(User, User.id == UserEmployer.user_id)
        .join(Employer, Employer.id == UserEmployer.employer_id)
        .join(UserRole, (UserRole.user_id == User.id) & UserRole.region.in_(["", Employer.region]))
        .where(UserEmployer.employer_id.in_(employer_ids), UserRole.role == "admin")
        .where(User.status.in_(statuses))
    )
    for employer_id, user_id in db.session.execute(query):
        found[employer_id].add(user_id)
    return dict(found)


def add_account(values: dict[str, Any]) -> None:
    """Insert an account without roles and employers. Raises: Duplicate (`username`)."""
    with unique_rules():
        session.insert_rows(User, [values])


def set_roles(user_id: int, region: str, roles: Collection[str]) -> None:
    """Give an account exactly these roles in a region."""
    table = UserRole.__table__
    db.session.execute(delete(table).where(table.c.user_id == user_id, table.c.region == region))
    session.insert_rows(
        UserRole, [{"user_id": user_id, "role": role, "region": region} for role in sorted(set(roles))]
    )


def clear_roles(user_id: int) -> None:
    """Take all roles of an account, in whatever region."""
    table = UserRole.__table__
    db.session.execute(delete(table).where(table.c.user_id == user_id))


def link(user_ids: Collection[int], employer_ids: Collection[int]) -> None:
    """Let accounts act for employers; what is there already stays."""
    table = UserEmployer.__table__
    query = select(table.c.user_id, table.c.employer_id).where(table.c.user_id.in_(user_ids))
    known = {(row[0], row[1]) for row in db.session.execute(query)}
    wanted = {(user, employer) for user in user_ids for employer in employer_ids} - known
    session.insert_rows(
        UserEmployer, [{"user_id": user, "employer_id": employer} for user, employer in sorted(wanted)]
    )


def unlink(user_ids: Collection[int], employer_ids: Collection[int]) -> None:
    """Let accounts no longer act for employers."""
    table = UserEmployer.__table__
    db.session.execute(
        delete(table).where(table.c.user_id.in_(user_ids), table.c.employer_id.in_(employer_ids))
    )


def open_references(
    user_id: int, employer_ids: Collection[int], statuses: Collection[str]
) -> list[tuple[int, str]]:
    """The declarations (id, reference) that an account filed for employers and that have these statuses."""
    query = (
        select(Declaration.id, Declaration.reference)
        .where(Declaration.created_by_id == user_id, Declaration.employer_id.in_(employer_ids))
        .where(Declaration.status.in_(statuses))
        .order_by(Declaration.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def waiting_references(user_id: int, kind: str, status: str) -> list[str]:
    """The declarations of one kind that an account filed and that are in a status, oldest first."""
    query = (
        select(Declaration.reference)
        .where(Declaration.created_by_id == user_id, Declaration.kind == kind, Declaration.status == status)
        .order_by(Declaration.id)
    )
    return list(db.session.scalars(query))


def employers_noting(
    employer_ids: Collection[int], kind: str, status: str, fact: str, value: int
) -> set[int]:
    """Those of some employers whose declarations of a kind and status noted a value as one of their facts."""
    query = select(Declaration.employer_id, Declaration.facts).where(
        Declaration.employer_id.in_(employer_ids), Declaration.kind == kind, Declaration.status == status
    )
    return {row[0] for row in db.session.execute(query) if row[1].get(fact) == value}


def fact_values(employer_id: int, kind: str, status: str, fact: str) -> set[int]:
    """What an employer's declarations of a kind and status have noted as one of their facts."""
    query = select(Declaration.facts).where(
        Declaration.employer_id == employer_id, Declaration.kind == kind, Declaration.status == status
    )
    return {int(facts[fact]) for facts in db.session.scalars(query) if fact in facts}
