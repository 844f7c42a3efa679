"""What the registry knows about people and employers, read for many declarations at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.store.models import Employer, EmployerFund, Enrolment, Person


@dataclass(slots=True)
class EmployerRecord:
    """An employer with the months of its funds: fund -> [(first, last or None)]."""

    id: int
    region: str
    employer_no: str
    name: str
    status: str
    funds: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)

    def funds_in(self, month: str) -> set[str]:
        """The funds that the employer takes part in, in a month."""
        return {
            fund
            for fund, spans in self.funds.items()
            if any(first <= month and (last is None or month <= last) for first, last in spans)
        }


@dataclass(frozen=True, slots=True)
class StretchRecord:
    """One enrolment row of a person, wherever it is."""

    region: str
    category: str
    fund: str
    person_type: str
    from_month: str
    to_month: str | None
    status: str
    employer_no: str
    id: int
    employer_id: int | None
    reason: str | None
    ended_by_declaration_id: int | None
    wage_fen: int | None
    base_fen: int | None


@dataclass(slots=True)
class PersonRecord:
    """One record of a person in one region, with its enrolments."""

    id: int
    region: str
    id_hash: bytes
    id_type: str
    name: str
    sex: str
    birth_date: date
    life_status: str = "1"
    died_on: date | None = None
    stretches: list[StretchRecord] = field(default_factory=list)


_AT = aliased(Employer.__table__)
_ASKED = aliased(Person.__table__)
_EMPLOYERS = (
    select(
        Employer.id, Employer.region, Employer.employer_no, Employer.name, Employer.status,
        EmployerFund.fund, EmployerFund.from_month, EmployerFund.to_month,
    )
    .outerjoin(EmployerFund.__table__, EmployerFund.employer_id == Employer.id)
    .where(Employer.id.in_(bindparam("ids", expanding=True)))
    .order_by(Employer.id, EmployerFund.fund, EmployerFund.from_month)
)  # fmt: skip
_PEOPLE = (
    select(
        Person.id, Person.region, Person.id_hash, Person.id_type, Person.name, Person.sex,
        Person.birth_date, Person.life_status, Person.died_on,
        Enrolment.region, Enrolment.category, Enrolment.fund, Enrolment.person_type, Enrolment.from_month,
        Enrolment.to_month, Enrolment.status, func.coalesce(_AT.c.employer_no, ""),
        Enrolment.id.label("enrolment_id"), Enrolment.employer_id, Enrolment.reason,
        Enrolment.ended_by_declaration_id,
        Enrolment.wage_fen, Enrolment.base_fen,
        _ASKED.c.id_hash.label("asked_hash"),
    )
    .join(_ASKED, Person.id == func.coalesce(_ASKED.c.merged_into_id, _ASKED.c.id))
    .outerjoin(Enrolment.__table__, Enrolment.person_id == Person.id)
    .outerjoin(_AT, _AT.c.id == Enrolment.employer_id)
    .where(
        _ASKED.c.id_hash.in_(bindparam("hashes", expanding=True)),
        # an alias with the same number names nothing new
        or_(_ASKED.c.merged_into_id.is_(None), _ASKED.c.id_hash != Person.id_hash),
    )
    .order_by(_ASKED.c.id_hash, Person.id, _ASKED.c.id, Enrolment.id)
)  # fmt: skip


def employer_records(employer_ids: Collection[int]) -> dict[int, EmployerRecord]:
    """Employers with their funds, in one statement."""
    found: dict[int, EmployerRecord] = {}
    if not employer_ids:
        return found
    for row in db.session.execute(_EMPLOYERS, {"ids": list(employer_ids)}):
        employer = found.get(row[0])
        if employer is None:
            employer = found[row[0]] = EmployerRecord(*row[:5])
        if row[5] is not None:
            employer.funds.setdefault(row[5], []).append((row[6], row[7]))
    return found


def person_records(id_hashes: Collection[bytes]) -> dict[bytes, list[PersonRecord]]:
    """The records of identifiers in all regions with their enrolments, oldest first, in one statement.

    A number of a record that was merged into another one finds that one, which has its rows now: its
    `id_hash` is then another one than asked.
    """
    found: dict[bytes, list[PersonRecord]] = {}
    if not id_hashes:
        return found
    last: PersonRecord | None = None
    asked, seen = b"", set[int]()
    for row in db.session.execute(_PEOPLE, {"hashes": list(id_hashes)}):
        if last is None or last.id != row[0] or asked != row.asked_hash:
            last, asked, seen = PersonRecord(*row[:9]), row.asked_hash, set[int]()
            found.setdefault(asked, []).append(last)
        # two aliases with one number name the same rows
        if row[9] is not None and row.enrolment_id not in seen:
            seen.add(row.enrolment_id)
            last.stretches.append(StretchRecord(*tuple(row)[9:-1]))
    return found


_STRETCHES = (
    select(
        Enrolment.person_id, Enrolment.region, Enrolment.category, Enrolment.fund, Enrolment.person_type,
        Enrolment.from_month, Enrolment.to_month, Enrolment.status, func.coalesce(_AT.c.employer_no, ""),
        Enrolment.id, Enrolment.employer_id, Enrolment.reason, Enrolment.ended_by_declaration_id,
        Enrolment.wage_fen, Enrolment.base_fen,
    )
    .outerjoin(_AT, _AT.c.id == Enrolment.employer_id)
    .where(Enrolment.person_id.in_(bindparam("people", expanding=True)))
    .order_by(Enrolment.id)
)  # fmt: skip


def stretches_of(person_ids: Collection[int]) -> dict[int, list[StretchRecord]]:
    """The enrolments of records, oldest first, in one statement."""
    found: dict[int, list[StretchRecord]] = {}
    if person_ids:
        for row in db.session.execute(_STRETCHES, {"people": list(person_ids)}):
            found.setdefault(row[0], []).append(StretchRecord(*tuple(row)[1:]))
    return found
