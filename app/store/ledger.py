"""Contribution lines: what is due or allocated. Lines are never changed, only added and reversed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.store.ids import new_id
from app.store.models import ContributionLine
from app.store.session import insert_rows

_COLUMNS: tuple[Any, ...] = (
    ContributionLine.id,
    ContributionLine.person_id,
    ContributionLine.employer_id,
    ContributionLine.fund,
    ContributionLine.party,
    ContributionLine.due_type,
    ContributionLine.due_month,
    ContributionLine.accrual_month,
    ContributionLine.base_fen,
    ContributionLine.rate,
    ContributionLine.fixed_fen,
    ContributionLine.amount_fen,
    ContributionLine.received_on,
)


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line: amounts in fen, months `YYYY-MM`, `rate` a decimal in words or None for fixed amounts."""

    id: int
    person_id: int
    employer_id: int | None
    fund: str
    party: str
    due_type: str
    due_month: str
    accrual_month: str
    base_fen: int
    rate: str | None
    fixed_fen: int | None
    amount_fen: int
    received_on: date | None


def line_values(
    *,
    region: str,
    person_id: int,
    employer_id: int | None,
    fund: str,
    party: str,
    due_type: str,
    due_month: str,
    accrual_month: str,
    base_fen: int,
    rate: str | None,
    fixed_fen: int | None,
    amount_fen: int,
    declaration_id: int | None,
    created_at_utc: datetime,
    retired: bool = False,
    received_on: date | None = None,
) -> dict[str, Any]:
    """A row for `add_lines`, with a new id; amounts in fen."""
    return {
        "id": new_id(),
        "region": region,
        "person_id": person_id,
        "employer_id": employer_id,
        "fund": fund,
        "party": party,
        "due_type": due_type,
        "due_month": due_month,
        "accrual_month": accrual_month,
        "base_fen": base_fen,
        "rate": rate,
        "fixed_fen": fixed_fen,
        "amount_fen": amount_fen,
        "retired": retired,
        "declaration_id": declaration_id,
        "received_on": received_on,
        "created_at_utc": created_at_utc,
    }


def add_lines(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add lines, in one statement; a second charge of the same person, fund, party and month is refused."""
    insert_rows(ContributionLine, rows)


def lines_of_declaration(declaration_id: int) -> list[LineRow]:
    """The lines that a declaration made, by month, fund and party."""
    return lines_of_declarations([declaration_id]).get(declaration_id, [])


def lines_of_declarations(declaration_ids: Collection[int]) -> dict[int, list[LineRow]]:
    """The lines of several declarations, in one statement."""
    found: dict[int, list[LineRow]] = {}
    if not declaration_ids:
        return found
    query = (
        select(ContributionLine.declaration_id, *_COLUMNS)
        .where(ContributionLine.declaration_id.in_(declaration_ids))
        .order_by(
            ContributionLine.accrual_month,
            ContributionLine.fund,
            ContributionLine.party,
            ContributionLine.id,
        )
    )
    row: Any
    for row in db.session.execute(query):
        found.setdefault(row[0], []).append(LineRow(*row[1:]))
    return found


def totals(employer_id: int, due_month: str) -> dict[tuple[str, str, str], int]:
    """An employer's sums of a due month, in fen: {(fund, party, due type): sum}; sums of rounded lines."""
    query = (
        select(
            ContributionLine.fund,
            ContributionLine.party,
            ContributionLine.due_type,
            func.sum(ContributionLine.amount_fen),
        )
        .where(ContributionLine.employer_id == employer_id, ContributionLine.due_month == due_month)
        .group_by(ContributionLine.fund, ContributionLine.party, ContributionLine.due_type)
    )
    return {(fund, party, due): int(total) for fund, party, due, total in db.session.execute(query)}
