"""Registering a person: from a form and the registry to a judgement and a record."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.domain.identity import CITIZEN_CARD
from app.domain.person_record import PersonRequest, check_person_record
from app.domain.problem import Verdict
from app.services import effects, enrolling
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.subjects import with_open_case

REGISTRATION = "person.apply"
ACCEPTED = "person_record.accepted"


def request_of(case: Case) -> PersonRequest:
    """Read a complete form as a registration."""
    data = case.data
    return PersonRequest(
        id_type=str(data.get("id_type") or CITIZEN_CARD),
        id_number=str(data["id_number"]),
        name=str(data["name"]),
        birth_date=_day(data.get("birth_date")),
        sex=str(data.get("sex") or ""),
        channel=case.declaration.channel,
        valid_to=_day(data.get("id_valid_to")),
    )


def _day(typed: Any) -> date | None:
    return date.fromisoformat(str(typed)) if typed else None


def judge(case: Case, today: date) -> Verdict:
    """Judge the form against the registry as it is now; another open declaration refuses too."""
    row = case.declaration
    person = case.registry.person_facts(row.person_hash, row.region)
    employer = case.registry.employer_facts(row.employer_id)
    found = check_person_record(case.parameters, request_of(case), person, employer, today)
    return with_open_case(case, found)


def settle(_case: Case, _today: date) -> dict[str, Any]:
    """A registration fixes nothing beside the form."""
    return {}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A registration costs nothing."""
    return None


def apply(case: Case, now: datetime) -> None:
    """Make the person's record."""
    effects.add_person(case, request_of(case))
    case.effect_once(REGISTRATION, now, {})


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Enter an accepted registration of a person."""
    row = case.declaration
    apply(case, now)
    row.result_code = ACCEPTED
    row.result_message = case.message(row.result_code)
    return None


HANDLING = Handling(judge, settle, trial_of, subjects=enrolling.SUBJECTS[:1], accept=accept)
