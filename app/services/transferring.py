"""Moving people to another employer: from a form and the registry to a judgement, and what it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.domain import transfer as rules
from app.domain.base import WageSpan, declared_wage
from app.domain.calendar import add_months, month_of
from app.domain.collection import REFUND, SUPPLEMENTARY
from app.domain.contribution import ACTIVE, CLIP, RETIRED, tariff
from app.domain.enrolment import EMPLOYEE, RETIREE_TYPES, EmployerFacts
from app.domain.identity import mask
from app.domain.money import format_yuan, from_fen, to_fen
from app.domain.problem import Problem, Verdict
from app.domain.transfer import Mover, Owed, TransferRequest
from app.services import notices
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.objects import many_keys, numbers_of
from app.services.results import Amounts
from app.services.stop_effects import change_stretch, take_back
from app.services.stopping import amount_back
from app.store.bases import BaseRow
from app.store.business import hold_people
from app.store.crypto import blind
from app.store.employers import find_employer_by_no
from app.store.enrolments import enrolment_values
from app.store.facts import PersonRecord, StretchRecord
from app.store.ids import new_id
from app.store.ledger import LineRow, line_values
from app.store.personal_accounts import ALLOCATION_PARTIES
from app.store.session import in_transaction

TRANSFER = "employer_transfer.apply"
TRANSFERRED = "transferred"
TARGET, TARGET_NAME, FOUND = "target_employer_no", "target_employer_name", "people_found"
END_OF_TIME = "9999-12"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("新单位", ("employer_transfer.target",)),
    ("转移人员", ("employer_transfer.nobody", "employer_transfer.too_many", "employer_transfer.unknown",
              "employer_transfer.duplicate", "employer_transfer.outdated")),
    ("参保关系", ("employer_transfer.not_active", "employer_transfer.before_start")),
    ("转移月份", ("employer_transfer.month",)),
    ("参保险种", ("employer_transfer.no_fund", "employer_transfer.funds_lost")),
    ("已核定的费用", ("employer_transfer.moves",)),
    ("重复申报", ("employer_transfer.one_open", "enrol.one_open")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one person: enrolments that end, the funds that go on, charges that move."""

    record: PersonRecord
    stretches: Sequence[StretchRecord]
    funds: Sequence[str]
    lines: Sequence[LineRow]


def prepare(case: Case, _today: date) -> None:
    """Find the people and the new employer, and show both.

    Inside a transaction the people are held until the commit: whoever charges one of them waits.
    """
    data, row = case.data, case.declaration
    for name in (TARGET_NAME, FOUND):
        data.pop(name, None)
    row.person_hash, row.person_id = None, None
    numbers = numbers_of(data)
    _read(case)
    if in_transaction():
        hold_people([record.id for number in numbers for record in _records(case, number)])
        case.registry.forget_people()
        _read(case)
    target = _target(case)
    if target is not None:
        data[TARGET_NAME] = target.name
    if numbers:
        data[FOUND] = "、".join(_label(case, number) for number in numbers)


def _read(case: Case) -> None:
    numbers = numbers_of(case.data)
    case.registry.read_people(blind(number) for number in numbers)


def _short(case: Case, numbers: Sequence[str]) -> str:
    """How lists name the case: the first person, and how many there are."""
    first = _records(case, numbers[0])
    name = first[0].name if first else mask(numbers[0])
    return name if len(numbers) == 1 else f"{name}等{len(numbers)}人"


def _label(case: Case, number: str) -> str:
    found = _records(case, number)
    return f"{found[0].name}（{mask(number)}）" if found else mask(number)


def _records(case: Case, number: str) -> list[PersonRecord]:
    return case.registry.records(blind(number), case.declaration.region)


def _target(case: Case) -> Any:
    number = str(case.data.get(TARGET) or "")
    found = find_employer_by_no(number) if number else None
    return found if found is not None and found.region == case.declaration.region else None


def _receiving(case: Case) -> EmployerFacts | None:
    found = _target(case)
    return None if found is None else case.registry.employer_facts(found.id)


def request_of(case: Case) -> TransferRequest:
    """Read a complete form as a request."""
    data = case.data
    return TransferRequest(
        month=str(data["transfer_month"]),
        reason=str(data.get("transfer_reason") or ""),
        channel=case.declaration.channel,
    )


