"""What a stop does to the registry: enrolments end or never begin, charges beyond are taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from app.clock import to_utc
from app.domain import stop as rules
from app.domain.calendar import add_months, month_of
from app.domain.collection import REFUND
from app.domain.retiring import retired_type
from app.services import stopping
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.stopping import Plan
from app.store.enrolments import ChangeRow, Ending, enrolment_values
from app.store.facts import StretchRecord
from app.store.ids import new_id
from app.store.ledger import LineRow, Reversal, against

STOP = "stop.apply"
STOPPED, CANCELLED, RETIRED = "stopped", "cancelled", "retired"
ACTIVE, ENDED = "active", "ended"


def apply_stop(case: Case, today: date, now: datetime) -> Plan:
    """End the person's enrolments at the employer with the stop month, and take later charges back.

    Enrolments that begin later never take effect. Where the reason is retirement, the person goes on as
    a retiree from the next month. Shape: `today` is the day of submission, `now` the moment of the act.
    Source: Suzhou manual 2 (3), Nantong manual 2.3.3, Weinan manual 2.2.
    """
    request = stopping.request_of(case)
    plan = stopping.plan(case, today)
    retires = stopping.turns_into_retiree(case, today)
    for stretch in plan.stops:
        action = RETIRED if retires else STOPPED
        change_stretch(case, stretch, action, request.stop_month, ACTIVE, request.reason, now)
    for stretch in plan.cancels:
        before_it = add_months(stretch.from_month, -1)
        change_stretch(case, stretch, CANCELLED, before_it, ENDED, request.reason, now)
    take_back(case, plan.unpaid, None, now)
    take_back(case, plan.paid, REFUND, now)
    if retires:
        _go_on_retired(case, plan.stops, request.stop_month)
    case.effect_once(
        STOP,
        now,
        {"stop_month": request.stop_month, "stopped": len(plan.stops), "cancelled": len(plan.cancels)},
    )
    return plan


def change_stretch(
    case: Case,
    stretch: StretchRecord,
    action: str,
    to_month: str | None,
    status: str,
    reason: str,
    now: datetime,
) -> None:
    """Have an enrolment end with a month (inclusive), keeping old and new."""
    before = Ending(stretch.to_month, stretch.status, stretch.reason, stretch.ended_by_declaration_id)
    after = Ending(to_month, status, reason or None, case.declaration.id)
    case.changes.append(
        ChangeRow(new_id(), stretch.id, case.declaration.id, action, before, after, to_utc(now))
    )


def take_back(case: Case, lines: Iterable[LineRow], due_type: str | None, now: datetime) -> None:
    """Take lines back by lines of the negated amount, billed in the month of `now`; `due_type` None keeps
    each line's own."""
    row = case.declaration
    for line in lines:
        made = against(line, row.region, due_type or line.due_type, month_of(now.date()), row.id, to_utc(now))
        case.lines.append(made)
        case.reversals.append(Reversal(line.id, made["id"]))


def _go_on_retired(case: Case, stretches: Sequence[StretchRecord], last_month: str) -> None:
    row = case.declaration
    carried = rules.retiree_funds(case.parameters, [each.fund for each in stretches])
    case.enrolments += [
        enrolment_values(
            id=new_id(),
            region=row.region,
            person_id=row.person_id,
            employer_id=row.employer_id,
            category=each.category,
            fund=each.fund,
            person_type=retired_type(each.person_type),
            from_month=add_months(last_month, 1),
            wage_fen=each.wage_fen,
            base_fen=each.base_fen,
            declaration_id=row.id,
        )
        for each in stretches
        if each.fund in carried
    ]


def accept(case: Case, day: date, now: datetime) -> Result:
    """End the person's enrolments at the employer."""
    row = case.declaration
    done = apply_stop(case, day, now)
    row.result_code = rules.stop_outcome(
        retired=any(change.action == RETIRED for change in case.changes),
        cancelled=not done.stops,
        backpaid=bool(done.backpaid),
    )
    row.result_message = case.message(row.result_code, months="、".join(done.backpaid))
    row.facts = {**row.facts, "taken_back": sorted({line.accrual_month for line in done.taken_back})}
    return {"taken_back": len(done.taken_back)}


HANDLING = Handling(
    stopping.judge,
    stopping.settle,
    stopping.trial_of,
    prepare=stopping.prepare,
    defaults=stopping.defaults,
    subjects=stopping.SUBJECTS,
    accept=accept,
)
