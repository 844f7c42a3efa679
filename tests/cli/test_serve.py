"""`make run` as a person meets it: it starts, says what stands in the way, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.contracts.tree import ROOT


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A new embedded installation without demo data, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "WANGTING_INSTANCE": str(tmp_path / "instance"),
        "WANGTING_DEMO": "0",
        "PORT": str(port),
        "JOB_WORKERS": "1",
        "WEB_WORKERS": "1",
    }


class Run:
    """One `make run` whose lines are read as they come."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli.serve"],
                cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait_for(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            printed = self.log.read_text("utf-8")
            if text in printed:
                return printed
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"{text!r} was not printed:\n{self.log.read_text('utf-8')}")


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    """A running product."""
    running = Run(environ, tmp_path / "log")
    yield running
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(40)


def test_the_whole_product_starts_and_stops(run: Run, environ: dict[str, str]) -> None:
    printed = run.wait_for("Ctrl-C stops everything")
    address = f"http://127.0.0.1:{environ['PORT']}/"
    assert address in printed
    for path in ("healthz", "readyz", "login"):
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            assert answer.status == 200
    children = psutil.Process(run.process.pid).children(recursive=True)
    assert len(children) >= 5

    second = subprocess.run(
        [sys.executable, "-m", "app.cli.serve"],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "already running" in second.stdout

    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(40) == 0
    stopping = [line for line in run.log.read_text("utf-8").splitlines() if line.startswith("Stop")]
    assert stopping == [
        "Stopping web server", "Stopping scheduler", "Stopping worker 1", "Stopping Redis", "Stopped",
    ]  # fmt: skip
    assert not [child for child in children if child.is_running()]


def test_a_taken_port_is_said(environ: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environ["PORT"])))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.serve"],
            cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"port {environ['PORT']}" in done.stdout
    assert f"make run PORT={int(environ['PORT']) + 1}" in done.stdout


def test_missing_secrets_are_said(environ: dict[str, str]) -> None:
    environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.serve"],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "SECRET_KEY must be set" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
