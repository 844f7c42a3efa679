"""Contribution bases over time: what an enrolment's wage is now, and what was declared for which months.

Each declaration leaves a row in the enrolment's history; the enrolment itself carries the present wage.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from app.extensions import db
from app.store.constraints import Duplicate
from app.store.models import Enrolment, EnrolmentChange
from app.store.session import insert_rows

ACTIONS = ("base", "base_annual", "base_carry")


@dataclass(frozen=True, slots=True)
class BaseRow:
    """A wage declared for an enrolment, amounts in fen, months `YYYY-MM` (`to_month` None goes on).

    Shape: `before_wage_fen` and `before_base_fen` are what the enrolment carried; `present` tells that the
    new wage is its present one.
    """

    id: int
    enrolment_id: int
    declaration_id: int
    action: str
    from_month: str
    to_month: str | None
    wage_fen: int
    base_fen: int
    before_wage_fen: int | None
    before_base_fen: int | None
    at_utc: datetime
    present: bool = True


_ENROLMENT = Enrolment.__table__
_SET = (
    update(_ENROLMENT)
    .where(
        _ENROLMENT.c.id == bindparam("b_id"),
        _ENROLMENT.c.wage_fen.is_not_distinct_from(bindparam("b_before_wage")),
        _ENROLMENT.c.base_fen.is_not_distinct_from(bindparam("b_before_base")),
    )
    .values(wage_fen=bindparam("b_wage"), base_fen=bindparam("b_base"))
)


def change_bases(rows: Sequence[BaseRow]) -> None:
    """Declare wages and keep old and new, in two statements.

    Raises: Duplicate (`open_enrolment`) where an enrolment no longer carries what `before` says: somebody
    else was first.
    """
    if not rows:
        return
    present = [row for row in rows if row.present]
    if present:
        done: Any = db.session.connection().execute(
            _SET,
            [
                {
                    "b_id": row.enrolment_id,
                    "b_before_wage": row.before_wage_fen,
                    "b_before_base": row.before_base_fen,
                    "b_wage": row.wage_fen,
                    "b_base": row.base_fen,
                }
                for row in present
            ],
        )
        if done.rowcount != len(present):
            raise Duplicate("open_enrolment")
    insert_rows(EnrolmentChange, [_history(row) for row in rows])


def _history(row: BaseRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "enrolment_id": row.enrolment_id,
        "declaration_id": row.declaration_id,
        "action": row.action,
        "before": {"wage_fen": row.before_wage_fen, "base_fen": row.before_base_fen},
        "after": {
            "wage_fen": row.wage_fen,
            "base_fen": row.base_fen,
            "from_month": row.from_month,
            "to_month": row.to_month,
        },
        "at_utc": row.at_utc,
    }


def base_history(enrolment_ids: Collection[int]) -> dict[int, list[BaseRow]]:
    """What was declared for each enrolment, oldest first, in one statement."""
    found: dict[int, list[BaseRow]] = {}
    if not enrolment_ids:
        return found
    rows = db.session.scalars(
        select(EnrolmentChange)
        .where(EnrolmentChange.enrolment_id.in_(enrolment_ids), EnrolmentChange.action.in_(ACTIONS))
        .order_by(EnrolmentChange.id)
    )
    for row in rows:
        found.setdefault(row.enrolment_id, []).append(
            BaseRow(
                id=row.id,
                enrolment_id=row.enrolment_id,
                declaration_id=row.declaration_id,
                action=row.action,
                from_month=row.after["from_month"],
                to_month=row.after["to_month"],
                wage_fen=row.after["wage_fen"],
                base_fen=row.after["base_fen"],
                before_wage_fen=row.before["wage_fen"],
                before_base_fen=row.before["base_fen"],
                at_utc=row.at_utc,
            )
        )
    return found
