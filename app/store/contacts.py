"""Contact and bank data of people and employers: what is nobody else's business is kept as ciphertext."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from app.errors import NotFound
from app.extensions import db
from app.store.crypto import decrypt, decrypt_json, encrypt, encrypt_json
from app.store.models import Employer, Person
from app.store.session import in_transaction, lock

# the part of somebody's details that only the keys open
SEALED = "sealed"
PHONE, BANK_ACCOUNT = "phone", "bank_account"
_PERSON_COLUMNS = ("person_no", "ethnicity", "birth_date", "sex")
_CORRECTED = ("name", "credit_code", "unit_type", "management_type")
_EMPLOYER_COLUMNS = (*_CORRECTED, "employer_no", "status")
# what of an employer's details is ciphertext
_EMPLOYER_SEALED = frozenset({"legal_id_number"})

_PERSON = (
    update(Person.__table__)
    .where(Person.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in ("phone_cipher", "phone_last4", "details")})
)
_EMPLOYER = (
    update(Employer.__table__)
    .where(Employer.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in (*_CORRECTED, "bank_cipher", "details")})
)


def person_data(person_id: int) -> dict[str, Any]:
    """Everything changeable that is kept of a person, with the number; inside a transaction it is locked.

    Raises: NotFound.
    """
    names = [*_PERSON_COLUMNS, "phone_cipher", "details"]
    query = select(*(Person.__table__.c[name] for name in names)).where(Person.id == person_id)
    row = db.session.execute(lock(query) if in_transaction() else query).mappings().first()
    if row is None:
        raise NotFound("there is no such person")
    found = _opened(row["details"])
    if row["phone_cipher"]:
        found[PHONE] = decrypt(row["phone_cipher"])
    return {**found, **{name: str(row[name]) for name in _PERSON_COLUMNS}}


def person_row(person_id: int, data: Mapping[str, Any], sensitive: Collection[str]) -> dict[str, Any]:
    """A row for `set_people`: all data of `person_data`, those of `sensitive` names as ciphertext."""
    kept = {name: value for name, value in data.items() if name not in (PHONE, *_PERSON_COLUMNS)}
    phone = str(data.get(PHONE) or "")
    return {
        "b_id": person_id,
        "b_phone_cipher": encrypt(phone) if phone else None,
        "b_phone_last4": phone[-4:] if phone else None,
        "b_details": _closed(kept, sensitive),
    }


def _opened(details: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(details)
    sealed = found.pop(SEALED, None)
    return {**found, **(decrypt_json(b64decode(sealed)) if sealed else {})}


def _closed(kept: Mapping[str, Any], sensitive: Collection[str]) -> dict[str, Any]:
    details = {name: value for name, value in kept.items() if name not in sensitive}
    sealed = {name: value for name, value in kept.items() if name in sensitive}
    if sealed:
        details[SEALED] = b64encode(encrypt_json(sealed)).decode()
    return details


def set_people(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of `person_row`, in one statement."""
    if rows:
        db.session.connection().execute(_PERSON, list(rows))


def employer_data(employer_id: int) -> dict[str, Any]:
    """Everything changeable that is kept of an employer, with its name; inside a transaction it is locked.

    Raises: NotFound.
    """
    names = [*_EMPLOYER_COLUMNS, "bank_cipher", "details"]
    query = select(*(Employer.__table__.c[name] for name in names)).where(Employer.id == employer_id)
    row = db.session.execute(lock(query) if in_transaction() else query).mappings().first()
    if row is None:
        raise NotFound("there is no such employer")
    found = _opened(row["details"])
    if row["bank_cipher"]:
        found[BANK_ACCOUNT] = decrypt(row["bank_cipher"])
    return {**found, **{_key(name): str(row[name]) for name in _EMPLOYER_COLUMNS}}


def _key(column: str) -> str:
    """The name of an employer's column in a form."""
    return column if column.startswith("employer_") else f"employer_{column}"


def employer_row(employer_id: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """A row for `set_employers`: all data of `employer_data`, account and documents as ciphertext."""
    apart = (BANK_ACCOUNT, *(_key(name) for name in _EMPLOYER_COLUMNS))
    account = str(data.get(BANK_ACCOUNT) or "")
    return {
        "b_id": employer_id,
        "b_bank_cipher": encrypt(account) if account else None,
        "b_details": _closed(
            {name: value for name, value in data.items() if name not in apart}, _EMPLOYER_SEALED
        ),
        **{f"b_{name}": str(data[_key(name)]) for name in _CORRECTED},
    }


def set_employers(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of `employer_row`, in one statement."""
    if rows:
        db.session.connection().execute(_EMPLOYER, list(rows))
