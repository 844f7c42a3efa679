"""An employer's own people: those who are insured there and go on, by name or number."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, select

from app.domain.enrolment import RETIREE_TYPES
from app.extensions import db
from app.store.crypto import blind, decrypt
from app.store.models import Enrolment, Person
from app.store.people import named_by

# shorter than any identity number: then it is a name
NUMBER_LENGTH = 15
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of the roster, by the fund that everybody has; `from_month` is `YYYY-MM`."""

    person_id: int
    name: str
    id_masked: str
    sex: str
    birth_date: date
    person_type: str
    from_month: str
    wage_fen: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """One person with the whole number, for forms and templates that name people by it."""

    person_id: int
    id_type: str
    id_number: str
    name: str
    wage_fen: int | None
    person_no: str = ""


def list_roster(
    employer_id: int,
    fund: str,
    *,
    retired: bool,
    text: str = "",
    after_id: int = 0,
    limit: int = 20,
) -> list[RosterRow]:
    """A page of people in the order of their records; `text` is a whole number or a part of a name."""
    statement = _members(
        employer_id, fund, retired, Person.id, Person.name, Person.id_masked, Person.sex, Person.birth_date,
        Enrolment.person_type, Enrolment.from_month, Enrolment.wage_fen,
    ).where(Person.id > after_id)  # fmt: skip
    return [RosterRow(*row) for row in db.session.execute(_said(statement, text).limit(limit))]


@dataclass(frozen=True, slots=True)
class Age:
    """What decides when somebody of the roster reaches the statutory age; `post_category` "" is not known."""

    person_id: int
    name: str
    id_masked: str
    sex: str
    birth_date: date
    post_category: str


def list_ages(employer_id: int, fund: str, *, text: str = "") -> list[Age]:
    """Everybody in service, in the order of the records; `text` is a whole number or a part of a name."""
    statement = _said(
        _members(
            employer_id, fund, False, Person.id, Person.name, Person.id_masked, Person.sex,
            Person.birth_date, Person.details,
        ),
        text,
    )  # fmt: skip
    return [
        Age(number, name, masked, sex, born, str(details.get("post_category") or ""))
        for number, name, masked, sex, born, details in db.session.execute(statement)
    ]


def find_member(employer_id: int, fund: str, person_id: int, *, retired: bool) -> Member | None:
    """One person of the roster; None for somebody who is not in it."""
    statement = _whole(employer_id, fund, retired).where(Person.id == person_id)
    row = db.session.execute(statement).first()
    return None if row is None else Member(row[0], row[1], decrypt(row[2]), row[3], row[4], row[5])


def numbers_of(employer_id: int, fund: str, person_ids: Collection[int], *, retired: bool) -> list[str]:
    """The whole numbers of people of the roster, in the order of their records; others are left out."""
    if not person_ids:
        return []
    statement = _whole(employer_id, fund, retired).where(Person.id.in_(person_ids))
    return [decrypt(row[2]) for row in db.session.execute(statement)]


def members(employer_id: int, fund: str, *, retired: bool) -> Iterator[Member]:
    """The whole roster, a thousand people at a time."""
    after_id = 0
    while True:
        statement = _whole(employer_id, fund, retired).where(Person.id > after_id).limit(_CHUNK)
        page = db.session.execute(statement).all()
        for row in page:
            yield Member(row[0], row[1], decrypt(row[2]), row[3], row[4], row[5])
        if len(page) < _CHUNK:
            return
        after_id = page[-1][0]


def _said(statement: Select[Any], text: str) -> Select[Any]:
    """Those whom a typed text means: a whole number, or a part of a name."""
    if len(text) >= NUMBER_LENGTH and text.isalnum():
        return statement.where(Person.id.in_(named_by(blind(text))))
    return statement.where(Person.name.contains(text, autoescape=True)) if text else statement


def _whole(employer_id: int, fund: str, retired: bool) -> Select[Any]:
    return _members(
        employer_id, fund, retired, Person.id, Person.id_type, Person.id_cipher, Person.name,
        Enrolment.wage_fen, Person.person_no,
    )  # fmt: skip


def _members(employer_id: int, fund: str, retired: bool, *columns: Any) -> Select[Any]:
    is_retired = Enrolment.person_type.startswith(RETIREE_TYPES)
    return (
        select(*columns)
        .select_from(Enrolment)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Enrolment.employer_id == employer_id,
            Enrolment.fund == fund,
            Enrolment.status == "active",
            Enrolment.to_month.is_(None),
            is_retired if retired else ~is_retired,
        )
        .order_by(Person.id)
    )
