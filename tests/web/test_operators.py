"""The pages on which an employer's admin looks after its operators."""

import re

import pytest

from app.store.models import AccountEvent, Outbox, User
from tests.services.conftest import rows
from tests.web.visits import token

PHONE = "13912345678"


@pytest.fixture
def admin(app):
    """A browser in which Huai'an's admin is signed in."""
    return enter(app, "huaian.admin")


def enter(app, username):
    from app.config import DEMO_PASSWORD

    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    client = app.test_client()
    form = {"csrf_token": token(client, "/login"), "username": username, "password": DEMO_PASSWORD}
    assert client.post("/login", data=form).status_code == 302
    return client


def post(client, address, page="/operators", **form):
    return client.post(address, data={"csrf_token": token(client, page), **form})


def add(client, **change):
    employer = re.search(r'name="employers" value="(\d+)"', client.get("/operators/new").text)[1]
    form = {"username": PHONE, "name": "周小兰", "roles": ["handler", "reviewer"], "employers": [employer]}
    return post(client, "/operators/new", **{**form, **change})


def test_an_operator_is_added_changed_reset_disabled_and_removed(app, admin):
    assert add(admin).location == "/operators"
    page = admin.get("/operators").text
    assert PHONE in page
    assert "待激活" in page
    number = re.search(r'data-operator="(\d+)" data-state="invited"', page)[1]
    assert 'value="handler" checked' in admin.get(f"/operators/{number}").text
    employer = re.search(r'name="employers" value="(\d+)" checked', admin.get(f"/operators/{number}").text)[1]
    changed = post(admin, f"/operators/{number}", name="周兰", roles=["reviewer"], employers=[employer])
    assert changed.location == "/operators"
    for act, state in (("reset", "invited"), ("disable", "disabled"), ("enable", "invited")):
        if act != "enable":
            asked = post(admin, f"/operators/{number}/{act}")
            assert 'name="confirmed" value="1"' in asked.text
        assert post(admin, f"/operators/{number}/{act}", confirmed="1").status_code == 303
        assert f'data-operator="{number}" data-state="{state}"' in admin.get("/operators").text
    post(admin, f"/operators/{number}/remove", confirmed="1")
    assert number not in admin.get("/operators").text
    with app.app_context():
        done = [row.action for row in rows(AccountEvent) if row.user_id == int(number)]
        assert done == [
            f"operator.{act}" for act in ("added", "changed", "reset", "disabled", "enabled", "removed")
        ]
        assert {row.address for row in rows(AccountEvent)} == {"127.0.0.1"}
        assert [row.topic for row in rows(Outbox)] == ["sms", "sms"]


def test_wrong_data_are_refused_and_kept(admin):
    answer = add(admin, username="12345", roles=[])
    assert answer.status_code == 422
    assert 'href="#field-username"' in answer.text
    assert 'href="#field-roles"' in answer.text
    assert 'value="周小兰"' in answer.text


def test_accounts_of_the_demonstration_stay(app, admin):
    with app.app_context():
        (other,) = rows(User, username="huaian.handler")
    post(admin, f"/operators/{other.id}/disable", confirmed="1")
    with app.app_context():
        assert rows(User, id=other.id)[0].status == "active"


def test_others_are_not_found_and_handlers_stay_out(app, admin):
    with app.app_context():
        (other,) = rows(User, username="suzhou.handler")
    assert admin.get(f"/operators/{other.id}").status_code == 404
    assert post(admin, f"/operators/{other.id}/remove", confirmed="1").status_code == 404
    assert post(admin, f"/operators/{other.id}/nothing", confirmed="1").status_code == 404
    assert enter(app, "huaian.handler").get("/operators").status_code == 403
    assert enter(app, "huaian.auditor").get("/operators").status_code == 403
