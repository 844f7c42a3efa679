"""What a declaration is about, and the key that lets only one of them be open."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime
from typing import TYPE_CHECKING

from app.clock import to_region
from app.domain.declaration import KINDS, PERSON, kind_object, open_group
from app.domain.parameters import ParameterSet

if TYPE_CHECKING:
    from app.services.cases import Case

NO_LIMIT, PER_KIND = "none", "kind"
# a form that an employer may have several of under way
SEVERAL = "x-several"
HASH_BYTES = 24


def open_key(case: Case) -> str | None:
    """The key of the object while the case is open; None where the region sets no limit.

    Source: Nantong manual 3.1 (同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报).
    """
    row, made = case.declaration, to_region(case.declaration.created_at_utc)
    if case.bundle.form(row.kind).schema.get(SEVERAL):
        return None
    if not _about_person(case):
        return _key(case.parameters, row.kind, f"e{row.employer_id}", made)
    if row.person_hash is None:
        return None
    return person_key(case.parameters, row.kind, row.person_hash, made)


def _about_person(case: Case) -> bool:
    """Whether the case is about a person: by its kind, else by whether the form asks for one."""
    kind = case.declaration.kind
    return kind_object(kind) == PERSON if kind in KINDS else "id_number" in case.bundle.form(kind).by_name


def person_key(parameters: ParameterSet, kind: str, person_hash: bytes, made: datetime) -> str | None:
    """The key of a person, by the blind index of the number."""
    return _key(parameters, kind, "p" + urlsafe_b64encode(person_hash[:HASH_BYTES]).decode(), made)


def _key(parameters: ParameterSet, kind: str, about: str, made: datetime) -> str | None:
    scope = parameters.text("open_declaration.scope", made.date())
    if scope == NO_LIMIT:
        return None
    region = parameters.region
    return f"{region}:{open_group(kind)}:{about}" if scope == PER_KIND else f"{region}:{about}"
