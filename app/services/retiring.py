"""Retiring: from a form and the registry to a judgement, and a person who goes on as a retiree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.clock import to_utc
from app.domain import retiring as rules
from app.domain.calendar import add_months, month_of
from app.domain.collection import ONE_OFF as ONE_OFF_LINE
from app.domain.collection import REFUND
from app.domain.contribution import CLIP, tariff
from app.domain.money import format_yuan, from_fen, to_fen
from app.domain.parameters import ParameterMissing
from app.domain.problem import Problem, Verdict
from app.domain.retiring import RetirementRequest
from app.domain.stop import to_take_back
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import AmountLine, Amounts
from app.services.stop_effects import ACTIVE, RETIRED, change_stretch, take_back
from app.services.stopping import amount_back, open_stretches, owed, retiree_lines
from app.services.subjects import is_number, with_open_case
from app.store.enrolments import enrolment_values
from app.store.facts import StretchRecord
from app.store.ids import new_id
from app.store.ledger import LineRow, line_values
from app.store.personal_accounts import ALLOCATION_PARTIES

RETIREMENT = "retirement.apply"
MEDICAL, EMPLOYEE_PARTY = "310", "employee"
REASON = "retired"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown", "enrol.name")),
    ("参保关系", ("retirement.already", "retirement.stopped_before", "retirement.not_active")),
    ("法定退休年龄", ("retirement.too_early", "retirement.early", "retirement.flexible", "retirement.late")),
    ("离退休日期", ("retirement.month_limits", "retirement.before_start", "counter.beyond")),
    ("离退休工资", ("retirement.wage",)),
    ("累计缴费月数", ("retirement.months_differ", "retirement.choose", "retirement.short")),
    ("欠费", ("retirement.arrears", "counter.arrears")),
    ("已核定的费用", ("retirement.takes_back",)),
    ("重复申报", ("enrol.one_open",)),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a retirement will do: enrolments that turn, charges taken back, months to be paid at once.

    `missing` counts months; where they are paid at once, `one_off_fen` is their price on `base_fen`.
    """

    stretches: list[StretchRecord]
    unpaid: list[LineRow]
    paid: list[LineRow]
    missing: int
    one_off_fen: int
    base_fen: int


def request_of(case: Case) -> RetirementRequest:
    """Read a complete form as a request."""
    data, row = case.data, case.declaration
    return RetirementRequest(
        kind=str(data["retirement_type"]),
        retire_day=date.fromisoformat(str(data["retirement_date"])),
        wage_yuan=Decimal(str(data["retirement_wage_yuan"])),
        total_months=int(data["total_months"]),
        paid_months=_count(data.get("paid_months")),
        deemed_months=_count(data.get("deemed_months")),
        shortfall=str(data.get("shortfall_choice") or ""),
        post_category=str(data.get("post_category") or ""),
        name=str(data.get("name") or ""),
        channel=row.channel,
    )


def _count(typed: Any) -> int | None:
    return int(typed) if typed not in (None, "") else None


def _readable(case: Case) -> bool:
    """Whether a half-filled form says enough."""
    try:
        request_of(case)
    except (KeyError, ValueError, InvalidOperation):
        return False
    return True


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row, registry = case.declaration, case.registry
    verdict = rules.check_retirement(
        case.parameters,
        request_of(case),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        rules.overdue_months(case.parameters, _owed(case), today),
        today,
    )
    if verdict.accepted:
        found = plan(case)
        back = sorted({line.accrual_month for line in owed((*found.unpaid, *found.paid))})
        if back and not _goes_on_paying(case, found):
            told = Problem("retirement.takes_back", "retirement_date", {"months": "、".join(back)})
            verdict = Verdict((), (*verdict.warnings, told))
    return with_open_case(case, verdict)


