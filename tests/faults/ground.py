"""Where faults happen: an installation on a filled database of its own, and this process beside it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import select

from app import clock, queue
from app.definitions import current
from app.extensions import db
from app.factory import create_app
from app.store.ids import new_id
from app.store.models import User, UserRole
from app.store.session import insert_rows, transaction
from tests.bench.crowd import register
from tests.faults.installation import Installation
from tests.faults.visitor import Visitor
from tests.fixtures.database import TEST_NOW, fill, make_config, sibling_url
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import NO_REDIS

REGION, HANDLER = "320600", "nantong.handler"
AUDITORS = ("nantong.auditor", "nantong.auditor2")


class Ground:
    """One installation; `take` hands out people who are in the registry and insured nowhere."""

    def __init__(self, url: str, people: list[str], server: PostgresServer | None) -> None:
        self.url, self.server = url, server
        self.installation = Installation(url, TEST_NOW.isoformat())
        self._people = enumerate(people)
        self._visitors: list[Visitor] = []

    def start(self) -> None:
        self.installation.start()

    def close(self) -> None:
        self.installation.close()

    def take(self, count: int) -> list[str]:
        """The next people of the crowd."""
        return [number for _, number in self.numbered(count)]

    def numbered(self, count: int) -> list[tuple[int, str]]:
        """The same with their places in the crowd, from which their names follow."""
        return [next(self._people) for _ in range(count)]

    def visitor(self, username: str) -> Visitor:
        """Somebody who has signed in."""
        return self.windows(username, 1)[0]

    def windows(self, username: str, count: int) -> list[Visitor]:
        """Somebody who has signed in once and works in several windows."""
        first = Visitor(self.installation.port, username)
        self._visitors.append(first)
        first.enter()
        more = [first.twin() for _ in range(count - 1)]
        self._visitors += more
        return [first, *more]

    def close_windows(self) -> None:
        """Let everybody go home."""
        for visitor in self._visitors:
            visitor.close()
        self._visitors.clear()

    @contextmanager
    def application(self) -> Iterator[Flask]:
        """The product in this process on the same database, inside an application context."""
        with application(self.url, self.installation.folder, self.installation.redis_url) as app:
            yield app

    def restart_database(self) -> None:
        """Let PostgreSQL crash and come back (SQLite has no server that could)."""
        with self.database_away():
            pass

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """PostgreSQL has crashed; it comes back at the end of the block."""
        assert self.server is not None
        self.server.stop(signal.SIGQUIT)
        try:
            yield
        finally:
            self.server.start()


class Copies:
    """Filled databases: made once, then copied."""

    def __init__(self, folder: Path, crowd: int) -> None:
        self._folder, self._crowd = folder, crowd
        self._people: dict[str, list[str]] = {}
        self._made = 0

    def sqlite(self) -> tuple[str, list[str]]:
        """The address of a new copy, and its crowd."""
        template = self._folder / "template.db"
        if "sqlite" not in self._people:
            self._people["sqlite"] = furnish(f"sqlite:///{template}", self._folder, self._crowd)
        self._made += 1
        copy = self._folder / f"copy{self._made}.db"
        shutil.copyfile(template, copy)
        return f"sqlite:///{copy}", self._people["sqlite"]

    def postgresql(self, server: PostgresServer) -> tuple[str, list[str]]:
        """The same on a server."""
        template = "wt_faults_template"
        if "postgresql" not in self._people:
            _administer(server, f"CREATE DATABASE {template}")
            self._people["postgresql"] = furnish(sibling_url(server.url, template), self._folder, self._crowd)
        self._made += 1
        _administer(server, f"CREATE DATABASE wt_faults_{self._made} TEMPLATE {template}")
        return sibling_url(server.url, f"wt_faults_{self._made}"), self._people["postgresql"]


@contextmanager
def application(url: str, folder: Path, redis_url: str = NO_REDIS) -> Iterator[Flask]:
    """The product in this process, inside an application context."""
    app = create_app(make_config(url, folder, redis_url))
    clock.configure(TEST_NOW)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
            current.forget()
            clock.configure(None)
            # The next test's application was built before and does not say again where its queue is.
            queue.configure(NO_REDIS)


def furnish(url: str, folder: Path, crowd: int) -> list[str]:
    """Fill an empty database: definitions, the small demonstration, a second auditor and a crowd."""
    with application(url, folder) as app:
        fill(app)
        _add_auditor()
        return register(REGION, crowd)


def _add_auditor() -> None:
    columns = User.__table__
    first: Mapping[str, Any] = (
        db.session.execute(select(columns).where(User.username == AUDITORS[0])).mappings().one()
    )
    second = {**first, "id": new_id(), "username": AUDITORS[1], "name": "第二审核员"}
    with transaction():
        insert_rows(User, [second])
        insert_rows(UserRole, [{"user_id": second["id"], "role": "auditor", "region": REGION}])


def _administer(server: PostgresServer, statement: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(statement)
