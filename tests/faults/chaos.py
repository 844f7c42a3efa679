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
    """Kills parts of an installation one after the other, each after a random amount of progress."""

    def __init__(self, ground: Ground, chance: random.Random, parts: Sequence[str], until: int) -> None:
        self._ground, self._chance = ground, chance
        order = [part for part in parts if part != DATABASE or ground.server is not None]
        chance.shuffle(order)
        moments = sorted(chance.randrange(until) for _ in order)
        self._plan = list(zip(moments, order, strict=True))
        self.killed: list[str] = []

    @property
    def planned(self) -> int:
        """How many kills there are to be."""
        return len(self._plan)

    def run(self, progress: Callable[[], int], ended: Callable[[], bool]) -> None:
        """Kill what the plan names when it is time, until all is done; `progress` never falls."""
        installation = self._ground.installation
        for moment, part in self._plan:
            installation.wait_until(lambda at=moment: progress() >= at or ended(), f"no progress to {moment}")
            time.sleep(self._chance.uniform(0, 0.3))  # within whatever is going on, not at its edge
            if ended():
                break
            self._strike(part)
            self.killed.append(f"{part} at {progress()}")
        print("killed: " + ", ".join(self.killed))

    def _strike(self, part: str) -> None:
        installation, place = self._ground.installation, self._chance.randrange(8)
        if part == DATABASE:
            self._ground.restart_database()
        else:
            installation.wait_until(lambda: installation.kill(part, place), f"there is no {part} to kill")