def _owed(case: Case) -> list[LineRow]:
    row = case.declaration
    if row.person_id is None:
        return []
    lines = case.registry.lines_beyond(row.person_id, "0001-01", "0001-01")
    return [
        each
        for each in lines
        if each.employer_id == row.employer_id
        and each.party not in ALLOCATION_PARTIES
        and each.amount_fen > 0
    ]


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix month and price; the diagram is told the type, which the materials may depend on."""
    request, found = request_of(case), plan(case)
    facts = {
        "retirement_month": request.month,
        "missing_months": found.missing,
        "one_off_fen": found.one_off_fen,
    }
    case.declaration.facts = {**case.declaration.facts, **facts}
    return {"reason": request.kind}


def plan(case: Case) -> Plan:
    """Say what a retirement that the rules accept does to registry and ledger."""
    row, request = case.declaration, request_of(case)
    found = open_stretches(case)
    lines: list[LineRow] = []
    if row.person_id is not None:
        beyond = case.registry.lines_beyond(row.person_id, request.month, "9999-12")
        lines = [line for line in beyond if line.employer_id == row.employer_id]
    unpaid, paid = to_take_back(lines, request.month, backpay_stays=False)
    sex = case.registry.person_facts(row.person_hash, row.region).sex
    missing = rules.missing_months(case.parameters, request, sex)
    base = _base_fen(case, found, request.month)
    price = Decimal(0)
    if missing and request.shortfall == rules.ONE_OFF:
        price = rules.one_off_amount(case.parameters, from_fen(base), missing, request.month)
    return Plan(found, unpaid, paid, missing, to_fen(price), base)


def _base_fen(case: Case, stretches: Sequence[StretchRecord], month: str) -> int:
    """The medical base of a month: the declared wage between that month's floor and cap.

    What stands on the enrolment was held between those of the month in which it was declared.
    """
    medical = next((each for each in stretches if each.fund == MEDICAL), None)
    if medical is None or medical.wage_fen is None:
        return (medical.base_fen or 0) if medical else 0
    try:
        rule = tariff(case.parameters, month, funds=())
    except ParameterMissing:
        # a retirement of years ago, in which no bounds are known
        return medical.base_fen or 0
    return to_fen(rule.base(from_fen(medical.wage_fen), CLIP).amount)


def _goes_on_paying(case: Case, found: Plan) -> bool:
    return found.missing > 0 and request_of(case).shortfall == rules.CONTINUE


def trial_of(case: Case, today: date) -> Amounts | None:
    """What is taken back and what the missing months cost; None where nothing is, or too little is known."""
    if not is_number(case.data, today) or not _readable(case):
        return None
    if case.declaration.person_id is None:
        subjects.identify(case)
    found, month = plan(case), month_of(today)
    if _goes_on_paying(case, found):
        return None
    again = _as_retiree(case, found, today)
    costs = bool(owed(again) or found.one_off_fen)
    if not (costs or owed((*found.unpaid, *found.paid))):
        return None
    lines = [amount_back(line, line.due_type, month) for line in found.unpaid]
    lines += [amount_back(line, REFUND, month) for line in found.paid]
    lines += again
    if found.one_off_fen:
        lines.append(
            AmountLine(
                fund=MEDICAL,
                party=EMPLOYEE_PARTY,
                due_type=ONE_OFF_LINE,
                due_month=month,
                accrual_month=request_of(case).month,
                base_fen=found.base_fen,
                rate=None,
                fixed_fen=found.one_off_fen,
                amount_fen=found.one_off_fen,
            )
        )
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines})) if lines else None


def _as_retiree(case: Case, found: Plan, today: date) -> list[AmountLine]:
    request = request_of(case)
    kept = rules.kept_funds(case.parameters, [each.fund for each in found.stretches], request.month)
    back = (*found.unpaid, *found.paid)
    return retiree_lines(case, kept, to_fen(request.wage_yuan), request.month, back, today)


def apply_retirement(case: Case, now: datetime) -> Plan:
    """Have the person go on as a retiree from the next month, unless the missing months are paid first.

    Source: Nanjing manual 04 (医保退休办理).
    """
    row, request, found = case.declaration, request_of(case), plan(case)
    if not _goes_on_paying(case, found):
        for stretch in found.stretches:
            change_stretch(case, stretch, RETIRED, request.month, ACTIVE, REASON, now)
        take_back(case, found.unpaid, None, now)
        take_back(case, found.paid, REFUND, now)
        _go_on_retired(case, found, request)
        if found.one_off_fen:
            _charge_at_once(case, found, request.month, now)
    result = {"month": request.month, "missing": found.missing, "one_off_fen": found.one_off_fen}
    case.effect_once(RETIREMENT, now, {**result, "reference": row.reference})
    return found


def _go_on_retired(case: Case, found: Plan, request: RetirementRequest) -> None:
    row = case.declaration
    funds = [each.fund for each in found.stretches]
    kept = rules.kept_funds(case.parameters, funds, request.month)
    # the pension is the base from now on: nobody pays on it, the allocation is calculated from it
    wage_fen = to_fen(request.wage_yuan)
    case.enrolments += [
        enrolment_values(
            id=new_id(),
            region=row.region,
            person_id=row.person_id,
            employer_id=row.employer_id,
            category=each.category,
            fund=each.fund,
            person_type=rules.retired_type(each.person_type),
            from_month=add_months(request.month, 1),
            wage_fen=wage_fen,
            base_fen=wage_fen,
            declaration_id=row.id,
        )
        for each in found.stretches
        if each.fund in kept
    ]


def _charge_at_once(case: Case, found: Plan, month: str, now: datetime) -> None:
    row = case.declaration
    if row.person_id is None:
        raise ValueError("the check lets nobody pass without a record")
    case.lines.append(
        line_values(
            region=row.region,
            person_id=row.person_id,
            employer_id=row.employer_id,
            fund=MEDICAL,
            party=EMPLOYEE_PARTY,
            due_type=ONE_OFF_LINE,
            due_month=month_of(now.date()),
            accrual_month=month,
            base_fen=found.base_fen,
            rate=None,
            fixed_fen=found.one_off_fen,
            amount_fen=found.one_off_fen,
            declaration_id=row.id,
            created_at_utc=to_utc(now),
        )
    )


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Make the person a retiree from the next month."""
    row = case.declaration
    done = apply_retirement(case, now)
    row.result_code = rules.retirement_outcome(done.missing, request_of(case).shortfall)
    amount = format_yuan(from_fen(done.one_off_fen))
    row.result_message = case.message(row.result_code, months=str(done.missing), amount=amount)
    return {"missing_months": done.missing}


HANDLING = Handling(judge, settle, trial_of, subjects=SUBJECTS, accept=accept, notifies=True)
