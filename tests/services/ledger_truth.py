"""What the ledger must say of assessed months, computed anew from enrolments, bases and the tariff."""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import select

from app.definitions.current import parameters
from app.domain.contribution import tariff
from app.extensions import db
from app.store.models import Assessment, ContributionLine, Enrolment, EnrolmentChange

MONTH_DUES = ("10", "31", "34", "35")


def already_charged(month="2026-11") -> set[int]:
    """People of the demonstration who carry a charge of the month from the beginning: cases of their own."""
    db.session.rollback()
    return set(
        db.session.scalars(select(ContributionLine.person_id).where(ContributionLine.accrual_month >= month))
    )


def check(months=("2026-11", "2026-12"), leave_out=frozenset()) -> int:
    """Every person, fund, party and month of an assessment carries what the tariff says; gives how many."""
    db.session.rollback()
    wanted = expected(months)
    assessed = _assessed(months)
    carried = defaultdict(int)
    for line in db.session.scalars(select(ContributionLine)):
        at = (line.employer_id, line.accrual_month)
        if at in assessed and line.reversed_by_id is None and line.due_type in MONTH_DUES:
            carried[line.person_id, line.fund, line.party, line.accrual_month] += line.amount_fen
    found = {key: sum_ for key, sum_ in carried.items() if sum_}
    others = {key: found[key] for key in found.keys() - wanted.keys()}
    others = {key: others[key] for key in others if key[0] not in leave_out}
    assert not others, f"charged without being insured: {others}"
    wrong = {
        key: (found.get(key, 0), sum_)
        for key, sum_ in wanted.items()
        if found.get(key, 0) != sum_ and key[0] not in leave_out
    }
    assert not wrong, f"(is, should be): {wrong}"
    return len(wanted)


def _assessed(months) -> set[tuple[int, str]]:
    marks = db.session.scalars(select(Assessment).where(Assessment.month.in_(months)))
    return {(mark.employer_id, mark.month) for mark in marks}


def expected(months) -> dict[tuple[int, str, str, str], int]:
    marks = _assessed(months)
    declared = defaultdict(list)
    for change in db.session.scalars(select(EnrolmentChange).order_by(EnrolmentChange.id)):
        if change.action in ("base", "base_annual"):
            declared[change.enrolment_id].append(change)
    found = {}
    for row in db.session.scalars(select(Enrolment).where(Enrolment.status == "active")):
        for month in months:
            inside = row.from_month <= month and (row.to_month is None or month <= row.to_month)
            if inside and (row.employer_id, month) in marks:
                wage = _wage(row, declared[row.id], month)
                for line in _quote(row, month, wage).lines:
                    if line.amount:
                        found[row.person_id, row.fund, line.party, month] = int(line.amount * 100)
    return found


def _wage(row, changes, month) -> Decimal:
    fen = changes[0].before["wage_fen"] if changes else row.wage_fen
    for change in changes:
        until = change.after["to_month"]
        if change.after["from_month"] <= month and (until is None or month <= until):
            fen = change.after["wage_fen"]
    return Decimal(fen) / 100


def _quote(row, month, wage):
    status = "retired" if row.person_type.startswith("12") else "active"
    return tariff(parameters(row.region), month, status, (row.fund,)).quote(wage, "clip")
