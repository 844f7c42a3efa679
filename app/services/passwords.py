"""Passwords: how they are hashed, and which ones are refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from app.errors import FieldError
from app.services.actors import EMPLOYER

HISTORY = 5
MAX_AGE_DAYS = 90
MIN_EMPLOYER, MIN_OFFICE = 8, 10
MAX_LENGTH = 128
_COMMON = ("123456", "888888", "password", "qwerty", "abc123", "admin", "111111", "000000")

# The words are message ids of the translation catalogue.
WORDS = {
    "short_employer": "密码至少 8 位",
    "short_office": "密码至少 10 位",
    "long": "密码最多 128 位",
    "classes": "密码须包含大写字母、小写字母、数字、符号中的至少三类",
    "name": "密码不能包含用户名或姓名",
    "common": "密码不能包含 123456、888888 等常见组合",
    "reused": "新密码不能与最近 5 次用过的密码相同",
    "current": "当前密码不正确",
    "mismatch": "两次输入的新密码不一致",
}


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    # RFC 9106's second choice: 64 MiB and three passes, about 50 ms on two cores.
    return PasswordHasher()


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the argon2id hash to store."""
    return _hasher().hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Tell whether the password fits; an unknown account costs the same time as a wrong password."""
    try:
        return _hasher().verify(stored or _decoy(), password) and stored is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Tell whether the hash was made with older settings than today's."""
    return _hasher().check_needs_rehash(stored)


def check_new_password(
    password: str, *, side: str, words_to_avoid: Iterable[str], old_hashes: Sequence[str]
) -> list[FieldError]:
    """Return what is wrong with a new password at the field `new_password`; empty when it may be used.

    Source: GB/T 22239-2019 8.1.4.1 a).
    """
    codes = list(_weaknesses(password, side, words_to_avoid))
    if not codes and any(verify_password(old, password) for old in old_hashes[-HISTORY:]):
        codes.append("reused")
    return [FieldError("new_password", f"password.{code}", WORDS[code]) for code in codes]


def _weaknesses(password: str, side: str, words_to_avoid: Iterable[str]) -> Iterable[str]:
    if side == EMPLOYER and len(password) < MIN_EMPLOYER:
        yield "short_employer"
    if side != EMPLOYER and len(password) < MIN_OFFICE:
        yield "short_office"
    if len(password) > MAX_LENGTH:
        yield "long"
    classes = (str.isupper, str.islower, str.isdigit, lambda char: not char.isalnum())
    if sum(any(test(char) for char in password) for test in classes) < 3:
        yield "classes"
    lowered = password.lower()
    if any(word and word.lower() in lowered for word in words_to_avoid):
        yield "name"
    if any(word in lowered for word in _COMMON):
        yield "common"
