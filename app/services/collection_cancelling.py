"""Cancelling a supplementary collection: what of it may be taken back, and the lines against it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.clock import to_region
from app.domain import backpay as rules
from app.domain.backpay import BackpaidMonth, Cancellation
from app.domain.calendar import month_of
from app.domain.collection import MONTH_DUES, SUPPLEMENTARY
from app.domain.problem import Verdict
from app.services import subjects
from app.services.cases import Case
from app.services.collecting import month_in
from app.services.handling import Handling, Result
from app.services.results import AmountLine, Amounts
from app.services.stop_effects import take_back
from app.services.subjects import is_number, with_open_case
from app.store.business import finished_business
from app.store.crypto import blind
from app.store.ledger import LineRow

APPLY = "collection_cancel.apply"
FIRST, LAST = "0001-01", "9999-12"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown")),
    ("补收核定", ("collection_cancel.",)),
    ("重复申报", ("enrol.one_open",)),
)


def prepare(case: Case, today: date) -> None:
    """Find whom the form is about, and say which months can be cancelled."""
    subjects.identify(case)
    form = case.bundle.form(case.declaration.kind)
    if "backpay_months" in form.by_name:
        months = cancellation(case, today).months
        case.data["backpay_months"] = "、".join(months)


def backpaid_lines(case: Case) -> dict[str, list[LineRow]]:
    """What the chosen months carry that this employer paid back, by accrual month, corrections included."""
    row = case.declaration
    if row.person_id is None:
        return {}
    first = month_in(case.data, "from_month") or FIRST
    last = month_in(case.data, "to_month") or LAST
    found: dict[str, list[LineRow]] = {}
    for line in case.registry.lines_beyond(row.person_id, FIRST, FIRST):
        own = line.employer_id == row.employer_id and line.due_type in MONTH_DUES
        if own and first <= line.accrual_month <= last:
            found.setdefault(line.accrual_month, []).append(line)
    return {
        month: lines
        for month, lines in found.items()
        if any(line.due_type == SUPPLEMENTARY for line in lines)
    }


def cancellation(case: Case, today: date) -> Cancellation:
    """Which of the months may be cancelled today."""
    row = case.declaration
    matches = len(case.registry.records(row.person_hash, row.region)) if row.person_hash else 0
    lines = backpaid_lines(case)
    done = {}
    if lines and row.person_hash is not None:
        business = finished_business(row.person_hash, row.region)
        done = {each.id: to_region(each.done_at_utc).date() for each in business}
    backpaid = [
        BackpaidMonth(
            month=month,
            made_on=next(
                (done.get(line.declaration_id or 0) for line in found if line.due_type == SUPPLEMENTARY), None
            ),
            paid=any(line.received_on is not None for line in found),
        )
        for month, found in sorted(lines.items())
    ]
    return rules.check_cancellation(case.parameters, matches, backpaid, today)


def judge(case: Case, today: date) -> Verdict:
    """Judge the cancellation against the ledger as it is now; another open declaration refuses too."""
    return with_open_case(case, cancellation(case, today).verdict)


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix the months that are cancelled."""
    case.months = list(cancellation(case, today).months)
    case.declaration.facts = {**case.declaration.facts, "months": case.months}
    return {"backpay_months": len(case.months)}


def trial_of(case: Case, today: date) -> Amounts | None:
    """What is taken back; None where nothing can be cancelled."""
    if not is_number(case.data, today):
        return None
    if case.declaration.person_hash is None:
        case.declaration.person_hash = blind(str(case.data["id_number"]))
        subjects.identify(case)
    months = cancellation(case, today).months
    lines = [
        AmountLine(
            fund=line.fund,
            party=line.party,
            due_type=line.due_type,
            due_month=month_of(today),
            accrual_month=line.accrual_month,
            base_fen=line.base_fen,
            rate=line.rate,
            fixed_fen=line.fixed_fen,
            amount_fen=-line.amount_fen,
        )
        for month, found in sorted(backpaid_lines(case).items())
        if month in months
        for line in found
    ]
    return Amounts(lines=lines, months=list(months)) if lines else None


def apply_cancellation(case: Case, today: date, now: datetime) -> list[str]:
    """Take the lines back by lines of the negated amount; gives the months. Source: Suzhou manual 3."""
    months = list(cancellation(case, today).months)
    lines = backpaid_lines(case)
    for month in months:
        take_back(case, lines[month], None, now)
    case.declaration.facts = {**case.declaration.facts, "taken_back": months}
    case.effect_once(APPLY, now, {"months": months})
    return months


def accept(case: Case, day: date, now: datetime) -> Result:
    """Take a supplementary collection back."""
    row = case.declaration
    months = apply_cancellation(case, day, now)
    row.result_code = "collection_cancel.accepted"
    row.result_message = case.message(row.result_code, months="、".join(months))
    return {"backpay_months": len(months)}


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept)
