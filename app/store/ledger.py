"""Contribution lines: what is due or allocated. Lines are never changed, only added and reversed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from app.domain.contribution import FenLine
from app.extensions import db
from app.store.constraints import ORDERED, Duplicate
from app.store.ids import new_id
from app.store.models import ContributionLine, Declaration
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
    ContributionLine.retired,
    ContributionLine.declaration_id,
    ContributionLine.reversal_of_id,
    ContributionLine.reversed_by_id,
    ContributionLine.interest_fen,
    ContributionLine.late_fee_fen,
    ContributionLine.other_fen,
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
    retired: bool = False
    declaration_id: int | None = None
    reversal_of_id: int | None = None
    reversed_by_id: int | None = None
    interest_fen: int = 0
    late_fee_fen: int = 0
    other_fen: int = 0
    # the kind of the declaration that made the line, where `standing_lines` read it
    made_by: str = ""


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
    wage_fen: int | None = None,
    late_from: date | None = None,
    notice_id: int | None = None,
) -> dict[str, Any]:
    """A row for `add_lines`, with a new id; amounts in fen.

    `wage_fen` is the declared wage behind the base, `late_from` the due date that was missed already.
    """
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
        "reversal_of_id": None,
        "reversed_by_id": None,
        "wage_fen": wage_fen,
        "late_from": late_from,
        "notice_id": notice_id,
        "interest_fen": 0,
        "late_fee_fen": 0,
        "other_fen": 0,
    }


def charge_values(line: FenLine, **rest: Any) -> dict[str, Any]:
    """A row for `add_lines` that charges a calculated line; the rest is said as to `line_values`."""
    return line_values(
        fund=line.fund,
        party=line.party,
        base_fen=line.base_fen,
        rate=line.rate or None,
        fixed_fen=None if line.rate else line.amount_fen,
        amount_fen=line.amount_fen,
        **rest,
    )


@dataclass(frozen=True, slots=True)
class Reversal:
    """A pair of lines that cancel each other: the one that stood and the one made against it.

    `restores_id` is the line that stands again, where a line that took another one back is itself undone.
    """

    line_id: int
    reversal_id: int
    restores_id: int | None = None


def against(
    line: LineRow, region: str, due_type: str, due_month: str, declaration_id: int, at_utc: datetime
) -> dict[str, Any]:
    """A row for `add_lines` that takes a line back: the same figures, the amounts negated.

    What was paid with the line goes back with it: the late fee of a month that was not owed was not owed
    either. It is marked as taken back itself, so that the two drop out of what a month still carries.
    """
    return {
        **line_values(
            region=region,
            person_id=line.person_id,
            employer_id=line.employer_id,
            fund=line.fund,
            party=line.party,
            due_type=due_type,
            due_month=due_month,
            accrual_month=line.accrual_month,
            base_fen=line.base_fen,
            rate=line.rate,
            fixed_fen=line.fixed_fen,
            amount_fen=-line.amount_fen,
            declaration_id=declaration_id,
            created_at_utc=at_utc,
            retired=line.retired,
        ),
        "interest_fen": -line.interest_fen,
        "late_fee_fen": -line.late_fee_fen,
        "other_fen": -line.other_fen,
        "reversal_of_id": line.id,
        "reversed_by_id": line.id,
    }


_LINES = ContributionLine.__table__
_REVERSE = (
    update(_LINES)
    .where(
        _LINES.c.id == bindparam("b_line"),
        _LINES.c.reversed_by_id.is_not_distinct_from(bindparam("b_held")),
        or_(_LINES.c.order_id.is_(None), _LINES.c.received_on.is_not(None)),
    )
    .values(reversed_by_id=bindparam("b_reversal"))
)


def set_reversed(reversals: Sequence[Reversal]) -> None:
    """Mark lines as taken back, and lines as standing again, in one statement.

    Raises: Duplicate (`charged_month`) where one was taken back already: somebody else was first;
    Duplicate (`ordered`) where one is a credit that an order is about to pay to the employer.
    """
    rows = []
    for each in reversals:
        # the line that undoes another one was marked with that one from the beginning
        rows.append({"b_line": each.line_id, "b_held": each.restores_id, "b_reversal": each.reversal_id})
        if each.restores_id is not None:
            rows.append({"b_line": each.restores_id, "b_held": each.line_id, "b_reversal": None})
    if not rows:
        return
    done: Any = db.session.connection().execute(_REVERSE, rows)
    if done.rowcount != len(rows):
        raise Duplicate(ORDERED if _any_ordered([row["b_line"] for row in rows]) else "charged_month")


def _any_ordered(line_ids: Collection[int | None]) -> bool:
    query = select(ContributionLine.id).where(
        ContributionLine.id.in_(line_ids),
        ContributionLine.order_id.is_not(None),
        ContributionLine.received_on.is_(None),
    )
    return db.session.execute(query.limit(1)).first() is not None


def standing_lines(
    person_ids: Collection[int], after_month: str, billed_from: str
) -> dict[int, list[LineRow]]:
    """Lines of people that were not taken back: of later accrual months, or billed since a month.

    Shape: {person id: lines by month}; one statement.
    """
    found: dict[int, list[LineRow]] = {}
    if not person_ids:
        return found
    query = (
        select(*_COLUMNS, func.coalesce(Declaration.kind, ""))
        .join(Declaration, Declaration.id == ContributionLine.declaration_id, isouter=True)
        .where(
            ContributionLine.person_id.in_(person_ids),
            ContributionLine.reversed_by_id.is_(None),
            or_(ContributionLine.accrual_month > after_month, ContributionLine.due_month >= billed_from),
        )
        .order_by(ContributionLine.accrual_month, ContributionLine.fund, ContributionLine.party,
                  ContributionLine.id)
    )  # fmt: skip
    row: Any
    for row in db.session.execute(query):
        found.setdefault(row.person_id, []).append(LineRow(*row))
    return found


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


def month_totals(employer_id: int, month: str) -> tuple[int, int, dict[str, int]]:
    """People, lines and sums by party in fen of an employer's normal dues of an accrual month that stand."""
    query = (
        select(
            ContributionLine.party,
            func.count(),
            func.sum(ContributionLine.amount_fen),
        )
        .where(*_normal(employer_id, month))
        .group_by(ContributionLine.party)
    )
    rows = db.session.execute(query).all()
    people = db.session.execute(
        select(func.count(ContributionLine.person_id.distinct())).where(*_normal(employer_id, month))
    ).scalar_one()
    return people, sum(row[1] for row in rows), {row[0]: int(row[2]) for row in rows}


def _normal(employer_id: int, month: str) -> tuple[Any, ...]:
    # normal dues are billed in their own month: the index finds them by it
    return (
        ContributionLine.employer_id == employer_id,
        ContributionLine.due_month == month,
        ContributionLine.accrual_month == month,
        ContributionLine.due_type == "10",
        ContributionLine.reversed_by_id.is_(None),
    )
