"""Counting attempts by key for a while, and things that may happen once: in Redis, else in this process."""

from __future__ import annotations

import time
from threading import Lock

import redis

from app import queue

_local: dict[str, tuple[int, float]] = {}
_guard = Lock()
_LOCAL_LIMIT = 10_000


def count(key: str) -> int:
    """Return how many attempts the key has made in its window."""
    try:
        return int(queue.connection().get(f"throttle:{key}") or 0)
    except (redis.RedisError, queue.QueueError):
        with _guard:
            number, until = _local.get(key, (0, 0.0))
            return number if until > time.monotonic() else 0


def add(key: str, window_seconds: int) -> int:
    """Count one more attempt and return the sum; the window starts with the first one."""
    try:
        with queue.connection().pipeline() as pipe:
            pipe.incr(f"throttle:{key}")
            pipe.expire(f"throttle:{key}", window_seconds, nx=True)
            return int(pipe.execute()[0])
    except (redis.RedisError, queue.QueueError):
        return _add_locally(key, window_seconds)


def first_time(key: str, window_seconds: int) -> bool:
    """Tell whether this is the key's first use in the window: a second one is a replay."""
    return add(f"once:{key}", window_seconds) == 1


def _add_locally(key: str, window_seconds: int) -> int:
    now = time.monotonic()
    with _guard:
        if len(_local) > _LOCAL_LIMIT:
            for old in [name for name, (_, until) in _local.items() if until <= now]:
                del _local[old]
        number, until = _local.get(key, (0, 0.0))
        if until <= now:
            number, until = 0, now + window_seconds
        _local[key] = (number + 1, until)
        return number + 1
