"""What leaves the database: enqueued after the commit, and swept up where that was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app import clock, queue
from app.errors import WangtingError
from app.services import incidents
from app.services.actors import SYSTEM
from app.services.incidents import Attempt
from app.store import outbox as store
from app.store.ids import new_id
from app.store.outbox import OutboxRow
from app.store.session import transaction

log = logging.getLogger(__name__)

# topic -> (job, queue): the only jobs that an outbox row may start
TOPICS: Mapping[str, tuple[str, str]] = {
    "notice": ("jobs.notices.deliver", "notices"),
    "material": ("jobs.materials.prepare", "materials"),
    "sms": ("jobs.sms.deliver", "default"),
    "material_join": ("jobs.materials.join", "materials"),
}
FIRST_SWEEP_SECONDS = 30
NEXT_SWEEP_SECONDS = 120
MAX_ATTEMPTS = 3
SWEEP_CHUNK = 200


class UnknownTopicError(WangtingError):
    """An outbox row was about to be written that no job would ever read."""


def new_row(topic: str, payload: Mapping[str, Any], now: datetime) -> OutboxRow:
    """Make a row for something to do after the commit. Raises: UnknownTopicError."""
    if topic not in TOPICS:
        raise UnknownTopicError(topic)
    # the sweeper's clock is the machine's: a demonstration's clock stands still
    due = clock.real_utcnow() + timedelta(seconds=FIRST_SWEEP_SECONDS)
    return OutboxRow(new_id(), topic, due, clock.to_utc(now), payload)


def enqueue(rows: Sequence[tuple[int, str]]) -> int:
    """Put jobs for committed rows into the queue; gives how many. Without Redis the sweeper does it later."""
    for place, (outbox_id, topic) in enumerate(rows):
        job, queue_name = TOPICS[topic]
        try:
            queue.enqueue(job, queue_name=queue_name, outbox_id=outbox_id)
        except queue.QueueError as error:
            log.warning("outbox: %d rows wait for the sweeper: %s", len(rows) - place, error)
            return place
    return len(rows)


def sweep() -> int:
    """Enqueue again what should have been done by now; gives how many. Safe to run twice at once."""
    swept = 0
    while True:
        now = clock.real_utcnow()
        with transaction():
            rows = store.take_overdue(now, now + timedelta(seconds=NEXT_SWEEP_SECONDS), SWEEP_CHUNK)
        done = enqueue(rows)
        swept += done
        if done < SWEEP_CHUNK:
            return swept


def consume(
    outbox_id: int,
    now: datetime,
    act: Callable[[OutboxRow], None],
    action: str,
    before: Callable[[], None] | None = None,
) -> bool:
    """Do what a row asks, once: `act` and the mark that it is done commit together.

    Gives False where there is nothing (left) to do. What `act` raises is raised again, after the attempt
    was counted; the third failure is kept as an incident of `action`.
    """
    try:
        with transaction():
            row = store.hold_outbox(outbox_id)
            if before is not None:
                before()
            if row is None or row.done_at_utc is not None:
                return False
            act(row)
            store.set_done(outbox_id, clock.to_utc(now))
            return True
    except Exception as error:
        if _count_failure(outbox_id, error) == MAX_ATTEMPTS:
            incidents.record(Attempt(action, {"outbox_id": outbox_id}, SYSTEM), error, now)
        raise


def _count_failure(outbox_id: int, error: Exception) -> int:
    with transaction():
        row = store.hold_outbox(outbox_id)
        if row is None or row.done_at_utc is not None:
            return 0
        wait = timedelta(seconds=NEXT_SWEEP_SECONDS * 2**row.attempts)
        if row.attempts + 1 >= MAX_ATTEMPTS:
            # from now on the incident is what somebody looks at
            wait = timedelta(days=1)
        return store.set_failed(outbox_id, f"{type(error).__name__}: {error}", clock.real_utcnow() + wait)
