"""May this person be registered: a record is made once, from a document that proves itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.domain.calendar import month_of
from app.domain.enrolment import ACTIVE, COUNTER_CHANNEL, ENDED, EmployerFacts, PersonFacts
from app.domain.identity import check_document, normalise
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """What the form says about a person; birth date and sex may be None or '' where the number tells them."""

    id_type: str
    id_number: str
    name: str
    birth_date: date | None = None
    sex: str = ""
    channel: str = "03"
    valid_to: date | None = None


def check_person_record(
    params: ParameterSet, request: PersonRequest, person: PersonFacts, employer: EmployerFacts, today: date
) -> Verdict:
    """Judge a registration by the region's rules; all findings refuse.

    Raises ParameterMissing. Source: Nanjing manual 1 (人员基础信息采集).
    """
    found = [*_document(params, request, today), *_validity(request, today), *_known(request, person)]
    if employer.status != ACTIVE:
        found.append(Problem("employer.ended" if employer.status == ENDED else "employer.paused"))
    return Verdict(tuple(found))


def _document(params: ParameterSet, request: PersonRequest, today: date) -> list[Problem]:
    found = []
    allowed = params.listed("enrol.id_types", month_of(today))
    if request.channel != COUNTER_CHANNEL and request.id_type not in allowed:
        found.append(Problem("enrol.id_type_at_counter", "id_type"))
    identity = check_document(request.id_type, request.id_number, today)
    if not identity.valid:
        return [*found, Problem(f"identity.{identity.reason}", "id_number")]
    for name, typed, known in (
        ("birth_date", request.birth_date, identity.birth_date),
        ("sex", request.sex, identity.sex),
    ):
        if typed and known and typed != known:
            found.append(Problem(f"enrol.{name}_differs", name))
    return found


def _validity(request: PersonRequest, today: date) -> list[Problem]:
    """The document's own dates; the counter has it in hand. Source: Nanjing manual 02 (持有有效身份证件)."""
    if request.valid_to is None:
        return []
    if request.valid_to < today and request.channel != COUNTER_CHANNEL:
        return [Problem("person_record.expired", "id_valid_to", {"day": request.valid_to.isoformat()})]
    return []


def _known(request: PersonRequest, person: PersonFacts) -> list[Problem]:
    if person.matches > 1:
        return [Problem("person.duplicate", "id_number")]
    if not person.matches:
        return []
    same = normalise(person.name) == normalise(request.name)
    return [Problem("person_record.exists" if same else "person_record.exists_other_name", "id_number")]
