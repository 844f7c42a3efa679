"""Changing an employee's person type: from a form and the registry to a judgement, and what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.domain import type_change as rules
from app.domain.base import Carried, carried_by_month
from app.domain.calendar import add_months, month_of
from app.domain.collection import REFUND, SUPPLEMENTARY
from app.domain.contribution import FenLine
from app.domain.enrolment import CIVIL_SERVANT
from app.domain.money import format_yuan, from_fen
from app.domain.problem import Problem, Verdict
from app.domain.type_change import TypeRequest
from app.formspec.form import Form
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts, supplementary
from app.services.stop_effects import change_stretch, take_back
from app.services.stopping import amount_back, open_stretches
from app.services.subjects import is_number, with_open_case
from app.store.business import hold_people
from app.store.enrolments import enrolment_values, enrolments_of
from app.store.facts import StretchRecord
from app.store.ids import new_id
from app.store.ledger import LineRow, charge_values
from app.store.person_types import ACTION, TypeRow
from app.store.session import in_transaction

CHANGE = "person_type_change.apply"
OLD = "old_person_type"
END_OF_TIME = "9999-12"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown", "enrol.name")),
    ("参保关系", ("stop.not_active", "person_type_change.retiree", "person_type_change.same",
              "person_type_change.overlap")),
    ("起始月份", ("person_type_change.month", "base.before_start")),
    ("参保险种", ("person_type_change.not_here", "person_type_change.employer_fund")),
    ("已核定的费用", ("person_type_change.differences",)),
    ("重复申报", ("enrol.one_open",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change does: the fund that begins or ends, and the charges of months assessed already."""

    fund: str
    added: Sequence[tuple[str, FenLine]]
    dropped: Sequence[StretchRecord]
    unpaid: Sequence[LineRow]
    paid: Sequence[LineRow]

    @property
    def difference_fen(self) -> int:
        """What employer and employee owe more, or less, for the months assessed already."""
        back = [line for line in (*self.unpaid, *self.paid) if not line.party.startswith("allocation")]
        more = [line for _, line in self.added if not line.party.startswith("allocation")]
        return sum(line.amount_fen for line in more) - sum(line.amount_fen for line in back)


def prepare(case: Case, _today: date) -> None:
    """Find whom the form is about, and show the present type, to the own employer only."""
    subjects.identify(case)
    row = case.declaration
    if in_transaction() and row.person_id is not None:
        hold_people([row.person_id])
    case.data.pop(OLD, None)
    types = [each.person_type for each in open_stretches(case)]
    if types:
        case.data[OLD] = max(types)


def current(form: Form, _kind: str, employer_id: int, person_id: int | None) -> dict[str, Any]:
    """What a form about somebody of the roster starts with: the type as it is."""
    if person_id is None or OLD not in form.by_name:
        return {}
    types = [
        each.person_type
        for each in enrolments_of([person_id]).get(person_id, [])
        if each.employer_id == employer_id and each.status == "active" and each.to_month is None
    ]
    return {OLD: max(types)} if types else {}


def request_of(case: Case) -> TypeRequest:
    """Read a complete form as a request."""
    data = case.data
    return TypeRequest(
        person_type=str(data["person_type"]),
        from_month=str(data["from_month"]),
        name=str(data.get("name") or ""),
        channel=case.declaration.channel,
    )


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row, registry = case.declaration, case.registry
    verdict = rules.check_type_change(
        case.parameters,
        request_of(case),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        today,
    )
    if verdict.accepted:
        found = plan(case)
        if found.added or found.unpaid or found.paid:
            verdict = Verdict((), (*verdict.warnings, _differences(found)))
    return with_open_case(case, verdict)


