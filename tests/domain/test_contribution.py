from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contribution import BaseRefused, quote, tariff, totals, totals_fen
from app.domain.money import from_fen, round_fen
from tests.domain.regions import REGIONS, load_region

HALF_FEN = Decimal("0.005")
WAGES = st.integers(1, 6_000_000).map(from_fen)


@given(st.sampled_from(REGIONS), WAGES, st.sampled_from(["active", "retired"]))
def test_totals_are_sums_of_rounded_lines(region: str, wage: Decimal, status: str) -> None:
    rule = tariff(load_region(region), "2026-11", status)
    if rule.whole_yuan and status == "active":
        wage = max(Decimal(1), wage.to_integral_value())
    result = rule.quote(wage, "clip")
    assert result.totals == totals(result.lines)
    for line in result.lines:
        exact = result.base.amount * line.rate if line.rate is not None else line.fixed
        assert abs(line.amount - exact) <= HALF_FEN
        assert line.amount == round_fen(line.amount) != 0
    assert rule.floor <= result.base.amount <= rule.cap or status == "retired"


@given(st.sampled_from(REGIONS), st.integers(400_000, 2_400_000))
def test_whole_fen_give_the_same_amounts(region: str, base_fen: int) -> None:
    params = load_region(region)
    rule = tariff(params, "2024-02", funds=params.fund_codes())
    lines = rule.fen_lines(base_fen)
    for item, line in zip(rule.items, lines, strict=True):
        exact = from_fen(base_fen) * item.rate if item.rate is not None else item.fixed
        assert from_fen(line.amount_fen) == round_fen(exact)
        assert (line.rate == "") is (item.rate is None)
    assert totals_fen(lines).employee == sum(
        (from_fen(line.amount_fen) for line in lines if line.party == "employee"), Decimal(0)
    )


def test_floor_and_cap_clip_or_refuse() -> None:
    suzhou, nantong = (tariff(load_region(code), "2026-11") for code in ("320500", "320600"))
    low, high = suzhou.base(Decimal(1)), suzhou.base(Decimal(10**6))
    assert (low.amount, low.clipped, high.amount, high.clipped) == (suzhou.floor, "floor", suzhou.cap, "cap")
    assert low.demo
    assert suzhou.base(suzhou.floor).clipped == suzhou.base(suzhou.cap).clipped == ""
    refused = {"1": "base.below_floor", "1000000": "base.above_cap", "6000.5": "base.not_whole"}
    for wage, code in refused.items():
        with pytest.raises(BaseRefused) as caught:
            nantong.base(Decimal(wage))
        assert caught.value.code == code
    assert nantong.base(Decimal(1), "clip").amount == nantong.floor


def test_a_negative_allocation_stays_negative() -> None:
    found = quote(load_region("320700"), "2022-07", Decimal(7800))
    line = next(line for line in found.lines if line.fund == "330" and line.party.startswith("allocation"))
    assert (line.amount, line.as_json()["fixed"]) == (Decimal("-10.00"), "-10.00")
    assert found.totals.allocation == Decimal("224.00")


def test_examples_are_marked_and_printed_figures_are_not() -> None:
    params = load_region("320500")
    assert not quote(params, "2022-08", Decimal(9805)).demo
    assert quote(params, "2026-11", Decimal(9805)).demo
    assert quote(params, "2022-08", Decimal(100)).demo  # the floor is an example


def test_unknown_funds_and_statuses_are_errors() -> None:
    with pytest.raises(KeyError):
        tariff(load_region("320500"), "2026-11", funds=["999"])
    with pytest.raises(ValueError, match="active or retired"):
        tariff(load_region("320500"), "2026-11", "asleep")


def test_rates_are_written_without_an_exponent() -> None:
    rates = [line.as_json()["rate"] for line in quote(load_region("320800"), "2021-01", Decimal(5737)).lines]
    assert rates == ["0.02", "0.08", "0.02", "0.012", None, "0.009"]
