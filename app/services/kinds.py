"""Which module treats which kind of declaration: a literal map, and the general way for all others.

A kind made of files alone needs no entry. A kind with rules in Python adds its module and one line here.
"""

from __future__ import annotations

from app.services import (
    base_carrying,
    base_effects,
    changing_funds,
    collecting,
    collection_cancelling,
    correcting_account,
    correcting_employer,
    correcting_identity,
    death_undoing,
    effects,
    employer_status,
    merging,
    plain_forms,
    registering,
    retiring,
    reverting,
    stop_effects,
    transferring,
    type_changing,
    unit_accounts,
    unit_links,
    unit_opening,
    updating,
    withdrawing,
)
from app.services.handling import Handling, Handlings, Subjects

__all__ = ["HANDLINGS", "Handling", "Subjects", "handling"]

HANDLINGS: Handlings = {
    "enrol": effects.HANDLING,
    "stop": stop_effects.HANDLING,
    "stop_retiree": stop_effects.HANDLING,
    "base": base_effects.HANDLING,
    "base_annual": base_effects.ANNUAL,
    "base_carry": base_carrying.HANDLING,
    "collection": collecting.HANDLING,
    "collection_cancel": collection_cancelling.HANDLING,
    "person_record": registering.HANDLING,
    "person_update": updating.PERSON_HANDLING,
    "employer_update": updating.EMPLOYER_HANDLING,
    "revert": reverting.HANDLING,
    "retirement": retiring.HANDLING,
    "withdrawal": withdrawing.HANDLING,
    "death_undo": death_undoing.HANDLING,
    "employer_registration": unit_accounts.HANDLING,
    "employer_link": unit_links.HANDLING,
    "employer_opening": unit_opening.HANDLING,
    "identity_correction": correcting_identity.HANDLING,
    "employer_correction": correcting_employer.HANDLING,
    "employer_funds": changing_funds.HANDLING,
    "account_correction": correcting_account.HANDLING,
    "person_merge": merging.HANDLING,
    "employer_transfer": transferring.HANDLING,
    "person_type_change": type_changing.HANDLING,
    "employer_closing": employer_status.CLOSING,
    "employer_pausing": employer_status.PAUSING,
}


def handling(kind: str) -> Handling:
    """How a kind is treated; one without rules in Python as the kinds made of files alone."""
    return HANDLINGS.get(kind, plain_forms.HANDLING)
