"""Text messages leave through a gateway that the setting SMS_URL names.

The local one keeps them in `sms_message` instead of sending, for demonstrations and tests. A real one is a
class with `send` and an entry in GATEWAYS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from app.config import ConfigError
from app.extensions import db
from app.store import session
from app.store.constraints import unique_rules
from app.store.crypto import decrypt, encrypt
from app.store.ids import new_id
from app.store.models import SmsMessage

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class TextMessage:
    """What a gateway sends. `id` is the outbox row's: handed on, it lets a retry send only once."""

    id: int
    phone: str
    text: str
    now_utc: datetime


class Gateway(Protocol):
    """What every way of sending can do. It runs while the outbox row is held: answer within seconds."""

    def send(self, message: TextMessage) -> None:
        """Send one message; whatever is raised has it tried again later."""


class LocalGateway:
    """Keeps messages, sealed, in the transaction that marks them as sent; nothing leaves the house."""

    def send(self, message: TextMessage) -> None:
        """Keep the message; a second one of the same outbox row breaks a unique rule."""
        row = {
            "id": new_id(),
            "outbox_id": message.id,
            "phone_cipher": encrypt(message.phone),
            "phone_last4": message.phone[-4:],
            "text_cipher": encrypt(message.text),
            "created_at_utc": message.now_utc,
        }
        with unique_rules():
            session.insert_rows(SmsMessage, [row])


# scheme of SMS_URL -> how its gateway is made from the whole address
GATEWAYS: Mapping[str, Callable[[str], Gateway]] = {LOCAL: lambda _url: LocalGateway()}

_scheme = LOCAL
_gateway: Gateway = LocalGateway()


def configure(url: str) -> None:
    """Choose the gateway of an installation. Raises: ConfigError for a scheme that nobody serves."""
    global _scheme, _gateway
    scheme, mark, _ = url.partition(":")
    if not mark or scheme not in GATEWAYS:
        raise ConfigError(f"SMS_URL must start with {', '.join(f'{name}:' for name in sorted(GATEWAYS))}")
    _scheme, _gateway = scheme, GATEWAYS[scheme](url)


def gateway() -> Gateway:
    """The way messages leave now."""
    return _gateway


def scheme() -> str:
    """The scheme of the gateway in use; `local` keeps messages in the house."""
    return _scheme


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One kept message, opened."""

    id: int
    phone: str
    text: str
    created_at_utc: datetime


def list_messages(limit: int, last4: str = "") -> list[KeptMessage]:
    """List kept messages, newest first; `last4` keeps those to numbers that end so."""
    columns = (SmsMessage.id, SmsMessage.phone_cipher, SmsMessage.text_cipher, SmsMessage.created_at_utc)
    statement = select(*columns).order_by(SmsMessage.id.desc()).limit(limit)
    if last4:
        statement = statement.where(SmsMessage.phone_last4 == last4)
    rows = db.session.execute(statement)
    return [KeptMessage(row[0], decrypt(row[1]), decrypt(row[2]), row[3]) for row in rows]
