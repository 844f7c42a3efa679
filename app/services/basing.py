"""Contribution bases: from a form and the registry to a judgement, a wage for certain months, differences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from app.domain import base as rules
from app.domain.base import BaseRequest, WageSpan
from app.domain.calendar import add_months, month_of
from app.domain.collection import BASE_DIFFERENCE, MONTH_DUES
from app.domain.contribution import ACTIVE, CLIP, RETIRED, FenLine, Tariff, tariff
from app.domain.enrolment import RETIREE_TYPES
from app.domain.money import from_fen, to_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.formspec.form import Form
from app.services import subjects
from app.services.cases import Case
from app.services.results import AmountLine, Amounts
from app.services.stopping import open_stretches
from app.services.subjects import is_number, with_open_case
from app.store.crypto import blind
from app.store.enrolments import enrolments_of
from app.store.facts import StretchRecord
from app.store.ledger import LineRow

# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown", "enrol.name")),
    ("参保关系", ("base.not_active", "base.retiree", "base.not_retired")),
    ("申报时间", ("base_annual.", "base.period", "base.before_start", "base.month_limits", "counter.beyond")),
    ("缴费工资", ("base.",)),
    ("重复申报", ("enrol.one_open",)),
)
END_OF_TIME = "9999-12"
# what adds people to an employer or takes them away
CHANGES = ("enrol", "stop", "stop_retiree")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new wage changes in one fund and party of a month that is charged already, in fen."""

    month: str
    line: FenLine


def prepare(case: Case, today: date) -> None:
    """Find whom the form is about; fill in the wage declared before and, of a yearly form, its months."""
    subjects.identify(case)
    form = case.bundle.form(case.declaration.kind)
    if case.declaration.kind == rules.ANNUAL and "from_month" in form.by_name:
        case.data["from_month"] = rules.base_year_start(case.parameters, today)
    if "old_wage_yuan" in form.by_name:
        wage = next((each.wage_fen for each in open_stretches(case) if each.wage_fen is not None), None)
        if wage is None:
            case.data.pop("old_wage_yuan", None)
        else:
            case.data["old_wage_yuan"] = f"{from_fen(wage):.2f}"


def current(form: Form, _kind: str, employer_id: int, person_id: int | None) -> dict[str, Any]:
    """What a form about somebody of the roster starts with: the wage declared before."""
    if person_id is None or "old_wage_yuan" not in form.by_name:
        return {}
    wages = [
        each.wage_fen
        for each in enrolments_of([person_id]).get(person_id, [])
        if each.person_id == person_id
        and each.employer_id == employer_id
        and each.status == "active"
        and each.to_month is None
        and each.wage_fen is not None
    ]
    return {"old_wage_yuan": f"{from_fen(wages[0]):.2f}"} if wages else {}


def defaults(fields: Collection[str], parameters: ParameterSet, today: date) -> dict[str, Any]:
    """What a blank form starts with: this month."""
    return {"from_month": month_of(today)} if "from_month" in fields else {}


def annual_defaults(fields: Collection[str], parameters: ParameterSet, today: date) -> dict[str, Any]:
    """What a blank yearly form starts with: the base year that it is for, and the month it is made in."""
    known = {"from_month": rules.base_year_start(parameters, today), "declared_month": month_of(today)}
    return {name: value for name, value in known.items() if name in fields}


def closed_today(parameters: ParameterSet, today: date) -> Problem | None:
    """Why no yearly declaration is taken today; None in the season."""
    return rules.closed_season(parameters, today)


def request_of(case: Case, today: date) -> BaseRequest:
    """Read a form as a request; a yearly one is for the base year that is nearest to the day."""
    data, row = case.data, case.declaration
    annual = row.kind == rules.ANNUAL
    return BaseRequest(
        from_month=rules.base_year_start(case.parameters, today) if annual else _month(data, "from_month"),
        to_month=None if annual else _month(data, "to_month") or None,
        wage_yuan=_wage(data.get("wage_yuan")) or Decimal(0),
        name=str(data.get("name") or ""),
        annual=annual,
        group=str(data.get("staff_group") or ""),
        channel=row.channel,
        declared_month=_month(data, "declared_month"),
    )


def _month(data: dict[str, Any], name: str) -> str:
    try:
        return month_of(str(data.get(name) or "")[:7])
    except ValueError:
        return ""


def _wage(typed: Any) -> Decimal | None:
    try:
        wage = Decimal(str(typed or ""))
    except InvalidOperation:
        return None
    return wage if wage.is_finite() and wage > 0 else None


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row, registry = case.declaration, case.registry
    verdict = rules.check_base(
        case.parameters,
        request_of(case, today),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        spans_of(case),
        today,
    )
    early = rules.check_changes_done(case.parameters, request_of(case, today), _waiting(case), today)
    if early:
        verdict = Verdict((*verdict.problems, *early), verdict.warnings)
    if verdict.accepted:
        found = differences(case, today)
        if found:
            verdict = Verdict((), (*verdict.warnings, _tells_differences(found)))
    return with_open_case(case, verdict)


def _waiting(case: Case) -> Sequence[str]:
    """The employer's additions and stops that nobody has decided, for a yearly declaration not yet filed."""
    if case.declaration.kind != rules.ANNUAL or case.declaration.submitted_at_utc is not None:
        return ()
    return case.registry.waiting(case.declaration.employer_id, CHANGES)


