"""What a declaration is about, and the key that lets only one of them be open."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime
from typing import TYPE_CHECKING

from app.clock import to_region
from app.domain.declaration import PERSON, kind_object, open_group
from app.domain.parameters import ParameterSet

if TYPE_CHECKING:
    from app.services.cases import Case

NO_LIMIT, PER_KIND = "none", "kind"
HASH_BYTES = 24


def open_key(case: Case) -> str | None:
    """The key of the object while the case is open; None where the region sets no limit.

    Source: Nantong manual 3.1 (同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报).
    """
    row, made = case.declaration, to_region(case.declaration.created_at_utc)
    if kind_object(row.kind) != PERSON:
        return _key(case.parameters, row.kind, f"e{row.employer_id}", made)
    if row.person_hash is None:
        return None
    return person_key(case.parameters, row.kind, row.person_hash, made)


def person_key(parameters: ParameterSet, kind: str, person_hash: bytes, made: datetime) -> str | None:
    """The key of a person, by the blind index of the number."""
    return _key(parameters, kind, "p" + urlsafe_b64encode(person_hash[:HASH_BYTES]).decode(), made)


def _key(parameters: ParameterSet, kind: str, about: str, made: datetime) -> str | None:
    scope = parameters.text("open_declaration.scope", made.date())
    if scope == NO_LIMIT:
        return None
    region = parameters.region
    return f"{region}:{open_group(kind)}:{about}" if scope == PER_KIND else f"{region}:{about}"
