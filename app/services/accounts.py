"""People who sign in: who they are, whether they get in, their password and the employer they act for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.errors import FieldError, NotFound, Rejected
from app.services import account_log, passwords, second_factor, throttle
from app.services.actors import AGENCY, EMPLOYER, Actor
from app.store import sign_in as store
from app.store.session import end_read, transaction

LOCK_AFTER = 5
LOCK_MINUTES = 15
LOCK_MAX_MINUTES = 240
ADDRESS_LIMIT = 50
ADDRESS_WINDOW_SECONDS = 900
REFUSED = "用户名或密码不正确。连续输错 5 次，账号将锁定 15 分钟；已锁定的账号请稍后再试。"
BUSY_ADDRESS = "您所在的网络输错次数过多，请 15 分钟后再试。"
WRONG_CODE = "验证码不正确或已使用，请输入认证器上的最新验证码。"


@dataclass(frozen=True, slots=True)
class EmployerChoice:
    """An employer that the account may act for."""

    id: int
    employer_no: str
    name: str
    region: str
    status: str


@dataclass(frozen=True, slots=True)
class Account:
    """The signed-in account of one request."""

    actor: Actor
    employers: tuple[EmployerChoice, ...]
    regions: tuple[str, ...]
    session_version: int
    active: bool
    demo: bool
    must_change_password: bool
    has_second_factor: bool
    preferences: Mapping[str, Any]

    @property
    def employer(self) -> EmployerChoice | None:
        """The employer acted for now."""
        return next((entry for entry in self.employers if entry.id == self.actor.employer_id), None)

    @property
    def region(self) -> str:
        """The region whose words the pages use: the current employer's, else the agency's first."""
        if self.employer is not None:
            return self.employer.region
        return self.regions[0] if self.regions else ""

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password alone is not enough (GB/T 22239-2019 8.1.4.1 d)."""
        return self.actor.side != EMPLOYER and not self.demo


def load_account(user_id: int, now_utc: datetime) -> Account | None:
    """Return the account with roles and employers, from one statement; None when it is gone."""
    rows = store.find_account(user_id)
    if rows is None:
        return None
    user = rows.user
    employers = tuple(EmployerChoice(*entry) for entry in rows.employers)
    employer_ids = frozenset(entry.id for entry in employers)
    regions = tuple(dict.fromkeys(region for _, region in rows.roles if region))
    current = user.current_employer_id
    if current not in employer_ids:
        current = employers[0].id if employers else None
    region = next((entry.region for entry in employers if entry.id == current), "")
    expired = user.password_changed_at_utc + timedelta(days=passwords.MAX_AGE_DAYS) < now_utc
    return Account(
        actor=Actor(
            id=user.id,
            name=user.name,
            username=user.username,
            side=user.side,
            roles=frozenset(
                # what somebody may do for an employer is said by the roles of its region
                role
                for role, where in rows.roles
                if user.side != EMPLOYER or where in ("", region)
            ),
            regions=frozenset(regions) if user.side == AGENCY else frozenset(),
            employer_ids=employer_ids if user.side == EMPLOYER else frozenset(),
            employer_id=current if user.side == EMPLOYER else None,
        ),
        employers=employers,
        regions=regions,
        session_version=user.session_version,
        active=user.status == "active",
        demo=user.demo,
        must_change_password=not user.demo and (user.must_change_password or expired),
        has_second_factor=user.has_totp,
        preferences=user.preferences or {},
    )


def sign_in(username: str, password: str, address: str, now_utc: datetime) -> Account:
    """Check a password and return the account; failures are counted per account and per network address.

    `now_utc` is the real time, also in a demonstration: a lock must end. One wording serves an unknown name,
    a wrong password, a disabled and a locked account. Raises: Rejected.
    """
    if throttle.count(f"address:{address}") >= ADDRESS_LIMIT:
        raise _refused("sign_in.address", BUSY_ADDRESS)
    found = store.find_credentials(username.strip()[:64])
    # The hash costs 50 ms: it must not be computed while the database waits for this transaction.
    end_read()
    fits = passwords.verify_password(found.password_hash if found else None, password[:1024])
    if found is None:
        with transaction():
            account_log.record("sign_in", user_id=None, result=account_log.REFUSED, address=address)
    if found is None or not _settle_attempt(found.id, password, fits, address, now_utc):
        throttle.add(f"address:{address}", ADDRESS_WINDOW_SECONDS)
        raise _refused("sign_in.refused", REFUSED)
    account = load_account(found.id, now_utc)
    if account is None or not account.active:
        raise _refused("sign_in.refused", REFUSED)
    return account


