"""Proving a phone by a code and setting a password with it: activation, and the forgotten password."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import clock
from app.domain.operator import ACTIVE, INVITED, is_mobile
from app.errors import FieldError, Rejected
from app.services import account_log, codes, passwords, throttle
from app.services.accounts import ADDRESS_WINDOW_SECONDS, BUSY_ADDRESS, Account, load_account
from app.services.actors import EMPLOYER
from app.services.codes import Ticket
from app.store import accounts as users
from app.store import sign_in as store
from app.store.crypto import blind
from app.store.ids import new_id
from app.store.session import end_read, transaction

log = logging.getLogger(__name__)

PURPOSE = "password"
ADDRESS_LIMIT = 30
CODE_WORDS = "【医保单位网厅】验证码{code}，10分钟内有效，用于设置网厅账号密码。请勿告诉他人。"
STALE_TICKET = "验证已超时，请重新获取验证码。"


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose phone is to be proved: an account that we know, or a phone that somebody typed."""

    user_id: int | None = None
    phone: str = ""


def request_code(claim: Claim, address: str, now: datetime) -> None:
    """Send a code to the phone of an account that may set its password.

    Nothing tells whether a typed phone has an account. Raises: Rejected at `username` or `code`.
    """
    check_address(address)
    if claim.user_id is None and not is_mobile(claim.phone):
        raise Rejected([FieldError("username", "activate.phone", "请输入 11 位手机号码。")])
    count_attempt(address)
    _check_pace(str(claim.user_id or claim.phone))
    user_id = _find(claim)
    if user_id is None:
        return
    with transaction():
        user = store.lock_user(user_id)
        if not _may_set_password(user):
            return
        try:
            codes.send_code(None, codes.subject_of_user(user_id), PURPOSE, user.username, CODE_WORDS, now)
        except Rejected:
            log.info("no further code user=%d", user_id)
            return
        account_log.record("code.sent", user_id=user_id, address=address)


def confirm_code(claim: Claim, typed: str, address: str) -> Ticket:
    """Check a code; what it proves holds for a quarter of an hour. Raises: Rejected at `code`."""
    check_address(address)
    user_id = _find(claim)
    code_id: int | None = None
    if user_id is not None:
        with transaction():
            if _may_set_password(store.lock_user(user_id)):
                code_id = codes.accepts(codes.subject_of_user(user_id), PURPOSE, typed)
            result = account_log.REFUSED if code_id is None else account_log.DONE
            account_log.record("code.tried", user_id=user_id, result=result, address=address)
    if user_id is None or code_id is None:
        count_attempt(address)
        raise codes.wrong_code()
    return Ticket(code_id, user_id)


def set_password(
    ticket: Ticket,
    new: str,
    repeated: str,
    now: datetime,
    address: str = "",
    then: Callable[[int, datetime], None] | None = None,
) -> Account:
    """Set the password of the account whose phone was proved, and let it in; other sessions end.

    `then` finishes, in the same transaction, what waited for it. Raises: Rejected at `new_password`,
    `new_password_2`, or at no field where the proof is too old or was used.
    """
    user = users.get_user(ticket.user_id)
    words, side = (user.username, user.name), user.side
    history = [*(user.password_history or []), user.password_hash]
    end_read()
    errors = passwords.check_new_password(new, side=side, words_to_avoid=words, old_hashes=history)
    if new != repeated:
        errors.append(FieldError("new_password_2", "password.mismatch", passwords.WORDS["mismatch"]))
    if errors:
        raise Rejected(errors)
    hashed, moment = passwords.hash_password(new), clock.real_utcnow()
    with transaction():
        row = store.lock_user(ticket.user_id)
        fresh = codes.spend(ticket.code_id, codes.subject_of_user(row.id), PURPOSE)
        if not fresh or not _may_set_password(row):
            raise Rejected([FieldError("", "activate.stale", STALE_TICKET)])
        first = row.status == INVITED
        row.password_history = history[-passwords.HISTORY :]
        row.password_hash, row.password_changed_at_utc = hashed, moment
        row.status, row.must_change_password = ACTIVE, False
        row.failed_logins, row.locked_until_utc = 0, None
        row.last_login_at_utc = moment
        row.session_version += 1
        if then is not None:
            then(row.id, now)
        account_log.record("activated" if first else "password.reset", user_id=row.id, address=address)
    end_read()
    account = load_account(ticket.user_id, moment)
    if account is None or not account.active:
        raise Rejected([FieldError("", "activate.stale", STALE_TICKET)])
    return account


def new_account(phone: str, name: str) -> dict[str, Any]:
    """The row of an operator's account that nobody can sign in to before its phone is proved."""
    return {
        "id": new_id(),
        "username": phone,
        "name": name,
        "side": EMPLOYER,
        "password_hash": no_password(),
        "password_history": [],
        "password_changed_at_utc": clock.real_utcnow(),
        "must_change_password": True,
        "status": INVITED,
        "preferences": {},
    }


def no_password() -> str:
    """A hash that no password fits: there is no default password that could be guessed."""
    return passwords.hash_password(secrets.token_urlsafe(32))


def check_address(address: str) -> None:
    """Refuse a network address that asked too often. Raises: Rejected."""
    if throttle.count(_address_key(address)) >= ADDRESS_LIMIT:
        raise Rejected([FieldError("", "activate.address", BUSY_ADDRESS)])


def count_attempt(address: str) -> None:
    """Count what a network address asks for: right or wrong, it may have a message sent to somebody."""
    throttle.add(_address_key(address), ADDRESS_WINDOW_SECONDS)


def _check_pace(who: str) -> None:
    """The same pace for phones that have an account and for those that have none. Raises: Rejected."""
    key = blind(f"code{who}").hex()[:32]
    if not throttle.first_time(f"code:{key}", codes.RESEND_SECONDS):
        raise Rejected([FieldError("code", "code.too_soon", codes.TOO_SOON)])
    if throttle.add(f"codes:{key}", 3600) > codes.SENT_PER_HOUR:
        raise Rejected([FieldError("code", "code.too_many", codes.TOO_MANY)])


def _address_key(address: str) -> str:
    return f"activate:{address}"


def _find(claim: Claim) -> int | None:
    if claim.user_id is not None:
        return claim.user_id
    found = users.find_user(claim.phone) if is_mobile(claim.phone) else None
    user_id = found.id if found is not None else None
    end_read()
    return user_id


def _may_set_password(user: Any) -> bool:
    usual = user.side == EMPLOYER and not user.demo and is_mobile(user.username)
    return usual and user.status in (INVITED, ACTIVE)
