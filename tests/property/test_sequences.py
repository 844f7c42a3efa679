"""Acts interleaved at random over a few people, two employers and several months, against a small model."""

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random

import pytest

from app.definitions import current
from app.extensions import db
from app.services import declarations, filing
from tests.property.sequences import ACTS, CITIES, MONEY, NANJING, SUZHOU, Step, World, draw

LENGTH = 30
# how many sequences a region gets; a longer campaign sets its own range, as in PROPERTY_SEEDS=20-60
USUAL = {"sqlite": range(2), "postgresql": range(1, 2)}


def seeds(backend: str) -> range:
    """The sequences of this run."""
    first, _, last = os.environ.get("PROPERTY_SEEDS", "").partition("-")
    return range(int(first), int(last)) if last else USUAL[backend]


@pytest.fixture
def world(app, database, person, monkeypatch) -> Callable[[str], World]:
    """A region as on the first day; documents are tried elsewhere."""
    monkeypatch.setattr(filing, "refuse_incomplete", lambda case: None)
    monkeypatch.setattr(declarations, "refuse_incomplete", lambda case: None)

    def make(region: str) -> World:
        db.session.remove()
        db.engine.dispose()
        database.reset()
        current.forget()
        return World(region, person)

    return make


def failure(world, region: str, steps: list[Step]) -> str:
    """What is wrong after these acts, "" where nothing is."""
    try:
        world(region).run(steps)
    except AssertionError as error:
        return _named(error)
    return ""


def _named(error: AssertionError) -> str:
    """What is wrong, without who and when."""
    return (str(error).split("\n")[0] or traceback.format_exc().splitlines()[-2])[:20]


def shortened(world, region: str, steps: list[Step], wrong: str) -> list[Step]:
    """The same failure with as few acts as leaving acts out one after the other gives."""
    size = len(steps) // 2
    while size:
        place = 0
        while place < len(steps):
            fewer = steps[:place] + steps[place + size :]
            if failure(world, region, fewer) == wrong:
                steps = fewer
            else:
                place += size
        size //= 2
    return steps


def run(world, region: str, acts: Sequence[str], numbers: Iterable[int]) -> Counter[str]:
    """Sequences by their numbers; gives what was accepted."""
    accepted: Counter[str] = Counter()
    for seed in numbers:
        steps, here = draw(Random(f"{region} {seed}"), LENGTH, acts), world(region)
        try:
            here.run(steps)
        except AssertionError as error:
            short = shortened(world, region, steps, _named(error))
            raise AssertionError(f"{region} {seed}: {error}\nin short: {short}") from error
        accepted += here.accepted
    return accepted


@pytest.mark.parametrize("region", sorted(CITIES))
def test_every_act_does_what_the_model_says_and_a_refused_one_nothing(world, region):
    accepted = run(world, region, ACTS, seeds(db.engine.dialect.name))
    assert len(accepted) > 3, accepted


@pytest.mark.parametrize(("region", "known"), [(SUZHOU, 13), (NANJING, 0)])
def test_what_is_paid_given_back_and_paid_out_stays_whole(world, region, known):
    """The sequence that is always run is one in which refunds are ordered."""
    campaign = os.environ.get("PROPERTY_SEEDS")
    accepted = run(world, region, MONEY, seeds("") if campaign else [known])
    assert campaign or accepted["refund"], accepted
