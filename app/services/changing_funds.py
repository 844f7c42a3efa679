"""An employer takes part in a fund from a month on, or no longer after one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.domain import employer_funds as rules
from app.domain.calendar import add_months, month_of
from app.domain.employer_funds import ADD, FundFacts, FundRequest
from app.domain.problem import Verdict
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.store.employers import FundRow, fund_spans, funds_of, hold_employer
from app.store.queries.insured import count_insured_after
from app.store.session import in_transaction

KIND = "employer_funds"
HELD = "funds_held"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("单位状态", (f"{KIND}.employer_ended",)),
    (
        "险种和月份",
        tuple(f"{KIND}.{each}" for each in ("not_here", "held", "not_held", "last", "month_limits")),
    ),
    ("参保人员", (f"{KIND}.people", f"{KIND}.not_enrolled")),
    ("未办结的申报", (f"{KIND}.one_open",)),
)


def prepare(case: Case, today: date) -> None:
    """Show the funds of today; inside a transaction the employer is held: an enrolment there waits."""
    employer_id = case.declaration.employer_id
    if in_transaction():
        hold_employer(employer_id)
        case.registry.employers.pop(employer_id, None)
    case.data[HELD] = funds_of(employer_id, month_of(today))


def _request(case: Case) -> FundRequest:
    return FundRequest(*(str(case.data[name]) for name in ("fund_action", "fund_code", "change_month")))


def judge(case: Case, today: date) -> Verdict:
    """Judge the change against the registry as it is now; another open one refuses too."""
    row, request, params = case.declaration, _request(case), case.parameters
    month = month_of(today)
    # nobody begins in a fund whose end is on record: an end is registered when it has come
    ahead = params.integer("employer_funds.max_months_ahead", month) if request.action == ADD else 0
    facts = FundFacts(
        status=case.registry.employer_facts(row.employer_id).status,
        spans=fund_spans(row.employer_id),
        in_fund=count_insured_after(row.employer_id, request.month, request.fund),
        people=count_insured_after(row.employer_id, add_months(month, -1)),
        earliest=add_months(month, -params.integer("employer_funds.max_months_back", month)),
        latest=add_months(month, ahead),
    )
    return subjects.with_open_case(case, rules.check_fund_change(params, request, facts), f"{KIND}.one_open")


def settle(case: Case, _today: date) -> dict[str, Any]:
    """The diagram is told what is done."""
    return {"reason": str(case.data["fund_action"])}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """Nobody who is insured is charged otherwise."""
    return None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Let the employer's fund begin, or end, with the month."""
    row, request = case.declaration, _request(case)
    if request.action == ADD:
        change = FundRow(row.employer_id, request.fund, request.month)
    else:
        span = rules.open_span(fund_spans(row.employer_id).get(request.fund, ()), request.month)
        if span is None:
            raise ValueError("the check lets nobody end a fund that has no open months")
        change = FundRow(row.employer_id, request.fund, span[0], request.month)
    case.fund_changes.append(change)
    case.effect_once(
        f"{KIND}.apply", now, {"action": request.action, "fund": request.fund, "month": request.month}
    )
    names = {fund.code: fund.name for fund in case.parameters.funds}
    row.result_code = f"{KIND}.added" if request.action == ADD else f"{KIND}.ended"
    row.result_message = case.message(row.result_code, fund=names[request.fund], month=request.month)
    return None


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
