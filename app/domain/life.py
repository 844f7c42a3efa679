"""Living and dead: what may still be done about somebody who died."""

from __future__ import annotations

from datetime import date

from app.domain.parameters import ParameterSet
from app.domain.problem import Problem

LIVING, DEAD = "1", "2"
WITHDRAWAL, DEATH_UNDO = "withdrawal", "death_undo"
# What is left to do after a death: what the account receives later is paid out, or the death was a mistake.
AFTER_DEATH = frozenset({WITHDRAWAL, DEATH_UNDO, "person_merge", "identity_correction", "account_correction"})


def is_death(params: ParameterSet, reason: str, today: date) -> bool:
    """Return whether a reason of termination is the person's death."""
    return reason in params.listed("withdrawal.death_reasons", today)


def check_living(kind: str, life_status: str, died_on: date | None) -> Problem | None:
    """Refuse business about somebody who died; `died_on` is None where another region recorded it."""
    if life_status != DEAD or kind in AFTER_DEATH:
        return None
    if died_on is None:
        return Problem("person.dead_elsewhere", "id_number")
    return Problem("person.dead", "id_number", {"day": died_on.isoformat()})
