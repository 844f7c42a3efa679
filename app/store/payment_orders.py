"""Orders to pay money out, of personal accounts and to employers: which wait, and which were paid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update

from app.extensions import db
from app.store.crypto import encrypt
from app.store.ids import new_id
from app.store.models import Declaration, Employer, OrderPosting, PaymentOrder, Person
from app.store.session import insert_rows, lock

ISSUED, PAID, CANCELLED = "issued", "paid", "cancelled"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order; the amount in fen, of the account only the last digits.

    `employer_id` tells an order to an employer: its `reference` is its own number, else that of the
    declaration which pays the person's account out.
    """

    id: int
    region: str
    reference: str
    employer_id: int | None
    subject: str
    payee: str
    bank_name: str
    account_last4: str
    amount_fen: int
    status: str
    created_at_utc: datetime
    ordered_by_id: int | None
    ordered_by_name: str
    cancelled_by_name: str
    cancelled_at_utc: datetime | None
    paid_on: date | None
    paid_by_name: str | None


def _orders() -> Any:
    return (
        select(
            PaymentOrder.id, PaymentOrder.region,
            func.coalesce(PaymentOrder.number, Declaration.reference), PaymentOrder.employer_id,
            func.coalesce(Employer.name, Person.name), PaymentOrder.payee, PaymentOrder.bank_name,
            PaymentOrder.account_last4, PaymentOrder.amount_fen, PaymentOrder.status,
            PaymentOrder.created_at_utc, PaymentOrder.ordered_by_id, PaymentOrder.ordered_by_name,
            PaymentOrder.cancelled_by_name, PaymentOrder.cancelled_at_utc, OrderPosting.paid_on,
            OrderPosting.posted_by_name,
        )
        .outerjoin(Declaration, Declaration.id == PaymentOrder.declaration_id)
        .outerjoin(Person, Person.id == PaymentOrder.person_id)
        .outerjoin(Employer, Employer.id == PaymentOrder.employer_id)
        .outerjoin(OrderPosting, OrderPosting.order_id == PaymentOrder.id)
    )  # fmt: skip


def find_order(order_id: int, *, held: bool = False) -> OrderRow | None:
    """One order by its id; `held` keeps others from changing it until the commit."""
    if held:
        db.session.execute(lock(select(PaymentOrder.id).where(PaymentOrder.id == order_id)))
    row = db.session.execute(_orders().where(PaymentOrder.id == order_id)).one_or_none()
    return None if row is None else OrderRow(*row)


def find_order_by_reference(reference: str) -> OrderRow | None:
    """The order with a number, or the one that a declaration issued."""
    named = or_(PaymentOrder.number == reference, Declaration.reference == reference)
    row = db.session.execute(_orders().where(named)).one_or_none()
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


def list_of_employer(employer_id: int, limit: int) -> list[OrderRow]:
    """What was ordered to be paid to an employer, newest first."""
    query = _orders().where(PaymentOrder.employer_id == employer_id)
    rows = db.session.execute(query.order_by(PaymentOrder.id.desc()).limit(limit))
    return [OrderRow(*row) for row in rows]


def add_employer_order(
    *,
    region: str,
    number: str,
    employer_id: int,
    amount_fen: int,
    payee: str,
    bank_name: str,
    bank_account: str,
    created_at_utc: datetime,
    by_id: int | None,
    by_name: str,
) -> int:
    """Add an order to pay an employer, the account encrypted; gives its id."""
    order_id = new_id()
    insert_rows(
        PaymentOrder,
        [
            {
                "id": order_id,
                "region": region,
                "number": number,
                "employer_id": employer_id,
                "amount_fen": amount_fen,
                "payee": payee,
                "payee_relation": "",
                "bank_name": bank_name,
                "account_cipher": encrypt(bank_account),
                "account_last4": bank_account[-4:],
                "status": ISSUED,
                "created_at_utc": created_at_utc,
                "ordered_by_id": by_id,
                "ordered_by_name": by_name,
            }
        ],
    )
    return order_id


def set_cancelled(order_id: int, by_name: str, at_utc: datetime) -> None:
    """Say that an order which was not paid is void, by whom and when."""
    db.session.execute(
        update(PaymentOrder)
        .where(PaymentOrder.id == order_id, PaymentOrder.status == ISSUED)
        .values(status=CANCELLED, cancelled_by_name=by_name, cancelled_at_utc=at_utc)
        .execution_options(synchronize_session=False)
    )


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
