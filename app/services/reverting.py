"""Reverting: find what a person's last enrolment or stop of this month did, and undo exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_region, to_utc
from app.domain import revert as rules
from app.domain.calendar import add_months, month_of
from app.domain.collection import REFUND
from app.domain.problem import Verdict
from app.domain.revert import Business, RevertFacts
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import AmountLine, Amounts
from app.services.stop_effects import ENDED
from app.services.subjects import is_number, with_open_case
from app.store.business import BusinessRow, finished_business, hold_person
from app.store.enrolments import (
    BegunRow,
    ChangeRow,
    Ending,
    changes_of_declaration,
    enrolments_by_declaration,
)
from app.store.events import EventRow
from app.store.ids import new_id
from app.store.ledger import LineRow, Reversal, against, lines_of_declaration
from app.store.session import in_transaction

REVERT = "revert.apply"
REVERTED, RESTORED = "reverted", "restored"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown")),
    ("当月业务", ("revert.nothing", "revert.once_a_day")),
    ("后续业务", ("revert.built_upon", "revert.fund_ended")),
    ("费用", ("revert.charged", "counter.refunds")),
    ("重复申报", ("enrol.one_open",)),
)
MINUTE = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Trace:
    """What the business left behind: enrolments it began, changes it made, lines it charged or took back."""

    begun: Sequence[BegunRow]
    changes: Sequence[ChangeRow]
    charged: Sequence[LineRow]
    taken_back: Sequence[LineRow]

    @property
    def paid(self) -> bool:
        """Whether money of it has moved."""
        return any(line.received_on is not None for line in (*self.charged, *self.taken_back))


def prepare(case: Case, today: date) -> None:
    """Find whom the form is about, and say when the business was done."""
    subjects.identify(case)
    target = _target(case, today)
    if target is not None:
        case.data["handled_at"] = to_region(target.done_at_utc).strftime(MINUTE)


def judge(case: Case, today: date) -> Verdict:
    """Judge the revert against the registry as it is now; another open declaration refuses too."""
    row = case.declaration
    if row.person_id is not None and in_transaction():
        # two reverts of one person on a day: the second one looks after the first one is done
        hold_person(row.person_id)
    business = _business(case)
    target = _target(case, today)
    trace = trace_of(case, target) if target else None
    facts = RevertFacts(
        matches=len(case.registry.records(row.person_hash, row.region)) if row.person_hash else 0,
        employer_id=row.employer_id,
        business=[_fact(each) for each in business],
        paid=trace is not None and trace.paid,
        elsewhere=trace is not None and _insured_elsewhere(case, trace),
        channel=row.channel,
        ended_funds=_ended_funds(case, trace) if trace else (),
    )
    kind = str(case.data["revert_type"])
    return with_open_case(case, rules.check_revert(case.parameters, kind, facts, today))


def _ended_funds(case: Case, trace: Trace) -> list[str]:
    """The names of funds in which the person would go on although the employer has ended them since."""
    row = case.declaration
    restored = {each.enrolment_id for each in trace.changes if each.before.to_month is None}
    spans = case.registry.employer(row.employer_id).funds
    ended = {
        stretch.fund
        for record in case.registry.records(row.person_hash or b"", row.region)
        for stretch in record.stretches
        if stretch.id in restored and stretch.fund in spans and spans[stretch.fund][-1][1] is not None
    }
    return [fund.name for fund in case.parameters.funds if fund.code in ended]


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix what is reverted."""
    target = _target(case, today)
    if target is None:
        raise ValueError("the check lets no revert pass without a target")
    facts = {"target_id": target.id, "target": target.reference}
    case.declaration.facts = {**case.declaration.facts, **facts}
    return {"revert_type": target.kind}


def trial_of(case: Case, today: date) -> Amounts | None:
    """What the revert takes back and what it charges again; None where there is nothing to revert."""
    if not case.data.get("revert_type") or not is_number(case.data, today):
        return None
    if case.declaration.person_hash is None:
        subjects.identify(case)
    target = _target(case, today)
    if target is None:
        return None
    trace = trace_of(case, target)
    lines = [opposite(line, month_of(today)) for line in (*trace.charged, *trace.taken_back)]
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines})) if lines else None


