"""What was assessed for whom, the payment notices made of it, and the money posted to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class Assessment(Model):
    """A month that is assessed for an employer. `state` is running until everybody has been charged.

    From the moment the row exists, whoever joins in that month is charged by his own declaration.
    """

    __tablename__ = "assessment"
    __table_args__ = (Index("ix_assessment_region", "region", "month"),)

    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    region: Mapped[str] = mapped_column(String(6))
    state: Mapped[str] = mapped_column(String(16))
    people: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    started_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PaymentNotice(Model):
    """A notice to collect: one of an employer's normal dues and one of its back-pay for each due month."""

    __tablename__ = "payment_notice"
    __table_args__ = (
        UniqueConstraint("employer_id", "due_month", "kind"),
        Index("ix_payment_notice_region", "region", "due_month", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    region: Mapped[str] = mapped_column(String(6))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    due_month: Mapped[str] = mapped_column(String(7))
    kind: Mapped[str] = mapped_column(String(8))  # normal backpay
    settled: Mapped[bool] = mapped_column(default=False)
    made_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class NoticeSerial(Model):
    """The last serial number given to the notices of a region and month."""

    __tablename__ = "notice_serial"

    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class PaymentPosting(Model):
    """Money that came in for a notice: which lines it paid is in their own `received_on`."""

    __tablename__ = "payment_posting"
    __table_args__ = (UniqueConstraint("notice_id", "voucher"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    notice_id: Mapped[int] = mapped_column(ForeignKey("payment_notice.id"))
    voucher: Mapped[str] = mapped_column(String(64))
    received_on: Mapped[date] = mapped_column(Date)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    late_fee_fen: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[int]
    posted_by_id: Mapped[int | None] = mapped_column(BigInteger)
    posted_by_name: Mapped[str] = mapped_column(String(64))
    posted_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderPosting(Model):
    """The payment of one order: of a personal account, or of what is due back to an employer."""

    __tablename__ = "order_posting"

    order_id: Mapped[int] = mapped_column(ForeignKey("payment_order.id"), primary_key=True)
    paid_on: Mapped[date] = mapped_column(Date)
    posted_by_id: Mapped[int | None] = mapped_column(BigInteger)
    posted_by_name: Mapped[str] = mapped_column(String(64))
    posted_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
