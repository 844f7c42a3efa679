"""A signed-in browser of the demonstration, and the forms it posts."""

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from app.clock import to_utc
from app.extensions import db
from app.services import accounts, demo
from app.services.actors import Actor
from app.store.models import Declaration, User
from tests.fixtures.database import TEST_NOW

SUZHOU, NANTONG, HUAIAN, NANJING, WEINAN = "320500", "320600", "320800", "320100", "610500"
FUNDS = ["310", "37001", "330", "510", "410", "33001"]
CITIES = {
    "suzhou": SUZHOU,
    "nantong": NANTONG,
    "huaian": HUAIAN,
    "nanjing": NANJING,
    "weinan": WEINAN,
}


def token(client: FlaskClient, page: str) -> str:
    """The form token that a page carries."""
    text = client.get(page, follow_redirects=True).text
    return re.search(r'name="csrf-token" content="([^"]+)"', text)[1]


class Visitor:
    """A signed-in browser that posts forms with their token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = token(client, "/account")

    def get(self, address: str, **options):
        return self.client.get(address, **options)

    def post(self, address: str, values=(), **options):
        data = MultiDict(values)
        data["csrf_token"] = self.token
        return self.client.post(address, data=data, **options)


def actor(username: str) -> Actor:
    user_id = db.session.scalars(db.select(User.id).where(User.username == username)).one()
    account = accounts.load_account(user_id, to_utc(TEST_NOW))
    assert account is not None
    return account.actor


def citizen(app: Flask, region: str, case: str = "not_insured", place: int = 0):
    with app.app_context():
        return demo.demo_people(region, case, place + 1)[place]


def suzhou_form(person, **more) -> dict:
    return {
        "id_type": "01", "id_number": person.id_number, "name": person.name, "ethnicity": "01",
        "first_work_date": "2020-01-01", "start_date": "2026-11-01", "phone": person.phone,
        "person_type": "1101", "wage_yuan": "9805", "funds": FUNDS, **more,
    }  # fmt: skip


def nantong_form(person, **more) -> dict:
    return {
        "id_number": person.id_number, "post": "01", "education": "21", "start_month": "202612",
        "wage_yuan": "8000", **more,
    }  # fmt: skip


def count(app: Flask, **values) -> int:
    with app.app_context():
        return len(db.session.scalars(db.select(Declaration).filter_by(**values)).all())


def status_of(app: Flask, reference: str) -> str:
    with app.app_context():
        return db.session.scalars(
            db.select(Declaration.status).where(Declaration.reference == reference)
        ).one()


def hidden(text: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', text)[1]


def pend(visitor: Visitor, app: Flask, number: int) -> list[str]:
    """File so many Nantong records, which then wait for submission."""
    found = []
    for place in range(number):
        person = citizen(app, NANTONG, place=place)
        answer = visitor.post("/declare/enrol", {**nantong_form(person), "action": "file"})
        assert answer.status_code == 303, answer.text
        found.append(answer.location.split("/")[2])
    return found
