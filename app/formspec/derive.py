"""What an identity card number says about its holder, carried into the other fields of a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.domain.identity import CITIZEN_CARD, RESIDENCE_PERMIT, Identity, check_document

if TYPE_CHECKING:
    from app.formspec.form import Form

_PERMIT_NATIONALITY = {"81": "HKG", "82": "MAC", "83": "TWN"}


NUMBER, TYPE = "id_number", "id_type"


def document_type(data: Mapping[str, Any], number: str = NUMBER) -> str:
    """Return the document type of a row; a form that does not ask for it means the identity card.

    `number` is the number's field: `new_id_number` goes with `new_id_type`, or with `id_type` where that
    is empty.
    """
    own = number.removesuffix(NUMBER) + TYPE if number.endswith(NUMBER) else TYPE
    return str(data.get(own) or data.get(TYPE) or CITIZEN_CARD)


def derived_facts(id_type: str, number: str) -> dict[str, str]:
    """Return birth_date, sex and nationality as a valid identity card number states them, else nothing.

    Source: GB 11643-1999; the manuals leave these fields empty for identity cards (SZ-1.1, JS-3.6).
    """
    if id_type not in (CITIZEN_CARD, RESIDENCE_PERMIT):
        return {}
    return facts_of(check_document(id_type, number))


def facts_of(identity: Identity) -> dict[str, str]:
    """Return the facts of an already judged number."""
    if not identity.valid or identity.birth_date is None or identity.sex is None:
        return {}
    return {
        "birth_date": identity.birth_date.isoformat(),
        "sex": identity.sex,
        "nationality": _PERMIT_NATIONALITY.get(identity.number[:2], "CHN"),
    }


def fill_derived(form: Form, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with what follows from the identity card number filled in where it is empty."""
    for entry in form.deriving:
        number = data.get(entry.name)
        if not isinstance(number, str):
            continue
        facts = derived_facts(document_type(data, entry.name), number)
        for target, fact in entry.derive.items():
            if fact in facts and not data.get(target):
                data[target] = facts[fact]
    return data
