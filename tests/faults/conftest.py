"""Grounds for faults: one installation for each kind of database, which has to survive all of it."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.ground import Copies, Ground
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import private_folder, remove_folder

FULL = os.environ.get("WANGTING_FAULTS") == "full"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the long run is asked for: a large batch, many kills, and leases that run their time."""
    return FULL


@pytest.fixture(scope="session")
def copies() -> Iterator[Copies]:
    """Filled databases to copy."""
    folder = private_folder("wt-ground-")
    yield Copies(folder, crowd=6000 if FULL else 1400)
    remove_folder(folder)


@pytest.fixture(scope="session")
def fragile_postgres() -> Iterator[PostgresServer]:
    """A server of its own that keeps commits through a crash: other tests must not feel its restarts."""
    with PostgresServer(keeps_commits=True) as server:
        yield server


@pytest.fixture(scope="session")
def on_postgresql(copies: Copies, fragile_postgres: PostgresServer) -> Iterator[Ground]:
    """A running installation on PostgreSQL."""
    yield from _running(Ground(*copies.postgresql(fragile_postgres), fragile_postgres))


@pytest.fixture(scope="session")
def on_sqlite(copies: Copies) -> Iterator[Ground]:
    """A running installation on SQLite."""
    yield from _running(Ground(*copies.sqlite(), None))


@pytest.fixture
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """The ground that the test's parameter names."""
    found: Ground = request.getfixturevalue(f"on_{request.param}")
    yield found
    found.close_windows()
    # shown where the test has failed
    print(found.installation.tail())


def _running(made: Ground) -> Iterator[Ground]:
    try:
        made.start()
        yield made
    finally:
        made.close()
