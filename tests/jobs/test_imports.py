"""Batch jobs: leases, fences, workers that die, failures that repeat, a database that says no."""

import os
import signal
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import clock, queue
from app.formspec import workbook
from app.services import batch_lease, batch_results, batch_run, doctor, imports, incidents, stamping
from app.services.actors import SYSTEM
from app.store import imports as store
from app.store.constraints import Duplicate
from app.store.files import file_store
from app.store.models import Declaration, HumanTask, ImportBatch, ImportRow, Incident
from app.store.session import transaction
from jobs import context
from jobs.imports import process
from tests.services.batch_files import filled, nantong_cells
from tests.services.conftest import NANTONG, citizen, rows


@pytest.fixture(autouse=True)
def _own_application(app):
    context.use(app)
    yield
    context.use(None)


@pytest.fixture
def uploaded(nantong, now, monkeypatch):
    """A file of ten rows, worked through four at a time; gives its batch."""
    monkeypatch.setattr(batch_run, "CHUNK", 4)

    def make(queued=False, count=10):
        cells = [nantong_cells(citizen(NANTONG, "not_insured", place)) for place in range(count - 1)]
        cells.insert(2, nantong_cells(citizen(NANTONG, "flexible")))
        content = filled(nantong, "enrol", cells)
        return imports.upload(nantong, "enrol", "a.xlsx", content, {}, now, queued=queued).batch

    return make


def state_of(batch):
    return store.find_batch(batch.id)


def assert_whole(batch, accepted=9, rejected=1):
    found = state_of(batch)
    assert (found.state, found.total_rows, found.done_rows) == ("finished", *2 * (accepted + rejected,))
    assert (found.accepted_rows, found.rejected_rows) == (accepted, rejected)
    results = rows(ImportRow, batch_id=batch.id)
    assert [row.state for row in results].count("accepted") == accepted
    cases = rows(Declaration, batch_id=batch.id)
    assert len(cases) == len({row.person_hash for row in cases}) == accepted
    assert {row.declaration_id for row in results if row.state == "accepted"} == {row.id for row in cases}
    assert len(rows(HumanTask, batch_id=batch.id)) == accepted


def test_twice_is_once(uploaded):
    batch = uploaded()
    process(batch_id=batch.id)
    process(batch_id=batch.id)
    assert_whole(batch)


def test_the_queue_runs_it(uploaded, real_queue):
    batch = uploaded(queued=True)
    waiting = queue.queue("imports")
    assert waiting.job_ids == [f"batch-{batch.id}-1"]
    assert waiting.jobs[0].timeout == imports.JOB_SECONDS
    SimpleWorker([waiting], connection=queue.connection(), serializer=JSONSerializer).work(
        burst=True, logging_level="ERROR"
    )
    assert_whole(batch)


class Killed(BaseException):
    """What SIGKILL looks like from inside a test: nothing after it runs."""


def dies_after(monkeypatch, chunks):
    """Let the worker die when it begins the next chunk."""
    real, count = batch_run._work, []

    def work(plan, part):
        if len(count) == chunks:
            raise Killed
        count.append(1)
        return real(plan, part)

    monkeypatch.setattr(batch_run, "_work", work)


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_another_worker_goes_on_after_the_lease(uploaded, monkeypatch, chunks):
    batch = uploaded()
    with monkeypatch.context() as patch:
        dies_after(patch, chunks)
        with pytest.raises(Killed):
            batch_run.run(batch.id)
    assert (state_of(batch).state, state_of(batch).done_rows) == ("running", chunks * 4)
    batch_run.run(batch.id)
    assert state_of(batch).done_rows == chunks * 4, "the lease is still held"
    assert imports.sweep() == 0
    _expire(batch)
    batch_run.run(batch.id)
    assert_whole(batch)
    assert state_of(batch).fence == 2


def _expire(batch):
    with transaction():
        store.set_batch(batch.id, lease_until_utc=clock.real_utcnow() - timedelta(seconds=1))


def test_the_sweeper_finds_what_nobody_works_on(uploaded, real_queue):
    batch = uploaded()
    assert imports.sweep() == 0
    _expire(batch)
    assert imports.sweep() == 1
    assert imports.sweep() == 0
    assert queue.queue("imports").job_ids == [f"batch-{batch.id}-1"]


def test_a_worker_that_was_given_up_on_writes_nothing(uploaded, monkeypatch):
    batch = uploaded()
    real = batch_run._work

    def slow(plan, part):
        monkeypatch.setattr(batch_run, "_work", real)
        _expire(batch)
        batch_run.run(batch.id)
        return real(plan, part)

    monkeypatch.setattr(batch_run, "_work", slow)
    batch_run.run(batch.id)
    assert_whole(batch)
    assert state_of(batch).fence == 2


