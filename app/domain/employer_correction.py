"""May the registered data of an employer be corrected at the counter, and what the auditor is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.domain.enrolment import ENDED
from app.domain.identity import check_credit_code, normalise
from app.domain.problem import Problem, Verdict

NAME, CREDIT_CODE = "employer_name", "employer_credit_code"
CONFIRMED = "code_confirmed"
CHECK_DIGIT = "check_digit"
Changes = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the registry knows around a correction.

    Shape: `same_code` and `left_behind` are numbers of other units that have the new and the old credit
    code; `bank_name` is the name of the bank account on record.
    """

    status: str
    same_code: Collection[str] = ()
    left_behind: Collection[str] = ()
    bank_name: str = ""


def check_employer_correction(changed: Changes, facts: UnitFacts, *, confirmed: bool = False) -> Verdict:
    """Judge a correction; `changed` maps fields to old and new value.

    A credit code that fails its check digit is taken where the clerk confirms that the licence says so: some
    genuine old codes fail. Several units of one legal person share a code, so another unit's code is told
    and not refused. Source: GB 32100-2015; DOMAIN 3.2; Suzhou manual 5.1, Jiangsu manual 3.4.
    """
    found = []
    if facts.status == ENDED:
        found.append(Problem("update.employer_ended"))
    if not changed:
        found.append(Problem("employer_correction.nothing_changed"))
    found += _code(changed, confirmed)
    return Verdict(tuple(found), tuple(_told(changed, facts, confirmed)))


def overrides_code(changed: Changes, *, confirmed: bool) -> bool:
    """Return whether a new credit code counts only because the clerk has confirmed it."""
    return confirmed and CREDIT_CODE in changed and _reason(changed) == CHECK_DIGIT


def _reason(changed: Changes) -> str | None:
    return check_credit_code(changed[CREDIT_CODE][1]).reason


def _code(changed: Changes, confirmed: bool) -> list[Problem]:
    if CREDIT_CODE not in changed:
        return []
    reason = _reason(changed)
    if reason is None or (reason == CHECK_DIGIT and confirmed):
        return []
    kind = "employer_correction" if reason == CHECK_DIGIT else "credit_code"
    return [Problem(f"{kind}.{reason}", CREDIT_CODE)]


def _told(changed: Changes, facts: UnitFacts, confirmed: bool) -> list[Problem]:
    found = []
    if overrides_code(changed, confirmed=confirmed):
        found.append(Problem("employer_correction.code_unchecked", CREDIT_CODE))
    if CREDIT_CODE in changed:
        for code, numbers in (("same_code", facts.same_code), ("left_behind", facts.left_behind)):
            if numbers:
                named = {"numbers": "、".join(numbers)}
                found.append(Problem(f"employer_correction.{code}", CREDIT_CODE, named))
    if NAME in changed and normalise(facts.bank_name) == normalise(changed[NAME][0]):
        found.append(Problem("employer_correction.bank_name", NAME))
    return found
