"""What a declaration is about, and the keys that let only one of them be open for each."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from app.clock import to_region
from app.domain.declaration import (
    EMPLOYER,
    FINAL,
    KINDS,
    PEOPLE,
    PERSON,
    kind_object,
    open_group,
    shares_objects,
)
from app.domain.identity import normalise
from app.domain.parameters import ParameterSet
from app.store.crypto import blind
from app.store.objects import ObjectRow

if TYPE_CHECKING:
    from app.services.cases import Case

NO_LIMIT, PER_KIND = "none", "kind"
# a form that an employer may have several of under way
SEVERAL = "x-several"
HASH_BYTES = 24
# the field of a form that names many people, one number after the other
MANY = "people"
_BETWEEN = re.compile(r"[\s,，、;；]+")


def open_key(case: Case) -> str | None:
    """The key of the object while the case is open; None where the region sets no limit.

    A case about many people has one key for each of them (`turnover` claims those), and this one, which
    stands for all of them together.
    Source: Nantong manual 3.1 (同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报).
    """
    row, made = case.declaration, _made(case)
    if case.bundle.form(row.kind).schema.get(SEVERAL):
        return None
    about = _about(case)
    if about == PEOPLE:
        keys = sorted(row.open_key for row in _many(case))
        if not keys:
            return None
        together = urlsafe_b64encode(sha256("".join(keys).encode()).digest()[:HASH_BYTES]).decode()
        return f"{case.parameters.region}:{open_group(row.kind)}:m{together}"
    if about != PERSON:
        return _key(case.parameters, row.kind, f"e{row.employer_id}", made)
    if row.person_hash is None:
        return None
    return person_key(case.parameters, row.kind, row.person_hash, made)


def _about(case: Case) -> str:
    """What the case is about: by its kind, else by whether its form asks for a person."""
    kind = case.declaration.kind
    if kind in KINDS:
        return kind_object(kind)
    return PERSON if "id_number" in case.bundle.form(kind).by_name else EMPLOYER


def person_key(parameters: ParameterSet, kind: str, person_hash: bytes, made: datetime) -> str | None:
    """The key of a person, by the blind index of the number."""
    return _key(parameters, kind, "p" + urlsafe_b64encode(person_hash[:HASH_BYTES]).decode(), made)


def numbers_of(data: Mapping[str, Any]) -> list[str]:
    """The identity numbers of a form about many people, each once, in the order they were given."""
    parts = (normalise(part) for part in _BETWEEN.split(str(data.get(MANY) or "")))
    return list(dict.fromkeys(part for part in parts if part))


def many_keys(case: Case) -> dict[str, str]:
    """The key of each number in a form about many people: {key: number}."""
    found = {}
    for number in numbers_of(case.data):
        key = person_key(case.parameters, case.declaration.kind, blind(number), _made(case))
        if key is not None:
            found[key] = number
    return found


@dataclass(slots=True)
class Turnover:
    """What happens to the objects of the cases of one transaction: by declaration, and newly claimed."""

    dropped: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    claimed: list[ObjectRow] = field(default_factory=list)


def turnover(cases: Iterable[Case]) -> Turnover:
    """Say which objects the cases claim and let go of.

    Only kinds that can meet one about many people claim rows of their own; for the others the key of the
    declaration is enough.
    """
    found = Turnover()
    for case in cases:
        row = case.declaration
        if case.held == row.open_key or not _shares(case):
            continue
        many = _about(case) == PEOPLE
        if case.held is not None:
            (found.released if many and row.status in FINAL else found.dropped).append(row.id)
        if row.open_key is not None:
            found.claimed += _many(case) if many else [ObjectRow(row.id, row.open_key)]
    return found


def _many(case: Case) -> Sequence[ObjectRow]:
    return [ObjectRow(case.declaration.id, key, blind(number)) for key, number in many_keys(case).items()]


def _shares(case: Case) -> bool:
    scope = case.parameters.text("open_declaration.scope", _made(case).date())
    return shares_objects(case.declaration.kind) if scope == PER_KIND else scope != NO_LIMIT


def _made(case: Case) -> datetime:
    return to_region(case.declaration.created_at_utc)


def _key(parameters: ParameterSet, kind: str, about: str, made: datetime) -> str | None:
    scope = parameters.text("open_declaration.scope", made.date())
    if scope == NO_LIMIT:
        return None
    region = parameters.region
    return f"{region}:{open_group(kind)}:{about}" if scope == PER_KIND else f"{region}:{about}"