def test_three_failures_are_an_incident_and_words(uploaded, monkeypatch, now):
    batch = uploaded()

    def fail(_batch):
        raise OSError("the file store is away")

    with monkeypatch.context() as patch:
        patch.setattr(batch_run, "plan_of", fail)
        for place in range(3):
            assert state_of(batch).state == "queued"
            assert state_of(batch).attempts == place
            batch_run.run(batch.id)
    found = state_of(batch)
    assert found.state == "failed"
    (incident,) = rows(Incident)
    assert (incident.action, incident.batch_id, incident.message) == ("import", batch.id, "OSError")
    assert str(incident.id) in found.message
    assert "系统处理失败" in found.message
    incidents.retry(administrator(), incident.id, now)
    assert state_of(batch).state == "queued"
    batch_run.run(batch.id)
    assert_whole(batch)


def administrator():
    """Somebody who may run incidents again."""
    return replace(SYSTEM, roles=frozenset({"sysadmin"}))


def test_workers_that_die_three_times_without_progress_are_an_incident(uploaded, monkeypatch):
    batch = uploaded()
    with monkeypatch.context() as patch:
        dies_after(patch, 0)
        for _ in range(3):
            with pytest.raises(Killed):
                batch_run.run(batch.id)
            _expire(batch)
    batch_run.run(batch.id)
    assert state_of(batch).state == "failed"
    assert len(rows(Incident)) == 1


def test_progress_ends_the_counting(uploaded, monkeypatch):
    batch = uploaded()
    monkeypatch.setattr(batch_run, "CHUNK", 2)
    for _ in range(4):
        with monkeypatch.context() as patch:
            dies_after(patch, 1)
            with pytest.raises(Killed):
                batch_run.run(batch.id)
        _expire(batch)
    batch_run.run(batch.id)
    assert_whole(batch)
    assert rows(Incident) == []


def test_stopping_between_chunks_and_going_on(uploaded, nantong, monkeypatch):
    batch = uploaded()
    real = batch_run._work

    def work(plan, part):
        done = real(plan, part)
        if done and state_of(batch).done_rows == 4:
            imports.stop(nantong, batch.id)
        return done

    monkeypatch.setattr(batch_run, "_work", work)
    batch_run.run(batch.id)
    assert (state_of(batch).state, state_of(batch).done_rows) == ("stopped", 4)
    monkeypatch.undo()
    imports.resume(nantong, batch.id)
    batch_run.run(batch.id)
    assert_whole(batch)


def test_a_row_that_fails_through_nobodys_input_stops_no_other(uploaded, monkeypatch):
    batch = uploaded()
    target = citizen(NANTONG, "not_insured", 1).id_number
    real = stamping.Stamper.file

    def file(self, values):
        if values["id_number"] == target:
            raise ValueError("nobody's input")
        return real(self, values)

    monkeypatch.setattr(stamping.Stamper, "file", file)
    batch_run.run(batch.id)
    assert_whole(batch, 8, 2)
    assert [error["code"] for _, error in batch_results.errors_of(batch.id)] == [
        "import.row_failed", "enrol.active_flexible",
    ]  # fmt: skip
    assert [row.action for row in rows(Incident)] == ["import_rows"]


def test_a_race_costs_one_row_and_not_the_chunk(uploaded, monkeypatch):
    batch = uploaded()
    target = citizen(NANTONG, "not_insured", 1)
    real = batch_run.write

    def write(cases):
        if any(case.data["id_number"] == target.id_number for case in cases):
            raise Duplicate("open_declaration")
        real(cases)

    monkeypatch.setattr(batch_run, "write", write)
    batch_run.run(batch.id)
    assert_whole(batch, 8, 2)
    codes = [error["code"] for _, error in batch_results.errors_of(batch.id)]
    assert codes == ["enrol.one_open", "enrol.active_flexible"]


def test_what_is_old_is_forgotten_with_its_file(uploaded, now):
    batch = uploaded()
    batch_run.run(batch.id)
    assert file_store().exists(batch.file_key)
    assert imports.purge(now + timedelta(days=29)) == 0
    assert imports.purge(now + timedelta(days=31)) == 1
    assert rows(ImportBatch) == rows(ImportRow) == []
    assert not file_store().exists(batch.file_key)
    assert len(rows(Declaration)) == 9


def test_the_stored_file_cannot_be_read_without_the_keys(uploaded):
    batch = uploaded()
    assert not file_store().get(batch.file_key).startswith(b"PK")
    assert b"xl/worksheets" not in file_store().get(batch.file_key)


def test_a_reader_that_dies_is_an_error_of_its_batch(uploaded, monkeypatch):
    batch = uploaded()
    real = workbook._read

    def kill(reader, *rest):
        os.kill(reader.pid, signal.SIGKILL)
        time.sleep(0.05)
        return real(reader, *rest)

    monkeypatch.setattr(workbook, "_read", kill)
    batch_run.run(batch.id)
    assert (state_of(batch).state, rows(Incident)) == ("failed", [])
    assert "读取超出内存或时间限制" in state_of(batch).message


def test_the_doctor_names_batches_that_nobody_works_on(uploaded):
    batch = uploaded()

    def level():
        return next(each.level for each in doctor.examine(None) if each.check == "batches")

    assert level() == "ok"
    with transaction():
        store.set_batch(batch.id, lease_until_utc=clock.real_utcnow() - timedelta(hours=1))
    assert level() == "problem"


def test_a_lease_is_longer_than_reading(app):
    assert batch_lease.LEASE_SECONDS > 30
