"""People of the demonstration as journeys type them in."""

from collections.abc import Callable

import pytest

from app.extensions import db
from app.services.demo import DemoPerson, demo_people
from tests.fixtures.database import Bed


@pytest.fixture
def citizen(database: Bed) -> Callable[..., DemoPerson]:
    """`citizen(region, case, place=0)`: the n-th person of a case of the demonstration."""

    def find(region: str, case: str, place: int = 0) -> DemoPerson:
        with database.app.app_context():
            found = demo_people(region, case, place + 1)[place]
            db.session.remove()
        return found

    return find
