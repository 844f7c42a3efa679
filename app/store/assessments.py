"""Which months are assessed for which employer, and who is insured in them and not charged yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from app.domain.collection import RATE_DIFFERENCE
from app.extensions import db
from app.store.enrolments import MONTH_TYPES
from app.store.models import Assessment, ContributionLine, Employer, Enrolment
from app.store.session import insert_rows, is_postgresql, lock

RUNNING, FINISHED = "running", "finished"


@dataclass(frozen=True, slots=True)
class EmployerRow:
    """An employer as an assessment goes through them."""

    id: int
    region: str
    employer_no: str


@dataclass(frozen=True, slots=True)
class Uncharged:
    """A person insured in a fund in an assessed month that carries no charge yet; amounts in fen."""

    enrolment_id: int
    region: str
    employer_id: int
    month: str
    person_id: int
    fund: str
    person_type: str
    wage_fen: int | None
    base_fen: int | None


def list_employers(
    region: str | None, employer_id: int | None, after_id: int, limit: int
) -> list[EmployerRow]:
    """Employers of a region (None: of all), or one of them, by id."""
    query = select(Employer.id, Employer.region, Employer.employer_no).where(Employer.id > after_id)
    if region is not None:
        query = query.where(Employer.region == region)
    if employer_id is not None:
        query = query.where(Employer.id == employer_id)
    return [EmployerRow(*row) for row in db.session.execute(query.order_by(Employer.id).limit(limit))]


def count_employers(region: str | None, employer_id: int | None = None) -> int:
    """How many employers an assessment goes through."""
    query = select(func.count()).select_from(Employer)
    if region is not None:
        query = query.where(Employer.region == region)
    if employer_id is not None:
        query = query.where(Employer.id == employer_id)
    return db.session.execute(query).scalar_one()


def hold_employer(employer_id: int) -> None:
    """Hold an employer until the commit: whoever begins to assess it waits for those who are filing."""
    db.session.execute(lock(select(Employer.id).where(Employer.id == employer_id))).all()


def hold_employers_shared(employer_ids: Collection[int]) -> None:
    """Let nobody begin to assess these employers until the commit. No statement on SQLite."""
    if employer_ids and is_postgresql():
        wanted = select(Employer.id).where(Employer.id.in_(employer_ids)).order_by(Employer.id)
        db.session.execute(wanted.with_for_update(read=True)).all()


def begin_assessment(employer: EmployerRow, month: str, at_utc: datetime) -> str:
    """Mark a month as assessed, unless it is; gives its state. The caller holds the employer."""
    found = db.session.execute(
        select(Assessment.state).where(Assessment.employer_id == employer.id, Assessment.month == month)
    ).scalar_one_or_none()
    if found is not None:
        return found
    db.session.execute(
        insert(Assessment).values(
            employer_id=employer.id,
            month=month,
            region=employer.region,
            state=RUNNING,
            people=0,
            lines=0,
            started_at_utc=at_utc,
        )
    )
    return RUNNING


def add_finished(rows: Collection[tuple[int, str, str]], at_utc: datetime) -> None:
    """Mark months as assessed that were charged in another way: (employer id, region, month)."""
    insert_rows(
        Assessment,
        [
            {
                "employer_id": employer_id,
                "month": month,
                "region": region,
                "state": FINISHED,
                "people": 0,
                "lines": 0,
                "started_at_utc": at_utc,
                "finished_at_utc": at_utc,
            }
            for employer_id, region, month in rows
        ],
    )


def count_charged(employer_id: int, month: str, people: int, lines: int) -> None:
    """Add to what the assessment of a month has charged."""
    db.session.execute(
        update(Assessment)
        .where(Assessment.employer_id == employer_id, Assessment.month == month)
        .values(people=Assessment.people + people, lines=Assessment.lines + lines)
        .execution_options(synchronize_session=False)
    )


def finish_assessment(employer_id: int, month: str, at_utc: datetime) -> None:
    """Say that everybody has been charged."""
    db.session.execute(
        update(Assessment)
        .where(Assessment.employer_id == employer_id, Assessment.month == month, Assessment.state == RUNNING)
        .values(state=FINISHED, finished_at_utc=at_utc)
        .execution_options(synchronize_session=False)
    )


def _in_month(month: Any) -> Any:
    return (
        (Enrolment.category == "employee")
        & (Enrolment.status == "active")
        & (Enrolment.from_month <= month)
        & or_(Enrolment.to_month.is_(None), Enrolment.to_month >= month)
    )


def insured_people(employer_id: int, month: str, after_id: int, limit: int) -> list[int]:
    """The people whom an employer insures in a month, by id."""
    query = (
        select(Enrolment.person_id)
        .where(Enrolment.employer_id == employer_id, Enrolment.person_id > after_id, _in_month(month))
        .distinct()
        .order_by(Enrolment.person_id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def count_insured(employer_id: int, month: str) -> int:
    """How many people an employer insures in a month, retirees included."""
    query = select(func.count(Enrolment.person_id.distinct())).where(
        Enrolment.employer_id == employer_id, _in_month(month)
    )
    return db.session.execute(query).scalar_one()


def uncharged(
    person_ids: Collection[int], since_month: str, employer_id: int | None = None, month: str | None = None
) -> list[Uncharged]:
    """Who of these people is insured in an assessed month that he carries no charge of, in one statement.

    Shape: months from `since_month` on, or one `month` of one employer; every fund by itself.
    """
    if not person_ids:
        return []
    carried = (
        select(ContributionLine.id)
        .where(
            ContributionLine.person_id == Enrolment.person_id,
            ContributionLine.fund == Enrolment.fund,
            ContributionLine.accrual_month == Assessment.month,
            # a fund that cost nothing until its rate was announced late carries that difference only
            ContributionLine.due_type.in_((*MONTH_TYPES, RATE_DIFFERENCE)),
            ContributionLine.reversed_by_id.is_(None),
        )
        .correlate(Enrolment, Assessment)
        .exists()
    )
    query = (
        select(
            Enrolment.id, Enrolment.region, Enrolment.employer_id, Assessment.month, Enrolment.person_id,
            Enrolment.fund, Enrolment.person_type, Enrolment.wage_fen, Enrolment.base_fen,
        )
        .join(Assessment, Assessment.employer_id == Enrolment.employer_id)
        .where(
            Enrolment.person_id.in_(person_ids),
            Assessment.month >= since_month,
            _in_month(Assessment.month),
            ~carried,
        )
        .order_by(Enrolment.person_id, Assessment.month, Enrolment.id)
    )  # fmt: skip
    if employer_id is not None:
        query = query.where(Enrolment.employer_id == employer_id)
    if month is not None:
        query = query.where(Assessment.month == month)
    rows: Any = db.session.execute(query)
    return [Uncharged(*row) for row in rows]


def assessed_months(employer_id: int, since_month: str) -> list[str]:
    """The months from one on that are assessed for an employer."""
    query = (
        select(Assessment.month)
        .where(Assessment.employer_id == employer_id, Assessment.month >= since_month)
        .order_by(Assessment.month)
    )
    return list(db.session.scalars(query))
