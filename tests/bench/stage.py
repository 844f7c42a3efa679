"""Where benches run: a PostgreSQL and a Redis, databases filled like an installation, the real web server."""

from __future__ import annotations

import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from flask import Flask

from app import clock
from app.cli.serve import web_argv
from app.config import from_environ
from app.definitions import current
from app.extensions import db
from app.factory import create_app
from tests.fixtures.database import TEST_NOW, fill, make_config, sibling_url
from tests.fixtures.postgres import postgres_server
from tests.fixtures.processes import private_folder, remove_folder, spawn, stop
from tests.fixtures.redis import redis_server
from tests.fixtures.server import ROOT, server_environ

_TEMPLATE = "wt_bench_template"


class Stage:
    """Made once for a run of benches; `close` stops and removes everything."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = private_folder("wt-bench-")
        self._stack.callback(remove_folder, self.folder)
        self.postgres = self._stack.enter_context(postgres_server())
        self.redis = self._stack.enter_context(redis_server())
        self._filled = False

    def close(self) -> None:
        self._stack.close()

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A migrated database with definitions and the small demonstration; yields its address."""
        self._fill_template()
        self._create(name, template=_TEMPLATE)
        try:
            yield sibling_url(self.postgres, name)
        finally:
            self._drop(name)

    @contextmanager
    def application(self, url: str) -> Iterator[Flask]:
        """The product in this process, inside an application context."""
        app = create_app(make_config(url, self.folder, self.redis))
        clock.configure(TEST_NOW)
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()
                current.forget()
                clock.configure(None)

    @contextmanager
    def connection(self, url: str) -> Iterator[psycopg.Connection]:
        """A plain connection, as the floor uses it."""
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
            yield connection

    @contextmanager
    def web_server(self, url: str) -> Iterator[int]:
        """The web server as an installation runs it, on a free port; yields the port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environ = self.environ(url) | {"PORT": str(port)}
        log = self.folder / "web.log"
        process = spawn(web_argv(from_environ(environ)), log, env=environ, cwd=ROOT)
        try:
            _wait(port, log)
            yield port
        finally:
            stop(process)

    @contextmanager
    def workers(self, url: str, count: int) -> Iterator[list[int]]:
        """Workers of the product on its queues; yields their process ids."""
        environ, log = self.environ(url), self.folder / "worker.log"
        argv = [sys.executable, "-m", "jobs.worker"]
        running = [spawn(argv, log, env=environ, cwd=ROOT) for _ in range(count)]
        try:
            yield [process.pid for process in running]
        finally:
            for process in running:
                stop(process)

    def environ(self, url: str) -> dict[str, str]:
        """The environment of the product's own processes."""
        return server_environ(url, self.redis, self.folder / "files", TEST_NOW.isoformat())

    def _fill_template(self) -> None:
        if self._filled:
            return
        self._create(_TEMPLATE)
        self._stack.callback(self._drop, _TEMPLATE)
        with self.application(sibling_url(self.postgres, _TEMPLATE)) as app:
            fill(app)
        self._filled = True

    def _create(self, name: str, template: str | None = None) -> None:
        self._drop(name)
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        self._administer(f'CREATE DATABASE "{name}"{copied}')

    def _drop(self, name: str) -> None:
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.postgres, autocommit=True) as admin:
            admin.execute(statement)


def _wait(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError as failure:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"the web server is not ready: {failure}\n{log.read_text()[-4000:]}"
                ) from failure
            time.sleep(0.1)
