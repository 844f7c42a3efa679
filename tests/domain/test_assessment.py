"""Who is charged what for a month, and how an amount pays a notice."""

from datetime import date

import pytest

from app.domain.assessment import Insured, charges, check_assessed_month
from app.domain.base import WageSpan
from app.domain.billing import Cover, Item, cover, due_date, late_fee_fen, notice_prefix, notice_state, offset
from app.domain.contribution import tariff
from tests.domain.regions import load_region as parameters

SUZHOU, HUAIAN = "320500", "320800"


def made(region, month, people, charged=None):
    def rules(month, status, funds):
        return tariff(parameters(region), month, status, funds)

    return {
        (each.person_id, each.line.fund, each.line.party): each.line.amount_fen
        for each in charges(rules, people, month, charged)
    }


def insured(person, funds, wage_fen, *, retired=False, spans=()):
    return [Insured(person, fund, retired, wage_fen, tuple(spans)) for fund in funds]


@pytest.mark.parametrize(
    ("month", "wage", "expected"),
    [
        ("2021-03", 573_700, {("310", "employee"): 11474, ("310", "employer"): 45896,
                              ("310", "allocation_employee"): 11474, ("310", "allocation_employer"): 6884,
                              ("510", "employer"): 5163, ("330", "employee"): 800}),
        ("2021-08", 578_300, {("310", "employee"): 11566, ("310", "employer"): 46264,
                              ("310", "allocation_employee"): 11566, ("310", "allocation_employer"): 6940,
                              ("510", "employer"): 5205, ("330", "employee"): 800}),
    ],
)  # fmt: skip
def test_js_3_9_the_printed_figures_of_huaian(month, wage, expected):
    found = made(HUAIAN, month, insured(1, ["310", "330", "510"], wage))
    assert {key[1:]: amount for key, amount in found.items()} == expected


def test_what_is_charged_already_is_left_out_fund_by_fund():
    people = [*insured(1, ["310", "510"], 980_500), *insured(2, ["310"], 980_500)]
    found = made(SUZHOU, "2022-08", people, {1: {"310"}, 2: {"310"}})
    assert found == {(1, "510", "employer"): 7844}


def test_a_retiree_pays_by_head_and_is_allocated_from_the_benefit():
    found = made(SUZHOU, "2022-08", insured(1, ["310", "330", "510"], 123_456, retired=True))
    assert found == {(1, "310", "allocation_employer"): 3704, (1, "330", "employee"): 500}


@pytest.mark.parametrize(("wage", "base"), [(100, 425_000), (9_999_900, 2_247_000), (None, 425_000)])
def test_a_wage_outside_the_bounds_is_held_between_them(wage, base):
    found = made(SUZHOU, "2022-08", insured(1, ["310"], wage))
    assert found[1, "310", "employee"] == base // 50


def test_the_wage_of_a_month_is_the_last_one_declared_for_it():
    spans = [
        WageSpan(1, "base", "2022-01", None, 700_000),
        WageSpan(2, "base", "2022-07", "2022-08", 800_000),
    ]
    one = Insured(1, "310", False, 600_000, tuple(spans))
    assert [one.wage_in(month) for month in ("2021-12", "2022-01", "2022-08", "2022-09")] == [
        600_000, 700_000, 800_000, 700_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("month", "may"), [("2026-11", True), ("2026-12", True), ("2020-01", True), ("2027-01", False)]
)
def test_which_months_may_be_assessed(month, may):
    assert check_assessed_month(month, "2026-11") is may


A, B, CREDIT = Item((1,), 100), Item((2, 3), 250), Item((4,), -80)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (None, Cover((CREDIT, A, B), 270, 0)),
        (270, Cover((CREDIT, A, B), 270, 0)),
        (20, Cover((CREDIT, A), 20, 0)),
        (150, Cover((CREDIT, A), 20, 130)),
        (19, Cover((CREDIT,), -80, 99)),
    ],
)
def test_an_amount_pays_whole_items_in_order(amount, expected):
    assert cover([A, B, CREDIT], amount) == expected


def test_credits_never_turn_a_notice_round():
    assert offset([CREDIT, CREDIT, Item((5,), -10)], 100) == [CREDIT, Item((5,), -10)]
    assert offset([CREDIT], 79) == []


def test_states_numbers_and_days():
    assert [notice_state(*each) for each in ((1, 0), (1, 1), (0, 1), (0, 0))] == [
        "unpaid", "partly", "paid", "paid",
    ]  # fmt: skip
    assert notice_prefix(SUZHOU, "2022-09") == "32052209"
    due = due_date(parameters(SUZHOU), "2026-11")
    assert due == date(2026, 11, 25)
    fees = [late_fee_fen(parameters(SUZHOU), 10_000_000, due, date(2026, 12, day)) for day in (5, 25)]
    assert fees == [50_000, 150_000]
    assert late_fee_fen(parameters(SUZHOU), 10_000_000, due, due) == 0
    assert late_fee_fen(parameters(SUZHOU), -100, due, date(2027, 1, 1)) == 0
