"""What a late figure may change: charged people of an employer, what their months carry, their enrolments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from app.domain.adjustment import OWN_DUES
from app.domain.calendar import add_months
from app.extensions import db
from app.store.models import ContributionLine as Line
from app.store.models import Enrolment

# a month may be assessed, and so be billed, in the month before it
BILLED_AHEAD = 1


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A line of a person's month at an employer; amounts in fen, `taken_back` no longer stands."""

    id: int
    person_id: int
    fund: str
    party: str
    due_type: str
    accrual_month: str
    base_fen: int
    rate: str | None
    amount_fen: int
    retired: bool
    wage_fen: int | None
    taken_back: bool


@dataclass(frozen=True, slots=True)
class CoverRow:
    """An enrolment at an employer, with the wage and base that it carries now, in fen."""

    id: int
    person_id: int
    fund: str
    person_type: str
    from_month: str
    to_month: str | None
    status: str
    wage_fen: int | None
    base_fen: int | None


def _of_months(employer_id: int, first: str, last: str) -> Any:
    return and_(
        Line.employer_id == employer_id,
        # the index knows the month a line is billed in, which is hardly ever before its own
        Line.due_month >= add_months(first, -BILLED_AHEAD),
        Line.accrual_month >= first,
        Line.accrual_month <= last,
    )


def charged_people(
    employer_id: int, first: str, last: str, after_id: int, until_id: int, limit: int
) -> list[int]:
    """The people whom months of an employer charge, by id, behind one person and up to another."""
    query = (
        select(Line.person_id)
        .where(
            _of_months(employer_id, first, last),
            Line.due_type.in_(sorted(OWN_DUES)),
            Line.reversed_by_id.is_(None),
            Line.person_id > after_id,
            Line.person_id <= until_id,
        )
        .distinct()
        .order_by(Line.person_id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def month_lines(
    employer_id: int, person_ids: Collection[int], first: str, last: str
) -> dict[tuple[int, str], list[MonthLine]]:
    """What months of an employer carry for people: {(person, month): lines}, those taken back too."""
    found: dict[tuple[int, str], list[MonthLine]] = {}
    if not person_ids:
        return found
    rows: Any = db.session.execute(
        select(
            Line.id, Line.person_id, Line.fund, Line.party, Line.due_type, Line.accrual_month, Line.base_fen,
            Line.rate, Line.amount_fen, Line.retired, Line.wage_fen, Line.reversed_by_id.is_not(None),
        )
        .where(
            Line.employer_id == employer_id,
            Line.person_id.in_(person_ids),
            Line.accrual_month >= first,
            Line.accrual_month <= last,
            Line.due_type.in_(sorted(OWN_DUES)),
        )
        .order_by(Line.person_id, Line.accrual_month, Line.id)
    )  # fmt: skip
    for row in rows:
        line = MonthLine(*row)
        found.setdefault((line.person_id, line.accrual_month), []).append(line)
    return found


def covers_of(employer_id: int, person_ids: Collection[int]) -> dict[int, list[CoverRow]]:
    """The enrolments of people at an employer, oldest first, in one statement."""
    found: dict[int, list[CoverRow]] = {}
    if not person_ids:
        return found
    columns = [Enrolment.__table__.c[name] for name in CoverRow.__slots__]
    rows = db.session.execute(
        select(*columns)
        .where(Enrolment.employer_id == employer_id, Enrolment.person_id.in_(person_ids))
        .order_by(Enrolment.id)
    )
    for row in rows:
        found.setdefault(row.person_id, []).append(CoverRow(*row))
    return found
