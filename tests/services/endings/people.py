"""Nanjing's employees with a ledger of their own, and the forms that end or turn their insurance."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import delete, update

from app.clock import to_utc
from app.services.actors import Actor
from app.store.ledger import add_lines, line_values
from app.store.models import ContributionLine, Person
from app.store.session import transaction
from tests.services.test_stop import Insured
from tests.services.test_stop import employee as insured

NANJING = "320100"
PAID = date(2026, 10, 20)
# the statutory month of a man born then is October 2026
OF_AGE = date(1966, 5, 8)


def employee(actor: Actor, place: int = 0, born: date | None = None, sex: str = "1") -> Insured:
    """The n-th employee, of whom the ledger says nothing yet; of an age and sex where those matter."""
    found = insured(actor, place)
    with transaction() as session:
        session.execute(delete(ContributionLine).where(ContributionLine.person_id == found.person_id))
        if born is not None:
            known = {"birth_date": born, "sex": sex}
            session.execute(update(Person).where(Person.id == found.person_id).values(known))
    return found


def allocate(
    actor: Actor,
    found: Insured,
    now: datetime,
    month: str,
    fen: int,
    received: date | None = None,
    party: str = "allocation_employee",
    due_type: str = "10",
) -> int:
    """Put a line of a month into the ledger."""
    row = line_values(
        region=NANJING, person_id=found.person_id, employer_id=actor.employer_id, fund="310", party=party,
        due_type=due_type, due_month=month, accrual_month=month, base_fen=800000, rate="0.02",
        fixed_fen=None, amount_fen=fen, declaration_id=None, created_at_utc=to_utc(now),
        received_on=received,
    )  # fmt: skip
    with transaction():
        add_lines([row])
    return int(row["id"])


def withdrawal_form(found: Insured, **more):
    """A death of October, paid out to a relative."""
    return {
        "id_number": found.id_number, "termination_reason": "6401", "termination_date": "2026-10-15",
        "bank_account_name": "示例亲属", "payee_relation": "02", "bank_name": "示例银行",
        "bank_account": "6222000011112222", **more,
    }  # fmt: skip


def retirement_form(found: Insured, **more):
    """A retirement of October with all the months that it needs."""
    return {
        "id_number": found.id_number, "retirement_type": "1", "retirement_date": "2026-10-31",
        "retirement_wage_yuan": "4321.50", "total_months": "360", "paid_months": "300",
        "deemed_months": "60", "pension_employer_name": "示例单位", "pension_agency": "示例社保中心",
        "sender_phone": "13900000000", **more,
    }  # fmt: skip
