"""Personal accounts: what was allocated and received, less what was paid out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app.extensions import db
from app.store.constraints import Duplicate
from app.store.crypto import encrypt
from app.store.ids import new_id
from app.store.models import AccountEntry, ContributionLine, PaymentOrder
from app.store.session import in_transaction, insert_rows, lock

ALLOCATION_PARTIES = ("allocation_employee", "allocation_employer")
PAYOUT, CORRECTION = "payout", "correction"
ISSUED, PAID, CANCELLED = "issued", "paid", "cancelled"


def account_balance(person_id: int) -> int:
    """A person's balance in fen: received allocations that were not taken back, and all entries."""
    allocated = (
        select(func.coalesce(func.sum(ContributionLine.amount_fen), 0))
        .where(
            ContributionLine.person_id == person_id,
            ContributionLine.party.in_(ALLOCATION_PARTIES),
            ContributionLine.received_on.is_not(None),
            ContributionLine.reversed_by_id.is_(None),
        )
        .scalar_subquery()
    )
    moved = (
        select(func.coalesce(func.sum(AccountEntry.amount_fen), 0))
        .where(AccountEntry.person_id == person_id)
        .scalar_subquery()
    )
    first, second = db.session.execute(select(allocated, moved)).one()
    return int(first) + int(second)


def entry_values(
    *,
    region: str,
    person_id: int,
    entry: str,
    amount_fen: int,
    declaration_id: int | None,
    created_at_utc: datetime,
) -> dict[str, Any]:
    """A row for `add_entries`, with a new id; amounts in fen, what leaves the account is negative."""
    return {
        "id": new_id(),
        "region": region,
        "person_id": person_id,
        "entry": entry,
        "amount_fen": amount_fen,
        "declaration_id": declaration_id,
        "created_at_utc": created_at_utc,
    }


def order_values(
    *,
    region: str,
    declaration_id: int,
    person_id: int,
    amount_fen: int,
    payee: str,
    payee_relation: str,
    bank_name: str,
    bank_account: str,
    created_at_utc: datetime,
) -> dict[str, Any]:
    """A row for `add_orders`, with a new id and the account encrypted; the amount in fen."""
    return {
        "id": new_id(),
        "region": region,
        "declaration_id": declaration_id,
        "person_id": person_id,
        "amount_fen": amount_fen,
        "payee": payee,
        "payee_relation": payee_relation,
        "bank_name": bank_name,
        "account_cipher": encrypt(bank_account),
        "account_last4": bank_account[-4:],
        "status": ISSUED,
        "created_at_utc": created_at_utc,
    }


def add_entries(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add movements of accounts, in one statement."""
    insert_rows(AccountEntry, rows)


def add_orders(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add payment orders, in one statement; a second one of a declaration is refused."""
    insert_rows(PaymentOrder, rows)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order to pay an account out: the amount in fen; `status` is issued, paid or cancelled."""

    id: int
    declaration_id: int
    amount_fen: int
    status: str


def orders_of_person(person_id: int) -> list[OrderRow]:
    """A person's payment orders, oldest first; inside a transaction they are locked."""
    columns: tuple[Any, ...] = tuple(PaymentOrder.__table__.c[name] for name in OrderRow.__slots__)
    query = select(*columns).where(PaymentOrder.person_id == person_id).order_by(PaymentOrder.id)
    rows = db.session.execute(lock(query) if in_transaction() else query)
    return [OrderRow(*row) for row in rows]


def payouts_of(declaration_ids: Collection[int]) -> dict[int, int]:
    """What declarations took from accounts, in fen (negative): {declaration: sum}; one statement."""
    if not declaration_ids:
        return {}
    rows = db.session.execute(
        select(AccountEntry.declaration_id, func.sum(AccountEntry.amount_fen))
        .where(AccountEntry.declaration_id.in_(declaration_ids), AccountEntry.entry == PAYOUT)
        .group_by(AccountEntry.declaration_id)
    )
    return {int(declaration_id or 0): int(total) for declaration_id, total in rows}


def cancel_orders(order_ids: Collection[int]) -> None:
    """Cancel orders that were not paid yet, in one statement.

    Raises: Duplicate (`payment_order`) where one was paid or cancelled meanwhile.
    """
    if not order_ids:
        return
    done: Any = db.session.execute(
        update(PaymentOrder)
        .where(PaymentOrder.id.in_(order_ids), PaymentOrder.status == ISSUED)
        .values(status=CANCELLED)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != len(order_ids):
        raise Duplicate("payment_order")
