"""Jobs run by id, twice without harm; one scheduler works at a time."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import queue
from app.extensions import db
from app.store.models import Lease, Notice, Outbox
from jobs import context, notices, scheduler, worker
from tests.services.conftest import rows


@pytest.fixture(autouse=True)
def _own_application(app):
    context.use(app)
    yield
    context.use(None)


def test_a_notice_twice(returned):
    returned()
    (row,) = rows(Outbox)
    notices.deliver(outbox_id=row.id)
    notices.deliver(outbox_id=row.id)
    assert len(rows(Notice)) == 1


def test_the_queue_runs_it(returned, real_queue):
    returned()
    waiting = queue.queue("notices")
    assert len(waiting) == 1
    SimpleWorker([waiting], connection=queue.connection(), serializer=JSONSerializer).work(
        burst=True, logging_level="ERROR"
    )
    assert len(rows(Notice)) == 1
    assert len(waiting) == 0


def test_every_topic_names_a_job_and_a_queue():
    import importlib

    from app.services.outbox import TOPICS

    for job, queue_name in TOPICS.values():
        module, _, name = job.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))
        assert queue_name in queue.QUEUES


def test_the_worker_listens_everywhere_and_takes_json_only(real_queue):
    made = worker.make_worker()
    assert made.queue_names() == list(queue.QUEUES)
    assert made.serializer is JSONSerializer
    assert made.worker_ttl <= 120


def test_one_scheduler_works(app):
    assert scheduler.tick("first") is True
    assert scheduler.tick("second") is False
    assert scheduler.tick("first") is True
    scheduler.give_up("first")
    assert scheduler.tick("second") is True
    (lease,) = rows(Lease, name="scheduler")
    assert (lease.name, lease.holder, lease.fence) == ("scheduler", "second", 2)


def test_a_bad_round_ends_nothing(app, monkeypatch, caplog):
    rounds, stop = [], threading.Event()

    def sweep():
        rounds.append(1)
        if len(rounds) == 1:
            raise OSError("the database is away")
        stop.set()

    monkeypatch.setattr(scheduler.outbox, "sweep", sweep)
    scheduler.run(stop, "holder", pause_seconds=0.01)
    assert len(rounds) == 2
    assert "this round failed" in caplog.text


@pytest.mark.parametrize("module", ["jobs.worker", "jobs.scheduler"])
def test_a_process_of_its_own_stops_when_told(module, database, tmp_path, redis_url):
    from tests.fixtures.server import DATA_KEYS, SECRET_KEY

    db.session.remove()
    env = {
        **os.environ, "DATABASE_URL": database.url, "REDIS_URL": redis_url, "SECRET_KEY": SECRET_KEY,
        "DATA_KEYS": DATA_KEYS, "WANGTING_INSTANCE": str(tmp_path), "WANGTING_DEMO": "1",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module], env=env, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        _wait_until_it_listens(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stderr.close()


def _wait_until_it_listens(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has a handler for the signal to stop."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read().decode()
        caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
        if caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.05)
    pytest.fail("it never listens to the signal to stop")


def test_old_things_are_forgotten_by_a_job(app):
    from jobs import retention

    retention.forget(daily="1")
    retention.forget(daily="")
