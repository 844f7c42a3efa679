"""Text messages: an outbox row in the caller's transaction, handed to the gateway after the commit."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import datetime

from app.clock import to_utc
from app.services import outbox
from app.services.cases import Case
from app.store import sms as store
from app.store.crypto import decrypt_json, encrypt_json
from app.store.outbox import OutboxRow, add_outbox
from app.store.session import after_commit
from app.store.sms import KeptMessage, TextMessage

log = logging.getLogger(__name__)

TOPIC = "sms"
SHOWN = 50


def send_sms(case: Case | None, phone: str, text: str, now: datetime) -> None:
    """Have a text message sent after the commit of the open transaction.

    With a case the row is written with everything else that the case gathered; without one it is written
    at once, so that a transaction must be open.
    """
    payload = {"sealed": base64.b64encode(encrypt_json({"phone": phone, "text": text})).decode()}
    if case is not None:
        case.send_out(TOPIC, payload, now)
        return
    row = outbox.new_row(TOPIC, payload, now)
    add_outbox([row])
    after_commit(lambda: outbox.enqueue([(row.id, row.topic)]))


def deliver(outbox_id: int, now: datetime, before: Callable[[], None] | None = None) -> bool:
    """Send the message of an outbox row; False where that was done before.

    The third failure becomes an incident. Neither the number nor the words reach a log.
    """

    def act(row: OutboxRow) -> None:
        content = decrypt_json(base64.b64decode(row.payload["sealed"]))
        store.gateway().send(TextMessage(row.id, content["phone"], content["text"], to_utc(now)))

    done = outbox.consume(outbox_id, now, act, TOPIC, before)
    if done:
        log.info("text message sent outbox=%d gateway=%s", outbox_id, store.scheme())
    return done


def kept_messages(last4: str = "") -> list[KeptMessage]:
    """Return the newest messages that the local gateway kept; none where messages really leave."""
    return store.list_messages(SHOWN, last4) if store.scheme() == store.LOCAL else []
