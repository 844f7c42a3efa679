"""Paying a personal account out: from a form and the registry to a judgement, an end and a payment order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.domain import withdrawal as rules
from app.domain.calendar import add_months, month_of
from app.domain.collection import REFUND
from app.domain.declaration import ALLOWANCES
from app.domain.life import DEAD, is_death
from app.domain.money import format_yuan, from_fen
from app.domain.problem import Problem, Verdict
from app.domain.withdrawal import AccountFacts, WithdrawalRequest
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.stop_effects import ACTIVE, CANCELLED, ENDED, change_stretch, take_back
from app.services.stopping import amount_back, owed
from app.services.subjects import is_number, with_open_case
from app.store.business import open_business
from app.store.facts import StretchRecord
from app.store.ledger import LineRow
from app.store.people import LifeRow
from app.store.personal_accounts import ALLOCATION_PARTIES, PAYOUT, entry_values, order_values

WITHDRAWAL = "withdrawal.apply"
TERMINATED = "terminated"
BALANCE = "account_balance"
END_OF_TIME = "9999-12"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown", "enrol.name")),
    ("参保关系", ("withdrawal.not_of_employer", "withdrawal.insured_elsewhere")),
    ("终止时间", ("withdrawal.future", "withdrawal.before_start", "withdrawal.death", "counter.never")),
    ("收款人", ("withdrawal.payee",)),
    ("个人账户余额", ("withdrawal.no_balance", "withdrawal.negative", "withdrawal.nothing")),
    ("生育待遇", ("withdrawal.allowance",)),
    ("已核定的费用", ("withdrawal.takes_back",)),
    ("未办结的申报", ("withdrawal.open_case", "enrol.one_open")),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a withdrawal will do: enrolments that end or never begin, charges taken back, fen paid out."""

    ends: Sequence[StretchRecord]
    cancels: Sequence[StretchRecord]
    unpaid: Sequence[LineRow]
    paid: Sequence[LineRow]
    payable_fen: int

    @property
    def taken_back(self) -> list[LineRow]:
        """All charges that are taken back."""
        return [*self.unpaid, *self.paid]


def prepare(case: Case, _today: date) -> None:
    """Find whom the form is about, and show what the account would pay out, to the own employer only."""
    # the account is read and emptied by one act at a time, and nobody enrols the person meanwhile
    subjects.identify_held(case)
    case.data.pop(BALANCE, None)
    own = any(each.employer_id == case.declaration.employer_id for each in _stretches(case))
    if own and case.data.get("termination_date"):
        case.data[BALANCE] = format_yuan(from_fen(plan(case).payable_fen))


def request_of(case: Case) -> WithdrawalRequest:
    """Read a complete form as a request."""
    data = case.data
    return WithdrawalRequest(
        end_day=date.fromisoformat(str(data["termination_date"])),
        reason=str(data.get("termination_reason") or ""),
        payee=str(data.get("bank_account_name") or ""),
        relation=str(data.get("payee_relation") or ""),
        name=str(data.get("name") or ""),
        channel=case.declaration.channel,
    )


def _readable(case: Case) -> bool:
    """Whether a half-filled form says enough."""
    try:
        request_of(case)
    except (KeyError, ValueError):
        return False
    return True


def judge(case: Case, today: date) -> Verdict:
    """Judge the case's form against the registry as it is now; any other open declaration refuses."""
    row, registry = case.declaration, case.registry
    found = plan(case)
    others = open_business(row.person_hash, row.region, row.reference) if row.person_hash else []
    allowances = registry.open_allowances(row.person_hash, row.employer_id, row.region)
    verdict = rules.check_withdrawal(
        case.parameters,
        request_of(case),
        registry.person_facts(row.person_hash, row.region),
        registry.employer_facts(row.employer_id),
        AccountFacts(found.payable_fen, [each for each in others if each not in ALLOWANCES], allowances),
        today,
    )
    back = owed(found.taken_back)
    if verdict.accepted and back:
        verdict = Verdict((), (*verdict.warnings, _takes_back(back)))
    return with_open_case(case, verdict)


