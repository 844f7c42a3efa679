"""A file of 10,000 enrolments through a real worker, against the engine alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psycopg
import redis

from app import clock
from app.services import imports
from tests.bench import floor, sheet
from tests.bench.measure import Measure
from tests.bench.people import actor_of
from tests.bench.stage import Stage

CITY = "huaian"
ROWS, HALF = 10_000, 5_000
LIMIT, LIMIT_MB = 1.0, 400


def batch_10k_over_engine(stage: Stage) -> list[Measure]:
    """From the job in the queue to 10,000 tasks in the inbox, against starting, filling, serializing alone.

    Half of the loop runs before and half after, so that a busy machine hits both.
    """
    before = floor.fill_times(_facts(), HALF)
    with stage.database("wt_bench_batch") as url:
        (batch_id,) = _upload(stage, url, [ROWS])
        seconds, peak = _work(stage, url, [batch_id], workers=1)
    bare = before + floor.fill_times(_facts(), ROWS - HALF)
    with stage.database("wt_bench_batch") as url:
        batches = _upload(stage, url, [HALF, HALF])
        two, _ = _work(stage, url, batches, workers=2)
    return [
        Measure("batch_10k_over_engine", seconds / bare, "times", LIMIT),
        Measure("batch_10k_s", seconds, "s"),
        Measure("engine_10k_s", bare, "s"),
        Measure("batch_peak_mb", peak, "MB", LIMIT_MB),
        Measure("batch_two_workers_s", two, "s"),
    ]


def _upload(stage: Stage, url: str, sizes: list[int]) -> list[int]:
    """Upload files with different people; nothing works on them yet."""
    made, first = [], 0
    with stage.application(url):
        actor, form = actor_of(f"{CITY}.handler"), sheet.enrol_form()
        for size in sizes:
            content = sheet.workbook(form, size, first)
            uploaded = imports.upload(
                actor, "enrol", f"{first}.xlsx", content, {"funds": sheet.FUNDS}, clock.now(), queued=False
            )
            made.append(uploaded.batch.id)
            first += size
    return made


def _work(stage: Stage, url: str, batches: list[int], workers: int) -> tuple[float, float]:
    """Seconds until all batches are finished, and the most memory of a work-horse in MB."""
    with (
        stage.workers(url, workers) as running,
        _watched(running) as peak,
        stage.connection(url) as connection,
    ):
        _wait_for_workers(stage, workers)
        connection.autocommit = True
        began = time.perf_counter()
        with stage.application(url):
            for batch_id in batches:
                imports.enqueue(batch_id, 0)
        while not _finished(connection, batches):
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        waiting = connection.execute(
            "SELECT count(*) FROM human_task WHERE batch_id = ANY(%s) AND role = 'auditor'", (batches,)
        ).fetchone()
    if waiting != (ROWS,):
        raise RuntimeError(f"{waiting} of {ROWS} rows wait in the inbox")
    return seconds, peak[0]


def _finished(connection: psycopg.Connection, batches: list[int]) -> bool:
    states = connection.execute(
        "SELECT state, message FROM import_batch WHERE id = ANY(%s)", (batches,)
    ).fetchall()
    if any(state in ("failed", "stopped") for state, _ in states):
        raise RuntimeError(f"a batch failed: {states}")
    return all(state == "finished" for state, _ in states)


def _wait_for_workers(stage: Stage, count: int) -> None:
    deadline = time.monotonic() + 60
    with redis.Redis.from_url(stage.redis) as client:
        while client.scard("rq:workers") < count:
            if time.monotonic() > deadline:
                raise RuntimeError("the workers did not start")
            time.sleep(0.05)


@contextmanager
def _watched(workers: list[int]) -> Iterator[list[float]]:
    """Look at the workers' children every few milliseconds; the list holds the highest peak so far, in MB."""
    peak, ended = [0.0], Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for worker in workers:
                with suppress(OSError):
                    for child in Path(f"/proc/{worker}/task/{worker}/children").read_text().split():
                        peak[0] = max(peak[0], _peak_mb(child))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _peak_mb(process: str) -> float:
    """The most memory that a process has held, as its ru_maxrss says."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _facts() -> dict[str, object]:
    return {
        "declaration_id": 1, "region": sheet.REGION, "kind": "enrol", "employer_id": 1, "channel": "03",
        "batch": True, "reason": "",
    }  # fmt: skip
