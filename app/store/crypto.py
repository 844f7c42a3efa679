"""Personal data at rest: AES-256-GCM with a key ring, and a keyed hash to find them again.

A ciphertext is: length of the key's id, the id, a 12-byte nonce, the sealed text with its tag.
"""

from __future__ import annotations

import hmac
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.config import parse_key_ring
from app.domain.identity import normalise
from app.errors import WangtingError

NONCE_BYTES = 12
BLIND_KEY_ID = "blind"


class CryptoError(WangtingError):
    """A ciphertext cannot be opened: its key is not in the ring, or it was changed."""


_ciphers: dict[bytes, AESGCM] = {}
_current = b""
_blind_key = b""


def configure(data_keys: str) -> None:
    """Take the key ring (DATA_KEYS): the first key encrypts, all of them decrypt.

    The blind index must survive a rotation, so its key comes from the entry `blind`, else from the last
    (oldest) key: pin it as `blind` before that key is dropped.
    """
    global _current, _blind_key
    ring = parse_key_ring(data_keys)
    pinned = ring.pop(BLIND_KEY_ID, None)
    names = list(ring)
    _ciphers.clear()
    _ciphers.update({_header(name): AESGCM(key) for name, key in ring.items()})
    _current = _header(names[0])
    _blind_key = _derive(pinned or ring[names[-1]])


def _header(name: str) -> bytes:
    encoded = name.encode("ascii")
    return bytes([len(encoded)]) + encoded


def _derive(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"wangting blind index").derive(key)


def encrypt(value: str | bytes) -> bytes:
    """Seal a text (or bytes) under the current key."""
    plain = value.encode() if isinstance(value, str) else value
    nonce = os.urandom(NONCE_BYTES)
    return _current + nonce + _ciphers[_current].encrypt(nonce, plain, _current)


def decrypt_bytes(sealed: bytes) -> bytes:
    """Open a ciphertext of any key in the ring.

    Raises: CryptoError.
    """
    header, body = _split(sealed)
    try:
        return _ciphers[header].decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], header)
    except KeyError:
        raise CryptoError("the key of this ciphertext is not in DATA_KEYS") from None
    except InvalidTag:
        raise CryptoError("this ciphertext was changed or is not ours") from None


def decrypt(sealed: bytes) -> str:
    """Open a ciphertext that holds a text."""
    return decrypt_bytes(sealed).decode()


def encrypt_json(value: Any) -> bytes:
    """Seal JSON primitives."""
    return encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def decrypt_json(sealed: bytes) -> Any:
    """Open what `encrypt_json` sealed."""
    return json.loads(decrypt_bytes(sealed))


def needs_rotation(sealed: bytes) -> bool:
    """Whether a ciphertext is not under the current key."""
    return _split(sealed)[0] != _current


def rotate(sealed: bytes) -> bytes:
    """Seal the same content under the current key; unchanged where it already is."""
    return encrypt(decrypt_bytes(sealed)) if needs_rotation(sealed) else sealed


def _split(sealed: bytes) -> tuple[bytes, bytes]:
    if not sealed or len(sealed) <= 1 + sealed[0] + NONCE_BYTES:
        raise CryptoError("this is no ciphertext")
    end = 1 + sealed[0]
    return bytes(sealed[:end]), bytes(sealed[end:])


def blind(value: str) -> bytes:
    """The 32-byte blind index of an identifier: equal for equal numbers, useless without the key.

    Full-width characters, blanks and lower case do not make another number.
    """
    text = value.upper() if value.isascii() and value.isalnum() else normalise(value)
    return hmac.digest(_blind_key, text.encode(), "sha256")
