"""Person records: found by the blind index of their identifier, added in bulk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update

from app.domain.identity import mask
from app.domain.life import DEAD
from app.errors import NotFound
from app.extensions import db
from app.store.constraints import Duplicate
from app.store.crypto import blind, decrypt, encrypt
from app.store.ids import new_id
from app.store.models import Person
from app.store.session import insert_rows, is_postgresql

_COLUMNS: tuple[Any, ...] = (
    Person.id,
    Person.region,
    Person.person_no,
    Person.id_type,
    Person.id_hash,
    Person.id_masked,
    Person.name,
    Person.sex,
    Person.birth_date,
    Person.life_status,
)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person record as lists and checks need it: nothing in it has to be decrypted."""

    id: int
    region: str
    person_no: str
    id_type: str
    id_hash: bytes
    id_masked: str
    name: str
    sex: str
    birth_date: date
    life_status: str


def find_people(region: str | None, id_hashes: Collection[bytes]) -> dict[bytes, list[PersonRow]]:
    """The unmerged records of each identifier, oldest first, in one statement; all regions with None.

    Shape: an identifier without a record is not a key.
    """
    found: dict[bytes, list[PersonRow]] = {}
    if not id_hashes:
        return found
    query = select(*_COLUMNS).where(Person.id_hash.in_(id_hashes), Person.merged_into_id.is_(None))
    if region is not None:
        query = query.where(Person.region == region)
    for row in db.session.execute(query.order_by(Person.id)):
        found.setdefault(row.id_hash, []).append(PersonRow(*row))
    return found


@dataclass(frozen=True, slots=True)
class LifeRow:
    """A change between living (1) and dead (2), old and new; `died_on` is None for the living."""

    person_id: int
    before: str
    after: str
    died_on: date | None


_LIFE = (
    update(Person.__table__)
    .where(Person.id == bindparam("b_id"), Person.life_status == bindparam("b_before"))
    .values(life_status=bindparam("b_after"), died_on=bindparam("b_died_on"))
)


def set_life_statuses(rows: Sequence[LifeRow]) -> None:
    """Record deaths, or that there was none, in one statement.

    Raises: Duplicate (`person`) where somebody else was first.
    """
    if not rows:
        return
    values = [
        {"b_id": row.person_id, "b_before": row.before, "b_after": row.after, "b_died_on": row.died_on}
        for row in rows
    ]
    done: Any = db.session.connection().execute(_LIFE, values)
    if done.rowcount != len(rows):
        raise Duplicate("person")


def refuse_dead(person_ids: Collection[int]) -> None:
    """Refuse a transaction that enrols somebody whose death was recorded meanwhile.

    To be asked after the enrolments were added: adding them waits for whoever holds the person's record.
    On SQLite nobody else writes meanwhile. Raises: Duplicate (`person`).
    """
    if not person_ids or not is_postgresql():
        return
    query = select(Person.id).where(Person.id.in_(person_ids), Person.life_status == DEAD).limit(1)
    if db.session.scalar(query) is not None:
        raise Duplicate("person")


def named_by(id_hash: bytes) -> Select[int]:
    """The ids of the records that a number names: its own, and those that its merged ones went to."""
    return select(func.coalesce(Person.merged_into_id, Person.id)).where(Person.id_hash == id_hash)


def get_person(person_id: int) -> Person:
    """One record. Raises: NotFound."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound("there is no such person")
    return person


def id_number(person: Person) -> str:
    """The whole identifier, decrypted: only for what a person may see unmasked, and with a reason logged."""
    return decrypt(person.id_cipher)


def person_values(
    *,
    region: str,
    id_type: str,
    id_number: str,
    name: str,
    sex: str,
    birth_date: date,
    ethnicity: str = "01",
    nationality: str = "CHN",
    phone: str = "",
    details: Mapping[str, Any] | None = None,
    person_id: int | None = None,
    person_no: str = "",
) -> dict[str, Any]:
    """A row for `add_people`, encrypted and indexed; without a person number it is made from the id."""
    row_id = new_id() if person_id is None else person_id
    return {
        "id": row_id,
        "region": region,
        "person_no": person_no or person_number(region, row_id),
        "id_type": id_type,
        "id_cipher": encrypt(id_number),
        "id_hash": blind(id_number),
        "id_last4": id_number[-4:],
        "id_masked": mask(id_number),
        "name": name,
        "sex": sex,
        "birth_date": birth_date,
        "ethnicity": ethnicity,
        "nationality": nationality,
        "phone_cipher": encrypt(phone) if phone else None,
        "phone_last4": phone[-4:] if phone else None,
        "details": dict(details or {}),
    }


def person_number(region: str, row_id: int) -> str:
    """The number by which the agency names a person: region and row id."""
    return f"{region}{row_id:019d}"


def add_people(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add person records made by `person_values`, in one statement."""
    insert_rows(Person, rows)
