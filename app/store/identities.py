"""Corrected identities: the record changes, what it was stays on record as ciphertext."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from app.domain.identity import mask
from app.errors import NotFound
from app.extensions import db
from app.store.constraints import Duplicate
from app.store.crypto import blind, decrypt, decrypt_json, encrypt, encrypt_json
from app.store.ids import new_id
from app.store.models import Declaration, DeclarationObject, IdentityChange, Person
from app.store.session import insert_rows

_TABLE = Person.__table__
_SET = ("id_type", "id_cipher", "id_hash", "id_last4", "id_masked", "name", "sex", "birth_date")
_CORRECT = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("b_id"), _TABLE.c.id_hash == bindparam("b_old_hash"))
    .values({name: bindparam(f"b_{name}") for name in _SET})
)


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """A correction to write: identities before and after (id_type, id_number, name, sex, birth_date)."""

    person_id: int
    region: str
    declaration_id: int
    at_utc: datetime
    changed: Sequence[str]
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormerIdentity:
    """What a person was before a correction, opened."""

    declaration_id: int
    at_utc: datetime
    changed: list[str]
    before: dict[str, str]
    after: dict[str, str]


def identity_of(person_id: int) -> dict[str, str]:
    """Who a person is on record, the number opened. Raises: NotFound."""
    columns = (_TABLE.c.id_type, _TABLE.c.id_cipher, _TABLE.c.name, _TABLE.c.sex, _TABLE.c.birth_date)
    row = db.session.execute(select(*columns).where(_TABLE.c.id == person_id)).first()
    if row is None:
        raise NotFound("there is no such person")
    return {
        "id_type": row.id_type,
        "id_number": decrypt(row.id_cipher),
        "name": row.name,
        "sex": row.sex,
        "birth_date": row.birth_date.isoformat(),
    }


def holders_of(region: str, id_number: str, but_not: int) -> list[str]:
    """The person numbers of a region's other records with this number, oldest first."""
    query = select(Person.person_no).where(
        Person.id_hash == blind(id_number),
        Person.region == region,
        Person.merged_into_id.is_(None),
        Person.id != but_not,
    )
    return list(db.session.scalars(query.order_by(Person.id)))


def former_identities(person_id: int) -> list[FormerIdentity]:
    """What a person was before each correction, newest first."""
    query = select(IdentityChange).where(IdentityChange.person_id == person_id)
    return [
        FormerIdentity(
            row.declaration_id, row.at_utc, row.changed,
            decrypt_json(row.before_cipher), decrypt_json(row.after_cipher),
        )
        for row in db.session.scalars(query.order_by(IdentityChange.id.desc()))
    ]  # fmt: skip


def correct_people(rows: Sequence[IdentityRow]) -> None:
    """Write corrected identities and keep the former ones; the person's declarations follow the number.

    Raises: Duplicate (`person`) where the record is no longer what was judged.
    """
    if not rows:
        return
    done: Any = db.session.connection().execute(_CORRECT, [_values(row) for row in rows])
    if done.rowcount != len(rows):
        raise Duplicate("person")
    insert_rows(
        IdentityChange,
        [
            {
                "id": new_id(),
                "person_id": row.person_id,
                "declaration_id": row.declaration_id,
                "at_utc": row.at_utc,
                "changed": list(row.changed),
                "before_cipher": encrypt_json(dict(row.before)),
                "after_cipher": encrypt_json(dict(row.after)),
                "old_hash": blind(row.before["id_number"]),
            }
            for row in rows
        ],
    )
    for row in rows:
        if row.before["id_number"] != row.after["id_number"]:
            _follow(row)


def _values(row: IdentityRow) -> dict[str, Any]:
    number = row.after["id_number"]
    return {
        "b_id": row.person_id,
        "b_old_hash": blind(row.before["id_number"]),
        "b_id_type": row.after["id_type"],
        "b_id_cipher": encrypt(number),
        "b_id_hash": blind(number),
        "b_id_last4": number[-4:],
        "b_id_masked": mask(number),
        "b_name": row.after["name"],
        "b_sex": row.after["sex"],
        "b_birth_date": date.fromisoformat(row.after["birth_date"]),
    }


def _follow(row: IdentityRow) -> None:
    """Declarations are found by the number's index: those of this person are found by the new one now."""
    old, new = blind(row.before["id_number"]), blind(row.after["id_number"])
    own = select(Declaration.id).where(Declaration.person_hash == old, Declaration.region == row.region)
    db.session.execute(
        update(DeclarationObject)
        .where(DeclarationObject.person_hash == old, DeclarationObject.declaration_id.in_(own))
        .values(person_hash=new)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Declaration)
        .where(Declaration.person_hash == old, Declaration.region == row.region)
        .values(person_hash=new)
        .execution_options(synchronize_session=False)
    )
