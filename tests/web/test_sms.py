"""The page of kept messages exists in a demonstration only."""

from dataclasses import replace

from app import clock
from app.services import sms
from app.store.models import Outbox
from app.store.session import transaction
from tests.services.conftest import rows


def test_the_newest_messages_are_readable(app):
    with app.app_context():
        with transaction():
            sms.send_sms(None, "13800138000", "验证码 482913", clock.now())
        sms.deliver(rows(Outbox)[-1].id, clock.now())
    page = app.test_client().get("/messages/sms")
    assert page.status_code == 200
    assert "验证码 482913" in page.text
    assert "138****8000" in page.text
    assert "13800138000" not in page.text
    assert "482913" not in app.test_client().get("/messages/sms?last4=1111").text


def test_a_real_installation_has_no_such_page(app, monkeypatch):
    real = replace(app.extensions["wangting"], demo=False, testing=False)
    monkeypatch.setitem(app.extensions, "wangting", real)
    assert app.test_client().get("/messages/sms").status_code == 404
