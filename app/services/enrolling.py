"""Enrolment: from a form and the registry to a judgement, a plan of months, and trial amounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from app.domain import enrolment as rules
from app.domain.calendar import add_months, month_of
from app.domain.collection import NORMAL, SUPPLEMENTARY
from app.domain.contribution import ACTIVE, CLIP, Line, Tariff, tariff
from app.domain.enrolment import EmployerFacts, EnrolRequest, PersonFacts
from app.domain.identity import CITIZEN_CARD
from app.domain.money import to_fen
from app.domain.parameters import ParameterMissing, ParameterSet
from app.domain.problem import Verdict
from app.services.cases import Case
from app.services.results import AmountLine, Amounts
from app.services.subjects import identify, is_number, with_open_case
from app.store.assessments import assessed_months
from app.store.crypto import blind

# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("identity.", "person.", "enrol.person_unknown", "enrol.name", "enrol.id_type",
                 "enrol.birth", "enrol.sex")),
    ("参保年龄", ("enrol.age", "enrol.person_retired")),
    ("参保关系", ("enrol.active", "enrol.overlap")),
    ("参保时间", ("enrol.start", "enrol.next_month", "counter.too_early")),
    ("参保险种", ("enrol.fund",)),
    ("缴费工资", ("base.",)),
    ("单位状态", ("employer.",)),
    ("重复申报", ("enrol.one_open",)),
)  # fmt: skip


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
        wage_yuan=Decimal(data["wage_yuan"]) if data.get("wage_yuan") else _lowest_wage(parameters, start),
        start_month=start,
        funds=chosen_funds(data, parameters, employer, start),
        birth_date=date.fromisoformat(birth) if birth else None,
        sex=str(data.get("sex") or ""),
        post_category=str(data.get("post_category") or ""),
        channel=channel,
    )


def _lowest_wage(parameters: ParameterSet, month: str) -> Decimal:
    """The wage of a form that may leave it out: the floor; the yearly declaration adjusts it later."""
    try:
        return parameters.decimal("base.floor", month)
    except (ParameterMissing, ValueError):
        # a month without a floor is refused for itself
        return Decimal(1)


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
    """The form's funds, in the region's order; without the field the usual ones that the employer has, all
    of them in a month when it has none: then the month is what is wrong."""
    typed = data.get("funds")
    if typed:
        order = {code: place for place, code in enumerate(parameters.fund_codes())}
        return tuple(sorted(map(str, typed), key=lambda code: order.get(code, len(order))))
    usual = tuple(parameters.usual_funds())
    return tuple(code for code in usual if employer.takes_in(code, month)) or usual


def prepare(case: Case, _today: date) -> None:
    """Find the person, and leave out forced funds that the employer has from a later month only."""
    identify(case)
    chosen, start = case.data.get("funds"), start_month(case.data)
    if chosen and start:
        employer = case.registry.employer_facts(case.declaration.employer_id)
        case.data["funds"] = rules.following_funds(case.parameters, employer, chosen, start)


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row = case.declaration
    person = case.registry.person_facts(row.person_hash, row.region)
    employer = case.registry.employer_facts(row.employer_id)
    request = request_of(case.data, case.parameters, employer, person, row.channel)
    return with_open_case(case, rules.check_enrol(case.parameters, request, person, employer, today))


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix the months that are paid back."""
    case.months = months_to_pay(case, today)
    case.declaration.facts = {
        **case.declaration.facts,
        "start_month": start_month(case.data),
        "months": case.months,
    }
    return {"backpay_months": len(case.months)}


def settle_decision(case: Case, submitted: date, decided: date) -> None:
    """Add the months that were settled between submission and approval: nobody charged the person in them.

    Source: a start stays as it was submitted, and what has been assessed since gets a supplementary line.
    """
    if decided > submitted:
        case.months = months_to_pay(case, submitted, decided)
        case.declaration.facts = {**case.declaration.facts, "months": case.months}


def months_to_pay(case: Case, day: date, decided: date | None = None) -> list[str]:
    """The accrual months that the enrolment pays back, seen from the day of submission and of approval."""
    row = case.declaration
    person = case.registry.person_facts(row.person_hash, row.region)
    start = start_month(case.data)
    if start is None:
        return []
    return rules.backpay_months(case.parameters, start, day, person.charged_months, decided)


@lru_cache(maxsize=512)
def tariff_of(parameters: ParameterSet, month: str, funds: tuple[str, ...]) -> Tariff:
    """The tariff of a month for employees, made once per published parameters."""
    return tariff(parameters, month, ACTIVE, funds)


def trial_of(case: Case, today: date, decided: date | None = None) -> Amounts | None:
    """Trial amounts of a case's form, without the months that the person already carries. As `trial`."""
    row = case.declaration
    charged: frozenset[str] = frozenset()
    if is_number(case.data, today):
        id_hash = blind(str(case.data["id_number"]))
        case.registry.read_people([id_hash])
        charged = frozenset(case.registry.charged[id_hash])
    employer = case.registry.employer_facts(row.employer_id)
    data, start = case.data, start_month(case.data)
    field = case.bundle.form(row.kind).by_name.get("wage_yuan")
    if start and not data.get("wage_yuan") and field is not None and not field.required:
        data = {**data, "wage_yuan": str(_lowest_wage(case.parameters, start))}
    joined = start is not None and start <= add_months(month_of(today), 1)
    assessed = assessed_months(row.employer_id, month_of(today)) if joined else []
    return trial(data, case.parameters, employer, today, charged, decided, assessed)


def trial(
    data: Mapping[str, Any],
    parameters: ParameterSet,
    employer: EmployerFacts,
    today: date,
    charged: frozenset[str] = frozenset(),
    decided: date | None = None,
    assessed: Collection[str] = (),
) -> Amounts | None:
    """Trial amounts of a form, complete or not; None where wage, month or funds are missing or no such thing.

    `decided` is the day of an approval after the day of submission: what was settled in between is added.
    `assessed` are the employer's months that were assessed without the person. Raises: ParameterMissing.
    """
    start, wage = start_month(data), _wage(data)
    if start is None or wage is None:
        return None
    known = set(parameters.fund_codes())
    funds = tuple(code for code in chosen_funds(data, parameters, employer, start) if code in known)
    if not funds:
        return None
    monthly = tariff_of(parameters, start, funds).quote(wage, CLIP)
    months = rules.backpay_months(parameters, start, today, charged, decided)
    months = sorted({*months, *(each for each in assessed if start <= each and each not in charged)})
    due = month_of(decided or today)
    lines = [
        amount_line(line, SUPPLEMENTARY, due, month)
        for month in months
        for line in tariff_of(parameters, month, funds).quote(wage, CLIP).lines
    ]
    return Amounts(
        monthly=[amount_line(line, NORMAL, start, start) for line in monthly.lines],
        lines=lines,
        months=months,
        left_out=rules.months_left_out(parameters, start, today, charged),
        wage_fen=to_fen(wage),
        base_fen=to_fen(monthly.base.amount),
        floor_fen=to_fen(monthly.base.floor),
        cap_fen=to_fen(monthly.base.cap),
        demo=monthly.demo or any(line.demo for line in lines),
    )


def _wage(data: Mapping[str, Any]) -> Decimal | None:
    try:
        wage = Decimal(str(data.get("wage_yuan") or ""))
    except InvalidOperation:
        return None
    return wage if wage.is_finite() and wage > 0 else None


def amount_line(line: Line, due_type: str, due_month: str, month: str) -> AmountLine:
    """A rule's line as a trial line: sums in fen, the rate in words."""
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