def _takes_back(lines: Sequence[LineRow]) -> Problem:
    figures = {
        "amount": format_yuan(from_fen(sum(line.amount_fen for line in lines))),
        "months": "、".join(sorted({line.accrual_month for line in lines})),
    }
    return Problem("withdrawal.takes_back", "termination_date", figures)


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix the end; the diagram is told the reason, which the materials may depend on."""
    facts = {"end_month": month_of(request_of(case).end_day), "payable_fen": plan(case).payable_fen}
    case.declaration.facts = {**case.declaration.facts, **facts}
    return {"reason": request_of(case).reason}


def plan(case: Case) -> Plan:
    """Say what a withdrawal that the rules accept does to registry and account."""
    row = case.declaration
    end_month = month_of(request_of(case).end_day)
    found = [each for each in _stretches(case) if each.to_month is None or each.to_month > end_month]
    if row.person_id is None:
        return Plan((), (), (), (), 0)
    lines = case.registry.lines_beyond(row.person_id, end_month, END_OF_TIME)
    unpaid, paid = rules.after_the_end(lines, end_month)
    back = sum(line.amount_fen for line in paid if line.party in ALLOCATION_PARTIES)
    return Plan(
        ends=[each for each in found if each.from_month <= end_month],
        cancels=[each for each in found if each.from_month > end_month],
        unpaid=unpaid,
        paid=paid,
        payable_fen=case.registry.balance(row.person_id) - back,
    )


def _stretches(case: Case) -> list[StretchRecord]:
    row = case.declaration
    if row.person_hash is None:
        return []
    records = case.registry.records(row.person_hash, row.region)
    return [each for record in records for each in record.stretches if each.status == ACTIVE]


def trial_of(case: Case, today: date) -> Amounts | None:
    """What is taken back; None where the person or the day is not known or nothing is taken back."""
    if not is_number(case.data, today) or not _readable(case):
        return None
    if case.declaration.person_id is None:
        subjects.identify(case)
    found = plan(case)
    if not owed(found.taken_back):
        return None
    month = month_of(today)
    lines = [amount_back(line, line.due_type, month) for line in found.unpaid]
    lines += [amount_back(line, REFUND, month) for line in found.paid]
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines}))


def apply_withdrawal(case: Case, now: datetime) -> int:
    """End the person's enrolments, take later charges back, empty the account; gives the fen paid out.

    Source: Nanjing manual 04 (个账支付主要用于参保人员死亡终止的办理).
    """
    row, request, found = case.declaration, request_of(case), plan(case)
    if row.person_id is None:
        raise ValueError("the check lets nobody pass without a record")
    end_month = month_of(request.end_day)
    for stretch in found.ends:
        change_stretch(case, stretch, TERMINATED, end_month, ACTIVE, request.reason, now)
    for stretch in found.cancels:
        before_it = add_months(stretch.from_month, -1)
        change_stretch(case, stretch, CANCELLED, before_it, ENDED, request.reason, now)
    take_back(case, found.unpaid, None, now)
    take_back(case, found.paid, REFUND, now)
    if found.payable_fen:
        _pay_out(case, row.person_id, found.payable_fen, now)
    died = _record_death(case, request, now)
    case.effect_once(WITHDRAWAL, now, {"end_month": end_month, "paid_fen": found.payable_fen, **died})
    return found.payable_fen


def _record_death(case: Case, request: WithdrawalRequest, now: datetime) -> dict[str, Any]:
    """Record a death that is not on record yet; gives old and new for the effect's own record."""
    (person,) = case.registry.records(case.declaration.person_hash or b"", case.declaration.region)
    if person.life_status == DEAD or not is_death(case.parameters, request.reason, now.date()):
        return {}
    case.lives.append(LifeRow(person.id, person.life_status, DEAD, request.end_day))
    return {"life_status": [person.life_status, DEAD], "died_on": request.end_day.isoformat()}


def _pay_out(case: Case, person_id: int, amount_fen: int, now: datetime) -> None:
    row, data = case.declaration, case.data
    case.account_entries.append(
        entry_values(
            region=row.region,
            person_id=person_id,
            entry=PAYOUT,
            amount_fen=-amount_fen,
            declaration_id=row.id,
            created_at_utc=to_utc(now),
        )
    )
    case.payment_orders.append(
        order_values(
            region=row.region,
            declaration_id=row.id,
            person_id=person_id,
            amount_fen=amount_fen,
            payee=str(data["bank_account_name"]),
            payee_relation=str(data["payee_relation"]),
            bank_name=str(data["bank_name"]),
            bank_account=str(data["bank_account"]),
            created_at_utc=to_utc(now),
        )
    )


def accept(case: Case, _day: date, now: datetime) -> Result:
    """End the person's insurance and order the account to be paid out."""
    row = case.declaration
    dead = case.registry.person_facts(row.person_hash, row.region).died_on is not None
    paid = apply_withdrawal(case, now)
    row.result_code = rules.withdrawal_outcome(paid=bool(paid), again=dead)
    row.result_message = case.message(row.result_code, amount=format_yuan(from_fen(paid)))
    return {"paid": bool(paid)}


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
