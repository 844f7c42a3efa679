"""A process that is killed between its last statement and its commit has done nothing at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app import clock
from app.extensions import db
from app.services import audits, declarations
from app.store.models import HumanTask
from tests.faults.ground import AUDITORS, HANDLER, Copies, application
from tests.faults.truth import problems_of
from tests.faults.victim import actor, form_of
from tests.fixtures.database import TEST_NOW
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.server import ROOT, server_environ

TABLES = (
    "declaration", "process_instance", "human_task", "event", "effect", "outbox", "enrolment",
    "contribution_line", "incident",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies) -> tuple[str, list[str]]:
    """The address of a filled database of its own, and its crowd."""
    if request.param == "sqlite":
        return copies.sqlite()
    server: PostgresServer = request.getfixturevalue("fragile_postgres")
    return copies.postgresql(server)


@contextmanager
def killed_before_commit(url: str, folder: Path, what: str, subject: str) -> Iterator[None]:
    """An act of another process stands still before its commit during the block, and is killed at its end."""
    environ = server_environ(url, "redis://127.0.0.1:1/0", folder / "files", TEST_NOW.isoformat())
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim", what, subject],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "waiting\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def counts() -> dict[str, int]:
    """How many rows there are of everything that an act may write."""
    db.session.rollback()
    tables = db.metadata.tables
    return {
        name: int(db.session.scalar(select(func.count()).select_from(tables[name])) or 0) for name in TABLES
    }


def task_of(reference: str) -> int:
    db.session.rollback()
    return int(db.session.scalars(select(HumanTask.id).where(HumanTask.reference == reference)).one())


def test_filing_is_done_whole_or_not_at_all(place: tuple[str, list[str]], tmp_path: Path) -> None:
    url, (number, *_) = place
    with application(url, tmp_path):
        before = counts()
        db.session.remove()
        with killed_before_commit(url, tmp_path, "file", number):
            # whoever reads meanwhile sees nothing of it, and waits for nothing
            assert counts() == before
            db.session.remove()
        assert counts() == before
        _whole()
        filed = declarations.file(actor(HANDLER), "enrol", form_of(number), clock.now(), submit_now=True)
        assert filed.status == "submitted"
        assert problems_of([number]) == []


def test_an_approval_is_done_whole_or_not_at_all(place: tuple[str, list[str]], tmp_path: Path) -> None:
    url, (_, number, *_) = place
    with application(url, tmp_path):
        filed = declarations.file(actor(HANDLER), "enrol", form_of(number), clock.now(), submit_now=True)
        before = counts()
        db.session.remove()
        with killed_before_commit(url, tmp_path, "approve", filed.reference):
            assert counts() == before
            db.session.remove()
        assert counts() == before
        _whole()
        auditor = actor(AUDITORS[0])
        decided = audits.decide(auditor, task_of(filed.reference), "reject", "不符", [], clock.now())
        assert decided.status == "rejected"
        assert [line for line in problems_of([number]) if not line.startswith("outbox")] == []


def _whole() -> None:
    if db.engine.dialect.name == "sqlite":
        assert db.session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    db.session.rollback()
