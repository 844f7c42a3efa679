"""Merging two records of one person: every row goes to the record that stays, and each move is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, literal, or_, select, union_all, update
from sqlalchemy.orm import aliased

from app.extensions import db
from app.store.constraints import Duplicate
from app.store.models import (
    AccountEntry,
    ContributionLine,
    Employer,
    EmployerFund,
    Enrolment,
    PaymentOrder,
    Person,
    PersonMove,
)
from app.store.session import is_postgresql

ENROLMENT, LINE, ENTRY, ORDER, ALIAS = "enrolment", "line", "entry", "order", "alias"
_MOVED = ((ENROLMENT, Enrolment), (LINE, ContributionLine), (ENTRY, AccountEntry), (ORDER, PaymentOrder))


@dataclass(frozen=True, slots=True)
class MergeRow:
    """One record that becomes an alias of another one, by which declaration and when."""

    declaration_id: int
    from_person_id: int
    to_person_id: int
    at_utc: datetime


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One row of the registry that a merge moved."""

    declaration_id: int
    subject: str
    row_id: int
    from_person_id: int
    to_person_id: int
    at_utc: datetime


def merge_people(rows: Sequence[MergeRow]) -> None:
    """Move everything of one record to another, keep what moved, and make the old one an alias.

    The statements are as many for one row as for thousands. Raises: Duplicate (`person`) where the record
    is an alias already: somebody else was first.
    """
    for row in rows:
        done: Any = db.session.execute(
            update(Person)
            .where(Person.id == row.from_person_id, Person.merged_into_id.is_(None))
            .values(merged_into_id=row.to_person_id)
            .execution_options(synchronize_session=False)
        )
        if done.rowcount != 1:
            raise Duplicate("person")
        for subject, model in _MOVED:
            _move(row, subject, model, model.person_id, {"person_id": row.to_person_id})
        # an alias of the alias follows, so that every number is one step away from its record
        _move(row, ALIAS, Person, Person.merged_into_id, {"merged_into_id": row.to_person_id})


def _move(row: MergeRow, subject: str, model: Any, owner: Any, values: dict[str, int]) -> None:
    table = PersonMove.__table__
    kept = select(
        literal(row.declaration_id).label("declaration_id"),
        literal(subject).label("subject"),
        model.id.label("row_id"),
        literal(row.from_person_id).label("from_person_id"),
        literal(row.to_person_id).label("to_person_id"),
        bindparam("at_utc", row.at_utc, type_=table.c.at_utc.type).label("at_utc"),
    ).where(owner == row.from_person_id)
    columns = ["declaration_id", "subject", "row_id", "from_person_id", "to_person_id", "at_utc"]
    db.session.execute(insert(table).from_select(columns, kept))
    db.session.execute(
        update(model)
        .where(owner == row.from_person_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def moves_of(*, declaration_id: int | None = None, from_person_id: int | None = None) -> list[MoveRow]:
    """What moved, by a declaration or away from a record: by subject and row."""
    query = select(
        PersonMove.declaration_id, PersonMove.subject, PersonMove.row_id, PersonMove.from_person_id,
        PersonMove.to_person_id, PersonMove.at_utc,
    ).order_by(PersonMove.declaration_id, PersonMove.subject, PersonMove.row_id)  # fmt: skip
    if declaration_id is not None:
        query = query.where(PersonMove.declaration_id == declaration_id)
    if from_person_id is not None:
        query = query.where(PersonMove.from_person_id == from_person_id)
    return [MoveRow(*row) for row in db.session.execute(query)]


def refuse_moved(
    person_ids: Collection[int],
    begun: Collection[tuple[int, str]] = (),
    restored_ids: Collection[int] = (),
) -> None:
    """Refuse rows that were just written for an alias, or enrolments that go on where nothing does.

    That is at an employer that has ended, or in a fund that the employer has ended. Shape: `begun` are
    (employer, fund) of new enrolments, `restored_ids` enrolments that go on again. A merge (or a closing)
    that commits between the look at the registry and the insert makes the insert wait for it, because of the
    foreign key: only after the insert is the truth to be seen. On SQLite nobody else writes meanwhile, but
    the employer was looked at before the transaction began.
    Raises: Duplicate (`person`): a second look finds the record that stays.
    """
    parts = []
    if person_ids and is_postgresql():
        parts.append(select(literal(1)).where(Person.id.in_(person_ids), Person.merged_into_id.is_not(None)))
    if begun:
        parts += [_ended_employers({each for each, _ in begun}), _ended_funds(begun)]
    if restored_ids:
        parts.append(_without_ground(restored_ids))
    if parts and db.session.execute(union_all(*parts).limit(1)).first() is not None:
        raise Duplicate("person")


def _ended_employers(employer_ids: Collection[int]) -> Any:
    return select(literal(1)).where(Employer.id.in_(employer_ids), Employer.status == "ended")


def _goes_on(employer_id: Any, fund: Any) -> Any:
    """Whether an employer takes part in a fund without an end."""
    other = aliased(EmployerFund)
    return (
        select(literal(1))
        .where(other.employer_id == employer_id, other.fund == fund, other.to_month.is_(None))
        .exists()
    )


def _ended_funds(pairs: Collection[tuple[int, str]]) -> Any:
    """Funds of employers, among these, whose last months are over."""
    asked = or_(*(and_(EmployerFund.employer_id == each, EmployerFund.fund == fund) for each, fund in pairs))
    return select(literal(1)).where(asked, ~_goes_on(EmployerFund.employer_id, EmployerFund.fund))


def _without_ground(enrolment_ids: Collection[int]) -> Any:
    """Those of these enrolments whose employer has ended, or that go on in a fund that it has ended."""
    known = (
        select(literal(1))
        .where(EmployerFund.employer_id == Enrolment.employer_id, EmployerFund.fund == Enrolment.fund)
        .exists()
    )
    return (
        select(literal(1))
        .select_from(Enrolment)
        .join(Employer, Employer.id == Enrolment.employer_id)
        .where(
            Enrolment.id.in_(enrolment_ids),
            Enrolment.status == "active",
            or_(Employer.status == "ended", known & ~_goes_on(Enrolment.employer_id, Enrolment.fund)),
        )
    )


def find_by_number(region: str, person_nos: Collection[str]) -> dict[str, int]:
    """The records that person numbers name today, an alias its record: {number: record id}."""
    if not person_nos:
        return {}
    rows = db.session.execute(
        select(Person.person_no, func.coalesce(Person.merged_into_id, Person.id)).where(
            Person.region == region, Person.person_no.in_(person_nos)
        )
    )
    return {row[0]: int(row[1]) for row in rows}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record that is no alias, as a merge looks at it."""

    id: int
    person_no: str
    id_hash: bytes
    name: str
    birth_date: date
    id_masked: str


def records_of(region: str, id_hash: bytes | None, person_ids: Collection[int] = ()) -> list[RecordRow]:
    """The records with an identity number and those with certain ids, oldest first, in one statement."""
    rows = db.session.execute(
        select(Person.id, Person.person_no, Person.id_hash, Person.name, Person.birth_date, Person.id_masked)
        .where(
            Person.region == region,
            Person.merged_into_id.is_(None),
            or_(Person.id_hash == id_hash, Person.id.in_(person_ids)),
        )
        .order_by(Person.id)
    )
    return [RecordRow(*row) for row in rows]
