"""Kills at random moments. The seed is printed: the same one kills the same parts after the same progress."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence

from tests.faults.ground import Ground

DATABASE = "database"
ENDING_AN_ATTEMPT = ("horse", DATABASE)


def new_random(what: str) -> random.Random:
    """A source of chance whose seed is printed; WANGTING_FAULTS_SEED repeats a run."""
    seed = int(os.environ.get("WANGTING_FAULTS_SEED") or random.SystemRandom().randrange(10**9))
    print(f"{what}: WANGTING_FAULTS_SEED={seed}")
    return random.Random(f"{what}:{seed}")


class Chaos:
    """Kills parts of an installation one after the other, in a random order at random moments."""

    def __init__(self, ground: Ground, chance: random.Random, parts: Sequence[str]) -> None:
        self._ground, self._chance = ground, chance
        self._order = [part for part in parts if part != DATABASE or ground.server is not None]
        chance.shuffle(self._order)
        self.killed: list[str] = []

    @property
    def planned(self) -> int:
        """How many kills there are to be."""
        return len(self._order)

    def after_progress(self, progress: Callable[[], int], until: int, ended: Callable[[], bool]) -> None:
        """Kill each part after a random amount of progress below `until`; `progress` never falls."""
        installation = self._ground.installation
        moments = sorted(self._chance.randrange(until) for _ in self._order)
        for moment, part in zip(moments, self._order, strict=True):
            installation.wait_until(lambda at=moment: progress() >= at or ended(), f"no progress to {moment}")
            time.sleep(self._chance.uniform(0, 0.3))  # within whatever is going on, not at its edge
            if self._strike(part, ended):
                self.killed.append(f"{part} at {progress()}")
        print("killed: " + ", ".join(self.killed))

    def within_a_job(self, progress: Callable[[], int], ended: Callable[[], bool], slice_s: float) -> None:
        """Kill each part after the job has run for a random while; it stands still between the kills.

        Jobs are quick: without standing still they would be over before the second kill.
        """
        installation = self._ground.installation
        left, last = list(self._order), -1

        def next_part() -> str | None:
            # what fails three times without progress is given up, as it should be: these kills wait for some
            found = progress()
            return next((part for part in left if part not in ENDING_AN_ATTEMPT or found > last), None)

        def running() -> bool:
            return bool(next_part() and installation.horses()) or ended()

        while left:
            installation.wait_until(running, "nobody works on it", 300)
            if ended() or (part := next_part()) is None:
                break
            left.remove(part)
            time.sleep(self._chance.uniform(0, slice_s))
            with installation.frozen("horse"):
                if self._strike(part, ended):
                    found = progress()
                    last = found if part in ENDING_AN_ATTEMPT else last
                    self.killed.append(f"{part} at {found}")
        print("killed: " + ", ".join(self.killed))

    def _strike(self, part: str, ended: Callable[[], bool]) -> bool:
        """Kill a part as soon as there is one to kill; False where all is done before."""
        installation, place, hit = self._ground.installation, self._chance.randrange(8), []

        def struck() -> bool:
            if ended():
                return True
            if part == DATABASE:
                self._ground.restart_database()
            elif not installation.kill(part, place):
                return False
            hit.append(part)
            return True

        installation.wait_until(struck, f"there is no {part} to kill")
        return bool(hit)
