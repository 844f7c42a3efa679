"""Keyset paging of lists in time order: positions in the address, and a page size that is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask import Response, request, url_for
from werkzeug.routing import IntegerConverter, Map

SIZES = (20, 50, 100)
SIZE_COOKIE = "rows"
YEAR_SECONDS = 365 * 86_400
# the databases refuse a larger number, and loudly
MAX_ID = 2**63 - 1
Row = TypeVar("Row")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PageSize:
    """How many rows a page has, and whether that was chosen just now."""

    rows: int
    chosen: bool = False

    def cut(self, rows: Sequence[Row], after: object, before: object) -> tuple[list[Row], bool, bool]:
        """Cut what was read (one row more than the page) and say whether there are pages before and after."""
        more = len(rows) > self.rows
        if before is not None:
            kept = list(rows[-self.rows :]) if more else list(rows)
            return kept, more and bool(kept), bool(kept)
        return list(rows[: self.rows]), after is not None and bool(rows), more


def page_size() -> PageSize:
    """The size asked for in the address, else the one chosen before, else the smallest."""
    asked = request.args.get("size", type=int)
    if asked in SIZES:
        return PageSize(asked, chosen=True)
    kept = request.cookies.get(SIZE_COOKIE, "")
    return PageSize(int(kept) if kept in map(str, SIZES) else SIZES[0])


def keep_size(answer: Response, size: PageSize) -> Response:
    """Remember a size that was chosen just now."""
    if size.chosen:
        answer.set_cookie(
            SIZE_COOKIE, str(size.rows), max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure,
            httponly=True,
        )  # fmt: skip
    return answer


def row_id(text: str) -> int:
    """The id of a row that an address or a form names. Raises: ValueError for what no row can have."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID):
        raise ValueError("no row has such an id")
    return int(text)


class RowId(IntegerConverter):
    """A row's id in the path of an address; one that no row can have leads to no page."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=MAX_ID)


def encode_cursor(cursor: tuple[datetime, int]) -> str:
    """A position for the address: microseconds and id."""
    moment, number = cursor
    return f"{(moment - _EPOCH) // _MICROSECOND}-{number}"


def decode_cursor(text: str | None) -> tuple[datetime, int] | None:
    """The position that an address names; None for none and for nonsense."""
    micros, dash, number = (text or "").partition("-")
    if not (dash and micros.isdecimal() and len(micros) < 19):
        return None
    try:
        return _EPOCH + int(micros) * _MICROSECOND, row_id(number)
    except (OverflowError, ValueError):
        return None


def page_url(
    endpoint: str, arguments: Mapping[str, Any], name: str, cursor: tuple[datetime, int] | None
) -> str | None:
    """The address of a neighbouring page; None where there is none."""
    if cursor is None:
        return None
    return url_for(endpoint, **{**arguments, name: encode_cursor(cursor)})
