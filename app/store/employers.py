"""Employers and the funds they take part in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from app.errors import NotFound
from app.extensions import db
from app.store.models import Employer, EmployerFund
from app.store.session import insert_rows


@dataclass(frozen=True, slots=True)
class FundRow:
    """A fund of an employer, months `YYYY-MM` inclusive (`to_month` None is open)."""

    fund: str
    from_month: str
    to_month: str | None

    def covers(self, month: str) -> bool:
        """Whether the employer takes part in that month."""
        return self.from_month <= month and (self.to_month is None or month <= self.to_month)


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


def list_employers(employer_ids: Collection[int]) -> list[Employer]:
    """Several employers, by number."""
    if not employer_ids:
        return []
    query = select(Employer).where(Employer.id.in_(employer_ids)).order_by(Employer.employer_no)
    return list(db.session.scalars(query))


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


def fund_rows_of(employer_ids: Collection[int]) -> dict[int, list[FundRow]]:
    """All funds of several employers with their months, in one statement."""
    found: dict[int, list[FundRow]] = {}
    if not employer_ids:
        return found
    query = (
        select(EmployerFund.employer_id, EmployerFund.fund, EmployerFund.from_month, EmployerFund.to_month)
        .where(EmployerFund.employer_id.in_(employer_ids))
        .order_by(EmployerFund.fund, EmployerFund.from_month)
    )
    for employer_id, fund, from_month, to_month in db.session.execute(query):
        found.setdefault(employer_id, []).append(FundRow(fund, from_month, to_month))
    return found


def add_employers(rows: Sequence[Mapping[str, Any]], funds: Sequence[Mapping[str, Any]]) -> None:
    """Add employers and their funds, in two statements."""
    insert_rows(Employer, rows)
    insert_rows(EmployerFund, funds)
