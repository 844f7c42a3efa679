"""The base year after its season: which one it is, and what the undeclared go on with."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.base_year import carried_wage, running_year, season_start, year_of_list
from app.domain.parameters import from_documents
from tests.domain.regions import document, load_region

HUAIAN = "320800"


def with_share(share: str):
    """The platform region with a share of the old base above one."""
    own = dict(document(HUAIAN))
    own["parameters"] = {
        **own["parameters"],
        "base_annual.undeclared_share": [
            {"from": "2001-01", "value": share, "unit": "ratio", "source": "demo"}
        ],
    }
    return from_documents(own, document("common"))


@pytest.mark.parametrize(
    ("today", "running", "listed"),
    [
        (date(2026, 4, 30), "2025-07", "2025-07"),
        # in the season the list is of the year that is being declared
        (date(2026, 5, 1), "2025-07", "2026-07"),
        (date(2026, 6, 30), "2025-07", "2026-07"),
        (date(2026, 7, 1), "2026-07", "2026-07"),
        (date(2027, 1, 15), "2026-07", "2026-07"),
    ],
)
def test_js_3_8_which_base_year(today, running, listed):
    rules = load_region(HUAIAN)
    assert running_year(rules, today) == running
    assert year_of_list(rules, today) == listed


def test_the_season_before_a_year():
    assert season_start(load_region(HUAIAN), "2026-07") == "2026-05"


@pytest.mark.parametrize(
    ("share", "begun", "wage", "base", "carried"),
    [
        ("1", "2020-01", "9000", "9000", "9000.00"),
        # the base goes on, not the wage that was held to a bound
        ("1", "2020-01", "30000", "25300", "25300.00"),
        ("1.1", "2020-01", "9000", "9000", "9900.00"),
        ("1.1", "2020-01", None, "5783", "6361.30"),
        # whoever was enrolled since the season began has this year's wage already
        ("1.1", "2026-05", "9000", "9000", "9000"),
        ("1.1", "2026-04", "9000", "9000", "9900.00"),
        ("1", "2020-01", "7000", None, "7000"),
        ("1", "2020-01", None, None, None),
    ],
)
def test_what_goes_on_of_the_undeclared(share, begun, wage, base, carried):
    found = carried_wage(
        with_share(share),
        "2026-07",
        begun,
        *(None if each is None else Decimal(each) for each in (wage, base)),
    )
    assert (None if found is None else str(found)) == carried
