"""People who act, people who are enrolled, and the forms of the two cities that differ most."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from app.clock import to_utc
from app.extensions import db
from app.services import accounts, audits, declarations, demo
from app.services.actors import Actor
from app.services.results import Receipt
from app.store.models import HumanTask, User
from tests.fixtures.database import TEST_NOW

SUZHOU, NANTONG, HUAIAN = "320500", "320600", "320800"
SUZHOU_FUNDS = ["310", "37001", "330", "510", "410", "33001"]


@pytest.fixture
def now() -> datetime:
    return TEST_NOW


@pytest.fixture(autouse=True)
def in_context(app) -> Iterator[None]:
    with app.app_context():
        yield
        db.session.remove()


@pytest.fixture
def person() -> Callable[..., Actor]:
    """An account of the demonstration by its sign-in name."""

    def find(username: str) -> Actor:
        user_id = db.session.scalars(select(User.id).where(User.username == username)).one()
        account = accounts.load_account(user_id, to_utc(TEST_NOW))
        assert account is not None
        return account.actor

    return find


@pytest.fixture
def suzhou(person) -> Actor:
    return person("suzhou.handler")


@pytest.fixture
def nantong(person) -> Actor:
    return person("nantong.handler")


@pytest.fixture
def auditor(person) -> Actor:
    return person("nantong.auditor")


@pytest.fixture
def second_auditor(auditor, person) -> Actor:
    """Another account with the same role and region."""
    return replace(person("nantong.senior"), roles=frozenset({"auditor", "senior"}))


def citizen(region: str, case: str, place: int = 0):
    """The n-th person of a case of the demonstration."""
    return demo.demo_people(region, case, place + 1)[place]


def suzhou_form(found, start_date: str = "2026-11-01", wage: str = "9805", **more):
    return {
        "id_type": "01",
        "id_number": found.id_number,
        "name": found.name,
        "ethnicity": "01",
        "first_work_date": "2020-01-01",
        "start_date": start_date,
        "phone": "13900000000",
        "person_type": "1101",
        "wage_yuan": wage,
        "funds": SUZHOU_FUNDS,
        **more,
    }


def nantong_form(found, start_month: str = "2026-11", wage: str = "8000", **more):
    return {
        "id_number": found.id_number,
        "post": "01",
        "education": "21",
        "start_month": start_month,
        "wage_yuan": wage,
        **more,
    }


def huaian_form(found, start_date: str = "2026-11-01", **more):
    return {
        **suzhou_form(found, start_date),
        "funds": ["310", "330", "510"],
        "bank_name": "示例银行",
        "bank_account_name": found.name,
        "bank_account": "6222000011112222",
        **more,
    }


def task_of(reference: str) -> int:
    """The id of a case's only open task."""
    return db.session.scalars(select(HumanTask.id).where(HumanTask.reference == reference)).one()


@pytest.fixture
def submitted(nantong, now) -> Callable[..., Receipt]:
    """File and submit one Nantong enrolment."""

    def make(place: int = 0, **more) -> Receipt:
        form = nantong_form(citizen(NANTONG, "not_insured", place), **more)
        return declarations.file(nantong, "enrol", form, now, submit_now=True)

    return make


@pytest.fixture
def returned(submitted, auditor, now) -> Callable[..., Receipt]:
    """The same, sent back by the auditor for its wage."""

    def make(place: int = 0) -> Receipt:
        made = submitted(place)
        return audits.decide(
            auditor, task_of(made.reference), "return", "工资与劳动合同不符", ["wage_yuan"], now
        )

    return make


def rows(model, **values):
    """The rows of a table with these values, in the order they were made."""
    db.session.rollback()
    return list(db.session.scalars(select(model).filter_by(**values).order_by(*model.__table__.primary_key)))
