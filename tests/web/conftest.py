"""Accounts of every side for the page tests, beside whatever the template database holds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.config import DEMO_PASSWORD
from app.services import passwords, throttle
from app.store import accounts
from app.store.ids import new_id
from app.store.models import Employer
from app.store.session import insert_rows, transaction
from tests.web.visits import Visitor, token

PASSWORD = "Plain-weather-7"
HASH = passwords.hash_password(PASSWORD)


@dataclass
class People:
    """Ids by name: employers `first`, `second`, `other`; accounts by sign-in name."""

    employers: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    throttle._local.clear()
    yield
    throttle._local.clear()


@pytest.fixture
def people(app: Flask) -> People:
    """Two employers of one operator, one of somebody else; an auditor, a designer, a newcomer."""
    found = People()
    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    with app.app_context(), transaction():
        insert_rows(Employer, [_employer(found, *entry) for entry in _EMPLOYERS])
        users, roles, links = [], [], []
        for name, side, role, region, employers, extra in _USERS:
            found.users[name] = user_id = new_id()
            users.append(_user(user_id, name, side, **extra))
            roles.append({"user_id": user_id, "role": role, "region": region})
            links += [{"user_id": user_id, "employer_id": found.employers[key]} for key in employers]
        accounts.add_users(users, roles, links)
    return found


@pytest.fixture
def sign_in(app: Flask, people: People) -> Callable[..., FlaskClient]:
    """`sign_in("t.handler")` returns a browser in which that account is signed in."""

    def enter(username: str, password: str = PASSWORD) -> FlaskClient:
        client = app.test_client()
        answer = post(client, "/login", username=username, password=password)
        assert answer.status_code == 302, answer.text
        return client

    return enter


def post(client: FlaskClient, address: str, page: str | None = None, **form: str):
    """Post a form with the token of the page it stands on."""
    return client.post(address, data={"csrf_token": token(client, page or "/login"), **form})


# Regions are read from the parameter files: the first that offers what the pages need.
_REGION = SimpleNamespace(code="320500")
_EMPLOYERS = (("first", "甲单位"), ("second", "乙单位"), ("other", "丙单位"))
_USERS = (
    ("t.handler", "employer", "handler", _REGION.code, ("first", "second"), {}),
    ("t.stranger", "employer", "handler", _REGION.code, ("other",), {}),
    ("t.auditor", "agency", "auditor", _REGION.code, (), {"demo": True}),
    ("t.designer", "platform", "designer", "", (), {"demo": True}),
    ("t.new", "employer", "handler", _REGION.code, ("first",), {"must_change_password": True}),
    ("t.office", "agency", "auditor", _REGION.code, (), {}),
    ("t.gone", "employer", "handler", _REGION.code, ("first",), {"status": "disabled"}),
)


def _employer(found: People, key: str, name: str) -> dict:
    found.employers[key] = employer_id = new_id()
    return {
        "id": employer_id,
        "region": _REGION.code,
        "employer_no": f"T{employer_id}",
        "credit_code": "91320500MA1EXAMPLE",
        "name": name,
        "unit_type": "企业",
    }


def _user(user_id: int, name: str, side: str, **extra: object) -> dict:
    usual = {
        "id": user_id,
        "username": name,
        "name": f"测试{user_id % 1000}",
        "side": side,
        "password_hash": HASH,
        "password_history": [],
        "password_changed_at_utc": clock.real_utcnow(),
        "must_change_password": False,
        "demo": False,
        "status": "active",
        "preferences": {},
    }
    return {**usual, **extra}


@pytest.fixture
def visit(app: Flask) -> Callable[[str], Visitor]:
    """`visit("suzhou.handler")` signs an account of the demonstration in."""
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(username: str) -> Visitor:
        client = app.test_client()
        answer = client.post(
            "/login",
            data={
                "csrf_token": token(client, "/login"),
                "username": username,
                "password": DEMO_PASSWORD,
            },
        )
        assert answer.status_code == 302, answer.text
        return Visitor(client)

    return enter