def apply_revert(case: Case, now: datetime) -> None:
    """Put the registry back to where it was before the business: months, statuses and amounts.

    Nothing is deleted: what was begun ends before it began, what was changed gets its old values, lines
    are taken back by lines. Source: Nanjing manual 03.
    """
    row = case.declaration
    target_id = int(row.facts["target_id"])
    (target,) = [each for each in _business(case) if each.id == target_id]
    trace = trace_of(case, target)
    moment = to_utc(now)
    for begun in trace.begun:
        after = Ending(add_months(begun.from_month, -1), ENDED, None, row.id)
        case.changes.append(ChangeRow(new_id(), begun.id, row.id, REVERTED, begun.ending, after, moment))
    put_back(case, trace.changes, [*trace.charged, *trace.taken_back], now)
    case.effect_once(REVERT, now, {"target": target.reference})
    case.events.append(EventRow(new_id(), target.id, REVERTED, moment, detail={"by": row.reference}))


def put_back(case: Case, changes: Sequence[ChangeRow], lines: Sequence[LineRow], now: datetime) -> None:
    """Give changed enrolments their old values and take lines back; what a line had taken back stands again.

    Shape: `changes` in the order they were made; lines are billed in the month of `now`.
    """
    row, moment = case.declaration, to_utc(now)
    for change in reversed(changes):
        case.changes.append(
            ChangeRow(new_id(), change.enrolment_id, row.id, RESTORED, change.after, change.before, moment)
        )
    for line in lines:
        made = against(line, row.region, _due_type(line), month_of(now.date()), row.id, moment)
        case.lines.append(made)
        case.reversals.append(Reversal(line.id, made["id"], line.reversal_of_id))


def _due_type(line: LineRow) -> str:
    """A charge that was paid in is given back; everything else is taken back as what it was."""
    charged = line.reversal_of_id is None
    return REFUND if charged and line.received_on is not None else line.due_type


def trace_of(case: Case, target: BusinessRow) -> Trace:
    """What a business left in the registry, with the months assessed since on what it began."""
    row = case.declaration
    begun = enrolments_by_declaration(target.id)
    own = lines_of_declaration(target.id)
    charged = [line for line in own if line.reversal_of_id is None and line.reversed_by_id is None]
    if begun and row.person_id is not None:
        start = min(each.from_month for each in begun)
        later = case.registry.lines_beyond(row.person_id, add_months(start, -1), "9999-12")
        # ids rise with time: what was charged before belongs to an earlier stretch
        since = min(each.id for each in begun)
        known = {line.id for line in charged}
        charged += [
            line
            for line in later
            if line.id > since and line.employer_id == row.employer_id and line.id not in known
        ]
    return Trace(
        begun=begun,
        changes=changes_of_declaration(target.id),
        charged=charged,
        taken_back=[line for line in own if line.reversal_of_id is not None],
    )


def _insured_elsewhere(case: Case, trace: Trace) -> bool:
    """Whether a fund that would go on again goes on somewhere else by now."""
    row = case.declaration
    again = {change.enrolment_id for change in trace.changes if change.before.to_month is None}
    stretches = [
        each
        for record in case.registry.records(row.person_hash or b"", row.region)
        for each in record.stretches
    ]
    funds = {each.fund for each in stretches if each.id in again}
    begun = {each.id for each in trace.begun}
    return any(
        each.fund in funds and each.status != ENDED and each.to_month is None
        for each in stretches
        if each.id not in begun
    )


def _business(case: Case) -> list[BusinessRow]:
    row = case.declaration
    if row.person_hash is None:
        return []
    return [each for each in finished_business(row.person_hash, row.region) if each.id != row.id]


def _target(case: Case, today: date) -> BusinessRow | None:
    business = _business(case)
    kind = str(case.data.get("revert_type") or "")
    facts = [_fact(each) for each in business]
    found = rules.find_target(facts, kind, case.declaration.employer_id, today)
    return next((each for each in business if found is not None and each.id == found.id), None)


def _fact(row: BusinessRow) -> Business:
    return Business(row.id, row.kind, row.employer_id, to_region(row.done_at_utc).date(), row.reverts_id)


def opposite(line: LineRow, due_month: str) -> AmountLine:
    """The trial line that undoes a line, billed in a month."""
    return AmountLine(
        fund=line.fund,
        party=line.party,
        due_type=_due_type(line),
        due_month=due_month,
        accrual_month=line.accrual_month,
        base_fen=line.base_fen,
        rate=line.rate,
        fixed_fen=line.fixed_fen,
        amount_fen=-line.amount_fen,
    )


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Undo an enrolment or a stop of this month."""
    row = case.declaration
    apply_revert(case, now)
    row.result_code = "revert.accepted"
    row.result_message = case.message(row.result_code)
    return None


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept)
