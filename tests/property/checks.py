"""What the database must say after every step: the model's registry, a sound ledger, a whole history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from sqlalchemy import select, text

from app.extensions import db
from app.store.models import (
    AccountEntry,
    ContributionLine,
    Declaration,
    Enrolment,
    EnrolmentChange,
    HumanTask,
    PaymentOrder,
    PaymentPosting,
    Person,
)
from app.store.personal_accounts import account_balance
from tests.matrix.model import span
from tests.property.model import Registry

Key = tuple[str, str, str]
Sums = dict[Key, Counter[str]]
MONTHS = span("2025-10", "2027-06")
CHARGES, DIFFERENCES = ("10", "31"), ("34", "35")
OPEN_STATUSES = ("draft", "pending", "submitted", "in_audit", "returned")
ENDING = ("to_month", "status", "reason", "ended_by_declaration_id")
ALLOCATIONS = ("allocation_employee", "allocation_employer")
# what an act may write, whole rows; what stands for a region alone is cut to it
TABLES = (
    "declaration", "declaration_object", "process_instance", "human_task", "event", "effect", "outbox",
    "notice", "enrolment_change", "account_entry", "payment_order", "person_move", "identity_change",
    "assessment", "payment_posting", "order_posting", "incident",
)  # fmt: skip
OF_REGION = ("person", "enrolment", "contribution_line", "payment_notice", "employer")


def snapshot(region: str) -> dict[str, list[tuple]]:
    """Every row that an act could change."""
    db.session.rollback()
    found = {}
    for table in TABLES:
        found[table] = sorted(map(str, db.session.execute(text(f"SELECT * FROM {table}")).all()))
    for table in OF_REGION:
        query = text(f"SELECT * FROM {table} WHERE region = :region ORDER BY id")
        found[table] = [tuple(row) for row in db.session.execute(query, {"region": region})]
    db.session.rollback()
    return found


def agree(model: Registry, ids: dict[str, int], numbers: dict[int, str]) -> None:
    """The registry and the ledger are what the model says, and whole in themselves."""
    db.session.rollback()
    names = {person_id: who for who, person_id in ids.items()}
    enrolments = _of(Enrolment, ids.values())
    lines = _of(ContributionLine, ids.values())
    _registry(model, names, numbers, enrolments)
    _history(enrolments)
    _reversals(lines)
    _money(lines)
    _months(model, names, numbers, lines)
    _accounts(ids.values(), lines)
    _people(model, ids)
    _cases()
    db.session.rollback()


def _of(table, people: Iterable[int]) -> list:
    return list(db.session.scalars(select(table).where(table.person_id.in_(list(people))).order_by(table.id)))


def _registry(model: Registry, names, numbers, enrolments) -> None:
    wanted = sorted(
        (each.who, each.fund, each.employer, each.first, each.last or "", each.kind)
        for each in model.stretches
        if each.alive
    )
    found = sorted(
        (
            names[row.person_id], row.fund, numbers.get(row.employer_id, ""), row.from_month,
            row.to_month or "", row.person_type,
        )
        for row in enrolments
        if row.status == "active"
    )  # fmt: skip
    assert found == wanted, f"registry\n is  {_differ(found, wanted)}\n not {_differ(wanted, found)}"
    model.insured(MONTHS)
    going = [
        (row.person_id, row.fund) for row in enrolments if row.status == "active" and row.to_month is None
    ]
    assert len(going) == len(set(going)), "two open enrolments"


def _differ(some, others):
    return [each for each in some if each not in others]


def _history(enrolments) -> None:
    by_id = {row.id: row for row in enrolments}
    known: dict[int, dict] = defaultdict(dict)
    query = (
        select(EnrolmentChange).where(EnrolmentChange.enrolment_id.in_(by_id)).order_by(EnrolmentChange.id)
    )
    for change in db.session.scalars(query):
        last = known[change.enrolment_id]
        for name in ENDING:
            if name in change.before and change.action not in ("base", "base_annual", "base_carry"):
                before = change.before[name]
                assert last.get(name, before) == before, (change.action, name, change.before, last)
                last[name] = change.after[name]
    for enrolment_id, last in known.items():
        for name, value in last.items():
            assert getattr(by_id[enrolment_id], name) == value, (enrolment_id, name, value)


def _reversals(lines) -> None:
    """What was taken back and what took it back name each other, and come to nothing together."""
    by_id = {line.id: line for line in lines}
    same = ("person_id", "employer_id", "fund", "party", "accrual_month", "region")
    for line in lines:
        if line.reversal_of_id is not None:
            assert by_id[line.reversal_of_id].amount_fen == -line.amount_fen, "not the amount taken back"
        if line.reversed_by_id is None:
            assert line.reversal_of_id is None or line.due_type != "20", "a refund that stands alone"
            continue
        other = by_id[line.reversed_by_id]
        assert other.reversed_by_id == line.id, "taken back by a line that says otherwise"
        assert (other.reversal_of_id == line.id) != (line.reversal_of_id == other.id), "who took back whom"
        assert all(getattr(other, name) == getattr(line, name) for name in same), "of another person or month"
        paid = line.received_on is not None and other.reversal_of_id == line.id
        assert not paid or "20" in (other.due_type, line.due_type), "paid, taken back and not refunded"


def _money(lines) -> None:
    """A credit is on a notice or on an order, an order is what its credits come to, late fees go back."""
    by_id = {line.id: line for line in lines}
    for line in lines:
        assert line.notice_id is None or line.order_id is None, "on a notice and on an order"
        taken_back = by_id.get(line.reversal_of_id or 0)
        if taken_back is not None and taken_back.reversed_by_id == line.id:
            assert line.late_fee_fen == -taken_back.late_fee_fen, "not the late fee taken back"
    sums: dict[int, int] = defaultdict(int)
    received: dict[int, set] = defaultdict(set)
    for line in db.session.scalars(select(ContributionLine).where(ContributionLine.order_id.is_not(None))):
        paid_in = line.amount_fen if line.party in ("employer", "employee") else 0
        sums[line.order_id] -= paid_in + line.late_fee_fen
        received[line.order_id].add(line.received_on is not None)
    for order in db.session.scalars(select(PaymentOrder).where(PaymentOrder.employer_id.is_not(None))):
        assert sums[order.id] == (0 if order.status == "cancelled" else order.amount_fen), "not its credits"
        assert received[order.id] <= {order.status == "paid"}, "paid and open, or the other way round"
    for posting in db.session.scalars(select(PaymentPosting)):
        assert posting.amount_fen >= 0, "less than nothing came in"


def _months(model: Registry, names, numbers, lines) -> None:
    """Every charged month carries the tariff of its declared wage, every month that is owed a charge."""
    charged: dict[Key, list] = defaultdict(list)
    standing: Sums = defaultdict(Counter)
    whole: Sums = defaultdict(Counter)
    for line in lines:
        key = (names[line.person_id], line.fund, line.accrual_month)
        if line.due_type not in ("32", "33"):
            whole[key][line.party] += line.amount_fen
        if line.reversed_by_id is None and line.due_type in CHARGES:
            charged[key].append(line)
        if line.reversed_by_id is None and line.due_type in CHARGES + DIFFERENCES:
            standing[key][line.party] += line.amount_fen
    for key, found in charged.items():
        _charge(model, numbers, key, found, _without_nothing(standing[key]))
    for key, found in whole.items():
        sums = _without_nothing(found)
        assert sums == _without_nothing(standing[key]), f"what stands is not the sum of all lines: {key}"
        assert key in charged or not sums, f"left over: {key} {sums}"
    _owed(model, charged)


def _charge(model: Registry, numbers, key: Key, found: list, is_now: dict[str, int]) -> None:
    where = {line.employer_id for line in found}
    parties = [line.party for line in found]
    assert len(parties) == len(set(parties)), f"charged twice: {key}"
    if model.is_settled(key[0], key[2]):
        return
    assert len(where) == 1, f"two employers charged: {key}"
    employer = numbers.get(where.pop(), "")
    stretch = model.covering(key[0], employer, key[1], key[2])
    backpaid = {line.due_type for line in found} == {"31"}
    if stretch is None:
        assert backpaid, f"charged though not insured: {key} {employer}"
        return
    if backpaid and stretch.kind.startswith("12") and not found[0].retired:
        return  # paid back while at work: only its cancellation takes it away
    wanted = model.carries(stretch, key[2])
    assert is_now == wanted, f"{key}: is {is_now}, should be {wanted}"


def _owed(model: Registry, charged: dict[Key, list]) -> None:
    insured = model.insured(sorted({month for _, _, month in model.owed}))
    for key in sorted(model.owed & insured.keys()):
        stretch = model.covering(key[0], insured[key], key[1], key[2])
        settled = model.is_settled(key[0], key[2])
        assert settled or key in charged or not model.carries(stretch, key[2]), f"not charged: {key}"


def _without_nothing(sums: dict[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in sums.items() if amount}


def _accounts(people: Iterable[int], lines) -> None:
    balance: dict[int, int] = defaultdict(int)
    for line in lines:
        if line.party in ALLOCATIONS and line.received_on is not None and line.reversed_by_id is None:
            balance[line.person_id] += line.amount_fen
    entries: dict[int, int] = defaultdict(int)
    for entry in _of(AccountEntry, people):
        entries[entry.person_id] += entry.amount_fen
    orders: dict[int, int] = defaultdict(int)
    for order in _of(PaymentOrder, people):
        orders[order.person_id] += order.amount_fen if order.status != "cancelled" else 0
    for person_id in people:
        assert account_balance(person_id) == balance[person_id] + entries[person_id]
        assert entries[person_id] == -orders[person_id], "paid out without an order, or the other way round"


def _people(model: Registry, ids: dict[str, int]) -> None:
    records = {row.id: row for row in db.session.scalars(select(Person).where(Person.id.in_(ids.values())))}
    for who, person_id in ids.items():
        assert (records[person_id].life_status == "2") == (who in model.dead), who
        into = model.gone.get(who)
        assert records[person_id].merged_into_id == (None if into is None else ids[into])


def _cases() -> None:
    """A case that waits has a task, one that ended has none and holds nothing."""
    tasks = set(db.session.scalars(select(HumanTask.declaration_id)))
    for row in db.session.scalars(select(Declaration)):
        assert (row.id in tasks) == (row.status in OPEN_STATUSES), (row.kind, row.status)
        assert row.status in OPEN_STATUSES or row.open_key is None
