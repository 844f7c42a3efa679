from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import DIGITS, format_yuan, from_fen, round_fen, to_fen, uppercase

UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def read_number(words: str) -> int:
    """Read words back by another way than they are written: every digit times its place."""
    for mark, size in (("亿", 10**8), ("万", 10**4)):
        if mark in words:
            high, _, low = words.rpartition(mark)
            return read_number(high) * size + read_number(low)
    total = digit = 0
    for sign in words:
        if sign in UNITS:
            total += digit * UNITS[sign]
            digit = 0
        else:
            digit = DIGITS.index(sign)
    return total + digit


def read_amount(words: str) -> int:
    """Return fen."""
    yuan, found, rest = words.rpartition("圆")
    fen = read_number(yuan) * 100 if found else 0
    for sign, size in (("角", 10), ("分", 1)):
        if sign in rest:
            fen += DIGITS.index(rest[rest.index(sign) - 1]) * size
    return fen


@given(st.integers(0, 10**16 - 1))
def test_words_say_the_amount(fen: int) -> None:
    words = uppercase(from_fen(fen))
    assert read_amount(words) == fen
    assert "零零" not in words
    assert not words.startswith("零") or fen == 0
    assert words.endswith("整") is (fen % 10 == 0)


@given(st.integers(1, 10**12))
def test_a_negative_amount_says_so(fen: int) -> None:
    assert uppercase(from_fen(-fen)) == "负" + uppercase(from_fen(fen))


@pytest.mark.parametrize("amount", ["0.001", "10000000000000000"])
def test_words_refuse_what_they_cannot_say(amount: str) -> None:
    with pytest.raises(ValueError):
        uppercase(Decimal(amount))


@pytest.mark.parametrize(
    ("raw", "rounded"),
    [("52.047", "52.05"), ("52.045", "52.05"), ("52.044", "52.04"), ("69.396", "69.40"), ("-0.005", "-0.01")],
)
def test_half_goes_up(raw: str, rounded: str) -> None:
    assert round_fen(Decimal(raw)) == Decimal(rounded)
    assert to_fen(Decimal(raw)) == Decimal(rounded) * 100


@given(st.integers(-(10**15), 10**15))
def test_fen_and_yuan_are_the_same_money(fen: int) -> None:
    assert to_fen(from_fen(fen)) == fen
    assert Decimal(format_yuan(from_fen(fen))) == from_fen(fen)


def test_printed_amounts_have_two_decimals() -> None:
    printed = {"44819.6": "44819.60", "0.0": "0.00", "3120": "3120.00"}
    assert {text: format_yuan(Decimal(text)) for text in printed} == printed
