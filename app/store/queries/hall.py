"""What the employer side reads: figures of the month, counts by kind, and pages of its declarations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, distinct, func, or_, select

from app.domain.enrolment import COUNTER_CHANNEL
from app.extensions import db
from app.store.business import about_person
from app.store.crypto import blind
from app.store.models import (
    ContributionLine,
    Declaration,
    Employer,
    Enrolment,
    HumanTask,
    ImportBatch,
    Notice,
    Person,
)
from app.store.people import named_by
from app.store.queries.frame import LIMIT

PAID_BY_SOMEBODY = ("employer", "employee")
# shorter than any identity number: then it is a name or a reference
_NUMBER_LENGTH = 15


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """An employer's month: insured people, people joined and stopped by declarations, and dues in fen."""

    insured: int
    joined: int
    stopped: int
    due_fen: int


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What a form may show of the record that a number names."""

    name: str
    sex: str
    birth_date: date
    ethnicity: str
    nationality: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is asked for. `text` is a reference, the beginning of a name or a whole identity number;
    the two moments bound the submission; `own` leaves out what was filed at the counter."""

    statuses: Collection[str]
    kind: str = ""
    text: str = ""
    since_utc: datetime | None = None
    until_utc: datetime | None = None
    not_filed_again: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One message to the employer, with the case or the batch file (kind and id) that it is about."""

    id: int
    title: str
    body: str
    created_at_utc: datetime
    read_at_utc: datetime | None
    reference: str | None
    batch_kind: str | None = None
    batch_id: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One declaration in a list; `due_at_utc` is the time limit of what is open now."""

    id: int
    reference: str
    kind: str
    status: str
    person_name: str
    id_masked: str
    created_at_utc: datetime
    updated_at_utc: datetime
    submitted_at_utc: datetime | None
    decided_at_utc: datetime | None
    opinion: str
    channel: str
    summary: dict[str, Any]
    due_at_utc: datetime | None


_COLUMNS = (
    Declaration.id,
    Declaration.reference,
    Declaration.kind,
    Declaration.status,
    Declaration.person_name,
    Declaration.id_masked,
    Declaration.created_at_utc,
    Declaration.updated_at_utc,
    Declaration.submitted_at_utc,
    Declaration.decided_at_utc,
    Declaration.opinion,
    Declaration.channel,
)


def month_figures(employer_id: int, fund: str, month: str, since_utc: datetime) -> MonthFigures:
    """The four figures of the home page, in one statement.

    `fund` is the one everybody has; `since_utc` is the month's first moment.
    """
    insured = (
        select(func.count(distinct(Enrolment.person_id)))
        .where(
            Enrolment.employer_id == employer_id,
            Enrolment.fund == fund,
            Enrolment.status == "active",
            Enrolment.from_month <= month,
            or_(Enrolment.to_month.is_(None), Enrolment.to_month >= month),
        )
        .scalar_subquery()
    )
    ended = func.coalesce(Declaration.decided_at_utc, Declaration.submitted_at_utc)

    def finished(kinds: Sequence[str]) -> Any:
        return (
            select(func.count())
            .select_from(Declaration)
            .where(
                Declaration.employer_id == employer_id,
                Declaration.status.in_(("approved", "done")),
                Declaration.kind.in_(kinds),
                ended >= since_utc,
            )
            .scalar_subquery()
        )

    due = (
        select(func.coalesce(func.sum(ContributionLine.amount_fen), 0))
        .where(
            ContributionLine.employer_id == employer_id,
            ContributionLine.due_month == month,
            ContributionLine.party.in_(PAID_BY_SOMEBODY),
        )
        .scalar_subquery()
    )
    row = db.session.execute(
        select(insured, finished(("enrol",)), finished(("stop", "stop_retiree")), due)
    ).one()
    return MonthFigures(row[0], row[1], row[2], int(row[3]))


def employer_details(employer_id: int) -> Employer:
    """The employer's own record, for the home page."""
    return db.session.execute(select(Employer).where(Employer.id == employer_id)).scalar_one()


def counts_by_kind(employer_id: int, statuses: Collection[str]) -> dict[str, int]:
    """How many of the employer's own declarations of each kind stand in these statuses, in one statement."""
    rows = db.session.execute(
        select(Declaration.kind, func.count())
        .where(
            Declaration.employer_id == employer_id,
            Declaration.status.in_(sorted(statuses)),
            Declaration.channel != COUNTER_CHANNEL,
        )
        .group_by(Declaration.kind)
    )
    return {row[0]: row[1] for row in rows}


