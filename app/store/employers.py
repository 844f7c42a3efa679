"""Employers and the funds they take part in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from app.errors import NotFound
from app.extensions import db
from app.store.constraints import Duplicate
from app.store.models import Employer, EmployerFund
from app.store.session import insert_rows, lock


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


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A change of an employer's status, old and new; `last_month` ends its funds where it ends for good."""

    employer_id: int
    before: str
    after: str
    last_month: str | None = None


_STATUS = (
    update(Employer.__table__)
    .where(Employer.id == bindparam("b_id"), Employer.status == bindparam("b_before"))
    .values(status=bindparam("b_after"))
)
_END_FUNDS = (
    update(EmployerFund.__table__)
    .where(EmployerFund.employer_id == bindparam("b_id"), EmployerFund.to_month.is_(None))
    .values(to_month=bindparam("b_month"))
)


def set_statuses(rows: Sequence[StatusRow]) -> None:
    """Change the statuses of employers and end the funds of those that end, in two statements.

    Raises: Duplicate (`person`) where somebody else was first: a second look tells what is wrong now.
    """
    if not rows:
        return
    values = [{"b_id": row.employer_id, "b_before": row.before, "b_after": row.after} for row in rows]
    done: Any = db.session.connection().execute(_STATUS, values)
    if done.rowcount != len(rows):
        raise Duplicate("person")
    ending = [{"b_id": row.employer_id, "b_month": row.last_month} for row in rows if row.last_month]
    if ending:
        db.session.connection().execute(_END_FUNDS, ending)


@dataclass(frozen=True, slots=True)
class FundRow:
    """A fund of an employer that begins with a month, or whose open months get an end (`to_month`)."""

    employer_id: int
    fund: str
    from_month: str
    to_month: str | None = None


_END_FUND = (
    update(EmployerFund.__table__)
    .where(
        EmployerFund.employer_id == bindparam("b_id"),
        EmployerFund.fund == bindparam("b_fund"),
        EmployerFund.from_month == bindparam("b_from"),
        EmployerFund.to_month.is_(None),
    )
    .values(to_month=bindparam("b_to"))
)


def change_funds(rows: Sequence[FundRow]) -> None:
    """Let funds of employers begin or end, in two statements.

    Raises: Duplicate (`person`) where an end finds no open months: a second look tells what is wrong now.
    """
    insert_rows(
        EmployerFund,
        [
            {"employer_id": row.employer_id, "fund": row.fund, "from_month": row.from_month, "to_month": None}
            for row in rows
            if row.to_month is None
        ],
    )
    ending = [
        {"b_id": row.employer_id, "b_fund": row.fund, "b_from": row.from_month, "b_to": row.to_month}
        for row in rows
        if row.to_month is not None
    ]
    if ending:
        done: Any = db.session.connection().execute(_END_FUND, ending)
        if done.rowcount != len(ending):
            raise Duplicate("person")


def fund_spans(employer_id: int) -> dict[str, list[tuple[str, str | None]]]:
    """An employer's funds with all their months (first, last or None), oldest first; one statement."""
    table = EmployerFund.__table__
    query = (
        select(table.c.fund, table.c.from_month, table.c.to_month)
        .where(table.c.employer_id == employer_id)
        .order_by(table.c.fund, table.c.from_month)
    )
    found: dict[str, list[tuple[str, str | None]]] = {}
    for fund, first, last in db.session.execute(query):
        found.setdefault(fund, []).append((first, last))
    return found


def hold_employer(employer_id: int) -> None:
    """Hold an employer until the commit: whoever enrols somebody there or bills it waits, and looks again."""
    db.session.execute(lock(select(Employer.id).where(Employer.id == employer_id)))
