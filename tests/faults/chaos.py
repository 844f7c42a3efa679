"""Kills at random moments. The seed is printed: the same one kills the same parts after the same progress."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence

from tests.faults.ground import Ground

DATABASE = "database"


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
        last = -1

        def running(more: bool) -> bool:
            found = progress()
            return (bool(installation.horses()) and (found > last or not more)) or ended()

        for part in self._order:
            # what fails three times without any progress is given up, as it should be
            ends_attempt = part in ("horse", DATABASE)
            installation.spare(part)
            installation.wait_until(lambda more=ends_attempt: running(more), "nobody works on it", 300)
            if ended():
                break
            time.sleep(self._chance.uniform(0, slice_s))
            with installation.frozen("horse"):
                if self._strike(part, ended):
                    found = progress()
                    last = found if ends_attempt else last
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