def list_records(
    employer_id: int,
    wanted: Filter,
    *,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 20,
) -> list[Record]:
    """A page of declarations, newest first; `before_id` and `after_id` are the neighbours' ends."""
    statement = _filtered(select(*_COLUMNS), employer_id, wanted)
    if after_id is not None:
        statement = statement.where(Declaration.id > after_id).order_by(Declaration.id).limit(limit)
        rows = list(reversed(db.session.execute(statement).all()))
    else:
        if before_id is not None:
            statement = statement.where(Declaration.id < before_id)
        rows = list(db.session.execute(statement.order_by(Declaration.id.desc()).limit(limit)).all())
    tasks = _tasks_of([row[0] for row in rows])
    return [Record(*row, *tasks.get(row[0], ({}, None))) for row in rows]


def count_records(employer_id: int, wanted: Filter, *, exact: bool = False) -> int:
    """How many the same filters find; counting stops at `LIMIT` unless it must be exact."""
    ids = _filtered(select(Declaration.id), employer_id, wanted)
    if not exact:
        ids = ids.limit(LIMIT)
    return db.session.execute(select(func.count()).select_from(ids.subquery())).scalar_one()


def newest_id(employer_id: int, wanted: Filter) -> int:
    """The newest of the declarations that the filters find; 0 where there is none."""
    ids = _filtered(select(Declaration.id), employer_id, wanted).order_by(Declaration.id.desc()).limit(1)
    return db.session.execute(ids).scalar() or 0


def list_notices(employer_id: int, user_id: int, before_id: int | None, limit: int) -> list[NoticeLine]:
    """An employer's messages that an operator may read, newest first, in pages by id."""
    statement = (
        select(
            Notice.id,
            Notice.title,
            Notice.body,
            Notice.created_at_utc,
            Notice.read_at_utc,
            Declaration.reference,
            ImportBatch.kind,
            ImportBatch.id,
        )
        .outerjoin(Declaration.__table__, Declaration.id == Notice.declaration_id)
        .outerjoin(ImportBatch.__table__, ImportBatch.id == Notice.batch_id)
        .where(Notice.employer_id == employer_id, or_(Notice.user_id.is_(None), Notice.user_id == user_id))
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Notice.id < before_id)
    return [NoticeLine(*row) for row in db.session.execute(statement)]


def find_person(region: str, id_number: str) -> KnownPerson | None:
    """The oldest record of an identity number in a region."""
    row = db.session.execute(
        select(Person.name, Person.sex, Person.birth_date, Person.ethnicity, Person.nationality)
        .where(Person.id.in_(named_by(blind(id_number))), Person.region == region)
        .order_by(Person.id)
        .limit(1)
    ).first()
    return None if row is None else KnownPerson(*row)


def _filtered(statement: Any, employer_id: int, wanted: Filter) -> Any:
    tests: list[ColumnElement[bool]] = [
        Declaration.employer_id == employer_id,
        Declaration.status.in_(sorted(wanted.statuses)),
    ]
    if wanted.kind:
        tests.append(Declaration.kind == wanted.kind)
    if len(wanted.text) >= _NUMBER_LENGTH and wanted.text.isalnum():
        tests.append(about_person(blind(wanted.text)))
    elif wanted.text:
        name = Declaration.person_name.startswith(wanted.text, autoescape=True)
        tests.append(or_(Declaration.reference == wanted.text.upper(), name))
    if wanted.since_utc is not None:
        tests.append(Declaration.submitted_at_utc >= wanted.since_utc)
    if wanted.until_utc is not None:
        tests.append(Declaration.submitted_at_utc < wanted.until_utc)
    if wanted.own:
        tests.append(Declaration.channel != COUNTER_CHANNEL)
    if wanted.not_filed_again:
        copied = select(Declaration.copied_from_id).where(
            Declaration.employer_id == employer_id, Declaration.copied_from_id.is_not(None)
        )
        tests.append(Declaration.id.not_in(copied))
    return statement.where(*tests)


def _tasks_of(ids: Sequence[int]) -> dict[int, tuple[dict[str, Any], datetime]]:
    """What lists show of the open tasks of a page's declarations, in one statement."""
    if not ids:
        return {}
    rows = db.session.execute(
        select(HumanTask.declaration_id, HumanTask.summary, HumanTask.due_at_utc)
        .where(HumanTask.declaration_id.in_(ids))
        .order_by(HumanTask.id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}
