"""The person type of an enrolment over time: what it is now, and from which month it changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from app.extensions import db
from app.store.constraints import Duplicate
from app.store.models import Enrolment, EnrolmentChange
from app.store.session import insert_rows

ACTION = "type"


@dataclass(frozen=True, slots=True)
class TypeRow:
    """A change of an enrolment's person type from a month on, old and new, by which declaration."""

    id: int
    enrolment_id: int
    declaration_id: int
    from_month: str
    before: str
    after: str
    at_utc: datetime


_TABLE = Enrolment.__table__
_SET = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("b_id"), _TABLE.c.person_type == bindparam("b_before"))
    .values(person_type=bindparam("b_after"))
)


def change_types(rows: Sequence[TypeRow]) -> None:
    """Change person types and keep old and new, in two statements.

    Raises: Duplicate (`open_enrolment`) where one is no longer as `before` says: somebody else was first.
    """
    if not rows:
        return
    values = [{"b_id": row.enrolment_id, "b_before": row.before, "b_after": row.after} for row in rows]
    done: Any = db.session.connection().execute(_SET, values)
    if done.rowcount != len(rows):
        raise Duplicate("open_enrolment")
    insert_rows(
        EnrolmentChange,
        [
            {
                "id": row.id,
                "enrolment_id": row.enrolment_id,
                "declaration_id": row.declaration_id,
                "action": ACTION,
                "before": {"person_type": row.before},
                "after": {"person_type": row.after, "from_month": row.from_month},
                "at_utc": row.at_utc,
            }
            for row in rows
        ],
    )


def type_history(enrolment_ids: Collection[int] | Select[int]) -> dict[int, list[TypeRow]]:
    """What changed in each enrolment's person type, oldest first, in one statement."""
    found: dict[int, list[TypeRow]] = {}
    rows = db.session.scalars(
        select(EnrolmentChange)
        .where(EnrolmentChange.enrolment_id.in_(enrolment_ids), EnrolmentChange.action == ACTION)
        .order_by(EnrolmentChange.id)
    )
    for row in rows:
        found.setdefault(row.enrolment_id, []).append(
            TypeRow(
                row.id, row.enrolment_id, row.declaration_id, row.after["from_month"],
                row.before["person_type"], row.after["person_type"], row.at_utc,
            )
        )  # fmt: skip
    return found