def judge(case: Case, today: date) -> Verdict:
    """Judge the transfer against the registry as it is now: all of the people go, or nobody."""
    row, registry = case.declaration, case.registry
    request = request_of(case)
    verdict = rules.check_transfer(
        case.parameters,
        request,
        _movers(case),
        registry.employer_facts(row.employer_id),
        _receiving(case),
        today,
    )
    if not verdict.accepted:
        return verdict
    back = [line for each in moves(case) for line in each.lines]
    return Verdict((), (*verdict.warnings, *([_moves_charges(back)] if back else [])))


def _movers(case: Case) -> list[Mover]:
    row, registry = case.declaration, case.registry
    keys = {number: key for key, number in many_keys(case).items()}
    registry.read_open(keys.values())
    found = []
    for number in numbers_of(case.data):
        records = _records(case, number)
        held = registry.open_keys.get(keys.get(number, ""))
        found.append(
            Mover(
                label=_label(case, number) + (f" {held}" if held and held != row.reference else ""),
                person=registry.person_facts(blind(number), row.region),
                open_reference=held if held and held != row.reference else "",
                outdated_number=len(records) == 1 and records[0].id_hash != blind(number),
            )
        )
    return found


def _moves_charges(lines: Iterable[LineRow]) -> Problem:
    lines = list(lines)
    owed = [line for line in lines if line.party not in ALLOCATION_PARTIES]
    figures = {
        "amount": format_yuan(from_fen(sum(line.amount_fen for line in owed))),
        "months": "、".join(sorted({line.accrual_month for line in lines})),
    }
    return Problem("employer_transfer.moves_charges", "transfer_month", figures)


def moves(case: Case) -> list[Move]:
    """What becomes of each of the people; those that the rules refuse are left out."""
    row, month = case.declaration, str(case.data.get("transfer_month") or "")
    receiving = _receiving(case)
    found = []
    for number in numbers_of(case.data):
        records = _records(case, number)
        if len(records) != 1:
            continue
        own = [each for each in records[0].stretches if _goes_on_here(each, row.employer_id)]
        carried: tuple[str, ...] = ()
        if receiving is not None and month:
            funds = [each.fund for each in own]
            carried, _ = rules.carried_funds(funds, receiving, add_months(month, 1))
        lines = case.registry.lines_beyond(records[0].id, month, END_OF_TIME) if month else []
        theirs = [line for line in lines if line.employer_id == row.employer_id]
        found.append(Move(records[0], own, carried, rules.moved_charges(theirs, month)))
    return found


