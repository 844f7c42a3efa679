"""Text messages leave once, after the commit, and neither number nor words are seen on the way."""

import logging

import pytest

from app.config import ConfigError
from app.services import sms
from app.store import sms as store
from app.store.models import Incident, Outbox, SmsMessage
from app.store.session import transaction
from tests.services.conftest import rows

PHONE, TEXT = "13800138000", "验证码 482913，10 分钟内有效。"


def send(now):
    with transaction():
        sms.send_sms(None, PHONE, TEXT, now)
    return rows(Outbox)[-1]


def test_a_message_is_kept_once(db_session, now, caplog):
    row = send(now)
    with caplog.at_level(logging.DEBUG):
        assert sms.deliver(row.id, now) is True
        assert sms.deliver(row.id, now) is False
    (kept,) = sms.kept_messages()
    assert (kept.phone, kept.text) == (PHONE, TEXT)
    assert sms.kept_messages("8000") == [kept]
    assert sms.kept_messages("9999") == []
    assert PHONE not in caplog.text
    assert "482913" not in caplog.text


def test_nothing_of_it_lies_open_in_the_database(db_session, now):
    row = send(now)
    assert PHONE not in str(row.payload)
    sms.deliver(row.id, now)
    (kept,) = rows(SmsMessage)
    assert PHONE.encode() not in kept.phone_cipher
    assert TEXT.encode() not in kept.text_cipher


def test_what_was_rolled_back_is_not_sent(db_session, now):
    with pytest.raises(RuntimeError), transaction():
        sms.send_sms(None, PHONE, TEXT, now)
        raise RuntimeError
    assert rows(Outbox) == []


def test_a_gateway_that_fails_is_tried_again(db_session, now, monkeypatch):
    class Broken:
        def send(self, message):
            raise OSError("the gateway is away")

    row = send(now)
    monkeypatch.setattr(store, "_gateway", Broken())
    for _ in range(3):
        with pytest.raises(OSError):
            sms.deliver(row.id, now)
    (incident,) = rows(Incident)
    assert incident.action == "sms"
    monkeypatch.undo()
    assert sms.deliver(row.id, now) is True
    assert len(sms.kept_messages()) == 1


@pytest.mark.parametrize("url", ["", "local", "smpp://gate", "http://gate"])
def test_an_unknown_gateway_is_refused(url):
    with pytest.raises(ConfigError, match="SMS_URL"):
        store.configure(url)
    assert store.scheme() == "local"
