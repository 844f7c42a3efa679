"""Parts start again when they die, and stop in order."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.cli import supervisor as supervisor_module
from app.cli.supervisor import Part, Stopped, Supervisor
from tests.contracts.tree import ROOT

_WRITES = """
import pathlib, signal, sys, time
name, path, stubborn = sys.argv[1:]
log = pathlib.Path(path)
def note(word):
    with log.open("a") as file:
        file.write(name + " " + word + "\\n")
asked = []
def stop(number, frame):
    asked.append(number)
    note("asked")
    if len(asked) > int(stubborn):
        note("ended")
        raise SystemExit
signal.signal(signal.SIGTERM, stop)
note("started")
while True:
    time.sleep(0.05)
"""


def _part(name: str, log: Path, rank: int, stubborn: int = 0) -> Part:
    return Part(name, [sys.executable, "-c", _WRITES, name, str(log), str(stubborn)], rank)


def _wait_for(log: Path, count: int) -> list[str]:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        lines = log.read_text().splitlines() if log.exists() else []
        if len(lines) >= count:
            return lines
        time.sleep(0.02)
    pytest.fail(f"only {lines}")


def test_parts_stop_in_order_and_the_last_waits_for_the_others(tmp_path: Path) -> None:
    log = tmp_path / "log"
    whole = Supervisor()
    for name, rank in (("redis", 3), ("worker", 2), ("scheduler", 1), ("web", 0)):
        whole.start(_part(name, log, rank))
    _wait_for(log, 4)

    whole.stop_all()

    ended = [line.split()[0] for line in log.read_text().splitlines() if line.endswith("ended")]
    assert ended == ["web", "scheduler", "worker", "redis"]


def test_a_busy_part_is_asked_again_and_a_deaf_one_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "_TERM_AGAIN_S", 0.3)
    monkeypatch.setattr(supervisor_module, "_KILL_S", 0.5)
    log = tmp_path / "log"
    whole = Supervisor()
    busy, deaf = _part("busy", log, 0, stubborn=1), _part("deaf", log, 1, stubborn=99)
    whole.start(busy)
    whole.start(deaf)
    _wait_for(log, 2)

    whole.stop_all()

    lines = log.read_text().splitlines()
    assert lines.count("busy asked") == 2
    assert "busy ended" in lines
    assert deaf.exit_code == -signal.SIGKILL


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    whole = Supervisor()
    part = _part("worker", log, 0)
    whole.start(part)
    _wait_for(log, 1)
    assert part.process is not None
    first = part.process
    first.kill()
    first.wait()

    with pytest.raises(Stopped):
        whole.pause = _stop_after(lambda: len(log.read_text().splitlines()) >= 2)  # type: ignore[method-assign]
        whole.watch()

    assert part.exit_code is None
    assert part.process.pid != first.pid
    whole.stop_all()


def test_what_a_dead_part_leaves_behind_is_ended_before_it_starts_again(tmp_path: Path) -> None:
    """Otherwise the children of a killed web server keep its port from the next one."""
    log = tmp_path / "log"
    code = (
        "import pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(log)!r}).open('a').write(f'{{child.pid}}\\n'); time.sleep(60)"
    )
    whole = Supervisor()
    part = Part("web server", [sys.executable, "-c", code], 0)
    whole.start(part)
    orphan = psutil.Process(int(_wait_for(log, 1)[0]))
    assert part.process is not None
    part.process.kill()
    part.process.wait()

    with pytest.raises(Stopped):
        whole.pause = _stop_after(lambda: len(log.read_text().splitlines()) >= 2)  # type: ignore[method-assign]
        whole.watch()

    orphan.wait(timeout=10)
    whole.stop_all()


def test_a_part_that_keeps_dying_ends_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    whole = Supervisor()
    whole.pause = lambda _seconds: time.sleep(0.02)  # type: ignore[method-assign]
    whole.start(Part("web server", [sys.executable, "-c", "raise SystemExit(3)"], 0))

    reason = whole.watch()

    assert reason.startswith("web server ended 4 times")
    assert capsys.readouterr().out.count("web server ended with 3, starting it again") == 3
    whole.stop_all()


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys, time; from app.cli.supervisor import start_child;"
        "child = start_child([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
    child.wait(timeout=10)
    assert not child.is_running()


def _stop_after(done):
    deadline = time.monotonic() + 15

    def pause(_seconds: float) -> None:
        if done() or time.monotonic() > deadline:
            raise Stopped
        time.sleep(0.02)

    return pause
