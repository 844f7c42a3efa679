"""Pausing, resuming and closing an employer, and what its arrears stand in the way of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.domain import employer_status as rules
from app.domain.employer_status import ClosingFacts
from app.domain.enrolment import ENDED
from app.domain.problem import Verdict
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.subjects import with_open_case
from app.store.employers import StatusRow, hold_employer
from app.store.queries.insured import count_insured_after, open_kinds, unpaid
from app.store.session import in_transaction

# What an auditor is told was checked, by the beginnings of the codes that speak of it.
CLOSING_SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("单位状态", ("employer_closing.ended", "employer_closing.future")),
    ("参保人员", ("employer_closing.people",)),
    ("未办结的申报", ("employer_closing.open_case", "enrol.one_open")),
    ("欠费", ("employer_closing.unpaid",)),
)
PAUSING_SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("单位状态", ("employer_pausing.",)),
    ("重复申报", ("enrol.one_open",)),
)


def _prepare(case: Case, _today: date) -> None:
    """Hold the employer until the commit: whoever enrols somebody there waits, and looks again."""
    if in_transaction():
        hold_employer(case.declaration.employer_id)
        case.registry.employers.pop(case.declaration.employer_id, None)


def _status(case: Case) -> str:
    return case.registry.employer_facts(case.declaration.employer_id).status


def _no_amounts(_case: Case, _today: date) -> Amounts | None:
    return None


def judge_closing(case: Case, today: date) -> Verdict:
    """Judge a closing against the registry as it is now."""
    row, month = case.declaration, str(case.data["closing_month"])
    facts = ClosingFacts(
        status=_status(case),
        people=count_insured_after(row.employer_id, month),
        open_kinds=open_kinds(row.employer_id, row.reference),
        unpaid_fen=unpaid(row.employer_id).amount_fen,
    )
    return with_open_case(case, rules.check_closing(case.parameters, month, facts, today))


def settle_closing(case: Case, _today: date) -> dict[str, Any]:
    """Fix the month; the diagram is told the reason."""
    month = str(case.data["closing_month"])
    case.declaration.facts = {**case.declaration.facts, "stop_month": month}
    return {"reason": str(case.data.get("closing_reason") or "")}


def accept_closing(case: Case, _day: date, now: datetime) -> Result:
    """End the employer and its funds."""
    row, month = case.declaration, str(case.data["closing_month"])
    before = _status(case)
    case.employer_statuses.append(StatusRow(row.employer_id, before, ENDED, month))
    case.effect_once("employer_closing.apply", now, {"before": before, "after": ENDED, "month": month})
    row.result_code = "employer_closing.accepted"
    row.result_message = case.message(row.result_code, month=month)
    return None


def judge_pausing(case: Case, _today: date) -> Verdict:
    """Judge pausing or resuming against the employer as it is now."""
    return with_open_case(case, rules.check_pausing(str(case.data["pausing_action"]), _status(case)))


def settle_pausing(case: Case, _today: date) -> dict[str, Any]:
    """The diagram is told what is done."""
    return {"reason": str(case.data["pausing_action"])}


def accept_pausing(case: Case, _day: date, now: datetime) -> Result:
    """Pause or resume the employer."""
    row, action = case.declaration, str(case.data["pausing_action"])
    before, after = _status(case), rules.status_after(action)
    case.employer_statuses.append(StatusRow(row.employer_id, before, after))
    case.effect_once("employer_pausing.apply", now, {"before": before, "after": after})
    row.result_code = f"employer_pausing.{after}"
    row.result_message = case.message(row.result_code)
    return None


CLOSING = Handling(
    judge_closing,
    settle_closing,
    _no_amounts,
    prepare=_prepare,
    subjects=CLOSING_SUBJECTS,
    accept=accept_closing,
    notifies=True,
)
PAUSING = Handling(
    judge_pausing,
    settle_pausing,
    _no_amounts,
    prepare=_prepare,
    subjects=PAUSING_SUBJECTS,
    accept=accept_pausing,
    notifies=True,
)
