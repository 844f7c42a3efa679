"""Who is insured where, on what base, and what is owed.

Personal identifiers are ciphertext beside a keyed hash (blind index) and the last four digits.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class Employer(Model):
    """An insured unit. `details` holds address, postcode, contact and bank names; accounts are ciphertext."""

    __tablename__ = "employer"
    __table_args__ = (Index("ix_employer_region", "region", "employer_no"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    employer_no: Mapped[str] = mapped_column(String(32), unique=True)
    credit_code: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(128))
    unit_type: Mapped[str] = mapped_column(String(32))
    management_type: Mapped[str] = mapped_column(String(2), default="01")
    status: Mapped[str] = mapped_column(String(16), default="active")  # active paused ended
    details: Mapped[dict] = mapped_column(JSON, default=dict)
    bank_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    demo: Mapped[bool] = mapped_column(default=False)


class EmployerFund(Model):
    """A fund that an employer takes part in, from month to month (inclusive; None is open)."""

    __tablename__ = "employer_fund"

    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), primary_key=True)
    fund: Mapped[str] = mapped_column(String(8), primary_key=True)
    from_month: Mapped[str] = mapped_column(String(7), primary_key=True)
    to_month: Mapped[str | None] = mapped_column(String(7))


class Person(Model):
    """A person record of a region. One identity number may wrongly have several: they wait for a merge."""

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_id_hash", "id_hash", "region"),
        Index(
            "ix_person_merged",
            "merged_into_id",
            sqlite_where=text("merged_into_id IS NOT NULL"),
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    person_no: Mapped[str] = mapped_column(String(32), unique=True)
    id_type: Mapped[str] = mapped_column(String(2), default="01")
    id_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    id_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    id_last4: Mapped[str] = mapped_column(String(4))
    id_masked: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(64))
    sex: Mapped[str] = mapped_column(String(1))
    birth_date: Mapped[date] = mapped_column(Date)
    ethnicity: Mapped[str] = mapped_column(String(2), default="01")
    nationality: Mapped[str] = mapped_column(String(3), default="CHN")
    phone_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_last4: Mapped[str | None] = mapped_column(String(4))
    life_status: Mapped[str] = mapped_column(String(1), default="1")  # 1 living 2 dead
    died_on: Mapped[date | None] = mapped_column(Date)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    details: Mapped[dict] = mapped_column(JSON, default=dict)


class Enrolment(Model):
    """One person in one fund at one employer, from month to month.

    `category` is employee, flexible or resident (the last two have no employer); `status` is active or
    ended: whether a row is upcoming, active or stopped in a given month follows from its months.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        Index("ix_enrolment_person", "person_id", "fund"),
        Index("ix_enrolment_employer", "employer_id", "fund", "person_id"),
        # one open enrolment of a person and fund: two races cannot both enrol
        Index(
            "uq_enrolment_open",
            "person_id",
            "fund",
            unique=True,
            sqlite_where=text("to_month IS NULL AND status = 'active'"),
            postgresql_where=text("to_month IS NULL AND status = 'active'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    category: Mapped[str] = mapped_column(String(16), default="employee")
    fund: Mapped[str] = mapped_column(String(8))
    person_type: Mapped[str] = mapped_column(String(4))
    from_month: Mapped[str] = mapped_column(String(7))
    to_month: Mapped[str | None] = mapped_column(String(7))
    start_date: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(String(16), default="active")
    wage_fen: Mapped[int | None] = mapped_column(BigInteger)
    base_fen: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(String(16))
    details: Mapped[dict] = mapped_column(JSON, default=dict)
    declaration_id: Mapped[int | None] = mapped_column(BigInteger)
    ended_by_declaration_id: Mapped[int | None] = mapped_column(BigInteger)


class EnrolmentChange(Model):
    """What a declaration changed in an enrolment: the changed columns before and after.

    `action` is stopped, cancelled, restored, reverted or retired; base and base_annual declare a wage. The
    beginning of an enrolment is the row itself, with the declaration that made it.
    """

    __tablename__ = "enrolment_change"
    __table_args__ = (
        Index("ix_enrolment_change_enrolment", "enrolment_id", "id"),
        Index("ix_enrolment_change_declaration", "declaration_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    action: Mapped[str] = mapped_column(String(16))
    before: Mapped[dict] = mapped_column(JSON, default=dict)
    after: Mapped[dict] = mapped_column(JSON, default=dict)
    at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class ContributionLine(Model):
    """What is owed or allocated for one person, fund, party and month; corrected only by reversal lines."""

    __tablename__ = "contribution_line"
    __table_args__ = (
        Index("ix_line_person", "person_id", "accrual_month"),
        Index("ix_line_employer", "employer_id", "due_month", "fund"),
        Index("ix_line_declaration", "declaration_id"),
        # what an employer still owes: few lines of many
        Index(
            "ix_line_unpaid",
            "employer_id",
            "due_month",
            sqlite_where=text("received_on IS NULL AND reversed_by_id IS NULL"),
            postgresql_where=text("received_on IS NULL AND reversed_by_id IS NULL"),
        ),
        Index("ix_line_notice", "notice_id"),
        Index(
            "ix_line_without_notice",
            "employer_id",
            "due_month",
            sqlite_where=text("notice_id IS NULL"),
            postgresql_where=text("notice_id IS NULL"),
        ),
        Index(
            "ix_line_order",
            "order_id",
            sqlite_where=text("order_id IS NOT NULL"),
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        # a month is charged once: reversed lines carry the id of their reversal and drop out
        Index(
            "uq_line_once",
            "person_id",
            "fund",
            "party",
            "accrual_month",
            unique=True,
            sqlite_where=text("reversed_by_id IS NULL AND due_type IN ('10', '31')"),
            postgresql_where=text("reversed_by_id IS NULL AND due_type IN ('10', '31')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    fund: Mapped[str] = mapped_column(String(8))
    party: Mapped[str] = mapped_column(String(24))
    due_type: Mapped[str] = mapped_column(String(2))
    due_month: Mapped[str] = mapped_column(String(7))
    accrual_month: Mapped[str] = mapped_column(String(7))
    base_fen: Mapped[int] = mapped_column(BigInteger)
    rate: Mapped[str | None] = mapped_column(String(12))  # a decimal in words: SQLite would make it a float
    fixed_fen: Mapped[int | None] = mapped_column(BigInteger)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    retired: Mapped[bool] = mapped_column(default=False)
    declaration_id: Mapped[int | None] = mapped_column(BigInteger)
    reversal_of_id: Mapped[int | None] = mapped_column(BigInteger)
    reversed_by_id: Mapped[int | None] = mapped_column(BigInteger)
    received_on: Mapped[date | None] = mapped_column(Date)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    # the declared wage that the base came from; unknown where only a base was on record
    wage_fen: Mapped[int | None] = mapped_column(BigInteger)
    collection_method: Mapped[str] = mapped_column(String(2), server_default="02")
    interest_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    late_fee_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    other_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # the first due date missed; None: that of the month the line is billed in
    late_from: Mapped[date | None] = mapped_column(Date)
    notice_id: Mapped[int | None] = mapped_column(BigInteger)
    # the order that pays a credit to the employer's account: then no notice takes it
    order_id: Mapped[int | None] = mapped_column(BigInteger)
