"""What the counter sees of a unit beside its cases: its funds with their months, and what it was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.definitions.current import current_bundle, parameters
from app.domain.identity import mask
from app.formspec.form import Field
from app.services import correcting_employer
from app.services.actors import Actor, require, require_region
from app.services.correcting_employer import Correction
from app.store.employers import fund_spans, get_employer


@dataclass(frozen=True, slots=True)
class Former:
    """One corrected field: its title, and old and new value in words."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """Funds as (name, first month, last month or None); corrections newest first, with their fields."""

    funds: Sequence[tuple[str, str, str | None]]
    corrections: Sequence[tuple[Correction, Sequence[Former]]]


def record_of(actor: Actor, employer_id: int) -> UnitRecord:
    """What is on record of a unit of the actor's regions. Raises: Forbidden, NotFound."""
    require(actor, "counter.file")
    region = get_employer(employer_id).region
    require_region(actor, region)
    names = {fund.code: fund.name for fund in parameters(region).funds}
    form = current_bundle(correcting_employer.KIND, region, at_counter=True).form(correcting_employer.KIND)
    return UnitRecord(
        [
            (names.get(fund, fund), first, last)
            for fund, spans in fund_spans(employer_id).items()
            for first, last in spans
        ],
        [
            (
                each,
                [
                    _former(field, each.changed[field.name])
                    for field in form.fields
                    if field.name in each.changed
                ],
            )
            for each in correcting_employer.corrections_of(employer_id)
        ],
    )


def _former(field: Field, pair: tuple[str, str]) -> Former:
    before, after = (_words(field, value) for value in pair)
    return Former(field.title, before, after)


def _words(field: Field, value: str) -> str:
    return mask(value) if field.sensitive and value else field.label_of(value)
