"""Enrolments: who is insured where, and which months already carry a charge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import aliased

from app.extensions import db
from app.store.constraints import Duplicate
from app.store.models import ContributionLine, Employer, Enrolment, EnrolmentChange, Person
from app.store.session import insert_rows

# Due types that stand for a month as such; corrections of a month are not the month.
MONTH_TYPES = ("10", "31")


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """One person in one fund, months `YYYY-MM` inclusive (`to_month` None is open), amounts in fen."""

    id: int
    region: str
    person_id: int
    employer_id: int | None
    employer_no: str
    category: str
    fund: str
    person_type: str
    from_month: str
    to_month: str | None
    start_date: date | None
    status: str
    wage_fen: int | None
    base_fen: int | None


_COLUMNS: tuple[Any, ...] = (
    Enrolment.id,
    Enrolment.region,
    Enrolment.person_id,
    Enrolment.employer_id,
    func.coalesce(Employer.employer_no, ""),
    Enrolment.category,
    Enrolment.fund,
    Enrolment.person_type,
    Enrolment.from_month,
    Enrolment.to_month,
    Enrolment.start_date,
    Enrolment.status,
    Enrolment.wage_fen,
    Enrolment.base_fen,
)


def enrolments_of(person_ids: Collection[int]) -> dict[int, list[EnrolmentRow]]:
    """All enrolments of each person, oldest first, with those under other records of the same identifier.

    One statement. Those other records are what “active elsewhere” is found by: every region has its own.
    """
    found: dict[int, list[EnrolmentRow]] = {}
    if not person_ids:
        return found
    asked = aliased(Person)
    query = (
        _select(asked.id.label("asked_id"))
        .join(Person, Person.id == Enrolment.person_id)
        .join(asked, asked.id_hash == Person.id_hash)
        .where(asked.id.in_(person_ids))
    )
    for row in db.session.execute(query.order_by(Enrolment.id)):
        found.setdefault(row[-1], []).append(EnrolmentRow(*row[:-1]))
    return found


def _select(key: Any) -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS, key).outerjoin(Employer, Employer.id == Enrolment.employer_id)


def enrolment_values(**values: Any) -> dict[str, Any]:
    """A row for `add_enrolments`: every column but those with a fixed beginning (status, reason)."""
    row = dict.fromkeys(
        ("employer_id", "to_month", "start_date", "wage_fen", "base_fen", "declaration_id", "reason")
    )
    return {**row, "category": "employee", "status": "active", "details": {}, **values}


def add_enrolments(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add enrolments, in one statement; a second open one of the same person and fund is refused."""
    insert_rows(Enrolment, rows)


def end_enrolments(
    enrolment_ids: Collection[int], to_month: str, reason: str, declaration_id: int | None
) -> int:
    """End open enrolments with a month (inclusive); gives the number that were still open."""
    if not enrolment_ids:
        return 0
    ended: Any = db.session.execute(
        update(Enrolment)
        .where(Enrolment.id.in_(enrolment_ids), Enrolment.to_month.is_(None))
        .values(to_month=to_month, reason=reason, ended_by_declaration_id=declaration_id)
        .execution_options(synchronize_session=False)
    )
    return int(ended.rowcount)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is changed when an enrolment ends or goes on again; `to_month` is inclusive, None is open."""

    to_month: str | None
    status: str
    reason: str | None
    ended_by_declaration_id: int | None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change of an enrolment by a declaration, old and new."""

    id: int
    enrolment_id: int
    declaration_id: int
    action: str
    before: Ending
    after: Ending
    at_utc: datetime


_ENDING = tuple(field.name for field in fields(Ending))
_CHANGE = (
    update(Enrolment.__table__)
    .where(
        Enrolment.id == bindparam("b_id"),
        *(
            Enrolment.__table__.c[name].is_not_distinct_from(bindparam(f"b_before_{name}"))
            for name in _ENDING
        ),
    )
    .values({name: bindparam(f"b_after_{name}") for name in _ENDING})
)


def change_enrolments(rows: Sequence[ChangeRow]) -> None:
    """Change enrolments and keep old and new, in two statements.

    Raises: Duplicate (`open_enrolment`) where one of them is no longer as `before` says: somebody else
    was first.
    """
    if not rows:
        return
    done: Any = db.session.connection().execute(
        _CHANGE,
        [
            {
                "b_id": row.enrolment_id,
                **{f"b_before_{name}": getattr(row.before, name) for name in _ENDING},
                **{f"b_after_{name}": getattr(row.after, name) for name in _ENDING},
            }
            for row in rows
        ],
    )
    if done.rowcount != len(rows):
        raise Duplicate("open_enrolment")
    insert_rows(EnrolmentChange, [asdict(row) for row in rows])


def changes_of_declaration(declaration_id: int) -> list[ChangeRow]:
    """What a declaration changed in enrolments, in the order it was done."""
    return changes_of_declarations([declaration_id])


def changes_of_declarations(declaration_ids: Collection[int]) -> list[ChangeRow]:
    """What several declarations changed in enrolments, in the order it was done; one statement."""
    rows = db.session.scalars(
        select(EnrolmentChange)
        .where(EnrolmentChange.declaration_id.in_(declaration_ids))
        .order_by(EnrolmentChange.id)
    )
    return [
        ChangeRow(
            row.id, row.enrolment_id, row.declaration_id, row.action,
            Ending(**row.before), Ending(**row.after), row.at_utc,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BegunRow:
    """An enrolment with the month it began in and how it ends now."""

    id: int
    from_month: str
    ending: Ending


def enrolments_by_declaration(declaration_id: int) -> list[BegunRow]:
    """The enrolments that a declaration began."""
    columns = [Enrolment.__table__.c[name] for name in _ENDING]
    rows = db.session.execute(
        select(Enrolment.id, Enrolment.from_month, *columns)
        .where(Enrolment.declaration_id == declaration_id)
        .order_by(Enrolment.id)
    )
    return [BegunRow(row[0], row[1], Ending(*row[2:])) for row in rows]


_CHARGED = (
    select(ContributionLine.person_id, ContributionLine.accrual_month, ContributionLine.fund)
    .where(
        ContributionLine.person_id.in_(bindparam("people", expanding=True)),
        ContributionLine.due_type.in_(MONTH_TYPES),
        ContributionLine.reversed_by_id.is_(None),
    )
    .distinct()
)


def charged_months(
    person_ids: Collection[int], months: Collection[str] | None = None
) -> dict[int, dict[str, frozenset[str]]]:
    """Which accrual months of each person already carry a charge that was not reversed, by fund.

    Shape: {person id: {month: funds}}; one statement.
    """
    found: dict[int, dict[str, set[str]]] = {}
    if not person_ids:
        return {}
    query = _CHARGED
    if months is not None:
        query = query.where(ContributionLine.accrual_month.in_(months))
    for person_id, month, fund in db.session.execute(query, {"people": list(person_ids)}):
        found.setdefault(person_id, {}).setdefault(month, set()).add(fund)
    return {
        person: {month: frozenset(funds) for month, funds in by_month.items()}
        for person, by_month in found.items()
    }
