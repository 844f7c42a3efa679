"""The second factor: time-based one-time codes (RFC 6238), their secret encrypted in the account's row."""

from __future__ import annotations

from datetime import datetime

import pyotp

from app.services import throttle
from app.store import crypto

ISSUER = "Wangting"
_STEP_SECONDS = 30
_WINDOW = 1


def new_secret() -> str:
    """Return a fresh secret in base32, to be typed or scanned into an authenticator."""
    return pyotp.random_base32()


def address_of(secret: str, username: str) -> str:
    """Return the otpauth address that a QR code carries."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def seal(secret: str) -> bytes:
    """Return the secret as it is stored."""
    return crypto.encrypt(secret)


def unseal(cipher: bytes) -> str:
    """Return the secret of a stored cipher."""
    return crypto.decrypt(cipher)


def accepts(secret: str, code: str, user_id: int, now_utc: datetime) -> bool:
    """Tell whether the code is right now, one step early or late, and has not been used before."""
    digits = "".join(char for char in code if char.isdigit())
    if not pyotp.TOTP(secret).verify(digits, for_time=now_utc, valid_window=_WINDOW):
        return False
    return throttle.first_time(f"totp:{user_id}:{digits}", _STEP_SECONDS * (2 * _WINDOW + 2))
