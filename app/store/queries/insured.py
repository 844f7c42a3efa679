"""Who was insured at an employer in a month, as the registry stands today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select

from app.extensions import db
from app.store.models import ContributionLine, Declaration, Enrolment, Person
from app.store.person_types import TypeRow, type_history

OPEN = ("pending", "submitted", "in_audit", "returned")


@dataclass(slots=True)
class InsuredRow:
    """One person at the employer in the month: funds with the fund's wage and base in fen as it carries them.

    `person_type` is the one of that month.
    """

    person_id: int
    person_no: str
    name: str
    id_masked: str
    person_type: str
    funds: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)


def insured_on(employer_id: int, month: str, person_ids: Sequence[int] | None = None) -> list[InsuredRow]:
    """Everybody who is an employer's own in a month (`YYYY-MM`), in the order of the records.

    Two statements, however many people: what was stopped, cancelled, reverted, moved to another employer or
    merged since is answered as it is known today; a person type as it was in that month. `person_ids`
    narrows the answer.
    """
    query = (
        select(
            Enrolment.id, Enrolment.fund, Enrolment.person_type, Enrolment.wage_fen, Enrolment.base_fen,
            Person.id, Person.person_no, Person.name, Person.id_masked,
        )
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Enrolment.employer_id == employer_id,
            # an enrolment that was cancelled or reverted has never been
            Enrolment.status == "active",
            Enrolment.from_month <= month,
            or_(Enrolment.to_month.is_(None), Enrolment.to_month >= month),
        )
        .order_by(Person.id, Enrolment.fund, Enrolment.id)
    )  # fmt: skip
    if person_ids is not None:
        query = query.where(Enrolment.person_id.in_(person_ids))
    rows = db.session.execute(query).all()
    changed = _types_of(employer_id)
    found: dict[int, InsuredRow] = {}
    for row in rows:
        kind = _type_in(changed.get(row[0], []), month, row[2])
        person = found.setdefault(row[5], InsuredRow(row[5], row[6], row[7], row[8], kind))
        # civil servants and retirees: whatever fund says so decides
        person.person_type = max(person.person_type, kind)
        person.funds[row[1]] = (row[3], row[4])
    return list(found.values())


def _types_of(employer_id: int) -> dict[int, list[TypeRow]]:
    return type_history(select(Enrolment.id).where(Enrolment.employer_id == employer_id))


def _type_in(changes: Sequence[TypeRow], month: str, present: str) -> str:
    """The person type of a month: what the first change after it says was before; else the present one."""
    reached = [each for each in changes if each.from_month <= month]
    if reached:
        return max(reached, key=lambda each: (each.from_month, each.id)).after
    return min(changes, key=lambda each: each.id).before if changes else present


def count_insured_after(employer_id: int, month: str, fund: str = "") -> int:
    """How many people an employer has in any later month, in whatever fund or in one."""
    query = select(func.count(Enrolment.person_id.distinct())).where(
        Enrolment.employer_id == employer_id,
        Enrolment.status == "active",
        or_(Enrolment.to_month.is_(None), Enrolment.to_month > month),
    )
    return db.session.execute(query.where(Enrolment.fund == fund) if fund else query).scalar_one()


def open_kinds(employer_id: int, without: str) -> list[str]:
    """The kinds of an employer's declarations that were filed and are not decided, but for one reference."""
    rows = db.session.scalars(
        select(Declaration.kind)
        .where(
            Declaration.employer_id == employer_id,
            Declaration.status.in_(OPEN),
            Declaration.reference != without,
        )
        .distinct()
        .order_by(Declaration.kind)
    )
    return list(rows)


@dataclass(frozen=True, slots=True)
class Arrears:
    """What an employer owes: charges that were billed and not received, in fen, with their due months."""

    lines: int = 0
    amount_fen: int = 0
    first_month: str = ""
    last_month: str = ""


def unpaid(employer_id: int, billed_before: str | None = None) -> Arrears:
    """An employer's unpaid charges, all of them or those billed in months before one, in one statement.

    Charges that were taken back, refunds and allocations are no debts. A difference in the employer's favour
    lowers them once a notice has set it against charges, and not while it waits.
    """
    query = select(
        func.count(),
        func.coalesce(func.sum(ContributionLine.amount_fen), 0),
        func.min(ContributionLine.due_month),
        func.max(ContributionLine.due_month),
    ).where(
        ContributionLine.employer_id == employer_id,
        ContributionLine.received_on.is_(None),
        ContributionLine.reversed_by_id.is_(None),
        ContributionLine.party.in_(("employer", "employee")),
        ContributionLine.due_type != "20",
        or_(ContributionLine.amount_fen > 0, ContributionLine.notice_id.is_not(None)),
    )
    if billed_before is not None:
        query = query.where(ContributionLine.due_month < billed_before)
    count, amount, first, last = db.session.execute(query).one()
    return Arrears(int(count), int(amount), first or "", last or "")
