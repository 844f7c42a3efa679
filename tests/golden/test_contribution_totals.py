"""Printed sums over many people."""

from decimal import Decimal

import pytest

from app.domain.contribution import tariff
from app.domain.money import round_fen
from tests.domain.regions import load_region
from tests.golden.cases import table

HALF_FEN = Decimal("0.005")


@pytest.mark.parametrize("case", table("contribution_totals"))
def test_sums_over_many_people(case) -> None:
    params = load_region(case["region"])
    items = tariff(params, case["month"], case["status"]).items
    found = [item for item in items if (item.fund, item.party) == (case["fund"], case["party"])]
    printed, people = Decimal(case["amount"]), int(case["people"])
    if not printed:
        assert found == []
    elif found[0].fixed is not None:
        assert found[0].fixed * people == printed
    elif case["exact"] == "yes":
        assert round_fen(Decimal(case["base_total"]) * found[0].rate) == printed
    else:
        # The sum of rounded amounts lies at most half a fen a person beside the rounded sum.
        assert abs(printed - Decimal(case["base_total"]) * found[0].rate) <= HALF_FEN * people
