"""What a process may do to the registry. Each effect only gathers rows: they are written with the case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.clock import to_utc
from app.domain.calendar import month_of
from app.domain.collection import SUPPLEMENTARY
from app.domain.contribution import CLIP
from app.domain.enrolment import EMPLOYEE, EnrolRequest, enrol_outcome, person_type
from app.domain.identity import check_document
from app.domain.money import to_fen
from app.domain.person_record import PersonRequest
from app.services import enrolling
from app.services.cases import Case
from app.services.enrolling import tariff_of
from app.services.handling import Handling, Result
from app.store.enrolments import enrolment_values
from app.store.ids import new_id
from app.store.ledger import charge_values
from app.store.people import person_values

ENROLMENT = "enrolment.apply"
# what a typed-in person brings along beside the identity
_PERSON_DETAILS = (
    "first_work_date", "education", "post", "post_category", "political_status",
    "id_valid_from", "id_valid_to",
)  # fmt: skip


def apply_enrolment(case: Case, request: EnrolRequest, months: Sequence[str], now: datetime) -> None:
    """Enrol the person in each chosen fund and charge the months that are paid back.

    A person who has no record here gets one. Shape: months are accrual months `YYYY-MM`; the lines are due
    in the month of `now`. Source: Suzhou manual 1 (3), 7 (3).
    """
    row = case.declaration
    if row.person_id is None:
        add_person(case, request)
    assert row.person_id is not None  # noqa: S101 - set just above
    _enrol(case, request, row.person_id)
    _charge(case, request, row.person_id, months, now)
    case.effect_once(ENROLMENT, now, {"months": list(months), "funds": list(request.funds)})


def add_person(case: Case, request: EnrolRequest | PersonRequest) -> None:
    """Make the record of a person who has none here, and point the case to it."""
    row, data = case.declaration, case.data
    identity = check_document(request.id_type, request.id_number)
    birth = identity.birth_date or request.birth_date
    sex = identity.sex or request.sex
    if birth is None or not sex or row.person_hash is None:
        raise ValueError("the check lets nobody pass without birth date and sex")
    values = person_values(
        region=row.region,
        id_type=request.id_type,
        id_number=request.id_number,
        name=request.name,
        sex=sex,
        birth_date=birth,
        ethnicity=str(data.get("ethnicity") or "01"),
        nationality=str(data.get("nationality") or "CHN"),
        phone=str(data.get("phone") or ""),
        details={name: data[name] for name in _PERSON_DETAILS if data.get(name)},
        person_id=new_id(),
    )
    # The number follows from the document, so that two desks cannot register one person at once.
    values["person_no"] = f"{row.region}{int.from_bytes(row.person_hash[:8]) % 10**19:019d}"
    case.people.append(values)
    row.person_id = values["id"]


def _enrol(case: Case, request: EnrolRequest, person_id: int) -> None:
    row = case.declaration
    base = tariff_of(case.parameters, request.start_month, request.funds).base(request.wage_yuan, CLIP)
    kind_of_person = person_type(case.parameters, request.funds)
    started = case.data.get("start_date")
    case.enrolments += [
        enrolment_values(
            id=new_id(),
            region=row.region,
            person_id=person_id,
            employer_id=row.employer_id,
            category=EMPLOYEE,
            fund=fund,
            person_type=kind_of_person,
            from_month=request.start_month,
            start_date=date.fromisoformat(started) if started else None,
            wage_fen=to_fen(request.wage_yuan),
            base_fen=to_fen(base.amount),
            declaration_id=row.id,
        )
        for fund in request.funds
    ]


def _charge(case: Case, request: EnrolRequest, person_id: int, months: Sequence[str], now: datetime) -> None:
    row = case.declaration
    common: dict[str, Any] = {
        "region": row.region,
        "person_id": person_id,
        "employer_id": row.employer_id,
        "due_type": SUPPLEMENTARY,
        "due_month": month_of(now.date()),
        "declaration_id": row.id,
        "created_at_utc": to_utc(now),
        "wage_fen": to_fen(Decimal(request.wage_yuan)),
    }
    for month in months:
        rule = tariff_of(case.parameters, month, request.funds)
        base_fen = to_fen(rule.base(Decimal(request.wage_yuan), CLIP).amount)
        case.lines += [
            charge_values(line, accrual_month=month, **common) for line in rule.fen_lines(base_fen)
        ]


def accept(case: Case, day: date, now: datetime) -> Result:
    """Enter an accepted enrolment into the registry."""
    row = case.declaration
    enrolling.settle_decision(case, day, now.date())
    months = case.months or []
    person = case.registry.person_facts(row.person_hash, row.region)
    employer = case.registry.employer_facts(row.employer_id)
    request = enrolling.request_of(case.data, case.parameters, employer, person, row.channel)
    apply_enrolment(case, request, months, now)
    row.result_code = enrol_outcome(case.parameters, day, months)
    row.result_message = case.message(row.result_code, months=str(len(months)))
    return {"backpay_months": len(months)}


HANDLING = Handling(
    enrolling.judge,
    enrolling.settle,
    enrolling.trial_of,
    trial_at_decision=enrolling.trial_of,
    prepare=enrolling.prepare,
    subjects=enrolling.SUBJECTS,
    accept=accept,
)
