"""What people do in the product, over HTTP, and what the database says of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.extensions import db
from app.store.crypto import blind
from app.store.models import Declaration, Enrolment, Event, Person
from tests.bench.browser import Form, Pairs
from tests.faults.ground import Ground
from tests.faults.visitor import Visitor

WAGE = "8000"
START_MONTH = "2026-09"


@dataclass(frozen=True, slots=True)
class Found:
    """A case as the database has it."""

    reference: str
    status: str
    batch_id: int | None


def enrolment_form(handler: Visitor, number: str) -> Pairs:
    """The filled form of an enrolment, ready to be sent once or twice."""
    page = handler.open("/declare/enrol").form("id_number")
    return page.filled(
        id_number=number, post="01", education="21", start_month=START_MONTH, wage_yuan=WAGE, action="file"
    )


def file_and_submit(handler: Visitor, number: str) -> str:
    """File an enrolment and hand it over; the case's reference."""
    filed = handler.send("/declare/enrol", enrolment_form(handler, number))
    assert filed.status == 303, filed.text[:3000]
    reference = filed.location.split("/")[2]
    while (page := handler.open(f"/cases/{reference}")).mark("data-status")[0] == "pending":
        token = dict(page.form("csrf_token").fields)["csrf_token"]
        handed = handler.send(f"/cases/{reference}/submit", [("csrf_token", token)])
        assert handed.status == 303, handed.text[:3000]
    return reference


def decision_form(auditor: Visitor, reference: str) -> Form:
    """The form of a case's page where an auditor decides."""
    return auditor.open(f"/cases/{reference}").form("decision")


def declared(ground: Ground, number: str) -> list[Found]:
    """The cases about a person."""
    with ground.application():
        rows = db.session.execute(
            select(Declaration.reference, Declaration.status, Declaration.batch_id)
            .where(Declaration.person_hash == blind(number))
            .order_by(Declaration.id)
        )
        return [Found(*row) for row in rows]


def decided_by_whom(ground: Ground, number: str) -> list[int]:
    """Who decided about a person's cases, once for each decision."""
    with ground.application():
        return list(
            db.session.scalars(
                select(Event.actor_id)
                .join(Declaration.__table__, Declaration.id == Event.declaration_id)
                .where(Declaration.person_hash == blind(number), Event.action.like("decided_%"))
                .order_by(Event.id)
            )
        )


def enrolled_funds(ground: Ground, number: str) -> list[str]:
    """The funds that a person is in."""
    with ground.application():
        return list(
            db.session.scalars(
                select(Enrolment.fund)
                .join(Person.__table__, Person.id == Enrolment.person_id)
                .where(Person.id_hash == blind(number))
                .order_by(Enrolment.fund)
            )
        )
