"""Employers and the funds they take part in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from app.errors import NotFound
from app.extensions import db
from app.store.models import Employer, EmployerFund
from app.store.session import insert_rows


def get_employer(employer_id: int) -> Employer:
    """One employer. Raises: NotFound."""
    employer = db.session.get(Employer, employer_id)
    if employer is None:
        raise NotFound("there is no such employer")
    return employer


def get_employer_by_no(employer_no: str) -> Employer:
    """One employer by its number. Raises: NotFound."""
    employer = find_employer_by_no(employer_no)
    if employer is None:
        raise NotFound(f"there is no employer {employer_no}")
    return employer


def find_employer_by_no(employer_no: str) -> Employer | None:
    """The employer with this number, if there is one."""
    return db.session.scalars(select(Employer).where(Employer.employer_no == employer_no)).one_or_none()


def funds_of(employer_id: int, month: str) -> list[str]:
    """The fund codes an employer takes part in, in one month, in ascending order."""
    query = (
        select(EmployerFund.fund)
        .where(
            EmployerFund.employer_id == employer_id,
            EmployerFund.from_month <= month,
            or_(EmployerFund.to_month.is_(None), EmployerFund.to_month >= month),
        )
        .order_by(EmployerFund.fund)
        .distinct()
    )
    return list(db.session.scalars(query))


def add_employers(rows: Sequence[Mapping[str, Any]], funds: Sequence[Mapping[str, Any]]) -> None:
    """Add employers and their funds, in two statements."""
    insert_rows(Employer, rows)
    insert_rows(EmployerFund, funds)
