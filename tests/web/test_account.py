"""The own account: mail and address, and what signing out ends."""

from tests.web.conftest import post
from tests.web.visits import token


def keep(client, **form):
    return client.post("/account", data={"csrf_token": token(client, "/account"), **form})


def test_mail_and_address_are_kept(sign_in):
    client = sign_in("t.handler")
    assert 'name="email"' in client.get("/account").text
    wrong = keep(client, email="zhou", address="示例路1号")
    assert wrong.status_code == 422
    assert 'href="#field-email"' in wrong.text
    assert 'value="示例路1号"' in wrong.text
    kept = keep(client, email="zhou@example.org", address="示例路1号")
    assert kept.location == "/account"
    assert 'value="zhou@example.org"' in client.get("/account").text


def test_signing_out_ends_every_session(sign_in):
    first, second = sign_in("t.handler"), sign_in("t.handler")
    assert second.get("/hall").status_code == 200
    post(first, "/logout", "/account")
    assert second.get("/hall").status_code == 302


def test_one_visitor_of_a_demonstration_does_not_throw_the_others_out(sign_in):
    first, second = sign_in("t.auditor"), sign_in("t.auditor")
    post(first, "/logout", "/account")
    assert second.get("/account").status_code == 200
