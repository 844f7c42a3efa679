"""Declarations, their processes, open tasks, history, effects and what leaves the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.store.models.types import UtcDateTime


class Declaration(Model):
    """One case of a business kind. `data_cipher` is the form's JSON, encrypted; `facts` only routes.

    `open_key` is set while the case is open in a region that allows one open declaration per object.
    """

    __tablename__ = "declaration"
    __table_args__ = (
        Index("ix_declaration_employer", "employer_id", "status", "kind", "id"),
        Index("ix_declaration_region", "region", "status", "id"),
        Index("ix_declaration_name", "region", "person_name"),
        Index(
            "ix_declaration_decided",
            "region",
            "decided_at_utc",
            sqlite_where=text("decided_at_utc IS NOT NULL"),
            postgresql_where=text("decided_at_utc IS NOT NULL"),
        ),
        Index("ix_declaration_person", "person_hash"),
        Index(
            "ix_declaration_counter",
            "region",
            "id",
            sqlite_where=text("channel = '02'"),
            postgresql_where=text("channel = '02'"),
        ),
        Index("ix_declaration_batch", "batch_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reference: Mapped[str] = mapped_column(String(24), unique=True)
    region: Mapped[str] = mapped_column(String(6))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(2), default="03")
    open_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    person_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    person_name: Mapped[str] = mapped_column(String(64), default="")
    id_masked: Mapped[str] = mapped_column(String(32), default="")
    data_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
    result_code: Mapped[str] = mapped_column(String(48), default="")
    result_message: Mapped[str] = mapped_column(Text, default="")
    decision: Mapped[str | None] = mapped_column(String(16))
    opinion: Mapped[str] = mapped_column(Text, default="")
    return_fields: Mapped[list] = mapped_column(JSON, default=list)
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    copied_from_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lock_version: Mapped[int] = mapped_column(Integer, default=1)


class ProcessInstance(Model):
    """The opaque engine state of one declaration, pinned to the definitions it started with."""

    __tablename__ = "process_instance"
    __table_args__ = (
        Index(
            "ix_instance_due",
            "next_due_at_utc",
            sqlite_where=text("next_due_at_utc IS NOT NULL"),
            postgresql_where=text("next_due_at_utc IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), unique=True)
    bundle_id: Mapped[int] = mapped_column(ForeignKey("definition_bundle.id"))
    state: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(16), default="running")  # running completed incident
    next_due_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lock_version: Mapped[int] = mapped_column(Integer, default=1)


# The group's inbox holds what nobody has taken: its indexes leave out the rest.
_UNCLAIMED: dict[str, Any] = {
    "sqlite_where": text("claimed_by_id IS NULL"),
    "postgresql_where": text("claimed_by_id IS NULL"),
}
# A query finds the index of decisions only by these very words.
DECIDED = "action IN ('decided_approve', 'decided_reject', 'decided_return')"


class HumanTask(Model):
    """One row per user task that is open now; deleted when the task ends (history is in `event`)."""

    __tablename__ = "human_task"
    __table_args__ = (
        Index("ix_task_inbox", "region", "role", "due_at_utc", "id"),
        Index("ix_task_open", "region", "role", "due_at_utc", "id", **_UNCLAIMED),
        Index("ix_task_open_kind", "region", "role", "kind", "due_at_utc", "id", **_UNCLAIMED),
        Index("ix_task_claimed", "claimed_by_id", "due_at_utc", "id"),
        Index("ix_task_declaration", "declaration_id"),
        Index("ix_task_employer", "employer_id", "role", "due_at_utc", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    task_uid: Mapped[str] = mapped_column(String(36), unique=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    reference: Mapped[str] = mapped_column(String(24))
    process_id: Mapped[str] = mapped_column(String(64))
    element_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(64))
    summary: Mapped[dict] = mapped_column(JSON, default=dict)
    region: Mapped[str] = mapped_column(String(6))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"))
    role: Mapped[str] = mapped_column(String(16))
    form: Mapped[str] = mapped_column(String(64))
    settings: Mapped[dict] = mapped_column(JSON, default=dict)
    priority: Mapped[int] = mapped_column(Integer, default=50)
    due_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    claimed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    claimed_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class Event(Model):
    """One step of a case: which element, what happened, who and when. Diagram marks come from here."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_declaration", "declaration_id", "id"),
        Index(
            "ix_event_decided",
            "actor_id",
            "at_utc",
            "id",
            sqlite_where=text(DECIDED),
            postgresql_where=text(DECIDED),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    process_id: Mapped[str] = mapped_column(String(64), default="")
    element_id: Mapped[str] = mapped_column(String(64), default="")
    element_name: Mapped[str] = mapped_column(String(64), default="")
    # completed, cancelled, waiting (an element); claimed, released, saved, recalled … (a person's act)
    action: Mapped[str] = mapped_column(String(24))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    actor_name: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[dict] = mapped_column(JSON, default=dict)
    at_utc: Mapped[datetime] = mapped_column(UtcDateTime)


class Effect(Model):
    """A change of the registry that a declaration has made: the key makes it happen once."""

    __tablename__ = "effect"

    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), primary_key=True)
    effect: Mapped[str] = mapped_column(String(48), primary_key=True)
    at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    result: Mapped[dict] = mapped_column(JSON, default=dict)


class Outbox(Model):
    """What must leave the database after the commit that wrote it; swept until it is done."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_open",
            "not_before_utc",
            "id",
            sqlite_where=text("done_at_utc IS NULL"),
            postgresql_where=text("done_at_utc IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(String(48))
    payload: Mapped[dict] = mapped_column(JSON, default=dict)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")


class Incident(Model):
    """An action that failed through nobody's input: what was tried (encrypted), and the error."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_open", "status", "region", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region: Mapped[str] = mapped_column(String(6), default="")
    declaration_id: Mapped[int | None] = mapped_column(BigInteger)
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(48))
    action_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    element_id: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="open")  # open resolved
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Notice(Model):
    """A message to an employer's operators (or one account), read or unread."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_employer", "employer_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    declaration_id: Mapped[int | None] = mapped_column(BigInteger)
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    outbox_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    title: Mapped[str] = mapped_column(String(128))
    body: Mapped[str] = mapped_column(Text)
    created_at_utc: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at_utc: Mapped[datetime | None] = mapped_column(UtcDateTime)
