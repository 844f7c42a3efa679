"""May a personal account be corrected by an amount."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.domain.money import format_yuan, from_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict

INCREASE, DECREASE = "increase", "decrease"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of a person's account: the balance in fen, and the person's other open kinds.

    Shape: `matches` counts the records of the number; `of_employer` says whether the person is or was
    insured at the employer that files.
    """

    matches: int
    balance_fen: int = 0
    of_employer: bool = True
    open_kinds: Collection[str] = ()


def signed_fen(direction: str, amount_fen: int) -> int:
    """Return what a correction books, in fen: positive where the account grows."""
    return -amount_fen if direction == DECREASE else amount_fen


def check_account_correction(params: ParameterSet, amount_fen: int, facts: AccountFacts) -> Verdict:
    """Judge a correction of `amount_fen` (signed).

    It never makes a balance negative; one that was negative may be mended in parts, which is told.
    """
    if facts.matches > 1:
        return _refused("person.duplicate")
    if facts.matches == 0:
        return _refused("stop.unknown")
    if not facts.of_employer:
        return _refused("account_correction.not_of_employer")
    if facts.open_kinds:
        kinds = "、".join(params.kind_label(each) for each in facts.open_kinds)
        return _refused("account_correction.open_case", kinds=kinds)
    after = facts.balance_fen + amount_fen
    figures = {"before": format_yuan(from_fen(facts.balance_fen)), "after": format_yuan(from_fen(after))}
    if not amount_fen:
        return Verdict((Problem("account_correction.zero", "correction_yuan"),))
    if after >= 0:
        return Verdict()
    if amount_fen < 0:
        return Verdict((Problem("account_correction.below_zero", "correction_yuan", figures),))
    return Verdict((), (Problem("account_correction.still_negative", "correction_yuan", figures),))


def _refused(code: str, **params: str) -> Verdict:
    return Verdict((Problem(code, "id_number", params),))