def _differences(found: Plan) -> Problem:
    months = {month for month, _ in found.added}
    months |= {line.accrual_month for line in (*found.unpaid, *found.paid)}
    figures = {"amount": format_yuan(from_fen(found.difference_fen)), "months": "、".join(sorted(months))}
    return Problem("person_type_change.differences", "from_month", figures)


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix type and month; the diagram is told the type."""
    request = request_of(case)
    facts = {"person_type": request.person_type, "start_month": request.from_month}
    case.declaration.facts = {**case.declaration.facts, **facts}
    return {"reason": request.person_type}


def plan(case: Case) -> Plan:
    """Say what a change that the rules accept does to the registry and the ledger."""
    row, request = case.declaration, request_of(case)
    fund = rules.fund_of_type(case.parameters, CIVIL_SERVANT) or ""
    beyond = case.registry.lines_beyond(row.person_id or 0, add_months(request.from_month, -1), END_OF_TIME)
    lines = [line for line in beyond if line.employer_id == row.employer_id]
    if request.person_type == CIVIL_SERVANT:
        return Plan(fund, _added(case, fund, lines), (), (), ())
    back = rules.charges_of_fund(lines, fund, request.from_month)
    return Plan(
        fund=fund,
        added=(),
        dropped=[each for each in open_stretches(case) if each.fund == fund],
        unpaid=[line for line in back if line.received_on is None],
        paid=[line for line in back if line.received_on is not None],
    )


def _added(case: Case, fund: str, lines: Sequence[LineRow]) -> list[tuple[str, FenLine]]:
    """The lines of the added fund for months that are charged already, on the base that they carry."""
    first = request_of(case).from_month
    return [
        (month, line)
        for month, carried in sorted(carried_by_month(lines).items())
        if month >= first and not any(code == fund for code, _ in carried)
        for line in rules.added_lines(case.parameters, month, fund, _base(case, carried))
    ]


def _base(case: Case, carried: dict[tuple[str, str], Carried]) -> int:
    held = max((each.base_fen for each in carried.values()), default=0)
    return held or max((each.base_fen or 0 for each in open_stretches(case)), default=0)


def trial_of(case: Case, today: date) -> Amounts | None:
    """What the months assessed already owe more or less; None where that is nothing or not known yet."""
    if not is_number(case.data, today) or not case.data.get("person_type"):
        return None
    try:
        month_of(str(case.data.get("from_month") or ""))
    except ValueError:
        return None
    subjects.identify(case)
    if case.declaration.person_id is None:
        return None
    found, month = plan(case), month_of(today)
    lines = [supplementary(each, line, month) for each, line in found.added]
    lines += [amount_back(line, line.due_type, month) for line in found.unpaid]
    lines += [amount_back(line, REFUND, month) for line in found.paid]
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines})) if lines else None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Begin or end the fund with the month, and correct the months that are assessed already."""
    row, request, found = case.declaration, request_of(case), plan(case)
    stretches = open_stretches(case)
    for stretch in found.dropped:
        never = stretch.from_month >= request.from_month
        last = add_months(stretch.from_month if never else request.from_month, -1)
        change_stretch(case, stretch, ACTION + "_drop", last, "ended" if never else "active", "", now)
    case.type_changes += [
        TypeRow(
            new_id(), each.id, row.id, request.from_month, each.person_type, request.person_type, to_utc(now)
        )
        for each in stretches
        if each not in found.dropped and each.person_type != request.person_type
    ]
    if request.person_type == CIVIL_SERVANT:
        _begin(case, found.fund, stretches)
    _charge(case, found, now)
    take_back(case, found.unpaid, None, now)
    take_back(case, found.paid, REFUND, now)
    done = {"person_type": request.person_type, "from_month": request.from_month, "fund": found.fund}
    case.effect_once(CHANGE, now, done)
    row.result_code = "person_type_change.accepted"
    row.result_message = case.message(row.result_code, month=request.from_month)
    return None


def _begin(case: Case, fund: str, stretches: Sequence[StretchRecord]) -> None:
    row, main = case.declaration, max(stretches, key=lambda each: each.base_fen or 0)
    case.enrolments.append(
        enrolment_values(
            id=new_id(),
            region=row.region,
            person_id=row.person_id,
            employer_id=row.employer_id,
            category=main.category,
            fund=fund,
            person_type=CIVIL_SERVANT,
            from_month=request_of(case).from_month,
            wage_fen=main.wage_fen,
            base_fen=main.base_fen,
            declaration_id=row.id,
        )
    )


def _charge(case: Case, found: Plan, now: datetime) -> None:
    row = case.declaration
    case.lines += [
        charge_values(
            line,
            region=row.region,
            person_id=row.person_id or 0,
            employer_id=row.employer_id,
            due_type=SUPPLEMENTARY,
            due_month=month_of(now.date()),
            accrual_month=month,
            declaration_id=row.id,
            created_at_utc=to_utc(now),
        )
        for month, line in found.added
    ]


HANDLING = Handling(
    judge, settle, trial_of, prepare=prepare, current=current, subjects=SUBJECTS, accept=accept, notifies=True
)
