"""Orders to pay personal accounts out: which wait, and which were paid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from app.extensions import db
from app.store.models import Declaration, OrderPosting, PaymentOrder, Person
from app.store.session import insert_rows, lock

ISSUED, PAID = "issued", "paid"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order; the amount in fen, of the account only the last digits."""

    id: int
    region: str
    reference: str
    person_name: str
    payee: str
    bank_name: str
    account_last4: str
    amount_fen: int
    status: str
    created_at_utc: datetime


def _orders() -> Any:
    return (
        select(
            PaymentOrder.id, PaymentOrder.region, Declaration.reference, Person.name, PaymentOrder.payee,
            PaymentOrder.bank_name, PaymentOrder.account_last4, PaymentOrder.amount_fen,
            PaymentOrder.status, PaymentOrder.created_at_utc,
        )
        .join(Declaration, Declaration.id == PaymentOrder.declaration_id)
        .join(Person, Person.id == PaymentOrder.person_id)
    )  # fmt: skip


def find_order(order_id: int, *, held: bool = False) -> OrderRow | None:
    """One order by its id; `held` keeps others from changing it until the commit."""
    if held:
        db.session.execute(lock(select(PaymentOrder.id).where(PaymentOrder.id == order_id)))
    row = db.session.execute(_orders().where(PaymentOrder.id == order_id)).one_or_none()
    return None if row is None else OrderRow(*row)


def find_order_by_reference(reference: str) -> OrderRow | None:
    """The order that a declaration issued."""
    row = db.session.execute(_orders().where(Declaration.reference == reference)).one_or_none()
    return None if row is None else OrderRow(*row)


def list_issued(regions: Collection[str], after_id: int, limit: int) -> list[OrderRow]:
    """Orders that wait to be paid, oldest first."""
    query = (
        _orders()
        .where(PaymentOrder.region.in_(regions), PaymentOrder.status == ISSUED, PaymentOrder.id > after_id)
        .order_by(PaymentOrder.id)
        .limit(limit)
    )
    return [OrderRow(*row) for row in db.session.execute(query)]


def set_paid(order_id: int, paid_on: date, by_id: int | None, by_name: str, at_utc: datetime) -> None:
    """Say that an order was paid, by whom and when."""
    db.session.execute(
        update(PaymentOrder)
        .where(PaymentOrder.id == order_id, PaymentOrder.status == ISSUED)
        .values(status=PAID)
        .execution_options(synchronize_session=False)
    )
    insert_rows(
        OrderPosting,
        [
            {
                "order_id": order_id,
                "paid_on": paid_on,
                "posted_by_id": by_id,
                "posted_by_name": by_name,
                "posted_at_utc": at_utc,
            }
        ],
    )
