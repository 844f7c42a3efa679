"""Row ids made by the client, and references that people read out.

An id is 63 bits: milliseconds since 2025 (40), process (13), sequence (10). Parents and children can so be
inserted in bulk without asking the database for keys, and new rows lie together at the end of an index.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
import zlib
from datetime import date

EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC
PROCESS_BITS = 13
SEQUENCE_BITS = 10
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10

_lock = threading.Lock()
_last = 0
_process = 0


def _set_process() -> None:
    # Processes of one machine differ in their pid; machines differ by a hash of their name.
    global _process, _lock
    host = zlib.crc32(socket.gethostname().encode())
    _process = (os.getpid() ^ host) & ((1 << PROCESS_BITS) - 1)
    _lock = threading.Lock()


_set_process()
os.register_at_fork(after_in_child=_set_process)


def new_id() -> int:
    """A new row id, larger than every earlier one of this process.

    A burst of more than 1,024 in a millisecond borrows the next ones.
    """
    global _last
    with _lock:
        tick = (time.time_ns() // 1_000_000 - EPOCH_MS) << SEQUENCE_BITS
        _last = tick if tick > _last else _last + 1
        millisecond, sequence = _last >> SEQUENCE_BITS, _last & ((1 << SEQUENCE_BITS) - 1)
    return (millisecond << (PROCESS_BITS + SEQUENCE_BITS)) | (_process << SEQUENCE_BITS) | sequence


def new_reference(today: date) -> str:
    """A case's reference, `YYMMDD-XXXXXXXXXX` in Crockford's base 32 (no I, L, O, U): 50 random bits."""
    number = secrets.randbits(5 * REFERENCE_LENGTH)
    letters = [CROCKFORD[(number >> (5 * place)) & 31] for place in range(REFERENCE_LENGTH)]
    return f"{today:%y%m%d}-{''.join(letters)}"
