"""Turn what people type (in a page or a cell) into the typed values of a form, losing nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

# Full-width forms of printable ASCII, and the full-width space: what an input method leaves behind.
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x00A0: 0x20}
# Characters that cannot be seen and come along when a number is copied out of a page or a table.
_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x202A, 0x202C, 0x202D])
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?", re.ASCII)
_DATE_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?", re.ASCII)
_MONEY = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_MONEY_NOISE = str.maketrans("", "", ", ￥¥元")
_DIGIT_NOISE = str.maketrans("", "", " -")


def clean_text(text: str) -> str:
    """Return the text trimmed, with invisible characters gone; letters stay as typed."""
    return text.strip() if text.isascii() else text.translate(_INVISIBLE).strip()


def half_width(text: str) -> str:
    """Return the text with full-width letters, digits and signs as plain ones, trimmed."""
    return text.strip() if text.isascii() else clean_text(text.translate(_HALF_WIDTH))


def parse_text(text: str) -> Any:
    return clean_text(text)


def parse_number_text(text: str) -> Any:
    """Document numbers: half-width, no spaces inside, upper case (a final x becomes X)."""
    return half_width(text).translate(_DIGIT_NOISE).upper()


def parse_digits(text: str) -> Any:
    return half_width(text).translate(_DIGIT_NOISE)


def parse_half_width(text: str) -> Any:
    return half_width(text)


def parse_date(text: str) -> Any:
    """Any usual way to write a day → YYYY-MM-DD; what is no day stays as typed and is refused later."""
    typed = half_width(text)
    match = _DATE.fullmatch(typed) or _DATE_DIGITS.fullmatch(typed)
    if match is None:
        return typed
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return typed


def parse_month(text: str) -> Any:
    """201608, 2016-08, 2016/8, 2016年8月, or a whole day → YYYY-MM."""
    typed = half_width(text)
    match = _MONTH.fullmatch(typed)
    if match is not None and 1 <= int(match[2]) <= 12:
        return f"{match[1]}-{int(match[2]):02d}"
    day = parse_date(typed)
    return day[:7] if day != typed or _DATE.fullmatch(typed) else typed


def parse_money(text: str) -> Any:
    """Yuan → text with two decimals; more decimals or other characters stay as typed."""
    typed = half_width(text)
    digits = typed.translate(_MONEY_NOISE)
    # what Decimal would take besides (1e4, 1_000, other scripts' digits) is nothing that people mean
    if _MONEY.fullmatch(digits) is None:
        return typed
    amount = Decimal(digits)
    if len(digits) > 20 or amount != amount.quantize(Decimal("0.01")) or abs(amount) >= 10**12:
        return typed
    return str(amount.quantize(Decimal("0.01")))


def parse_integer(text: str) -> Any:
    typed = half_width(text)
    return int(typed) if re.fullmatch(r"-?\d{1,15}", typed, re.ASCII) else typed


def parse_check(text: str) -> Any:
    return clean_text(text).lower() in ("1", "true", "on", "yes", "是")


# The one map from field kind to the reader of its text. Kinds with several values read each one with it.
PARSERS: dict[str, Callable[[str], Any]] = {
    "text": parse_text,
    "textarea": parse_text,
    "hidden": parse_text,
    "identity": parse_number_text,
    "phone": parse_digits,
    "account": parse_digits,
    "code": parse_half_width,
    "email": parse_half_width,
    "date": parse_date,
    "month": parse_month,
    "money": parse_money,
    "integer": parse_integer,
    "select": parse_half_width,
    "radios": parse_half_width,
    "multiselect": parse_half_width,
    "checkboxes": parse_half_width,
    "check": parse_check,
    "file": parse_text,
}


def parse_values(kind: str, values: Sequence[str]) -> list[Any]:
    """Return the typed values of a field that holds several; "310,510" in one box are two values."""
    parser = PARSERS[kind]
    parts = [part for value in values for part in value.split(",")]
    typed = [parser(part) for part in parts if clean_text(part)]
    return list(dict.fromkeys(typed))


def cell_text(value: Any) -> str:
    """Return a workbook cell as the text a person would type: 8000.0 → 8000, a day → YYYY-MM-DD."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
