"""Enrolment: from a form and the registry to a judgement, a plan of months, and trial amounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from app.domain import enrolment as rules
from app.domain.calendar import month_of
from app.domain.collection import NORMAL, SUPPLEMENTARY
from app.domain.contribution import ACTIVE, CLIP, Line, Tariff, tariff
from app.domain.enrolment import EmployerFacts, EnrolRequest, PersonFacts
from app.domain.identity import CITIZEN_CARD, check_document
from app.domain.money import to_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict, problem_text
from app.errors import FieldError
from app.formspec.form import Form
from app.services.cases import Case
from app.services.objects import open_key
from app.services.results import AmountLine, Amounts
from app.store.crypto import blind

# a rule speaks of the month; some regions ask for the day instead
_ALIASES = {"start_month": "start_date", "stop_month": "stop_date"}


def identify(case: Case) -> None:
    """Find whom the form is about: blind index, record, and the name where the form does not ask it."""
    number = str(case.data.get("id_number") or "")
    row = case.declaration
    row.person_hash = blind(number) if number else None
    if row.person_hash is None:
        return
    records = case.registry.records(row.person_hash, row.region)
    row.person_id = records[0].id if len(records) == 1 else None
    if len(records) == 1 and not case.data.get("name"):
        case.data["name"] = records[0].name
        row.person_name = records[0].name


def request_of(
    data: Mapping[str, Any],
    parameters: ParameterSet,
    employer: EmployerFacts,
    person: PersonFacts,
    channel: str,
) -> EnrolRequest:
    """Read a complete form as an enrolment request; funds default to the employer's usual ones."""
    start = start_month(data) or ""
    birth = data.get("birth_date")
    return EnrolRequest(
        id_type=str(data.get("id_type") or CITIZEN_CARD),
        id_number=str(data["id_number"]),
        name=str(data.get("name") or person.name),
        wage_yuan=Decimal(data["wage_yuan"]),
        start_month=start,
        funds=chosen_funds(data, parameters, employer, start),
        birth_date=date.fromisoformat(birth) if birth else None,
        sex=str(data.get("sex") or ""),
        post_category=str(data.get("post_category") or ""),
        channel=channel,
    )


def start_month(data: Mapping[str, Any]) -> str | None:
    """The month an enrolment starts in, from whichever field the region asks; None where there is none."""
    typed = str(data.get("start_month") or data.get("start_date") or "")[:7]
    try:
        return month_of(typed)
    except ValueError:
        return None


def chosen_funds(
    data: Mapping[str, Any], parameters: ParameterSet, employer: EmployerFacts, month: str
) -> tuple[str, ...]:
    """The form's funds, in the region's order; without the field the usual ones that the employer has."""
    typed = data.get("funds")
    if typed:
        order = {code: place for place, code in enumerate(parameters.fund_codes())}
        return tuple(sorted(map(str, typed), key=lambda code: order.get(code, len(order))))
    return tuple(code for code in parameters.usual_funds() if employer.has_fund(code, month))


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row = case.declaration
    person = case.registry.person_facts(row.person_hash, row.region)
    employer = case.registry.employer_facts(row.employer_id)
    request = request_of(case.data, case.parameters, employer, person, row.channel)
    verdict = rules.check_enrol(case.parameters, request, person, employer, today)
    key = open_key(case)
    if key is not None:
        case.registry.read_open([key])
        if case.registry.open_keys[key] not in (None, row.reference):
            return Verdict((*verdict.problems, Problem("enrol.one_open", "id_number")), verdict.warnings)
    return verdict


def months_to_pay(case: Case, day: date) -> list[str]:
    """The accrual months that the enrolment pays back, seen from the day of submission."""
    row = case.declaration
    person = case.registry.person_facts(row.person_hash, row.region)
    start = start_month(case.data)
    if start is None:
        return []
    return rules.backpay_months(case.parameters, start, day, person.charged_months)


def field_errors(problems: Iterable[Problem], parameters: ParameterSet, form: Form) -> list[FieldError]:
    """The region's words for findings, each at a field that the form has ("" for the whole form)."""
    return [
        FieldError(_place(problem.field, form), problem.code, problem_text(parameters, problem))
        for problem in problems
    ]


def _place(name: str, form: Form) -> str:
    if name in form.by_name:
        return name
    other = _ALIASES.get(name, "")
    return other if other in form.by_name else ""


@lru_cache(maxsize=512)
def tariff_of(parameters: ParameterSet, month: str, funds: tuple[str, ...]) -> Tariff:
    """The tariff of a month for employees, made once per published parameters."""
    return tariff(parameters, month, ACTIVE, funds)


def trial(
    data: Mapping[str, Any],
    parameters: ParameterSet,
    employer: EmployerFacts,
    today: date,
    charged: frozenset[str] = frozenset(),
) -> Amounts | None:
    """Trial amounts of a form, complete or not; None where wage, month or funds are missing or no such thing.

    Raises: ParameterMissing.
    """
    start, wage = start_month(data), _wage(data)
    if start is None or wage is None:
        return None
    known = set(parameters.fund_codes())
    funds = tuple(code for code in chosen_funds(data, parameters, employer, start) if code in known)
    if not funds:
        return None
    monthly = tariff_of(parameters, start, funds).quote(wage, CLIP)
    months = rules.backpay_months(parameters, start, today, charged)
    due = month_of(today)
    lines = [
        _amount(line, SUPPLEMENTARY, due, month)
        for month in months
        for line in tariff_of(parameters, month, funds).quote(wage, CLIP).lines
    ]
    return Amounts(
        monthly=[_amount(line, NORMAL, start, start) for line in monthly.lines],
        lines=lines,
        months=months,
        wage_fen=to_fen(wage),
        base_fen=to_fen(monthly.base.amount),
        floor_fen=to_fen(monthly.base.floor),
        cap_fen=to_fen(monthly.base.cap),
        demo=monthly.demo or any(line.demo for line in lines),
    )


def is_number(data: Mapping[str, Any], today: date) -> bool:
    """Whether the typed number can be looked up already."""
    number = str(data.get("id_number") or "")
    return bool(number) and check_document(str(data.get("id_type") or CITIZEN_CARD), number, today).valid


def _wage(data: Mapping[str, Any]) -> Decimal | None:
    try:
        wage = Decimal(str(data.get("wage_yuan") or ""))
    except InvalidOperation:
        return None
    return wage if wage.is_finite() and wage > 0 else None


def _amount(line: Line, due_type: str, due_month: str, month: str) -> AmountLine:
    return AmountLine(
        fund=line.fund,
        party=line.party,
        due_type=due_type,
        due_month=due_month,
        accrual_month=month,
        base_fen=to_fen(line.base),
        rate=None if line.rate is None else f"{line.rate.normalize():f}",
        fixed_fen=None if line.fixed is None else to_fen(line.fixed),
        amount_fen=to_fen(line.amount),
        demo=line.demo,
    )


def warnings_as_facts(found: Sequence[Problem]) -> list[dict[str, Any]]:
    """Findings as the case keeps them: codes and figures, so that the words stay the region's."""
    return [{"code": each.code, "field": each.field, "params": dict(each.params)} for each in found]