def check_code(
    user_id: int, code: str, now_utc: datetime, *, new_secret: str | None = None, address: str = ""
) -> Account:
    """Check the second factor; with `new_secret` the code proves the authenticator that is being set up.

    Raises: Rejected at `code`.
    """
    error = Rejected([FieldError("code", "sign_in.code", WRONG_CODE)])
    with transaction():
        user = store.lock_user(user_id)
        secret = new_secret or (second_factor.unseal(user.totp_cipher) if user.totp_cipher else "")
        locked = user.locked_until_utc is not None and user.locked_until_utc > now_utc
        fits = bool(secret) and not locked and second_factor.accepts(secret, code, user_id, now_utc)
        if fits and new_secret and user.totp_cipher is None:
            user.totp_cipher = second_factor.seal(new_secret)
        elif fits and new_secret:
            fits = False
        if not fits and not locked:
            _count_failure(user, now_utc)
        result = account_log.DONE if fits else account_log.REFUSED
        account_log.record("second_factor", user_id=user_id, result=result, address=address)
    account = load_account(user_id, now_utc) if fits else None
    if account is None or not account.active:
        raise error
    return account


def change_password(
    actor: Actor, current: str, new: str, repeated: str, now_utc: datetime, address: str = ""
) -> int:
    """Set a new password and end all other sessions; returns the session version that stays valid.

    Raises: Rejected at `current_password`, `new_password` or `new_password_2`.
    """
    rows = store.find_credentials(actor.username)
    if rows is None or actor.id is None:
        raise NotFound("account")
    end_read()
    errors: list[FieldError] = []
    if not passwords.verify_password(rows.password_hash, current):
        errors.append(FieldError("current_password", "password.current", passwords.WORDS["current"]))
    history = [*(rows.password_history or []), rows.password_hash]
    errors += passwords.check_new_password(
        new, side=actor.side, words_to_avoid=(actor.username, actor.name), old_hashes=history
    )
    if new != repeated:
        errors.append(FieldError("new_password_2", "password.mismatch", passwords.WORDS["mismatch"]))
    if errors:
        raise Rejected(errors)
    hashed = passwords.hash_password(new)
    with transaction():
        user = store.lock_user(actor.id)
        user.password_hash = hashed
        user.password_history = history[-passwords.HISTORY :]
        user.password_changed_at_utc = now_utc
        user.must_change_password = False
        user.session_version += 1
        version = user.session_version
        account_log.record("password.changed", user_id=actor.id, actor=actor, address=address)
        return version


def sign_out(actor: Actor, address: str = "") -> None:
    """End every session of an account: a cookie that somebody copied is worth nothing afterwards.

    Accounts of a demonstration are shared, so that one visitor's leaving does not throw the others out.
    """
    if actor.id is None:
        return
    with transaction():
        user = store.lock_user(actor.id)
        if not user.demo:
            user.session_version += 1
        account_log.record("sign_out", user_id=actor.id, actor=actor, address=address)


def switch_employer(actor: Actor, employer_id: int) -> None:
    """Make another of the operator's employers the current one. Raises: NotFound outside the scope."""
    if actor.id is None or employer_id not in actor.employer_ids:
        raise NotFound("employer")
    with transaction():
        store.lock_user(actor.id).current_employer_id = employer_id


def failures_of(username: str) -> int:
    """Return how often this name failed in a row, so that the edge answers more and more slowly."""
    found = store.find_credentials(username.strip()[:64])
    return found.failed_logins if found else 0


def set_preferences(actor: Actor, changes: Mapping[str, str]) -> None:
    """Remember how an account wants its pages (language, text size, row height)."""
    if actor.id is None:
        return
    with transaction():
        user = store.lock_user(actor.id)
        user.preferences = {**(user.preferences or {}), **changes}


def _settle_attempt(user_id: int, password: str, fits: bool, address: str, now_utc: datetime) -> bool:
    new_hash: str | None = None
    with transaction():
        user = store.lock_user(user_id)
        locked = user.locked_until_utc is not None and user.locked_until_utc > now_utc
        if user.status != "active" or locked or not fits:
            reason = "locked" if locked else user.status if user.status != "active" else "password"
            if reason == "password":
                _count_failure(user, now_utc)
            until = user.locked_until_utc
            closed = reason == "password" and until is not None and until > now_utc
            account_log.record(
                "sign_in",
                user_id=user_id,
                result=account_log.REFUSED,
                address=address,
                detail={"reason": reason, "locks": closed},
            )
            return False
        user.failed_logins = 0
        user.locked_until_utc = None
        user.last_login_at_utc = now_utc
        if passwords.needs_rehash(user.password_hash):
            new_hash = user.password_hash
        account_log.record("sign_in", user_id=user_id, address=address)
    if new_hash is not None:
        _rehash(user_id, new_hash, password)
    return True


def _rehash(user_id: int, old_hash: str, password: str) -> None:
    hashed = passwords.hash_password(password)
    with transaction():
        user = store.lock_user(user_id)
        if user.password_hash == old_hash:
            user.password_hash = hashed


def _count_failure(user: Any, now_utc: datetime) -> None:
    user.failed_logins += 1
    over = user.failed_logins - LOCK_AFTER
    if over >= 0:
        minutes = min(LOCK_MINUTES * 2**over, LOCK_MAX_MINUTES)
        user.locked_until_utc = now_utc + timedelta(minutes=minutes)


def _refused(code: str, words: str) -> Rejected:
    return Rejected([FieldError("", code, words)])
