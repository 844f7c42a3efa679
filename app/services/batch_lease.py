"""The lease of a batch: who works on it, how far it is, how it ends. Every change of its row is made here.

The truth is the row. Whoever holds the lease works; every transaction looks at the fence first, so that a
worker that was given up on writes nothing any more. Leases run by the machine's clock, what people see by the
region's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app import clock
from app.definitions.current import parameters
from app.errors import WangtingError
from app.services import incidents, notices
from app.services.actors import SYSTEM
from app.services.incidents import Attempt
from app.store import batch_people
from app.store import imports as store
from app.store.imports import ACCEPTED, FAILED, FINISHED, QUEUED, RUNNING, STOPPED, BatchRow, ResultRow
from app.store.session import transaction

LEASE_SECONDS = 45
MAX_ATTEMPTS = 3
RETRY_SECONDS = 10


class LeaseLost(WangtingError):
    """Another worker has taken the batch over: this one writes nothing more."""


def claim(batch_id: int) -> BatchRow | None:
    """Take the lease of a batch; None where it is done, stopped, spent or in other hands."""
    now = clock.real_utcnow()
    with transaction():
        batch = store.hold_batch(batch_id)
        if batch is None or batch.state not in (QUEUED, RUNNING):
            return None
        if batch.state == RUNNING and batch.lease_until_utc is not None and batch.lease_until_utc > now:
            return None
        if batch.stop_requested:
            stop(batch)
            return None
        batch.fence += 1
        batch.attempts += 1
        batch.state = RUNNING
        spent = batch.attempts > MAX_ATTEMPTS
        store.set_batch(
            batch_id, fence=batch.fence, attempts=batch.attempts, state=RUNNING, lease_until_utc=lease_end()
        )
    if spent:
        _give_up(batch, RuntimeError("its worker died three times in a row"))
        return None
    return batch


def hold(batch: BatchRow) -> BatchRow:
    """Hold the batch for this transaction. Raises: LeaseLost."""
    held = _held(batch)
    if held is None:
        raise LeaseLost(str(batch.id))
    return held


def _held(batch: BatchRow) -> BatchRow | None:
    """The batch as it is now, where this worker still is the one that works on it."""
    held = store.hold_batch(batch.id)
    mine = held is not None and held.fence == batch.fence and held.state in (QUEUED, RUNNING)
    return held if mine else None


def is_stopping(batch: BatchRow) -> bool:
    """Hold the batch for this transaction; True where somebody asked to stop: then it is stopped here.

    Raises: LeaseLost.
    """
    held = hold(batch)
    # an earlier try of this very chunk may have been rolled back: count from what is written
    batch.done_rows, batch.accepted_rows, batch.rejected_rows = (
        held.done_rows,
        held.accepted_rows,
        held.rejected_rows,
    )
    if held.stop_requested:
        stop(held)
        return True
    return False


def keep(batch: BatchRow, results: Sequence[ResultRow]) -> None:
    """Write the results and the batch's numbers: progress ends the counting of failed attempts."""
    store.add_results(results)
    batch.done_rows += len(results)
    accepted = sum(result.state == ACCEPTED for result in results)
    batch.accepted_rows += accepted
    batch.rejected_rows += len(results) - accepted
    store.set_batch(
        batch.id,
        done_rows=batch.done_rows,
        accepted_rows=batch.accepted_rows,
        rejected_rows=batch.rejected_rows,
        attempts=0,
        state=RUNNING,
        lease_until_utc=lease_end(),
    )


def finish(batch: BatchRow) -> None:
    """End a batch whose rows all have a result, in the region's words. Raises: LeaseLost."""
    rules = parameters(batch.region)
    with transaction():
        held = hold(batch)
        words = rules.messages.get(f"import.{held.kind}.result") or rules.message("import.result")
        _end(held, FINISHED, words.format(accepted=held.accepted_rows, rejected=held.rejected_rows))


def refuse(batch: BatchRow, words: str) -> None:
    """End a batch whose file cannot be taken over; nothing is tried again."""
    with transaction():
        held = _held(batch)
        if held is None:
            return
        _end(held, FAILED, words)


def count_failure(batch: BatchRow, error: Exception) -> None:
    """Count a failure that is nobody's input: the sweeper tries again, the third one is an incident."""
    with transaction():
        held = _held(batch)
        if held is None:
            return
        last = held.attempts >= MAX_ATTEMPTS
        if not last:
            again = clock.real_utcnow() + timedelta(seconds=RETRY_SECONDS * max(held.attempts, 1))
            store.set_batch(batch.id, state=QUEUED, lease_until_utc=again)
    if last:
        _give_up(batch, error)


def _give_up(batch: BatchRow, error: Exception) -> None:
    attempt = Attempt("import", {"batch_id": batch.id}, SYSTEM, region=batch.region, batch_id=batch.id)
    failure = incidents.record(attempt, error, clock.now())
    number = str(failure.context["incident_id"])
    words = parameters(batch.region).message("import.batch_failed").format(number=number)
    with transaction():
        held = _held(batch)
        if held is not None:
            _end(held, FAILED, words)


def stop(batch: BatchRow) -> None:
    """Put a batch aside until somebody lets it go on."""
    store.set_batch(
        batch.id,
        state=STOPPED,
        stop_requested=False,
        attempts=0,
        lease_until_utc=None,
        purge_after_utc=purge_time(batch, clock.now()),
    )


def _end(batch: BatchRow, state: str, words: str) -> None:
    store.set_batch(
        batch.id,
        state=state,
        message=words,
        lease_until_utc=None,
        stop_requested=False,
        finished_at_utc=clock.utcnow(),
        purge_after_utc=purge_time(batch, clock.now()),
    )
    batch.state = state
    rules = parameters(batch.region)
    waiting = batch_people.count_drafts([batch.id]).get(batch.id, 0)
    title = rules.label(f"kind.{batch.kind}.batch", rules.label(f"kind.{batch.kind}", batch.kind))
    notices.tell_uploader(batch, title, words, waiting, clock.utcnow())


def purge_time(batch: BatchRow, now: datetime) -> datetime:
    """When an ended batch may be forgotten, by the region's clock."""
    hours = parameters(batch.region).integer("batch.retention_hours", now)
    return clock.to_utc(now + timedelta(hours=hours))


def lease_end() -> datetime:
    """Until when a lease taken now holds."""
    return clock.real_utcnow() + timedelta(seconds=LEASE_SECONDS)
