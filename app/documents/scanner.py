"""Asks a clamd daemon whether a file is clean (INSTREAM: chunks with their length, then a zero)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import WangtingError

TIMEOUT_SECONDS = 30
CHUNK = 64 * 1024
_MAX_ANSWER = 4096
_USUAL_PORT = 3310

_address = ""


class ScannerAway(WangtingError):
    """The scanner does not answer, or could not look at the file: it is to be tried again."""


def configure(address: str) -> None:
    """Say where clamd listens: `/path/to/socket` (or `unix:/path`) or `host:port`; empty for none."""
    global _address
    _address = address


def is_configured() -> bool:
    """Whether files are scanned in this installation."""
    return bool(_address)


def version() -> str:
    """Return the daemon's name and version. Raises: ScannerAway."""
    with _connection() as wire:
        wire.sendall(b"zVERSION\0")
        return _answer(wire)


def find_threat(content: bytes) -> str | None:
    """Return the name of what was found in a file, None where it is clean. Raises: ScannerAway."""
    with _connection() as wire:
        wire.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), CHUNK):
            part = content[start : start + CHUNK]
            wire.sendall(struct.pack("!I", len(part)) + part)
        wire.sendall(struct.pack("!I", 0))
        words = _answer(wire).removeprefix("stream:").strip()
    if words == "OK":
        return None
    if words.endswith(" FOUND"):
        return words.removesuffix(" FOUND").strip()
    raise ScannerAway(f"clamd: {words[:200]}")


@contextmanager
def _connection() -> Iterator[socket.socket]:
    try:
        wire = _connect()
        with wire:
            yield wire
    except OSError as error:
        raise ScannerAway(f"clamd does not answer at {_address}: {error}") from error


def _connect() -> socket.socket:
    path = _address.removeprefix("unix:")
    if path.startswith("/"):
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wire.settimeout(TIMEOUT_SECONDS)
        try:
            wire.connect(path)
        except OSError:
            wire.close()
            raise
        return wire
    host, _, port = _address.removeprefix("tcp://").rpartition(":")
    where = (host, int(port)) if host and port.isdigit() else (_address, _USUAL_PORT)
    return socket.create_connection(where, timeout=TIMEOUT_SECONDS)


def _answer(wire: socket.socket) -> str:
    words = b""
    while len(words) < _MAX_ANSWER and not words.endswith(b"\0"):
        part = wire.recv(_MAX_ANSWER)
        if not part:
            break
        words += part
    return words.rstrip(b"\0\n").decode("utf-8", "replace")
