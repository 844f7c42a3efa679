"""Undoing a death that was reported by mistake: everything that its payout did, put back by new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.domain import death_undo as rules
from app.domain.calendar import month_of
from app.domain.collection import REFUND
from app.domain.death_undo import DeathFacts
from app.domain.life import DEAD, WITHDRAWAL
from app.domain.money import format_yuan, from_fen
from app.domain.problem import Verdict
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.reverting import opposite, put_back
from app.services.subjects import is_number, with_open_case
from app.services.withdrawing import WITHDRAWAL as PAYOUT_EFFECT
from app.store.business import BusinessRow, finished_business, open_business
from app.store.enrolments import changes_of_declarations
from app.store.events import EventRow, effect_results
from app.store.facts import PersonRecord
from app.store.ids import new_id
from app.store.ledger import LineRow, lines_of_declarations
from app.store.people import LifeRow
from app.store.personal_accounts import (
    CANCELLED,
    CORRECTION,
    ISSUED,
    PAID,
    OrderRow,
    entry_values,
    orders_of_person,
    payouts_of,
)

DEATH_UNDO = "death_undo.apply"
UNDONE = "undone"
DIED_ON, FILED_AS = "died_on", "death_reference"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "stop.unknown")),
    ("死亡登记", ("death_undo.living", "death_undo.not_by_payout", "death_undo.other_employer")),
    ("个人账户支付", ("death_undo.paid",)),
    ("退费", ("death_undo.refunded",)),
    ("未办结的申报", ("death_undo.open_case", "enrol.one_open")),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a death left behind: the payouts since it was recorded, their lines, orders and account entries.

    Shape: `payouts` begins with the declaration that recorded the death; `taken_out` maps a declaration to
    the fen it took from the account (negative).
    """

    person: PersonRecord
    payouts: Sequence[BusinessRow]
    taken_back: Sequence[LineRow]
    orders: Sequence[OrderRow]
    taken_out: dict[int, int]


def prepare(case: Case, _today: date) -> None:
    """Find whom the form is about, and show what was recorded; inside a transaction the person is held."""
    for name in (DIED_ON, FILED_AS):
        case.data.pop(name, None)
    subjects.identify_held(case)
    trace = trace_of(case)
    if trace is not None and trace.person.died_on is not None and trace.payouts:
        case.data[DIED_ON] = trace.person.died_on.isoformat()
        case.data[FILED_AS] = trace.payouts[0].reference


def trace_of(case: Case) -> Trace | None:
    """What is on record of the person's death; None where nobody knows the person or nobody died."""
    row = case.declaration
    records = case.registry.records(row.person_hash, row.region) if row.person_hash else []
    if len(records) != 1 or records[0].life_status != DEAD:
        return None
    person = records[0]
    payouts = _payouts(row.person_hash or b"", row.region)
    ids = [each.id for each in payouts]
    lines = lines_of_declarations(ids)
    return Trace(
        person,
        payouts,
        [line for each in ids for line in lines.get(each, []) if line.reversal_of_id is not None],
        [order for order in orders_of_person(person.id) if order.declaration_id in ids],
        payouts_of(ids),
    )


def _payouts(person_hash: bytes, region: str) -> list[BusinessRow]:
    """The payouts from the one that recorded the present death on, oldest first."""
    found = [each for each in finished_business(person_hash, region) if each.kind == WITHDRAWAL]
    results = effect_results([each.id for each in found], PAYOUT_EFFECT)
    deaths = [place for place, each in enumerate(found) if results.get(each.id, {}).get("died_on")]
    return found[deaths[-1] :] if deaths else []


def judge(case: Case, _today: date) -> Verdict:
    """Judge the undoing against the registry as it is now; any other open declaration refuses."""
    row, registry = case.declaration, case.registry
    trace = trace_of(case)
    facts = DeathFacts(len(registry.records(row.person_hash, row.region)) if row.person_hash else 0)
    if trace is not None:
        facts = DeathFacts(
            matches=1,
            died_on=trace.person.died_on,
            employer_no=registry.employer(trace.payouts[0].employer_id).employer_no if trace.payouts else "",
            ordered=[order.status for order in trace.orders],
            refunded=any(
                line.due_type == REFUND and line.received_on is not None for line in trace.taken_back
            ),
            open_kinds=open_business(row.person_hash or b"", row.region, row.reference),
        )
    employer = registry.employer_facts(row.employer_id).employer_no
    return with_open_case(case, rules.check_death_undo(case.parameters, facts, employer, (PAID,)))


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix which declarations are undone; no material depends on anything."""
    trace = trace_of(case)
    if trace is None:
        raise ValueError("the check lets nobody pass who is not dead")
    found = {"target_id": trace.payouts[0].id, "targets": [each.reference for each in trace.payouts]}
    case.declaration.facts = {**case.declaration.facts, **found}
    return {"reason": ""}


def trial_of(case: Case, today: date) -> Amounts | None:
    """The charges that stand again; None where none do or too little is known."""
    if not is_number(case.data, today):
        return None
    if case.declaration.person_hash is None:
        subjects.identify(case)
    trace = trace_of(case)
    if trace is None or not trace.taken_back:
        return None
    lines = [opposite(line, month_of(today)) for line in trace.taken_back]
    return Amounts(lines=lines, months=sorted({line.accrual_month for line in lines}))


def apply_death_undo(case: Case, now: datetime) -> int:
    """Restore enrolments, charges, account and life status; gives the fen that the account has again.

    Nothing is deleted: each part is a new row beside those of the payout.
    """
    row, trace = case.declaration, trace_of(case)
    if trace is None:
        raise ValueError("the check lets nobody pass who is not dead")
    changes = changes_of_declarations([each.id for each in trace.payouts])
    put_back(case, changes, trace.taken_back, now)
    restored = -sum(trace.taken_out.values())
    if restored:
        case.account_entries.append(
            entry_values(
                region=row.region, person_id=trace.person.id, entry=CORRECTION, amount_fen=restored,
                declaration_id=row.id, created_at_utc=to_utc(now),
            )
        )  # fmt: skip
    case.cancelled_orders += [order.id for order in trace.orders if order.status == ISSUED]
    case.lives.append(LifeRow(trace.person.id, DEAD, _before(trace), None))
    died_on = trace.person.died_on
    case.effect_once(
        DEATH_UNDO,
        now,
        {
            "life_status": [DEAD, _before(trace)],
            "died_on": [died_on.isoformat() if died_on else None, None],
            "restored_fen": restored,
            "orders": [[order.id, order.status, CANCELLED] for order in trace.orders],
        },
    )
    detail = {"by": row.reference}
    case.events += [EventRow(new_id(), each.id, UNDONE, to_utc(now), detail=detail) for each in trace.payouts]
    return restored


def _before(trace: Trace) -> str:
    """The life status that the death replaced."""
    recorded = effect_results([trace.payouts[0].id], PAYOUT_EFFECT)[trace.payouts[0].id]
    return str(recorded["life_status"][0])


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Take the recorded death back."""
    row = case.declaration
    restored = apply_death_undo(case, now)
    row.result_code = "death_undo.accepted"
    row.result_message = case.message(row.result_code, amount=format_yuan(from_fen(restored)))
    return {"restored": bool(restored)}


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
