"""Stopping: from a form and the registry to a judgement, what ends, and which charges are taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from app.domain import stop as rules
from app.domain.calendar import add_months, month_end, month_of
from app.domain.collection import REFUND
from app.domain.contribution import RETIRED, tariff
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.stop import StopRequest
from app.services import subjects
from app.services.cases import Case
from app.services.results import AmountLine, Amounts, supplementary
from app.services.subjects import is_number, with_open_case
from app.store.assessments import assessed_months
from app.store.crypto import blind
from app.store.facts import StretchRecord
from app.store.ledger import LineRow
from app.store.personal_accounts import ALLOCATION_PARTIES

RETIREES = "stop_retiree"
FIELDS = ("stop_month", "stop_date")
AnyLine = TypeVar("AnyLine", LineRow, AmountLine)
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown", "enrol.name")),
    ("参保关系", ("stop.not_active", "stop.cancels")),
    ("在职与退休", ("stop.retiree", "stop.not_retired", "stop.becomes_retiree", "stop.retire")),
    ("停保时间", ("stop.month", "stop.before_start", "counter.beyond")),
    ("变更原因", ("stop.reason", "stop.death")),
    ("已核定的费用", ("stop.takes_back",)),
    ("生育待遇", ("stop.allowance",)),
    ("重复申报", ("enrol.one_open",)),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stop will do: enrolments that end, those that never begin, and charges beyond the stop.

    `unpaid` ones are reversed, `paid` ones refunded; `backpaid` are months paid back in this month's
    bills, which stay.
    """

    stops: Sequence[StretchRecord]
    cancels: Sequence[StretchRecord]
    unpaid: Sequence[LineRow]
    paid: Sequence[LineRow]
    backpaid: Sequence[str]

    @property
    def taken_back(self) -> list[LineRow]:
        """All charges that are taken back."""
        return [*self.unpaid, *self.paid]


def prepare(case: Case, today: date) -> None:
    """Find whom the form is about, and fill in the month where the region leaves no choice."""
    subjects.identify(case)
    fixed = rules.fixed_stop_month(case.parameters, today)
    form = case.bundle.form(case.declaration.kind)
    if fixed is not None:
        for name in FIELDS:
            if name in form.by_name:
                case.data[name] = fixed if name == "stop_month" else month_end(fixed).isoformat()


def defaults(fields: Collection[str], parameters: ParameterSet, today: date) -> dict[str, Any]:
    """What a blank form starts with: the usual month and the region's usual reason."""
    found: dict[str, Any] = {}
    usual = rules.usual_stop_month(parameters, today)
    if usual is not None and "stop_month" in fields:
        found["stop_month"] = usual
    if usual is not None and "stop_date" in fields:
        found["stop_date"] = month_end(usual).isoformat()
    if "stop_reason" in fields and parameters.has("stop.default_reason"):
        found["stop_reason"] = parameters.text("stop.default_reason", today)
    return found


def stop_month(data: Mapping[str, Any]) -> str | None:
    """The month a stop ends with, from whichever field the region asks; None where there is none."""
    typed = str(data.get("stop_month") or data.get("stop_date") or "")[:7]
    try:
        return month_of(typed)
    except ValueError:
        return None


def request_of(case: Case) -> StopRequest:
    """Read a form as a stop request."""
    data, row = case.data, case.declaration
    day = str(data.get("stop_date") or "")
    return StopRequest(
        stop_month=stop_month(data) or "",
        reason=str(data.get("stop_reason") or ""),
        stop_day=date.fromisoformat(day) if day else None,
        name=str(data.get("name") or ""),
        retirees=row.kind == RETIREES,
        channel=row.channel,
    )


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; another open declaration refuses too."""
    row, registry = case.declaration, case.registry
    verdict = rules.check_stop(
        case.parameters,
        request_of(case),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        today,
    )
    if verdict.accepted:
        back = plan(case, today).taken_back
        if owed(back):
            verdict = Verdict((), (*verdict.warnings, _takes_back(owed(back))))
        open_kinds = registry.open_allowances(row.person_hash, row.employer_id, row.region)
        if open_kinds:
            kinds = "、".join(case.parameters.kind_label(each) for each in open_kinds)
            told = Problem("stop.allowance_open", "id_number", {"kinds": kinds})
            verdict = Verdict((), (*verdict.warnings, told))
    return with_open_case(case, verdict)


def owed(lines: Iterable[AnyLine]) -> list[AnyLine]:
    """The charges that somebody pays: what is allocated to an account costs nobody anything."""
    return [line for line in lines if line.party not in ALLOCATION_PARTIES]


def _takes_back(lines: Sequence[LineRow]) -> Problem:
    figures = {
        "amount": f"{Decimal(sum(line.amount_fen for line in lines)) / 100:.2f}",
        "months": "、".join(sorted({line.accrual_month for line in lines})),
    }
    return Problem("stop.takes_back", "stop_month", figures)


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix the month; the diagram is told the reason, which the materials depend on."""
    reason = str(case.data.get("stop_reason") or "")
    case.declaration.facts = {**case.declaration.facts, "stop_month": stop_month(case.data)}
    return {"reason": reason}


