"""What a declaration is about, and the key that lets only one of them be open."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from app.clock import to_region
from app.domain.declaration import PERSON, kind_object

if TYPE_CHECKING:
    from app.services.cases import Case

NO_LIMIT, PER_KIND = "none", "kind"
HASH_BYTES = 24


def open_key(case: Case) -> str | None:
    """The key of the object while the case is open; None where the region sets no limit.

    Source: Nantong manual 3.1 (同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报).
    """
    row = case.declaration
    scope = case.parameters.text("open_declaration.scope", to_region(row.created_at_utc).date())
    if scope == NO_LIMIT:
        return None
    if kind_object(row.kind) == PERSON:
        if row.person_hash is None:
            return None
        about = "p" + urlsafe_b64encode(row.person_hash[:HASH_BYTES]).decode()
    else:
        about = f"e{row.employer_id}"
    return f"{row.region}:{row.kind}:{about}" if scope == PER_KIND else f"{row.region}:{about}"
