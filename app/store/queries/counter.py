"""What the counter reads: the employers of its regions, and the cases that were filed there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from app.domain.enrolment import COUNTER_CHANNEL
from app.extensions import db
from app.store.business import about_person
from app.store.crypto import blind
from app.store.models import Declaration, Employer, User
from app.store.queries.frame import LIMIT
from app.store.units import VOID

# shorter than any identity number: then it is a name or a reference
_NUMBER_LENGTH = 15


@dataclass(frozen=True, slots=True)
class Unit:
    """An employer as the counter finds it."""

    id: int
    region: str
    employer_no: str
    credit_code: str
    name: str
    unit_type: str
    status: str


@dataclass(frozen=True, slots=True)
class CounterFilter:
    """What a list of the counter is asked for; `user_id` keeps it to the cases that one clerk has begun.

    `text` is a reference, the beginning of a person's name, a whole identity number or a unit number.
    """

    statuses: Collection[str]
    kind: str = ""
    text: str = ""
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class CounterRecord:
    """One case of the counter in a list."""

    id: int
    reference: str
    region: str
    kind: str
    status: str
    person_name: str
    id_masked: str
    updated_at_utc: datetime
    submitted_at_utc: datetime | None
    decided_at_utc: datetime | None
    opinion: str
    employer_no: str
    employer_name: str
    clerk: str


_UNIT = (
    Employer.id, Employer.region, Employer.employer_no, Employer.credit_code, Employer.name,
    Employer.unit_type, Employer.status,
)  # fmt: skip
_RECORD = (
    Declaration.id, Declaration.reference, Declaration.region, Declaration.kind, Declaration.status,
    Declaration.person_name, Declaration.id_masked, Declaration.updated_at_utc, Declaration.submitted_at_utc,
    Declaration.decided_at_utc, Declaration.opinion, Employer.employer_no, Employer.name, User.name,
)  # fmt: skip


def search_units(regions: Collection[str], text: str, after_no: str = "", limit: int = 20) -> list[Unit]:
    """A page of employers by unit number: those whose number or credit code begins with the text, or whose
    name holds it. Numbers that were given up are left out."""
    tests: list[ColumnElement[bool]] = [
        Employer.region.in_(sorted(regions)),
        Employer.employer_no > after_no,
        Employer.status != VOID,
    ]
    if text:
        tests.append(
            or_(
                Employer.employer_no.startswith(text, autoescape=True),
                Employer.credit_code.startswith(text.upper(), autoescape=True),
                Employer.name.contains(text, autoescape=True),
            )
        )
    rows = db.session.execute(select(*_UNIT).where(*tests).order_by(Employer.employer_no).limit(limit))
    return [Unit(*row) for row in rows]


def find_unit(
    regions: Collection[str], *, employer_no: str = "", employer_id: int | None = None
) -> Unit | None:
    """One employer of these regions, by number or by id."""
    which = Employer.employer_no == employer_no if employer_id is None else Employer.id == employer_id
    row = db.session.execute(select(*_UNIT).where(which, Employer.region.in_(sorted(regions)))).first()
    return None if row is None else Unit(*row)


def units_of(regions: Collection[str], employer_ids: Collection[int]) -> list[Unit]:
    """Employers of these regions by their ids, by unit number; one statement."""
    if not employer_ids:
        return []
    query = select(*_UNIT).where(Employer.id.in_(employer_ids), Employer.region.in_(sorted(regions)))
    return [Unit(*row) for row in db.session.execute(query.order_by(Employer.employer_no))]


def find_unit_of(regions: Collection[str], reference: str) -> Unit | None:
    """The employer of a case of these regions."""
    row = db.session.execute(
        select(*_UNIT)
        .join(Declaration.__table__, Declaration.employer_id == Employer.id)
        .where(Declaration.reference == reference, Declaration.region.in_(sorted(regions)))
    ).first()
    return None if row is None else Unit(*row)


def list_cases(
    regions: Collection[str],
    wanted: CounterFilter,
    *,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 20,
) -> list[CounterRecord]:
    """A page of the counter's cases, newest first; `before_id` and `after_id` are the neighbours' ends."""
    statement = (
        _filtered(select(*_RECORD), regions, wanted)
        .join(Employer, Employer.id == Declaration.employer_id)
        .join(User, User.id == Declaration.created_by_id)
        .limit(limit)
    )
    if after_id is not None:
        rows = db.session.execute(statement.where(Declaration.id > after_id).order_by(Declaration.id))
        return [CounterRecord(*row) for row in reversed(rows.all())]
    if before_id is not None:
        statement = statement.where(Declaration.id < before_id)
    return [CounterRecord(*row) for row in db.session.execute(statement.order_by(Declaration.id.desc()))]


def count_cases(regions: Collection[str], wanted: CounterFilter, *, exact: bool = False) -> int:
    """How many the same filters find; counting stops at `LIMIT` unless it must be exact."""
    ids = _filtered(select(Declaration.id), regions, wanted)
    if not exact:
        ids = ids.limit(LIMIT)
    return db.session.execute(select(func.count()).select_from(ids.subquery())).scalar_one()


def _filtered(statement: Any, regions: Collection[str], wanted: CounterFilter) -> Any:
    tests: list[ColumnElement[bool]] = [
        Declaration.channel == COUNTER_CHANNEL,
        Declaration.region.in_(sorted(regions)),
        Declaration.status.in_(sorted(wanted.statuses)),
    ]
    if wanted.kind:
        tests.append(Declaration.kind == wanted.kind)
    if wanted.user_id is not None:
        tests.append(Declaration.created_by_id == wanted.user_id)
    text = wanted.text
    if len(text) >= _NUMBER_LENGTH and text.isalnum():
        tests.append(about_person(blind(text.upper())))
    elif text:
        of_unit = select(Employer.id).where(Employer.employer_no == text)
        tests.append(
            or_(
                Declaration.reference == text.upper(),
                Declaration.person_name.startswith(text, autoescape=True),
                Declaration.employer_id.in_(of_unit),
            )
        )
    return statement.where(*tests)
