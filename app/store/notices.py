"""Rows of `notice`: what an employer's operators are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from app.extensions import db
from app.store import session
from app.store.constraints import unique_rules
from app.store.ids import new_id
from app.store.models import Declaration, Notice


@dataclass(frozen=True, slots=True)
class CaseWords:
    """What a notice says about its case."""

    id: int
    reference: str
    employer_id: int
    person_name: str
    id_masked: str
    opinion: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice."""

    id: int
    declaration_id: int | None
    title: str
    body: str
    created_at_utc: datetime
    read_at_utc: datetime | None


def find_case_words(declaration_id: int) -> CaseWords | None:
    """Find what a notice needs of a case."""
    columns = [Declaration.__table__.c[name] for name in CaseWords.__slots__]
    row = db.session.execute(select(*columns).where(Declaration.id == declaration_id)).first()
    return None if row is None else CaseWords(*row)


def add_notice(
    *,
    employer_id: int,
    title: str,
    body: str,
    now_utc: datetime,
    declaration_id: int | None = None,
    outbox_id: int | None = None,
    batch_id: int | None = None,
    user_id: int | None = None,
) -> None:
    """Insert a notice to all of an employer's operators, or to one of them (`user_id`).

    A second one of the same outbox row breaks the unique rule `notice`.
    """
    with unique_rules():
        session.insert_rows(
            Notice,
            [
                {
                    "id": new_id(),
                    "employer_id": employer_id,
                    "user_id": user_id,
                    "batch_id": batch_id,
                    "declaration_id": declaration_id,
                    "outbox_id": outbox_id,
                    "title": title,
                    "body": body,
                    "created_at_utc": now_utc,
                }
            ],
        )


def list_notices(employer_id: int, before_id: int | None, limit: int) -> list[NoticeRow]:
    """List an employer's notices, newest first, in pages by id."""
    columns = [Notice.__table__.c[name] for name in NoticeRow.__slots__]
    statement = select(*columns).where(Notice.employer_id == employer_id)
    if before_id is not None:
        statement = statement.where(Notice.id < before_id)
    return [NoticeRow(*row) for row in db.session.execute(statement.order_by(Notice.id.desc()).limit(limit))]


def set_read(employer_id: int, user_id: int, now_utc: datetime) -> None:
    """Mark all notices of an employer that an operator may read as read."""
    table = Notice.__table__
    db.session.execute(
        update(table)
        .where(
            table.c.employer_id == employer_id,
            or_(table.c.user_id.is_(None), table.c.user_id == user_id),
            table.c.read_at_utc.is_(None),
        )
        .values(read_at_utc=now_utc)
    )
