"""The migrations make exactly the tables of the models, and can be taken back."""

from datetime import UTC, datetime

import flask_migrate
from sqlalchemy import inspect, select, text

from app.extensions import db
from app.store.models import Declaration, Employer, OrderPosting, PaymentOrder, Person, User
from app.store.session import transaction


def test_models_and_migrations_agree(app):
    with app.app_context():
        flask_migrate.check()


def test_down_and_up_again(app):
    with app.app_context():
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        assert "contribution_line" in inspect(db.engine).get_table_names()


def test_a_paid_order_keeps_its_payment_when_orders_to_employers_come_and_go(app):
    """SQLite makes the table of orders anew, while payments name its rows."""
    with app.app_context():
        _order_with_payment()
        for move, revision in ((flask_migrate.downgrade, "0011"), (flask_migrate.upgrade, "head")):
            move(revision=revision)
            kept = db.session.execute(
                text("SELECT o.id, o.payee, p.posted_by_name FROM payment_order o JOIN order_posting p"
                     " ON p.order_id = o.id")
            ).all()  # fmt: skip
            db.session.rollback()
            assert [tuple(row) for row in kept] == [(7, "示例", "出纳")]


def _order_with_payment() -> None:
    with transaction() as session:
        person = session.execute(select(Person).limit(1)).scalar_one()
        at = datetime(2026, 11, 17, tzinfo=UTC)
        order = PaymentOrder(
            id=7, region=person.region, person_id=person.id, declaration_id=_declaration(session, person, at),
            amount_fen=5, payee="示例", payee_relation="01", bank_name="示例银行", account_cipher=b"",
            account_last4="1234", status="paid", created_at_utc=at,
        )  # fmt: skip
        session.add(order)
        session.flush()
        session.add(OrderPosting(order_id=7, paid_on=at.date(), posted_by_name="出纳", posted_at_utc=at))


def _declaration(session, person: Person, at: datetime) -> int:
    employer = session.execute(select(Employer).limit(1)).scalar_one()
    session.add(
        Declaration(
            id=7,
            reference="261117-A",
            region=person.region,
            employer_id=employer.id,
            kind="withdrawal",
            status="approved",
            data_cipher=b"",
            created_at_utc=at,
            updated_at_utc=at,
            created_by_id=session.scalars(select(User.id)).first(),
        )
    )
    session.flush()
    return 7
