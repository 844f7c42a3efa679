"""`python -m jobs.worker`: takes jobs from the queues until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
import uuid
from typing import Any

from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from app import queue
from jobs.context import application

# A killed worker is noticed after this time; our own rows decide anyway what is still to be done.
WORKER_TTL_SECONDS = 60
MAINTENANCE_SECONDS = 60
PAUSE_SECONDS = 2.0

log = logging.getLogger(__name__)


class SteadyWorker(Worker):
    """A worker that knows whether it was told to stop, or lost its Redis."""

    told_to_stop = False

    def handle_warm_shutdown_request(self) -> Any:
        self.told_to_stop = True
        return super().handle_warm_shutdown_request()


def make_worker() -> SteadyWorker:
    """A worker on all queues, in their order."""
    return SteadyWorker(
        [queue.queue(name) for name in queue.QUEUES],
        name=f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}",
        connection=queue.connection(),
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        log_job_description=False,
    )


def main() -> None:
    """Work until the signal to stop; a running job is finished first."""
    # until the worker listens to signals itself: nothing has begun that would have to be ended
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    # The work-horse of each job is a fork: what is loaded here need not be loaded again.
    application()
    logging.getLogger("rq").setLevel(logging.WARNING)
    run()


def run() -> None:
    """Work until told to stop; a Redis that goes away for a while ends nothing."""
    worker = None
    while worker is None or not worker.told_to_stop:
        try:
            if worker is not None:
                time.sleep(PAUSE_SECONDS)
            worker = make_worker()
            worker.work(logging_level="WARNING")
        except StopRequested:
            return
        except RedisError as error:
            log.warning("worker: Redis is away, trying again: %s", error)


if __name__ == "__main__":
    main()