def plan(case: Case, today: date) -> Plan:
    """Say what a stop that the rules accept does to the registry."""
    row, request = case.declaration, request_of(case)
    month = month_of(today)
    found = open_stretches(case)
    cancels = [each for each in found if rules.is_cancelled(each.from_month, request, today)]
    lines: list[LineRow] = []
    if row.person_id is not None and request.stop_month:
        beyond = case.registry.lines_beyond(row.person_id, request.stop_month, month)
        lines = [line for line in beyond if line.employer_id == row.employer_id]
    retires = turns_into_retiree(case, today)
    unpaid, paid = rules.to_take_back(lines, request.stop_month, backpay_stays=not retires)
    stay = [each for each in lines if each not in unpaid and each not in paid]
    return Plan(
        stops=[each for each in found if each not in cancels],
        cancels=cancels,
        unpaid=unpaid,
        paid=paid,
        backpaid=rules.backpaid_months(stay, month),
    )


def turns_into_retiree(case: Case, today: date) -> bool:
    """Whether the reason makes the person a retiree instead of ending the insurance."""
    request = request_of(case)
    return not request.retirees and rules.is_retirement(case.parameters, request.reason, today)


def open_stretches(case: Case) -> list[StretchRecord]:
    """The person's enrolments at the case's employer that go on."""
    row = case.declaration
    if row.person_hash is None:
        return []
    return [
        each
        for record in case.registry.records(row.person_hash, row.region)
        for each in record.stretches
        if each.employer_id == row.employer_id and each.status == "active" and each.to_month is None
    ]


def trial_of(case: Case, today: date) -> Amounts | None:
    """What a stop takes back; None where the person is not known or nothing is taken back."""
    if stop_month(case.data) is None or not is_number(case.data, today):
        return None
    if case.declaration.person_id is None:
        case.declaration.person_hash = blind(str(case.data["id_number"]))
        records = case.registry.records(case.declaration.person_hash, case.declaration.region)
        case.declaration.person_id = records[0].id if len(records) == 1 else None
    found = plan(case, today)
    again = _as_retiree(case, found, today) if turns_into_retiree(case, today) else []
    costs = bool(owed(again))
    if not (owed(found.taken_back) or costs):
        return None
    month = month_of(today)
    lines = [amount_back(line, line.due_type, month) for line in found.unpaid]
    lines += [amount_back(line, REFUND, month) for line in found.paid]
    lines += again
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines}))


def _as_retiree(case: Case, found: Plan, today: date) -> list[AmountLine]:
    kept = rules.retiree_funds(case.parameters, [each.fund for each in found.stops])
    going_on = [each for each in found.stops if each.fund in kept]
    if not going_on:
        return []
    wage_fen = going_on[0].base_fen if going_on[0].wage_fen is None else going_on[0].wage_fen
    last = request_of(case).stop_month
    return retiree_lines(case, kept, wage_fen or 0, last, found.taken_back, today)


def retiree_lines(
    case: Case, funds: Collection[str], wage_fen: int, last: str, taken_back: Iterable[LineRow], today: date
) -> list[AmountLine]:
    """The trial lines of a retiree for months after the last one that are assessed already.

    Shape: of months before today's those that are taken back, as the charging does it afterwards.
    Raises: ParameterMissing.
    """
    back, month = {line.accrual_month for line in taken_back}, month_of(today)
    assessed = assessed_months(case.declaration.employer_id, add_months(last, 1))
    return [
        supplementary(each, line, month)
        for each in assessed
        if each >= month or each in back
        for line in tariff(case.parameters, each, RETIRED, sorted(funds)).fen_lines(wage_fen)
    ]


def amount_back(line: LineRow, due_type: str, due_month: str) -> AmountLine:
    """The trial line that takes a charge back, billed in a month."""
    return AmountLine(
        fund=line.fund,
        party=line.party,
        due_type=due_type,
        due_month=due_month,
        accrual_month=line.accrual_month,
        base_fen=line.base_fen,
        rate=line.rate,
        fixed_fen=line.fixed_fen,
        amount_fen=-line.amount_fen,
    )
