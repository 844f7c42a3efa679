"""What is forgotten when its time is over: codes, kept messages, delivered outbox rows, unneeded documents.

Each chunk is a transaction of its own and may be repeated. Files go after the commit that removed their rows;
what a kill leaves behind in the file store is found by the sweep of files that no row names. History, record
of accounts and everything the agency once had stay.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from app import clock, queue
from app.clock import to_utc
from app.definitions.current import parameters, regions
from app.services import leases
from app.services.actors import SYSTEM
from app.services.material_files import ORIGINAL, delete_bytes
from app.store import retention as store
from app.store.batch_people import is_document_used
from app.store.events import EventRow, add_events
from app.store.files import file_store
from app.store.ids import new_id
from app.store.materials import MaterialRow
from app.store.session import end_read, transaction

CHUNK = 500
JOB, JOB_SECONDS = "jobs.retention.forget", 3600
LEASE, EVERY_SECONDS = "retention", 3600
# what goes through cases and files
DAILY_LEASE, DAILY_SECONDS = "retention.daily", 86_400
# what is younger may belong to a transaction that has not committed
ORPHAN_HOURS = 24
FOLDERS = ("materials", "imports")
DAYS_NAME = "material.unsubmitted_days"
log = logging.getLogger(__name__)


def due() -> bool:
    """Have old things forgotten, once an hour however many schedulers ask; False where it is not time."""
    # nobody else has this name: the lease is taken once and not kept
    if not leases.hold(LEASE, uuid.uuid4().hex, EVERY_SECONDS):
        return False
    daily = leases.hold(DAILY_LEASE, uuid.uuid4().hex, DAILY_SECONDS)
    try:
        queue.enqueue(JOB, queue_name="notices", timeout_seconds=JOB_SECONDS, daily="1" if daily else "")
    except queue.QueueError as error:
        log.warning("old things are forgotten at the next time: %s", error)
    return True


def forget(now: datetime, *, daily: bool) -> dict[str, int]:
    """Forget what is due; with `daily` also documents and files that no row names. Gives how many of each."""
    end_read()
    real, days = clock.real_utcnow(), store.days()
    done = {
        # codes run by the machine's clock, the rest by the region's
        "codes": _in_chunks(store.remove_codes, real - timedelta(days=days.codes)),
        "messages": _in_chunks(store.remove_messages, to_utc(now) - timedelta(days=days.messages)),
        "outbox": _in_chunks(store.remove_delivered, to_utc(now) - timedelta(days=days.outbox)),
    }
    if daily:
        done["materials"] = sum(_forget_materials(region, now) for region, _ in regions())
        done["files"] = sweep_files(real)
    return done


def _in_chunks(remove: Callable[[datetime, int], int], before_utc: datetime) -> int:
    total = 0
    while True:
        with transaction():
            done = remove(before_utc, CHUNK)
        total += done
        if done < CHUNK:
            return total


def _forget_materials(region: str, now: datetime) -> int:
    before = to_utc(now - timedelta(days=parameters(region).integer(DAYS_NAME, now)))
    total = 0
    while True:
        with transaction():
            gone = store.take_unsubmitted(region, before, CHUNK)
            add_events(_events(gone, now))
        # a document may stand for several people of a batch: it goes with the last of them
        for row in {row.file_key: row for row in gone}.values():
            if not is_document_used(row.file_key):
                delete_bytes(row)
        end_read()
        total += len(gone)
        if len(gone) < CHUNK:
            return total


def _events(gone: Sequence[MaterialRow], now: datetime) -> list[EventRow]:
    """One line in the history of each case: what was there, not what it was."""
    counts: dict[int, int] = {}
    for row in gone:
        counts[row.declaration_id] = counts.get(row.declaration_id, 0) + 1
    return [
        EventRow(
            new_id(),
            declaration_id,
            "materials_forgotten",
            to_utc(now),
            actor_id=SYSTEM.id,
            actor_name=SYSTEM.name,
            detail={"count": count},
        )
        for declaration_id, count in counts.items()
    ]


def sweep_files(real_utc: datetime) -> int:
    """Remove files that no row names, older than a day; gives how many."""
    before, removed = real_utc - timedelta(hours=ORPHAN_HOURS), 0
    file_store().drop_drafts(before)
    for folder in FOLDERS:
        old = (key for key, changed in file_store().list_keys(folder) if changed < before)
        while part := list(islice(old, CHUNK)):
            known = store.list_known(sorted({_named(key) for key in part}))
            end_read()
            for key in part:
                if _named(key) not in known:
                    file_store().delete(key)
                    removed += 1
    return removed


def _named(key: str) -> str:
    """The key that a row has for a file: pictures lie beside the document they were made of."""
    folder, _, _name = key.rpartition("/")
    return f"{folder}/{ORIGINAL}" if key.startswith("materials/") else key
