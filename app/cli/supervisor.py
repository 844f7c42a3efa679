"""Keep the parts of the product running, and stop them in order."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_RESTARTS = 3
_RESTART_WINDOW_S = 60.0
_TERM_AGAIN_S = 10.0
_KILL_S = 5.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """One child process. Parts stop in the order of `stop_rank`, equal ranks together."""

    name: str
    argv: Sequence[str]
    stop_rank: int
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        """Start the child in its own session, so that Ctrl-C reaches the supervisor alone."""
        self.process = start_child(self.argv)

    @property
    def exit_code(self) -> int | None:
        """None while the child runs."""
        return self.process.poll() if self.process else 0


class Stopped(Exception):
    """The person asked to stop."""


class Supervisor:
    """Starts parts, restarts those that die, and stops all in order."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._stop = threading.Event()

    def listen(self) -> None:
        """Turn Ctrl-C, TERM and a closed terminal into an orderly stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop.set())

    def pause(self, seconds: float) -> None:
        """Wait, unless a stop is asked for.

        Raises: Stopped.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def run(self, title: str, argv: Sequence[str]) -> int:
        """Run one command to its end and return its exit code.

        Raises: Stopped, after the command was ended.
        """
        say(title)
        child = start_child(argv)
        try:
            while child.poll() is None:
                self.pause(0.1)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        return child.returncode

    def start(self, part: Part) -> None:
        """Start a part and watch it from now on."""
        part.start()
        self.parts.append(part)

    def watch(self) -> str:
        """Restart parts that die; return why the whole has to end.

        Raises: Stopped.
        """
        while True:
            for part in self.parts:
                if part.exit_code is not None and not self._revive(part):
                    return f"{part.name} ended {_RESTARTS + 1} times within {_RESTART_WINDOW_S:.0f} s"
            self.pause(0.5)

    def _revive(self, part: Part) -> bool:
        now = time.monotonic()
        part.deaths.append(now)
        while now - part.deaths[0] > _RESTART_WINDOW_S:
            part.deaths.popleft()
        if len(part.deaths) > _RESTARTS:
            return False
        say(f"{part.name} ended with {part.exit_code}, starting it again")
        _end_leftovers(part)
        self.pause(min(2.0 ** (len(part.deaths) - 1) - 1, 8.0))
        part.start()
        return True

    def stop_all(self) -> None:
        """Stop every part in order: TERM, TERM again after 10 s, then an end."""
        for rank in sorted({part.stop_rank for part in self.parts}):
            together = [part for part in self.parts if part.stop_rank == rank and part.exit_code is None]
            for part in together:
                say(f"Stopping {part.name}")
                _signal(part, signal.SIGTERM)
            if not _all_ended(together, _TERM_AGAIN_S):
                for part in together:
                    _signal(part, signal.SIGTERM)
                if not _all_ended(together, _KILL_S):
                    for part in together:
                        _kill_session(part)


def start_child(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a child in its own session that does not outlive a killed supervisor."""

    def die_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    return subprocess.Popen(
        list(argv), stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
    )


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def _signal(part: Part, number: int) -> None:
    if part.process and part.process.poll() is None:
        part.process.send_signal(number)


def _kill_session(part: Part) -> None:
    if part.process and part.process.poll() is None:
        os.killpg(part.process.pid, signal.SIGKILL)
        part.process.wait()


def _end_leftovers(part: Part) -> None:
    # the children of a killed web server would go on holding its port
    if part.process:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.process.pid, signal.SIGKILL)


def _all_ended(parts: Sequence[Part], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(part.exit_code is None for part in parts):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
