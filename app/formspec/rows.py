"""One row of a batch file ↔ the typed data of a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from app.errors import FieldError
from app.formspec.derive import fill_derived
from app.formspec.fields import Field
from app.formspec.form import Form
from app.formspec.parse import PARSERS, cell_text, clean_text, parse_half_width
from app.formspec.validate import field_error, validate

# Up to here a spreadsheet number is exact; a longer one has lost its last digits.
_EXACT_LIMIT = 10**15
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2}", re.ASCII)
_SERIAL_DAYS = range(10_000, 80_000)
_SERIAL_ZERO = date(1899, 12, 30)
_LIST_MARKS = re.compile(r"[、,，;；]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file: its number there, raw cell values by field, and column letters."""

    number: int
    cells: Mapping[str, Any]
    letters: Mapping[str, str] = field(default_factory=dict)

    def address(self, name: str) -> str:
        """Return the cell's address, such as B17."""
        return f"{self.letters.get(name, '')}{self.number}"


def row_to_data(
    form: Form, row: Row, today: date, settings: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the typed data of a row, and the cells that could not be read at all.

    Shape: `settings` are the typed values given once for the whole file.
    The data are not checked yet: `check_row` does both.
    Labels from the drop-downs become codes, empty cells take the column's default ("today" is `today`),
    and an identity card number fills birth date, sex and nationality.
    """
    batch = form.batch
    words = form.batch_form if batch else form
    data: dict[str, Any] = dict(settings or {})
    errors: list[FieldError] = []
    for name in batch.columns if batch else form.by_name:
        raw = row.cells.get(name)
        if raw is None or raw == "":
            continue
        entry = form.by_name[name]
        code = _unreadable(entry, raw)
        if code is not None:
            errors.append(field_error(words, name, code, cell=row.address(name), value=cell_text(raw)))
            continue
        value = _typed(form, entry, raw)
        if value not in ("", []):
            data[name] = value
    return _completed(form, fill_derived(form, data), today), errors


def check_row(
    form: Form, row: Row, today: date, settings: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the typed data of a row and all its refusals, each field named once."""
    data, unread = row_to_data(form, row, today, settings)
    named = {error.field for error in unread}
    refusals = validate(form.batch_form, data, today=today)
    return data, unread + [error for error in refusals if error.field not in named]


def data_to_cells(form: Form, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a row for the template: labels for codes, the column's own way to write days."""
    names = form.batch.columns if form.batch else tuple(form.by_name)
    return {name: cell_of(form.by_name[name], data[name]) for name in names if data.get(name) is not None}


def cell_of(entry: Field, value: Any) -> str:
    """Return one stored value as its cell's text."""
    text = str(value)
    column_format = entry.column.format if entry.column else ""
    if entry.choice:
        return (
            entry.label_of(value) if not (entry.column and entry.column.show_codes) else _shown(entry, text)
        )
    if column_format == "yyyy/mm/dd":
        return text.replace("-", "/")
    if column_format == "yyyymm":
        return text.replace("-", "")
    if entry.kind == "money" and text.endswith(".00"):
        return text[:-3]
    return text


def choice_labels(entry: Field) -> list[str]:
    """Return the drop-down texts of a column, in order; equal words are told apart by their codes."""
    labels = [option.label for option in entry.options]
    if (entry.column and entry.column.show_codes) or len(set(labels)) < len(labels):
        return [f"{option.value}-{option.label}" for option in entry.options]
    return labels


def _shown(entry: Field, code: str) -> str:
    return next((f"{option.value}-{option.label}" for option in entry.options if option.value == code), code)


def _unreadable(entry: Field, raw: Any) -> str | None:
    if isinstance(raw, time | timedelta) or (isinstance(raw, bool) and entry.kind != "check"):
        return "cell_value"
    if isinstance(raw, date | datetime):
        return None if entry.kind in ("date", "month") else "cell_value"
    if entry.kind in ("identity", "account", "phone"):
        if isinstance(raw, int | float) and abs(raw) >= _EXACT_LIMIT:
            return "number_rounded"
        if isinstance(raw, str) and _SCIENTIFIC.fullmatch(raw.strip()):
            return "number_rounded"
    return None


def _typed(form: Form, entry: Field, raw: Any) -> Any:
    if entry.kind == "date" and isinstance(raw, int | float) and int(raw) in _SERIAL_DAYS:
        return (_SERIAL_ZERO + timedelta(days=int(raw))).isoformat()
    text = unguarded(cell_text(raw))
    if not entry.choice:
        return PARSERS[entry.kind](text) if clean_text(text) else ""
    codes = form.codes_by_text[entry.name]
    if entry.multiple:
        parts = [parse_half_width(part) for part in _LIST_MARKS.split(text)]
        return [code for part in parts if part for code in codes.get(part, part).split(",")]
    typed = parse_half_width(text)
    return codes.get(typed, typed)


def _completed(form: Form, data: dict[str, Any], today: date) -> dict[str, Any]:
    asked = {*form.batch.columns, *form.batch.settings} if form.batch else set()
    for entry in form.fields:
        if entry.name in data:
            continue
        default = entry.column.default if entry.column and entry.name in asked else None
        if default is None and entry.name not in asked:
            default = entry.default
        if default is not None:
            data[entry.name] = today.isoformat() if default == "today" else default
    return data


def guarded(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula when it is opened or saved as CSV."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r") else text
