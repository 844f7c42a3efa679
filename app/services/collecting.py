"""Supplementary collection: from a form and the registry to months, lines and the late fee."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.clock import to_utc
from app.domain import backpay as rules
from app.domain.backpay import CollectionRequest, Selection
from app.domain.base import declared_wage
from app.domain.billing import PAYABLE, due_date
from app.domain.calendar import month_of
from app.domain.collection import SUPPLEMENTARY
from app.domain.contribution import CLIP, Line, in_fen
from app.domain.money import from_fen, to_fen
from app.domain.problem import Problem, Verdict
from app.services import subjects
from app.services.basing import spans_of
from app.services.cases import Case
from app.services.enrolling import amount_line, tariff_of
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.subjects import is_number, with_open_case
from app.store.crypto import blind
from app.store.ledger import charge_values

APPLY = "collection.apply"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown", "enrol.name", "collection.retiree")),
    ("补收时间", ("base.period_order", "collection.too_", "counter.too_early", "collection.not_insured",
              "collection.nothing", "collection.left_out")),
    ("缴费基数", ("collection.base_missing",)),
    ("滞纳金", ("collection.late_fee",)),
    ("重复申报", ("enrol.one_open",)),
)  # fmt: skip


def request_of(case: Case) -> CollectionRequest:
    """Read a form as a request."""
    return CollectionRequest(
        from_month=month_in(case.data, "from_month"),
        to_month=month_in(case.data, "to_month"),
        name=str(case.data.get("name") or ""),
        channel=case.declaration.channel,
    )


def month_in(data: Mapping[str, Any], name: str) -> str:
    """A month field of a form, "" where it holds none."""
    try:
        return month_of(str(data.get(name) or "")[:7])
    except ValueError:
        return ""


def selection(case: Case, today: date) -> Selection:
    """What becomes of the chosen months."""
    row, registry = case.declaration, case.registry
    return rules.select_months(
        case.parameters,
        request_of(case),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        spans_of(case),
        today,
    )


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row, registry = case.declaration, case.registry
    verdict = rules.check_collection(
        case.parameters,
        request_of(case),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        spans_of(case),
        today,
    )
    if verdict.accepted:
        fee = late_fee(case, today)
        if fee:
            told = Problem("collection.late_fee", "from_month", {"amount": f"{fee:.2f}"})
            verdict = Verdict((), (*verdict.warnings, told))
    return with_open_case(case, verdict)


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix the months; the diagram is told what the materials depend on."""
    case.months = list(selection(case, today).months)
    case.declaration.facts = {**case.declaration.facts, "months": case.months}
    reason = rules.material_reason(case.parameters, case.months, today)
    return {"reason": reason, "backpay_months": len(case.months)}


def lines_of(case: Case, today: date) -> list[tuple[str, Line]]:
    """The lines that the collection makes, each with its accrual month: its own rates, floor and cap."""
    row = case.declaration
    person = case.registry.person_facts(row.person_hash, row.region)
    employer = case.registry.employer_facts(row.employer_id)
    found = []
    for month in selection(case, today).months:
        wage = _wage(case, month)
        if wage is None:
            continue
        funds = tuple(sorted(rules.insured_funds(person, employer, month)))
        quote = tariff_of(case.parameters, month, funds).quote(wage, CLIP)
        found += [(month, line) for line in quote.lines]
    return found


def _wage(case: Case, month: str) -> Decimal | None:
    """The wage declared for a month, else the one that the person was enrolled with."""
    row = case.declaration
    span = declared_wage(spans_of(case), month)
    if span is not None:
        return from_fen(span.wage_fen)
    for record in case.registry.records(row.person_hash or b"", row.region):
        for stretch in record.stretches:
            covers = stretch.from_month <= month and (stretch.to_month is None or month <= stretch.to_month)
            if covers and stretch.employer_id == row.employer_id and stretch.status == "active":
                first = next(iter(case.registry.base_history([stretch.id])[stretch.id]), None)
                wage = first.before_wage_fen if first else stretch.wage_fen
                return None if wage is None else from_fen(wage)
    return None


def late_fee(case: Case, today: date) -> Decimal:
    """The late fee in yuan, line by line from the day after each month's due date, as a payment enters it."""
    fees = (
        rules.late_fee_of(case.parameters, month, line.amount, today)
        for month, line in lines_of(case, today)
        if line.party in PAYABLE and line.amount > 0
    )
    return sum(fees, Decimal("0.00"))


def trial_of(case: Case, today: date) -> Amounts | None:
    """The lines that would be made; None where the form does not name person and months yet."""
    request = request_of(case)
    if not is_number(case.data, today) or not request.from_month or not request.to_month:
        return None
    if case.declaration.person_hash is None:
        case.declaration.person_hash = blind(str(case.data["id_number"]))
        subjects.identify(case)
    if case.declaration.person_id is None or not rules.check_period(case.parameters, request, today).accepted:
        # months without end are not calculated: the check says which are possible
        return None
    due = month_of(today)
    lines = [amount_line(line, SUPPLEMENTARY, due, month) for month, line in lines_of(case, today)]
    if not lines:
        return None
    months = sorted({line.accrual_month for line in lines})
    return Amounts(lines=lines, months=months, demo=any(line.demo for line in lines))


def apply_collection(case: Case, today: date, now: datetime) -> list[str]:
    """Charge the chosen months, due in the month of `now`; gives the months.

    Shape: `today` is the day of submission. The late fee stays with the case: it grows until money comes in.
    Source: platform manual 4.
    """
    row = case.declaration
    found = lines_of(case, today)
    months = sorted({month for month, _ in found})
    wages = {month: _wage(case, month) for month in months}
    case.lines += [
        charge_values(
            in_fen(line),
            region=row.region,
            person_id=row.person_id or 0,
            employer_id=row.employer_id,
            due_type=SUPPLEMENTARY,
            due_month=month_of(now.date()),
            accrual_month=month,
            declaration_id=row.id,
            created_at_utc=to_utc(now),
            late_from=due_date(case.parameters, month),
            wage_fen=None if (wage := wages[month]) is None else to_fen(wage),
        )
        for month, line in found
    ]
    fee = to_fen(late_fee(case, now.date()))
    row.facts = {**row.facts, "months": months, "late_fee_fen": fee}
    case.effect_once(APPLY, now, {"months": months, "late_fee_fen": fee})
    return months


def accept(case: Case, day: date, now: datetime) -> Result:
    """Charge the months of an accepted supplementary collection."""
    row = case.declaration
    months = apply_collection(case, day, now)
    row.result_code = "collection.accepted"
    row.result_message = case.message(row.result_code, months=str(len(months)))
    return {"backpay_months": len(months)}


HANDLING = Handling(judge, settle, trial_of, subjects=SUBJECTS, accept=accept)
