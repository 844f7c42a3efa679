"""Who of an employer's people has no approved base of a base year: to list them, and to carry it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from app.domain.enrolment import RETIREE_TYPES
from app.extensions import db
from app.store.business import WAITING
from app.store.models import Declaration, Employer, Enrolment, EnrolmentChange, Person

DECLARED, CARRIED, CHANGED = "base_annual", "base_carry", "base"


@dataclass(frozen=True, slots=True)
class UndeclaredRow:
    """One insured person without an approved base of the year; `open_reference` waits for a decision."""

    person_id: int
    name: str
    id_masked: str
    from_month: str
    wage_fen: int | None
    open_reference: str | None
    carried: bool


@dataclass(frozen=True, slots=True)
class EmployerCount:
    """How far an employer is: people in service, and those without an approved base of the year."""

    employer_id: int
    employer_no: str
    name: str
    insured: int
    undeclared: int
    left: int  # of the undeclared, those whose base can still be carried on


@dataclass(frozen=True, slots=True)
class UndeclaredStretch:
    """One fund of an undeclared person, with what it carries in fen."""

    person_id: int
    id: int
    fund: str
    from_month: str
    wage_fen: int | None
    base_fen: int | None


def _has(year: str, action: str) -> ColumnElement[bool]:
    return (
        select(EnrolmentChange.id)
        .where(
            EnrolmentChange.enrolment_id == Enrolment.id,
            EnrolmentChange.action == action,
            EnrolmentChange.after["from_month"].as_string() == year,
        )
        .exists()
    )


def _changed(year: str) -> ColumnElement[bool]:
    """Whether a wage was declared by itself for months of the year: that one goes on."""
    return (
        select(EnrolmentChange.id)
        .where(
            EnrolmentChange.enrolment_id == Enrolment.id,
            EnrolmentChange.action == CHANGED,
            EnrolmentChange.after["from_month"].as_string() >= year,
        )
        .exists()
    )


def _open(reference: Any) -> Any:
    return select(reference).where(
        Declaration.person_id == Enrolment.person_id,
        Declaration.employer_id == Enrolment.employer_id,
        Declaration.kind == DECLARED,
        Declaration.status.in_(WAITING),
    )


def _in_service(year: str) -> list[ColumnElement[bool]]:
    return [
        Enrolment.status == "active",
        Enrolment.to_month.is_(None),
        Enrolment.from_month <= year,
        ~Enrolment.person_type.startswith(RETIREE_TYPES),
    ]


def list_undeclared(
    employer_id: int, fund: str, year: str, *, after_id: int = 0, limit: int = 20
) -> list[UndeclaredRow]:
    """A page of an employer's people without an approved base of the year that begins with `year`."""
    statement = (
        select(
            Person.id, Person.name, Person.id_masked, Enrolment.from_month, Enrolment.wage_fen,
            _open(func.max(Declaration.reference)).scalar_subquery(), _has(year, CARRIED),
        )
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Enrolment.employer_id == employer_id,
            Enrolment.fund == fund,
            *_in_service(year),
            ~_has(year, DECLARED),
            Person.id > after_id,
        )
        .order_by(Person.id)
        .limit(limit)
    )  # fmt: skip
    return [UndeclaredRow(*row) for row in db.session.execute(statement)]


def count_by_employer(
    region: str, fund: str, year: str, *, employer_id: int | None = None, after_no: str = "", limit: int = 20
) -> list[EmployerCount]:
    """A page of a region's employers that have people in service, by number, with their counts."""
    declared, carried = _has(year, DECLARED), _has(year, CARRIED)
    wanted = _with_people(region, fund, year).where(Employer.employer_no > after_no)
    if employer_id is not None:
        wanted = wanted.where(Employer.id == employer_id)
    # the page's employers first: counting all that follow would cost as much for every page
    page = wanted.order_by(Employer.employer_no).limit(limit).subquery()
    statement = (
        select(
            Employer.id, Employer.employer_no, Employer.name, func.count(),
            func.count().filter(~declared), func.count().filter(~declared & ~carried & ~_changed(year)),
        )
        .join(page, page.c.id == Employer.id)
        .join(Enrolment, Enrolment.employer_id == Employer.id)
        .where(Enrolment.fund == fund, *_in_service(year))
        .group_by(Employer.id, Employer.employer_no, Employer.name)
        .order_by(Employer.employer_no)
    )  # fmt: skip
    return [EmployerCount(*row) for row in db.session.execute(statement)]


def count_employers(region: str, fund: str, year: str) -> int:
    """How many employers of a region have people in service."""
    wanted = _with_people(region, fund, year).subquery()
    return int(db.session.execute(select(func.count()).select_from(wanted)).scalar_one())


def _with_people(region: str, fund: str, year: str) -> Select[int]:
    people = (
        select(Enrolment.id)
        .where(Enrolment.employer_id == Employer.id, Enrolment.fund == fund, *_in_service(year))
        .correlate(Employer)
        .exists()
    )
    return select(Employer.id).where(Employer.region == region, people)


def undeclared_stretches(employer_id: int, year: str) -> list[UndeclaredStretch]:
    """All funds of those whose base of the year was not declared nor carried on and does not wait either.

    Shape: ordered by person and fund; one statement for a whole employer.
    """
    statement = (
        select(
            Enrolment.person_id, Enrolment.id, Enrolment.fund, Enrolment.from_month, Enrolment.wage_fen,
            Enrolment.base_fen,
        )
        .where(
            Enrolment.employer_id == employer_id,
            *_in_service(year),
            ~_has(year, DECLARED),
            ~_has(year, CARRIED),
            ~_changed(year),
            ~_open(Declaration.id).exists(),
        )
        .order_by(Enrolment.person_id, Enrolment.fund)
    )  # fmt: skip
    return [UndeclaredStretch(*row) for row in db.session.execute(statement)]
