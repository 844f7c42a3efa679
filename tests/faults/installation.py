"""The whole product as `make run` starts it, and how its parts are killed."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.fixtures.processes import private_folder, remove_folder, spawn, stop
from tests.fixtures.server import ROOT, server_environ

PATIENCE_S = 120
# part -> what its command line holds; a web worker and a work-horse are children of such a process
PARTS = {"web": "gunicorn", "worker": "jobs.worker", "scheduler": "jobs.scheduler", "redis": "redis-server"}


class Installation:
    """A supervisor with Redis, web server, workers and scheduler of its own, on a given database."""

    def __init__(self, database_url: str, now: str) -> None:
        self.folder = private_folder("wt-faults-")
        self.log = self.folder / "log"
        self.storage = self.folder / "files"
        self.port = _free_port()
        self.environ = server_environ(database_url, "", self.storage, now)
        # without an address the supervisor starts a Redis of its own
        del self.environ["REDIS_URL"]
        self.environ |= {"PORT": str(self.port), "WEB_WORKERS": "2", "WEB_THREADS": "4", "JOB_WORKERS": "2"}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._deaths: list[tuple[str, float]] = []

    @property
    def redis_url(self) -> str:
        """Where the installation's own Redis listens."""
        return f"unix://{self.folder / 'instance' / 'redis' / 'redis.sock'}"

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        self._supervisor = spawn(
            [sys.executable, "-m", "app.cli.serve"], self.log, env=self.environ, cwd=ROOT
        )
        self.wait_until(lambda: self.ready() == 200, "the product does not become ready")

    def close(self) -> None:
        """Stop everything, in the product's own order."""
        if self._supervisor is not None:
            stop(self._supervisor, signal.SIGTERM, patience_s=40)
        remove_folder(self.folder)

    def ready(self) -> int:
        """The status of /readyz; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            answer.close()
            return answer.code
        except OSError:
            return 0

    def processes(self, part: str) -> list[psutil.Process]:
        """The running processes of a part; web workers and work-horses are the children of others."""
        if part == "web worker":
            return [child for parent in self.processes("web") for child in _children(parent)]
        if part == "horse":
            return self.horses()
        assert self._supervisor is not None
        return [child for child in _children(psutil.Process(self._supervisor.pid)) if _is(PARTS[part], child)]

    def horses(self) -> list[psutil.Process]:
        """The work-horses, also those whose worker is dead; not the children that these use."""
        workers = {each.pid for each in self.processes("worker")}
        found: dict[int, psutil.Process] = {}
        parents: dict[int, int] = {}
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if each.pid not in workers and _is(PARTS["worker"], each) and self._ours(each):
                    found[each.pid], parents[each.pid] = each, each.ppid()
        return [each for pid, each in found.items() if parents[pid] not in found]

    def _ours(self, process: psutil.Process) -> bool:
        return process.environ().get("WANGTING_INSTANCE") == self.environ["WANGTING_INSTANCE"]

    def kill(self, part: str, place: int = 0) -> bool:
        """Kill one process of a part with -9; False where there is none now."""
        self._spare(part)
        found = self.processes(part)
        if not found:
            return False
        try:
            found[place % len(found)].send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return False
        self._deaths.append((part, time.monotonic()))
        return True

    def _spare(self, part: str) -> None:
        """Wait where one more death would make the supervisor give up, as it should."""

        def few() -> bool:
            since = time.monotonic() - 65
            return sum(name == part and at > since for name, at in self._deaths) < 3

        if part in PARTS:
            self.wait_until(few, "time does not pass")

    @contextlib.contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Let a part's processes stand still; `supervisor` restarts nothing meanwhile."""
        assert self._supervisor is not None
        found = [psutil.Process(self._supervisor.pid)] if part == "supervisor" else self.processes(part)
        for each in found:
            each.suspend()
        try:
            yield
        finally:
            for each in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.resume()

    def wait_for_parts(self) -> None:
        """Wait until every part runs again."""
        wanted = {"web": 1, "web worker": 2, "worker": 2, "scheduler": 1, "redis": 1}
        self.wait_until(
            lambda: all(len(self.processes(part)) >= count for part, count in wanted.items()),
            "a part does not come back",
        )

    def wait_until(self, holds: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until something holds; fail with words and the end of the log otherwise."""
        deadline = time.monotonic() + patience_s
        while not holds():
            ended = self._supervisor is not None and self._supervisor.poll() is not None
            if ended or time.monotonic() > deadline:
                pytest.fail(f"{otherwise}{' (the supervisor ended)' if ended else ''}\n{self.tail()}")
            time.sleep(0.05)

    def tail(self, size: int = 6000) -> str:
        """The end of what all parts have printed."""
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""


def _is(words: str, process: psutil.Process) -> bool:
    try:
        return words in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _children(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE]
    except psutil.Error:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
