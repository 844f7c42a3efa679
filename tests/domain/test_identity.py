from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identity import (
    CREDIT_ALPHABET,
    check_credit_code,
    check_document,
    check_identity,
    credit_check_digit,
    identity_check_digit,
    mask,
    mask_phone,
    normalise,
    normalise_name,
)

BIRTHS = st.dates(date(1900, 1, 1), date(2025, 12, 31))


@st.composite
def numbers(draw) -> str:
    first17 = f"{draw(st.integers(110000, 659999))}{draw(BIRTHS):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first17 + identity_check_digit(first17)


@given(numbers())
def test_a_right_number_tells_birth_and_sex(number: str) -> None:
    found = check_identity(number)
    assert found.valid
    assert f"{found.birth_date:%Y%m%d}" == number[6:14]
    assert found.sex == ("1" if int(number[16]) % 2 else "2")
    assert check_identity(number.lower()) == found


@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_found(number: str, place: int, sign: str) -> None:
    changed = number[:place] + sign + number[place + 1 :]
    assert check_identity(changed).valid is (changed == number)


@given(numbers(), st.integers(0, 15))
def test_two_swapped_neighbours_are_always_found(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert check_identity(swapped).valid is (swapped == number)


@given(st.text(max_size=40))
def test_no_text_breaks_the_check(text: str) -> None:
    found = check_identity(text)
    assert found.valid is (found.reason is None)
    assert check_credit_code(text).valid is (check_credit_code(text).reason is None)


def test_a_birth_date_after_today_is_refused() -> None:
    first17 = "32050020270101001"
    number = first17 + identity_check_digit(first17)
    assert check_identity(number, date(2026, 11, 12)).reason == "future"
    assert check_identity(number).valid


def test_digits_of_other_scripts_become_plain_ones_or_are_refused() -> None:
    assert check_identity("１１０１０５１９４９１２３１００２ｘ").valid
    assert check_identity("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X").reason == "characters"


@pytest.mark.parametrize(
    ("id_type", "number", "reason"),
    [
        ("01", "11010519491231002X", None),
        ("17", "11010519491231002X", "prefix"),
        ("17", "810000199408230021", None),
        ("01", "810000199408230021", "prefix"),
        ("17", "810000199408230022", "check_digit"),
        ("08", "e1234 5678", None),
        ("08", "E1", "pattern"),
        ("06", "12345678", None),
        ("06", "1234567", "pattern"),
        ("02", "南字第01234567号", None),
        ("07", "USA110190080101", None),
        ("99", "", "empty"),
        ("99", "AB-1234", None),
        ("99", "<b>", "pattern"),
    ],
)
def test_each_document_has_its_pattern(id_type: str, number: str, reason: str | None) -> None:
    assert check_document(id_type, number).reason == reason


def test_other_documents_tell_neither_birth_nor_sex() -> None:
    found = check_document("08", "E12345678")
    assert (found.birth_date, found.sex) == (None, None)


@given(st.text(CREDIT_ALPHABET, min_size=11, max_size=11), st.integers(0, 999999))
def test_credit_codes_keep_their_check(signs: str, region: int) -> None:
    first17 = f"{signs[:2]}{region:06d}{signs[2:]}"
    code = first17 + credit_check_digit(first17)
    assert check_credit_code(code).valid
    wrong = CREDIT_ALPHABET[(CREDIT_ALPHABET.index(code[17]) + 1) % 31]
    assert check_credit_code(first17 + wrong).reason == "check_digit"


def test_a_wrong_organisation_code_is_only_soft() -> None:
    assert check_credit_code("12320800469477383M").organisation_valid
    first17 = "1232080046947738" + "4"
    found = check_credit_code(first17 + credit_check_digit(first17))
    assert (found.valid, found.organisation_valid) == (True, False)


def test_lists_show_the_ends_only() -> None:
    assert mask("320500199001010515") == "3205*****0515"
    assert mask("E1234567") == "********"
    assert mask_phone("18812342234") == "188****2234"
    assert mask_phone("123") == "***"


def test_blanks_and_widths_are_levelled() -> None:
    assert normalise(" ３２０５ 00\u200b\u3000x") == "320500X"
    assert normalise_name("　张　 三 ") == "张 三"
    assert normalise_name("ＡＬＥＸ  li") == "ALEX li"
