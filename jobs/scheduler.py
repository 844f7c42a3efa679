"""`python -m jobs.scheduler`: sweeps the outbox, wakes timers, forgets what is old; one works at a time."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import uuid

from app import clock
from app.services import imports, leases, outbox, retention, runs, timers
from jobs.context import in_application

log = logging.getLogger(__name__)

TICK_SECONDS = 5.0
LEASE_SECONDS = 30


def new_holder() -> str:
    """A name for this scheduler that no other one has."""
    return f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}"[:64]


@in_application
def tick(holder: str) -> bool:
    """Do what is due once, where this scheduler holds the lease; False where another one does."""
    if not leases.hold(leases.SCHEDULER, holder, LEASE_SECONDS):
        return False
    outbox.sweep()
    imports.sweep()
    runs.sweep()
    imports.purge(clock.now())
    timers.wake_due(clock.now())
    retention.due()
    return True


@in_application
def give_up(holder: str) -> None:
    """Give the lease back, so that another scheduler need not wait for its end."""
    leases.drop(leases.SCHEDULER, holder)


def run(stop: threading.Event, holder: str, pause_seconds: float = TICK_SECONDS) -> None:
    """Tick until told to stop; a database that is away for a while ends nothing."""
    while not stop.is_set():
        try:
            tick(holder)
        except Exception:
            log.exception("scheduler: this round failed, the next one tries again")
        stop.wait(pause_seconds)
    give_up(holder)


def main() -> None:
    """Run until the signal to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run(stop, new_holder())


if __name__ == "__main__":
    main()