def _goes_on_here(stretch: StretchRecord, employer_id: int) -> bool:
    return (
        stretch.employer_id == employer_id
        and stretch.category == EMPLOYEE
        and stretch.status == "active"
        and stretch.to_month is None
    )


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix the months and how many go; the diagram is told the reason."""
    request, numbers = request_of(case), numbers_of(case.data)
    facts = {"stop_month": request.month, "start_month": request.first_month, "people": len(numbers)}
    case.declaration.facts = {**case.declaration.facts, **facts}
    case.declaration.person_name = _short(case, numbers)
    return {"reason": request.reason}


def trial_of(case: Case, today: date) -> Amounts | None:
    """What the old employer gets back; None where nothing of later months is charged."""
    month = str(case.data.get("transfer_month") or "")
    try:
        month_of(month)
    except ValueError:
        return None
    _read(case)
    lines = [
        amount_back(line, line.due_type if line.received_on is None else REFUND, month_of(today))
        for each in moves(case)
        for line in each.lines
    ]
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines})) if lines else None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """End the people's enrolments with the month and begin them at the new employer in the next one.

    Charges of later months are taken back from the old employer and charged to the new one as they were.
    """
    row, request = case.declaration, request_of(case)
    receiving, going = _target(case), moves(case)
    history = case.registry.base_history(stretch.id for each in going for stretch in each.stretches)
    for each in going:
        for stretch in each.stretches:
            change_stretch(case, stretch, TRANSFERRED, request.month, "active", request.reason, now)
        _begin(case, each, receiving.id, history, now)
        take_back(case, [line for line in each.lines if line.received_on is None], None, now)
        take_back(case, [line for line in each.lines if line.received_on is not None], REFUND, now)
        _charge(case, each, receiving.id, now)
    done = {"people": len(going), "to": receiving.employer_no, "month": request.month}
    case.effect_once(TRANSFER, now, done)
    notices.tell_another(case, receiving.id, "moved_in", now)
    row.result_code = "employer_transfer.accepted"
    row.result_message = case.message(
        row.result_code, count=str(len(going)), employer=receiving.name, month=request.first_month
    )
    return {"people": len(going)}


def _begin(
    case: Case, move: Move, employer_id: int, history: dict[int, list[BaseRow]], now: datetime
) -> None:
    row, first = case.declaration, request_of(case).first_month
    for stretch in move.stretches:
        if stretch.fund not in move.funds:
            continue
        wage_fen, base_fen = _carried_base(case, stretch, history.get(stretch.id, []), first)
        values = enrolment_values(
            id=new_id(),
            region=row.region,
            person_id=move.record.id,
            employer_id=employer_id,
            category=stretch.category,
            fund=stretch.fund,
            person_type=rules.type_after(case.parameters, stretch.person_type, move.funds),
            from_month=first,
            wage_fen=wage_fen,
            base_fen=base_fen,
            declaration_id=row.id,
        )
        case.enrolments.append(values)
        case.bases += [
            _declared_ahead(each, values, first, row.id, now)
            for each in history.get(stretch.id, [])
            if each.to_month is None or each.to_month >= first
        ]


def _carried_base(
    case: Case, stretch: StretchRecord, history: Sequence[BaseRow], month: str
) -> tuple[int | None, int | None]:
    """Wage and base that hold in a month: as declared for it, else as the enrolment carries them."""
    declared = declared_wage(_spans(history), month)
    if declared is None or stretch.wage_fen is None:
        return stretch.wage_fen, stretch.base_fen
    status = RETIRED if stretch.person_type.startswith(RETIREE_TYPES) else ACTIVE
    rule = tariff(case.parameters, month, status, ())
    return declared.wage_fen, to_fen(rule.base(from_fen(declared.wage_fen), CLIP).amount)


def _spans(history: Iterable[BaseRow]) -> list[WageSpan]:
    return [WageSpan(each.id, each.action, each.from_month, each.to_month, each.wage_fen) for each in history]


def _declared_ahead(
    declared: BaseRow, values: dict[str, Any], first: str, declaration_id: int, now: datetime
) -> BaseRow:
    """The same declaration of a base for the new enrolment, for the months that it still reaches."""
    return BaseRow(
        id=new_id(),
        enrolment_id=values["id"],
        declaration_id=declaration_id,
        action=declared.action,
        from_month=max(declared.from_month, first),
        to_month=declared.to_month,
        wage_fen=declared.wage_fen,
        base_fen=declared.base_fen,
        before_wage_fen=values["wage_fen"],
        before_base_fen=values["base_fen"],
        at_utc=to_utc(now),
        present=False,
    )


def _charge(case: Case, move: Move, employer_id: int, now: datetime) -> None:
    """Charge the moved months at the new employer, in the funds that go on, with what they carried."""
    row = case.declaration
    owed: dict[tuple[str, str, str], Owed] = {}
    for line in move.lines:
        if line.fund in move.funds:
            more = Owed(line.base_fen, line.amount_fen, line.rate, line.fixed_fen, line.retired)
            owed = rules.summed(owed, (line.accrual_month, line.fund, line.party), more)
    case.lines += [
        line_values(
            region=row.region,
            person_id=move.record.id,
            employer_id=employer_id,
            fund=fund,
            party=party,
            due_type=SUPPLEMENTARY,
            due_month=month_of(now.date()),
            accrual_month=month,
            base_fen=each.base_fen,
            rate=each.rate,
            fixed_fen=each.fixed_fen,
            amount_fen=each.amount_fen,
            declaration_id=row.id,
            created_at_utc=to_utc(now),
            retired=each.retired,
        )
        for (month, fund, party), each in sorted(owed.items())
    ]


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
