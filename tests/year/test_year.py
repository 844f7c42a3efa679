"""A year of an employer in each city, from its registration to December, against a model of its own.

The model (model.py, ledger.py, rows.py, tariff.py) takes its figures from the parameter files and its rules
from the manuals; it imports nothing of the product. After each month registry, ledger, notices, accounts and
lists are compared row by row.
"""

import ast
from pathlib import Path

import pytest

from app.documents import opening
from app.documents.opening import Facts
from app.services import throttle
from tests.fixtures.database import BACKENDS
from tests.year import people
from tests.year.story import Year

REGIONS = (
    people.NANTONG, people.HUAIAN, people.LIANYUNGANG, people.SUZHOU, people.NANJING, people.WEINAN,
)  # fmt: skip
# Every year is long: all of them run on SQLite, the two with most of the rules on PostgreSQL as well.
BOTH = (people.SUZHOU, people.NANTONG)
PLACES = [
    pytest.param(backend, region, id=f"{region}-{backend}")
    for region in REGIONS
    for backend in BACKENDS
    if backend == "sqlite" or region in BOTH
]


@pytest.fixture
def plain_documents(monkeypatch):
    """Documents are opened here instead of in a child process each: what they hold is tried elsewhere."""
    monkeypatch.setattr(opening, "inspect", lambda content, limits=None: Facts("image/jpeg", 1))


@pytest.mark.parametrize(("database", "region"), PLACES, indirect=["database"])
def test_a_year_of_an_employer(app, clock, plain_documents, region):
    throttle._local.clear()
    with app.app_context():
        Year(region).run()


@pytest.mark.parametrize("name", ["model.py", "ledger.py", "rows.py", "tariff.py", "../matrix/model.py"])
def test_the_model_knows_nothing_of_the_product(name):
    tree = ast.parse((Path(__file__).parent / name).read_text("utf-8"))
    named = [each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    named += [alias.name for each in ast.walk(tree) if isinstance(each, ast.Import) for alias in each.names]
    assert not [each for each in named if each.split(".")[0] == "app"]
    own = {"tests.year.ledger", "tests.year.rows", "tests.year.tariff", "tests.matrix.model"}
    assert {each for each in named if each.startswith("tests")} <= own
