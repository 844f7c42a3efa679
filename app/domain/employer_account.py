"""May a unit get its account in the hall, or be linked to another one: what it states must be on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.enrolment import ENDED
from app.domain.identity import check_credit_code
from app.domain.operator import is_mobile
from app.domain.problem import Problem, Verdict


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the registry knows of a unit. `phone` is its 专管员's; `funds` those of this month."""

    employer_no: str
    credit_code: str
    status: str
    phone: str
    funds: Collection[str]
    has_account: bool
    phone_taken: bool = False


def phone_of(details: Mapping[str, Any]) -> str:
    """Return the phone on record that can take a code, "" where there is none."""
    for name in ("contact_mobile", "contact_phone"):
        phone = str(details.get(name) or "").replace(" ", "").replace("-", "")
        if is_mobile(phone):
            return phone
    return ""


def agrees(unit: UnitFacts | None, stated: Mapping[str, Any]) -> bool:
    """Return whether everything that was stated of a unit is what the registry has of it.

    Source: Weinan manual 1.3 (单位编号 and 业务范围), Jiangsu manual 2.1 (the unit's own identity).
    """
    if unit is None:
        return False
    if "employer_no" in stated and str(stated["employer_no"]).upper() != unit.employer_no.upper():
        return False
    if "credit_code" in stated and str(stated["credit_code"]).upper() != unit.credit_code.upper():
        return False
    return "funds" not in stated or set(stated["funds"] or ()) == set(unit.funds)


def check_registration(unit: UnitFacts | None, stated: Mapping[str, Any], place: str) -> Verdict:
    """Judge a registration; until all agrees nothing is told of the unit. `place` is the first field."""
    if unit is None or not agrees(unit, stated):
        return Verdict((Problem("employer_registration.no_match", place),))
    if unit.status == ENDED:
        return Verdict((Problem("employer_registration.ended", place),))
    if unit.has_account:
        return Verdict((Problem("employer_registration.registered", place),))
    if not unit.phone or unit.phone_taken:
        return Verdict((Problem("employer_registration.no_phone", place),))
    return Verdict()


def check_link(
    own_no: str, unit: UnitFacts | None, stated: Mapping[str, Any], *, linked: bool, by_admin: bool
) -> Verdict:
    """Judge a link to another unit number. Source: Weinan manual 1.3 (关联业务单位)."""
    if not by_admin:
        return Verdict((Problem("employer_link.admin_only", "employer_no"),))
    if unit is None or not agrees(unit, stated):
        return Verdict((Problem("employer_link.no_match", "employer_no"),))
    if unit.employer_no == own_no:
        return Verdict((Problem("employer_link.own", "employer_no"),))
    if linked:
        return Verdict((Problem("employer_link.linked", "employer_no"),))
    if unit.status == ENDED:
        return Verdict((Problem("employer_link.ended", "employer_no"),))
    if not unit.phone:
        return Verdict((Problem("employer_link.no_phone", "employer_no"),))
    return Verdict()


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """What is known when a new unit is entered. `known_as` are numbers with the same credit code; `earliest`
    and `latest` the months (YYYY-MM) with which its insurance may begin."""

    applying: bool
    known_as: Collection[str]
    funds: Collection[str]
    earliest: str
    latest: str
    phone_usable: bool


def check_opening(data: Mapping[str, Any], facts: OpeningFacts) -> Verdict:
    """Judge the entry of a new unit; another unit of the same credit code is a warning to the auditor."""
    if not facts.applying:
        return Verdict((Problem("employer_opening.standing", "employer_name"),))
    found = []
    code = check_credit_code(str(data.get("credit_code") or ""))
    if not code.valid:
        found.append(Problem(f"credit_code.{code.reason}", "credit_code"))
    if not set(data.get("funds") or ()) <= set(facts.funds):
        found.append(Problem("employer_opening.fund_not_here", "funds"))
    if not facts.earliest <= str(data.get("start_month") or "") <= facts.latest:
        limits = {"earliest": facts.earliest, "latest": facts.latest}
        found.append(Problem("employer_opening.month_limits", "start_month", limits))
    if not facts.phone_usable:
        found.append(Problem("employer_opening.phone", "contact_mobile"))
    warned: tuple[Problem, ...] = ()
    if facts.known_as:
        numbers = {"numbers": "、".join(facts.known_as)}
        warned = (Problem("employer_opening.known", "credit_code", numbers),)
    return Verdict(tuple(found), warned)
