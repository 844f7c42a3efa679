"""Transactions: one commit, nothing lost between processes, nothing written outside."""

import os
import subprocess
import sys

import psycopg
import pytest
from sqlalchemy import func, insert, select, text

from app import clock
from app.extensions import db
from app.store import session
from app.store.ids import new_id
from app.store.models import Employer, EmployerFund, Lease
from app.store.session import TransactionError, after_commit, insert_rows, lock, transaction
from tests.fixtures.server import DATA_KEYS, SECRET_KEY

PROCESSES, INCREMENTS = 3, 200
INCREMENT = f"""
import pathlib, sys
from app.config import Config, database_url
from app import clock
from app.extensions import db
from app.factory import create_app
from app.store.models import Lease
from app.store.session import lock, transaction
from sqlalchemy import select

url = sys.argv[1]
app = create_app(Config(pathlib.Path(sys.argv[2]), database_url(url), "redis://127.0.0.1:1", "file:/nowhere",
                        {SECRET_KEY!r}, {DATA_KEYS!r}, testing=True))
with app.app_context():
    for _ in range({INCREMENTS}):
        db.session.get(Lease, "counter")  # a read before, as the sign-in does
        with transaction() as work:
            row = work.scalars(lock(select(Lease).where(Lease.name == "counter"))).one()
            row.fence += 1
"""


def add_lease(name: str, fence: int = 0) -> None:
    with transaction() as work:
        work.add(Lease(name=name, holder="test", fence=fence, until_utc=clock.utcnow()))


def test_an_ended_connection_is_found_before_its_use(db_session):
    if not session.is_postgresql():
        assert db_session.scalar(text("SELECT 1")) == 1
        return
    ended = db_session.scalar(text("SELECT pg_backend_pid()"))
    db_session.rollback()
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (ended,))
        other.execute("SELECT pg_sleep(0.05)")
    assert db_session.scalar(text("SELECT pg_backend_pid()")) != ended


def test_three_processes_lose_no_update(db_session, database, tmp_path):
    add_lease("counter")
    db_session.remove()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", INCREMENT, database.url, str(tmp_path)], stderr=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert db_session.get(Lease, "counter").fence == PROCESSES * INCREMENTS


def test_rollback_leaves_nothing(db_session):
    with pytest.raises(ZeroDivisionError), transaction() as work:
        work.add(_employer("E1"))
        work.flush()
        raise ZeroDivisionError
    assert db_session.scalar(select(func.count()).where(Employer.employer_no == "E1")) == 0
    with transaction() as work:
        work.add(_employer("E1"))
    assert db_session.scalar(select(func.count()).where(Employer.employer_no == "E1")) == 1


def test_transactions_do_not_nest(db_session):
    with transaction(), pytest.raises(TransactionError), transaction():
        pass
    with transaction():
        pass


def test_after_commit_runs_after_and_only_then(db_session):
    done = []
    with transaction():
        after_commit(lambda: done.append("kept"))
        assert done == []
    assert done == ["kept"]
    with pytest.raises(RuntimeError), transaction():
        after_commit(lambda: done.append("dropped"))
        raise RuntimeError
    assert done == ["kept"]
    with pytest.raises(TransactionError):
        after_commit(lambda: None)


def test_a_failure_after_the_commit_does_not_undo_it(db_session, caplog):
    done = []
    with transaction():
        after_commit(lambda: 1 // 0)
        after_commit(lambda: done.append("next"))
    assert done == ["next"]
    assert "after the commit failed" in caplog.text


def test_a_forked_process_takes_connections_of_its_own(db_session, app):
    add_lease("forked", 1)
    assert db_session.get(Lease, "forked").fence == 1
    db.session.remove()
    if (child := os.fork()) == 0:
        try:
            with app.app_context():
                fresh = db.engine.pool.checkedin() == 0
                with transaction() as work:
                    work.get(Lease, "forked").fence += fresh
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child must never return into the tests
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert db_session.get(Lease, "forked").fence == 2


def test_writes_outside_a_transaction_are_refused(db_session):
    db_session.add(_employer("E2"))
    with pytest.raises(TransactionError):
        db_session.flush()
    db_session.rollback()
    with pytest.raises(TransactionError):
        db_session.execute(insert(Employer).values(_values("E2")))
    with pytest.raises(TransactionError):
        lock(select(Employer))


def test_a_changed_object_is_not_dropped_silently(db_session):
    add_lease("changed")
    row = db_session.get(Lease, "changed")
    row.fence = 7
    with pytest.raises(TransactionError), transaction():
        pass


def test_a_transaction_reads_anew(db_session, app):
    add_lease("seen", 1)
    assert db_session.get(Lease, "seen").fence == 1
    with app.app_context():
        with transaction() as other:
            other.get(Lease, "seen").fence = 2
        db.session.remove()
    with transaction() as work:
        assert work.get(Lease, "seen").fence == 2


def test_bulk_insert_is_one_statement_whatever_the_number(db_session, statement_counter):
    for size in (1, 500):
        rows = [_values(f"B{size}-{place}") for place in range(size)]
        with statement_counter() as seen, transaction():
            insert_rows(Employer, rows)
        assert seen.total == 1
        assert seen.commits == 1


def test_bulk_rows_of_different_columns_are_refused(db_session):
    rows = [{"employer_id": 1, "fund": "310", "from_month": "2020-01"}, {"employer_id": 1, "fund": "510"}]
    with pytest.raises(TransactionError), transaction():
        insert_rows(EmployerFund, rows)


def test_sqlite_opens_as_it_must(db_session):
    if session.is_postgresql():
        assert db.engine.driver == "psycopg"
        return
    connection = db_session.connection()
    pragmas = {
        name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": session.BUSY_TIMEOUT_MS,
    }


def test_a_reader_is_not_held_up_by_a_writer(db_session, app):
    add_lease("read", 1)
    with transaction() as work:
        work.get(Lease, "read").fence = 2
        work.flush()
        with app.app_context():
            assert db.session.get(Lease, "read").fence == 1
            db.session.remove()


def _values(number: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "region": "000000",
        "employer_no": number,
        "credit_code": "9100000000000000X0",
        "name": "单位",
        "unit_type": "企业",
    }


def _employer(number: str) -> Employer:
    return Employer(**_values(number))
