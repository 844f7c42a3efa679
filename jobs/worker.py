"""`python -m jobs.worker`: takes jobs from the queues until it is told to stop."""

from __future__ import annotations

import logging
import os
import socket
import uuid

from rq import Worker
from rq.serializers import JSONSerializer

from app import queue
from jobs.context import application

# A killed worker is noticed after this time; our own rows decide anyway what is still to be done.
WORKER_TTL_SECONDS = 60
MAINTENANCE_SECONDS = 60


def make_worker() -> Worker:
    """A worker on all queues, in their order."""
    return Worker(
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
    # The work-horse of each job is a fork: what is loaded here need not be loaded again.
    application()
    logging.getLogger("rq").setLevel(logging.WARNING)
    make_worker().work(logging_level="WARNING")


if __name__ == "__main__":
    main()
