"""May a recorded death be taken back as reported by mistake, before money was paid because of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict


@dataclass(frozen=True, slots=True)
class DeathFacts:
    """What is known of a recorded death: who filed it, and what has been paid because of it.

    Shape: `died_on` is None for the living; `employer_no` is the unit whose payout recorded the death, ''
    where no declaration did; `ordered` are the states of its payment orders; `refunded` tells that charges
    of later months were given back already; `open_kinds` are the person's other open declarations.
    """

    matches: int
    died_on: date | None = None
    employer_no: str = ""
    ordered: Collection[str] = ()
    refunded: bool = False
    open_kinds: Collection[str] = ()


def check_death_undo(
    params: ParameterSet, facts: DeathFacts, employer_no: str, paid_states: Collection[str]
) -> Verdict:
    """Judge the undoing of a death, filed for a unit; an order in one of `paid_states` keeps it out."""
    if facts.matches > 1:
        return _refused("person.duplicate")
    if facts.matches == 0:
        return _refused("stop.unknown")
    if facts.died_on is None:
        return _refused("death_undo.living")
    if not facts.employer_no:
        return _refused("death_undo.not_by_payout")
    if facts.employer_no != employer_no:
        return _refused("death_undo.other_employer", employer=facts.employer_no)
    if any(each in paid_states for each in facts.ordered):
        return _refused("death_undo.paid")
    if facts.refunded:
        return _refused("death_undo.refunded")
    if facts.open_kinds:
        kinds = "、".join(params.kind_label(each) for each in facts.open_kinds)
        return _refused("death_undo.open_case", kinds=kinds)
    return Verdict()


def _refused(code: str, **params: str) -> Verdict:
    return Verdict((Problem(code, "id_number", params),))
