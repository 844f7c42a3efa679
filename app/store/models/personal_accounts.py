"""What moves a personal account beside the allocations of the ledger, and the orders to pay it out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class AccountEntry(Model):
    """One movement of a personal account that no contribution line stands for.

    `entry` is payout (negative) or correction. The balance is the allocations that were received and were
    not taken back, and the sum of these entries.
    """

    __tablename__ = "account_entry"
    __table_args__ = (Index("ix_account_entry_person", "person_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    entry: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    declaration_id: Mapped[int | None] = mapped_column(ForeignKey("declaration.id"))
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class PaymentOrder(Model):
    """An order to pay money out; `status` is issued, then paid or cancelled.

    A declaration orders a person's account to be paid out; somebody of the agency orders what is due back
    to an employer, under a number of its own.
    """

    __tablename__ = "payment_order"
    __table_args__ = (Index("ix_payment_order_employer", "employer_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    number: Mapped[str | None] = mapped_column(String(24), unique=True)
    declaration_id: Mapped[int | None] = mapped_column(ForeignKey("declaration.id"), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    payee: Mapped[str] = mapped_column(String(128))
    payee_relation: Mapped[str] = mapped_column(String(2))
    bank_name: Mapped[str] = mapped_column(String(100))
    account_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    account_last4: Mapped[str] = mapped_column(String(4))
    status: Mapped[str] = mapped_column(String(16), default="issued")
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    ordered_by_id: Mapped[int | None] = mapped_column(BigInteger)
    ordered_by_name: Mapped[str] = mapped_column(String(64), server_default="")
    cancelled_by_name: Mapped[str] = mapped_column(String(64), server_default="")
    cancelled_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
