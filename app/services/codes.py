"""One-time codes by text message: sent at intervals, tried a few times, verified once and spent once."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock
from app.errors import FieldError, Rejected
from app.services.cases import Case
from app.services.sms import send_sms
from app.store import codes as store
from app.store.ids import new_id

DIGITS = 6
LIFETIME_MINUTES = 10
RESEND_SECONDS = 60
SENT_PER_HOUR = 5
MAX_TRIES = 5
TICKET_MINUTES = 15

# The words are message ids of the translation catalogue.
WRONG = "验证码不正确，或已过期、已失效。连续输错 5 次须重新获取。"
TOO_SOON = "验证码已发送，请稍候再重新获取（间隔 60 秒）。"
TOO_MANY = "获取验证码的次数过多，请一小时后再试。"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A verified code: what its owner may do with it once, within a quarter of an hour."""

    code_id: int
    user_id: int


def subject_of_user(user_id: int) -> str:
    """The subject of codes that prove an account's phone."""
    return f"user:{user_id}"


def subject_of_case(declaration_id: int) -> str:
    """The subject of codes that prove the phone of another unit, for one case."""
    return f"case:{declaration_id}"


def send_code(case: Case | None, subject: str, purpose: str, phone: str, words: str, now: datetime) -> None:
    """Send a new code in the open transaction; the codes before it are no longer asked for.

    `words` is the message with {code}. Lifetimes follow the machine's clock. Raises: Rejected at `code`.
    """
    moment = clock.real_utcnow()
    count, newest = store.sent_since(subject, moment - timedelta(hours=1))
    if newest is not None and moment - newest < timedelta(seconds=RESEND_SECONDS):
        raise Rejected([FieldError("code", "code.too_soon", TOO_SOON)])
    if count >= SENT_PER_HOUR:
        raise too_many()
    code, code_id = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}", new_id()
    expires = moment + timedelta(minutes=LIFETIME_MINUTES)
    store.add_code(
        code_id=code_id, subject=subject, purpose=purpose, code=code, now_utc=moment, expires_at_utc=expires
    )
    # not `format`: names stand in the words, and braces may stand in names
    send_sms(case, phone, words.replace("{code}", code), now)


def accepts(subject: str, purpose: str, typed: str) -> int | None:
    """Try a code in the open transaction: the id of the verified row, None where it does not fit.

    A wrong one is counted, so the caller must commit also then.
    """
    row = store.lock_newest(subject, purpose)
    moment = clock.real_utcnow()
    if row is None or row.verified_at_utc is not None or row.expires_at_utc <= moment:
        return None
    if row.tries >= MAX_TRIES:
        return None
    row.tries += 1
    if not hmac.compare_digest(row.code_hash, store.hash_of(row.id, typed.strip()[:DIGITS])):
        return None
    row.verified_at_utc = moment
    return row.id


def spend(code_id: int, subject: str, purpose: str) -> bool:
    """Use a verified code up in the open transaction; False where it is not this subject's, or too old."""
    row = store.lock_code(code_id)
    moment = clock.real_utcnow()
    if row is None or row.subject != subject or row.purpose != purpose or row.spent_at_utc is not None:
        return False
    if row.verified_at_utc is None or moment - row.verified_at_utc > timedelta(minutes=TICKET_MINUTES):
        return False
    row.spent_at_utc = moment
    return True


def too_many() -> Rejected:
    """The refusal of one more code within the hour."""
    return Rejected([FieldError("code", "code.too_many", TOO_MANY)])


def wrong_code() -> Rejected:
    """The one refusal for every code that does not fit."""
    return Rejected([FieldError("code", "code.wrong", WRONG)])
