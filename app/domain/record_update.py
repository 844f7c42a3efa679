"""May contact and bank data be changed: only by the own employer, and only where something changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from app.domain.enrolment import ENDED, EmployerFacts, PersonFacts
from app.domain.problem import Problem, Verdict


def changed_fields(
    names: Collection[str], old: Mapping[str, Any], new: Mapping[str, Any], shown: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    """The fields that really change, each with its old and new value.

    An empty field empties what is kept only where the old value stood beside it (`shown`); elsewhere nobody
    saw what would go, and it stays. Source: Nantong manual 2.7 (原值、新值对照).
    """
    found = {}
    for name in names:
        before, after = str(old.get(name) or ""), str(new.get(name) or "")
        if after != before and (after or name in shown):
            found[name] = (before, after)
    return found


def refreshed(
    names: Collection[str], typed: Mapping[str, Any], shown: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any]:
    """The new values of a form whose person is known now: what was typed stays, the rest is proposed.

    Shape: `shown` are the old values that the form carried so far, perhaps of another person: a field that
    still says the same was not typed.
    """
    found = {}
    for name in names:
        before, now = str(shown.get(name) or ""), str(typed.get(name) or "")
        found[name] = typed[name] if now and now != before else known.get(name, "")
    return found


def check_person_update(
    person: PersonFacts, employer: EmployerFacts, changed: Collection[str], *, employed: bool
) -> Verdict:
    """Judge a change of a person's data; `employed` says whether the person is insured at this employer.

    All findings refuse. Source: Nantong manual 2.7, Jiangsu manual 3.5.
    """
    if not person.matches:
        return Verdict((Problem("person_update.unknown", "id_number"),))
    if person.matches > 1:
        return Verdict((Problem("person.duplicate", "id_number"),))
    if not employed:
        return Verdict((Problem("person_update.not_of_employer", "id_number"),))
    return Verdict(tuple(_common("person_update", employer, changed)))


def check_employer_update(employer: EmployerFacts, changed: Collection[str]) -> Verdict:
    """Judge a change of an employer's own data; all findings refuse. Source: Nantong 2.8, Jiangsu 3.4."""
    return Verdict(tuple(_common("employer_update", employer, changed)))


def _common(kind: str, employer: EmployerFacts, changed: Collection[str]) -> list[Problem]:
    found = []
    if employer.status == ENDED:
        found.append(Problem("update.employer_ended"))
    if not changed:
        found.append(Problem(f"{kind}.nothing_changed"))
    return found
