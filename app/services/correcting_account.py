"""Correcting a personal account by an amount, on paper, decided by two others."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.clock import to_utc
from app.domain import account_correction as rules
from app.domain.account_correction import AccountFacts
from app.domain.money import format_yuan, from_fen, to_fen
from app.domain.problem import Verdict
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.subjects import with_open_case
from app.store.business import open_business
from app.store.personal_accounts import CORRECTION, entry_values

KIND = "account_correction"
BEFORE, AFTER = "account_balance", "corrected_balance"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown")),
    ("参保关系", (f"{KIND}.not_of_employer",)),
    ("个人账户余额", (f"{KIND}.zero", f"{KIND}.below_zero", f"{KIND}.still_negative")),
    ("未办结的申报", (f"{KIND}.open_case", "enrol.one_open")),
)


def prepare(case: Case, _today: date) -> None:
    """Find whom the form is about, and show the balance before and after, to the own employer only."""
    row = case.declaration
    for name in (BEFORE, AFTER):
        case.data.pop(name, None)
    # the account is read and booked by one act at a time; whoever posts or pays out waits
    subjects.identify_held(case)
    if row.person_id is None or not _of_employer(case):
        return
    before = case.registry.balance(row.person_id)
    case.data[BEFORE] = format_yuan(from_fen(before))
    case.data[AFTER] = format_yuan(from_fen(before + _amount(case)))


def _of_employer(case: Case) -> bool:
    """Whether the person is or was insured at the employer that files."""
    row = case.declaration
    records = case.registry.records(row.person_hash, row.region) if row.person_hash else []
    return any(each.employer_id == row.employer_id for record in records for each in record.stretches)


def _amount(case: Case) -> int:
    """What the form books, in fen; 0 where it does not say enough yet."""
    try:
        typed = Decimal(str(case.data.get("correction_yuan") or "0"))
    except InvalidOperation:
        return 0
    return rules.signed_fen(str(case.data.get("correction_direction") or ""), to_fen(typed))


def judge(case: Case, _today: date) -> Verdict:
    """Judge the correction against the account as it is now; any other open declaration refuses."""
    row, registry = case.declaration, case.registry
    facts = AccountFacts(len(registry.records(row.person_hash, row.region)) if row.person_hash else 0)
    if row.person_id is not None:
        facts = AccountFacts(
            1,
            registry.balance(row.person_id),
            _of_employer(case),
            open_business(row.person_hash or b"", row.region, row.reference),
        )
    return with_open_case(case, rules.check_account_correction(case.parameters, _amount(case), facts))


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix what is booked; no material depends on it."""
    case.declaration.facts = {**case.declaration.facts, "amount_fen": _amount(case)}
    return {"reason": ""}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A correction charges nobody."""
    return None


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Book the correction as an entry of the account."""
    row, amount = case.declaration, _amount(case)
    if row.person_id is None:
        raise ValueError("the check lets nobody pass without a record")
    before = case.registry.balance(row.person_id)
    case.account_entries.append(
        entry_values(
            region=row.region, person_id=row.person_id, entry=CORRECTION, amount_fen=amount,
            declaration_id=row.id, created_at_utc=to_utc(now),
        )
    )  # fmt: skip
    kept = {"amount_fen": amount, "before_fen": before, "after_fen": before + amount}
    case.effect_once(f"{KIND}.apply", now, kept)
    sums = {
        "amount": f"{from_fen(amount):+.2f}",
        "before": format_yuan(from_fen(before)),
        "after": format_yuan(from_fen(before + amount)),
    }
    row.result_code = f"{KIND}.accepted"
    row.result_message = case.message(row.result_code, **sums)
    return None


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
