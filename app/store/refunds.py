"""What is due back to employers and waits: credits that neither a notice nor an order has taken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update

from app.extensions import db
from app.store.models import ContributionLine, Employer
from app.store.payment_notices import (
    IDS_AT_ONCE,
    OPEN_COLUMNS,
    OPEN_ORDER,
    REFUND_TYPE,
    OpenLine,
    Sum,
    favours_employer,
    standing,
    sums_by,
)

Line = ContributionLine


def _waits(credit_types: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        Line.notice_id.is_(None),
        Line.order_id.is_(None),
        Line.received_on.is_(None),
        or_(Line.due_type == REFUND_TYPE, favours_employer(credit_types)),
        standing(),
    )


def waiting_credits(
    employer_id: int, credit_types: Collection[str], until_month: str | None = None
) -> list[OpenLine]:
    """Refunds and differences in the employer's favour that nothing has taken up, oldest first."""
    query = select(*OPEN_COLUMNS).where(Line.employer_id == employer_id, *_waits(credit_types))
    if until_month is not None:
        query = query.where(Line.due_month <= until_month)
    return [OpenLine(*row) for row in db.session.execute(query.order_by(*OPEN_ORDER))]


def waiting_sums(employer_id: int, credit_types: Collection[str]) -> list[Sum]:
    """The same as sums by fund, month, type and party."""
    found = sums_by(Line.employer_id, Line.employer_id == employer_id, *_waits(credit_types))
    return found.get(employer_id, [])


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is due back to one employer, in fen, as a positive sum."""

    employer_id: int
    employer_no: str
    name: str
    status: str
    amount_fen: int
    people: int
    first_month: str


def list_waiting(
    regions: Collection[str],
    credit_types: Collection[str],
    parties: Collection[str],
    after_no: str,
    limit: int,
) -> list[Waiting]:
    """Employers of regions to whom something is due back, by number; `parties` are those who pay."""
    paid = case((Line.party.in_(parties), Line.amount_fen), else_=0)
    owed = func.sum(paid + Line.interest_fen + Line.late_fee_fen + Line.other_fen)
    query = (
        select(
            Employer.id, Employer.employer_no, Employer.name, Employer.status, -owed,
            func.count(Line.person_id.distinct()), func.min(Line.due_month),
        )
        .join(Employer, Employer.id == Line.employer_id)
        .where(Employer.region.in_(regions), Employer.employer_no > after_no, *_waits(credit_types))
        .group_by(Employer.id, Employer.employer_no, Employer.name, Employer.status)
        .having(owed < 0)
        .order_by(Employer.employer_no)
        .limit(limit)
    )  # fmt: skip
    return [
        Waiting(number, employer_no, name, status, int(amount), people, first)
        for number, employer_no, name, status, amount, people, first in db.session.execute(query)
    ]


def put_on_order(order_id: int, line_ids: list[int]) -> None:
    """Have an order take these credits."""
    for start in range(0, len(line_ids), IDS_AT_ONCE):
        db.session.execute(
            update(Line)
            .where(Line.id.in_(line_ids[start : start + IDS_AT_ONCE]))
            .values(order_id=order_id)
            .execution_options(synchronize_session=False)
        )


def free_lines(order_id: int) -> None:
    """Let the credits of an order wait again."""
    _set(order_id, {"order_id": None})


def set_given_back(order_id: int, paid_on: date) -> None:
    """Say that the credits of an order were paid out."""
    _set(order_id, {"received_on": paid_on})


def _set(order_id: int, values: dict[str, Any]) -> None:
    db.session.execute(
        update(Line)
        .where(Line.order_id == order_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def people_of_order(order_id: int) -> list[int]:
    """Whose credits an order holds."""
    return list(db.session.scalars(select(Line.person_id).where(Line.order_id == order_id).distinct()))


def order_sums(order_id: int) -> list[Sum]:
    """The sums of an order's credits by fund, month, type and party."""
    return sums_by(Line.order_id, Line.order_id == order_id).get(order_id, [])
