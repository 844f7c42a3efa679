"""Reading back what the demonstration put there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, text

from app.extensions import db
from app.store.crypto import decrypt
from app.store.models import ContributionLine, Employer, Enrolment, Person, User

CASE_KEY = "demo_case"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A person of a demonstration case, decrypted: the people are made up."""

    case: str
    id_type: str
    id_number: str
    name: str
    sex: str
    birth_date: date
    phone: str


def list_cases(region: str, case: str | None, count: int) -> list[CaseRow]:
    """The people of each case of a region in the order of their numbers, at most `count` of a case."""
    mark = Person.details[CASE_KEY].as_string()
    query = select(Person, mark).where(Person.region == region, mark.is_not(None))
    if case is not None:
        query = query.where(mark == case)
    seen: dict[str, set[str]] = {}
    found = []
    for person, name in db.session.execute(query.order_by(Person.person_no)):
        number = decrypt(person.id_cipher)
        numbers = seen.setdefault(name, set())
        if number in numbers or len(numbers) >= count:
            continue
        numbers.add(number)
        phone = decrypt(person.phone_cipher) if person.phone_cipher else ""
        found.append(CaseRow(name, person.id_type, number, person.name, person.sex, person.birth_date, phone))
    return found


def existing_employers(numbers: Collection[str]) -> dict[str, int]:
    """Which of these employer numbers exist, with their ids."""
    query = select(Employer.employer_no, Employer.id).where(Employer.employer_no.in_(numbers))
    return {number: employer_id for number, employer_id in db.session.execute(query)}  # noqa: C416


def existing_people(numbers: Collection[str]) -> dict[str, int]:
    """Which of these person numbers exist, with their ids."""
    query = select(Person.person_no, Person.id).where(Person.person_no.in_(numbers))
    return {number: person_id for number, person_id in db.session.execute(query)}  # noqa: C416


def existing_users(usernames: Collection[str]) -> set[str]:
    """Which of these sign-in names exist."""
    return set(db.session.scalars(select(User.username).where(User.username.in_(usernames))))


def counts() -> dict[str, int]:
    """How many rows the registry holds, exactly."""
    tables = {"employers": Employer, "people": Person, "enrolments": Enrolment, "lines": ContributionLine,
              "accounts": User}  # fmt: skip
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in tables.items()
    }


def refresh_statistics() -> None:
    """Let the database look at what was just loaded: without it the first queries are planned blindly."""
    db.session.execute(text("ANALYZE"))