def _tells_differences(found: Sequence[Difference]) -> Problem:
    owed = sum(each.line.amount_fen for each in found if not each.line.party.startswith("allocation"))
    months = "、".join(sorted({each.month for each in found}))
    return Problem("base.differences", "wage_yuan", {"amount": f"{from_fen(owed):.2f}", "months": months})


def spans_of(case: Case) -> list[WageSpan]:
    """The wages declared for the person at this employer, one for each declaration, oldest first."""
    row = case.declaration
    if row.person_hash is None:
        return []
    own = [
        each.id
        for record in case.registry.records(row.person_hash, row.region)
        for each in record.stretches
        if each.employer_id == row.employer_id
    ]
    history = case.registry.base_history(own)
    once = {each.declaration_id: each for enrolment in own for each in history.get(enrolment, ())}
    spans = (
        WageSpan(each.id, each.action, each.from_month, each.to_month, each.wage_fen)
        for each in once.values()
    )
    return sorted(spans, key=lambda span: span.id)


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix the months that the wage is for, as the day of submission gives them."""
    request = request_of(case, today)
    months = {"from_month": request.from_month, "to_month": request.to_month}
    case.declaration.facts = {**case.declaration.facts, **months}
    return {"from_month": request.from_month}


def differences(case: Case, today: date) -> list[Difference]:
    """What the wage changes in months that are charged already.

    Source: practice of the yearly adjustment: differences of due type 34 for assessed months.
    """
    request, row = request_of(case, today), case.declaration
    if row.person_id is None:
        return []
    lines = case.registry.lines_beyond(row.person_id, add_months(request.from_month, -1), END_OF_TIME)
    last = request.to_month or END_OF_TIME
    stretches = open_stretches(case)
    retired = is_retired(stretches)
    touched = [line for line in lines if counts(line, row.employer_id, last, retired=retired)]
    status = RETIRED if retired else ACTIVE
    funds = tuple(sorted(each.fund for each in stretches))
    return changed_months(case.parameters, touched, status, funds, request.wage_yuan)


def changed_months(
    parameters: ParameterSet, lines: Iterable[LineRow], status: str, funds: tuple[str, ...], wage: Decimal
) -> list[Difference]:
    """What a wage in yuan changes in the months that a person's lines charge, oldest month first."""
    return [
        Difference(month, line)
        for month, carried in sorted(rules.carried_by_month(lines).items())
        for line in rules.base_differences(tariff_of(parameters, month, status, funds), wage, carried)
    ]


@lru_cache(maxsize=512)
def tariff_of(parameters: ParameterSet, month: str, status: str, funds: tuple[str, ...]) -> Tariff:
    """The tariff of a month, made once per published parameters."""
    return tariff(parameters, month, status, funds)


def counts(line: LineRow, employer_id: int, last: str, *, retired: bool) -> bool:
    """Whether a line is part of a month's charge that a new base may change."""
    return (
        line.employer_id == employer_id
        and line.accrual_month <= last
        and line.due_type in MONTH_DUES
        and line.retired == retired
    )


def is_retired(stretches: Sequence[StretchRecord]) -> bool:
    """Whether the person is insured as a retiree."""
    return any(each.person_type.startswith(RETIREE_TYPES) for each in stretches)


def trial_of(case: Case, today: date) -> Amounts | None:
    """What a month costs on the new base, and what charged months change by; None where the form does not
    name person, month and wage yet."""
    if not is_number(case.data, today) or _wage(case.data.get("wage_yuan")) is None:
        return None
    if case.declaration.person_hash is None:
        case.declaration.person_hash = blind(str(case.data["id_number"]))
        subjects.identify(case)
    request, stretches = request_of(case, today), open_stretches(case)
    if not stretches or not request.from_month:
        return None
    status = RETIRED if is_retired(stretches) else ACTIVE
    funds = tuple(sorted(each.fund for each in stretches))
    rule = tariff_of(case.parameters, request.from_month, status, funds)
    quote = rule.quote(request.wage_yuan, CLIP)
    found = differences(case, today)
    due = month_of(today)
    monthly = [
        AmountLine(
            fund=line.fund,
            party=line.party,
            due_type="10",
            due_month=request.from_month,
            accrual_month=request.from_month,
            base_fen=to_fen(line.base),
            rate=None if line.rate is None else f"{line.rate.normalize():f}",
            fixed_fen=None if line.fixed is None else to_fen(line.fixed),
            amount_fen=to_fen(line.amount),
            demo=line.demo,
        )
        for line in quote.lines
    ]
    return Amounts(
        # where charged months change, those are what the employer must see
        monthly=[] if found else monthly,
        lines=[difference_amount(each, due) for each in found],
        months=sorted({each.month for each in found}),
        wage_fen=to_fen(request.wage_yuan),
        base_fen=to_fen(quote.base.amount),
        floor_fen=to_fen(quote.base.floor),
        cap_fen=to_fen(quote.base.cap),
        demo=quote.demo,
    )


def difference_amount(each: Difference, due_month: str) -> AmountLine:
    """A difference as a trial shows it, billed in a month."""
    return AmountLine(
        fund=each.line.fund,
        party=each.line.party,
        due_type=BASE_DIFFERENCE,
        due_month=due_month,
        accrual_month=each.month,
        base_fen=each.line.base_fen,
        rate=each.line.rate or None,
        fixed_fen=None,
        amount_fen=each.line.amount_fen,
    )
