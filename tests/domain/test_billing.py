"""What an amount pays of a notice, which credits a notice takes, and since when money can have come in."""

from datetime import date

import pytest

from app.domain.billing import Item, cover, due_date, earliest_receipt, offset
from tests.domain.regions import load_region


def items(*owed):
    return [Item((place,), fen) for place, fen in enumerate(owed)]


@pytest.mark.parametrize(
    ("owed", "amount", "paid", "fen", "left"),
    [
        # all of it
        ((800, 300), None, (800, 300), 1100, 0),
        ((800, -300), None, (-300, 800), 500, 0),
        # credits beyond the charges stay where they are
        ((800, -300, -700), None, (-300, 800), 500, 0),
        ((800, -1000), None, (800,), 800, 0),
        ((-1000,), None, (), 0, 0),
        # whole items in order, credits add to the money
        ((800, 300), 1100, (800, 300), 1100, 0),
        ((800, 300), 900, (800,), 800, 100),
        ((800, 300), 700, (), 0, 700),
        ((800, 300, -200), 700, (-200, 800), 600, 100),
        ((0, 300), 300, (0, 300), 300, 0),
    ],
)
def test_what_an_amount_pays(owed, amount, paid, fen, left):
    found = cover(items(*owed), amount)
    assert tuple(each.owed_fen for each in found.items) == paid
    assert (found.paid_fen, found.left_fen) == (fen, left)


@pytest.mark.parametrize(
    ("waiting", "owed", "taken"),
    [
        ((-300, -200), 500, (-300, -200)),
        ((-300, -200), 400, (-300,)),
        ((-500, -200), 400, (-200,)),
        # a credit that was itself taken back is a debt again
        ((-500, 100, -200), 400, (100, -200)),
        ((), 400, ()),
    ],
)
def test_which_credits_a_notice_takes(waiting, owed, taken):
    assert tuple(each.owed_fen for each in offset(items(*waiting), owed)) == taken


@pytest.mark.parametrize(
    ("due_month", "made_on", "first"),
    [
        ("2026-11", date(2026, 11, 18), date(2026, 11, 1)),
        ("2026-09", date(2026, 11, 18), date(2026, 9, 1)),
        # billed ahead of its month
        ("2026-12", date(2026, 11, 20), date(2026, 11, 20)),
    ],
)
def test_since_when_money_can_have_come_in(due_month, made_on, first):
    assert earliest_receipt(due_month, made_on) == first


@pytest.mark.parametrize(
    ("month", "charged_on", "due"),
    [
        ("2026-11", None, "2026-11-25"),
        ("2026-11", "2026-11-25", "2026-11-25"),
        # charged after the day by which it would have been due
        ("2026-11", "2026-11-26", "2026-12-25"),
        ("2026-11", "2026-12-03", "2026-12-25"),
        ("2026-12", "2027-02-26", "2027-03-25"),
        # billed ahead of its month
        ("2026-12", "2026-11-28", "2026-12-25"),
    ],
)
def test_the_last_day_to_pay(month, charged_on, due):
    given = None if charged_on is None else date.fromisoformat(charged_on)
    assert due_date(load_region("320500"), month, given) == date.fromisoformat(due)
