"""The job queues. A job is named by its dotted path and gets keyword ids only, never data."""

from __future__ import annotations

from functools import lru_cache

import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from app.errors import WangtingError

# Workers listen in this order: what a person waits for comes first.
QUEUES = ("default", "imports", "materials", "notices")
JOB_TIMEOUT_SECONDS = 180
ANSWER_SECONDS = 3
RESULT_TTL_SECONDS = 600
FAILURE_TTL_SECONDS = 7 * 86_400

_url: str | None = None


class QueueError(WangtingError):
    """Redis does not answer; whoever wrote an outbox row may ignore this, the sweeper enqueues it later."""


def configure(url: str) -> None:
    """Say which Redis the queues live in; the connection opens at first use."""
    global _url
    _url = url


def connection() -> redis.Redis:
    """The process's connection pool to Redis, opened lazily."""
    if _url is None:
        raise QueueError("no Redis is configured")
    return _connect(_url)


@lru_cache(maxsize=4)
def _connect(url: str) -> redis.Redis:
    # Whoever waits for a page must not wait for a Redis that hangs; a worker's own waits are longer.
    return redis.Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=ANSWER_SECONDS, health_check_interval=30
    )


def queue(name: str = "default") -> Queue:
    """One of the named queues, with the JSON serializer (a pickle would run code)."""
    if name not in QUEUES:
        raise ValueError(f"there is no queue {name}")
    return Queue(
        name, connection=connection(), serializer=JSONSerializer, default_timeout=JOB_TIMEOUT_SECONDS
    )


def enqueue(
    func: str,
    *,
    queue_name: str = "default",
    job_id: str | None = None,
    timeout_seconds: int | None = None,
    **ids: int | str,
) -> Job:
    """Put a job by name, such as `jobs.notices.deliver`, with keyword ids.

    Raises: QueueError when Redis does not answer; TypeError for arguments that are not ids.
    """
    if not func.startswith("jobs."):
        raise ValueError(f"{func} is not a job")
    wrong = [
        name for name, value in ids.items() if isinstance(value, bool) or not isinstance(value, (int, str))
    ]
    if wrong:
        raise TypeError(f"jobs take ids only, not {', '.join(wrong)}")
    try:
        return queue(queue_name).enqueue_call(
            func,
            kwargs=dict(ids),
            job_id=job_id,
            timeout=timeout_seconds,
            result_ttl=RESULT_TTL_SECONDS,
            failure_ttl=FAILURE_TTL_SECONDS,
        )
    except redis.RedisError as error:
        raise QueueError(str(error)) from error


def is_available() -> bool:
    """Whether Redis answers now."""
    try:
        return bool(connection().ping())
    except (redis.RedisError, QueueError):
        return False
