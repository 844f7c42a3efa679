"""What has been done about a person: finished declarations, in the order they took effect."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.extensions import db
from app.store.models import Declaration, DeclarationObject, Person
from app.store.session import is_postgresql, lock

FINISHED = ("done", "approved")
WAITING = ("pending", "submitted", "in_audit", "returned")


@dataclass(frozen=True, slots=True)
class BusinessRow:
    """One finished declaration; `reverts_id` is what a revert took back."""

    id: int
    reference: str
    kind: str
    employer_id: int
    done_at_utc: datetime
    reverts_id: int | None = None


def about_person(person_hash: bytes) -> ColumnElement[bool]:
    """Whether a declaration is about a person: alone, or among many."""
    among = select(DeclarationObject.declaration_id).where(DeclarationObject.person_hash == person_hash)
    return or_(Declaration.person_hash == person_hash, Declaration.id.in_(among))


def finished_business(person_hash: bytes, region: str) -> list[BusinessRow]:
    """A person's finished declarations in a region, oldest first, in one statement."""
    done_at = func.coalesce(Declaration.decided_at_utc, Declaration.submitted_at_utc)
    rows = db.session.execute(
        select(
            Declaration.id,
            Declaration.reference,
            Declaration.kind,
            Declaration.employer_id,
            Declaration.decided_at_utc,
            Declaration.submitted_at_utc,
            Declaration.facts,
        )
        .where(
            about_person(person_hash),
            Declaration.region == region,
            Declaration.status.in_(FINISHED),
        )
        .order_by(done_at, Declaration.id)
    )
    return [
        BusinessRow(row[0], row[1], row[2], row[3], row[4] or row[5], row[6].get("target_id")) for row in rows
    ]


def hold_person(person_id: int) -> None:
    """Hold a person's record until the commit, so that two acts on it happen one after the other."""
    db.session.execute(lock(select(Person.id).where(Person.id == person_id)))


def hold_people(person_ids: Collection[int]) -> None:
    """Hold many people's records until the commit, in the order of their ids: nobody waits in a circle.

    Whoever charges people and whoever takes their charges back does so before reading the ledger. One
    statement; none on SQLite, where a transaction that writes holds everything.
    """
    if person_ids and is_postgresql():
        wanted = select(Person.id).where(Person.id.in_(person_ids)).order_by(Person.id)
        db.session.execute(lock(wanted)).all()


def open_business(person_hash: bytes, region: str, without: str) -> list[str]:
    """The kinds of a person's declarations that were filed and are not decided, but for one reference."""
    rows = db.session.scalars(
        select(Declaration.kind)
        .where(
            about_person(person_hash),
            Declaration.region == region,
            Declaration.status.in_(WAITING),
            Declaration.reference != without,
        )
        .order_by(Declaration.id)
    )
    return list(dict.fromkeys(rows))


def first_open(person_hash: bytes | None, employer_id: int, region: str, without: str) -> str | None:
    """The oldest declaration about a person, or without one of an employer, that is filed and not decided."""
    about = Declaration.employer_id == employer_id if person_hash is None else about_person(person_hash)
    return db.session.scalar(
        select(Declaration.reference)
        .where(
            about,
            Declaration.region == region,
            Declaration.status.in_(WAITING),
            Declaration.reference != without,
        )
        .order_by(Declaration.id)
        .limit(1)
    )


def open_cases(
    person_hashes: Collection[bytes], employer_ids: Collection[int], region: str, kinds: Collection[str]
) -> list[tuple[bytes | None, int, str]]:
    """What of some kinds is filed and not decided, about people or, without a person, about employers.

    Shape: blind index of the person or None, employer, kind; one statement.
    """
    if not kinds:
        return []
    of_people = Declaration.person_hash.in_(person_hashes)
    of_employers = and_(Declaration.person_hash.is_(None), Declaration.employer_id.in_(employer_ids))
    rows = db.session.execute(
        select(Declaration.person_hash, Declaration.employer_id, Declaration.kind)
        .where(
            or_(of_people, of_employers),
            Declaration.region == region,
            Declaration.status.in_(WAITING),
            Declaration.kind.in_(kinds),
        )
        .order_by(Declaration.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def open_of_employer(employer_id: int, kinds: Collection[str]) -> list[str]:
    """The references of an employer's declarations of some kinds that were filed and are not decided."""
    rows = db.session.scalars(
        select(Declaration.reference)
        .where(
            Declaration.employer_id == employer_id,
            Declaration.kind.in_(kinds),
            Declaration.status.in_(WAITING),
        )
        .order_by(Declaration.id)
    )
    return list(rows)
