"""Workbooks that we hand out: the batch template, and the refused rows in the same template with reasons.

The filling sheet: row 1 instructions, row 2 the field names (hidden), row 3 titles, data from row 4.
All cells are text; drop-downs take their words from the code sheet; form, version and further facts stand
in a very hidden sheet, so that a file tells which template it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from app.formspec.fields import Batch, Column, Field
from app.formspec.form import Form
from app.formspec.parse import cell_text
from app.formspec.resolve import FormDocumentError
from app.formspec.rows import Row, choice_labels, data_to_cells, guarded

KEY_ROW, TITLE_ROW, FIRST_DATA_ROW = 2, 3, 4
ERROR_KEY, ERROR_TITLE = "_errors", "错误原因"
CODE_SHEET, SAMPLE_SHEET, FACT_SHEET = "代码对应表", "示例", "模板信息"
# Styled ahead so that typing keeps the text format even where a program ignores the column's own style.
_STYLED_ROWS = 100
_LAST_LIST_ROW = 60_000
_TEXT = "@"
_THIN = Side(style="thin", color="BFBFBF")
_LINE = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD_FILL = PatternFill("solid", fgColor="EAF1FB")
_LOCKED_FILL = PatternFill("solid", fgColor="F2F2F2")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not accepted, with the reasons to show beside it."""

    row: Row
    reasons: Sequence[str]


def build_template(
    form: Form,
    version: str,
    rows: Iterable[Mapping[str, Any]] = (),
    facts: Mapping[str, str] | None = None,
    instructions: str | None = None,
) -> bytes:
    """Return the batch template as .xlsx.

    Shape: `rows` are typed data to fill in beforehand (the roster); `facts` are kept in the hidden sheet
    beside form and version, such as region, kind and employer number.
    Raises: FormDocumentError where the form has no batch file.
    """
    cells = (data_to_cells(form, data) for data in rows)
    return _build(form, version, ((values, "") for values in cells), facts or {}, instructions, False)


def build_error_workbook(
    form: Form,
    version: str,
    refused: Iterable[Refused],
    facts: Mapping[str, str] | None = None,
    instructions: str | None = None,
) -> bytes:
    """Return the refused rows as .xlsx in the same template, ready to be corrected and sent again.

    The cells are as they were sent, the last column has the reasons; a new upload ignores that column.
    """
    lines = (
        ({name: cell_text(value) for name, value in entry.row.cells.items()}, "；".join(entry.reasons))
        for entry in refused
    )
    return _build(form, version, lines, facts or {}, instructions, True)


def _build(
    form: Form,
    version: str,
    lines: Iterable[tuple[Mapping[str, str], str]],
    facts: Mapping[str, str],
    instructions: str | None,
    with_errors: bool,
) -> bytes:
    batch = form.batch
    if batch is None:
        raise FormDocumentError(form.name, "#/x-batch", "this form has no batch file")
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook starts with a worksheet")
    sheet.title = batch.sheet[:31]
    fields = [form.by_name[name] for name in batch.columns]
    _write_head(sheet, fields, batch, instructions or batch.instructions, with_errors)
    _write_rows(sheet, fields, batch, lines, with_errors)
    _write_sample(book.create_sheet(SAMPLE_SHEET), fields)
    _write_codes(book.create_sheet(CODE_SHEET), sheet, fields)
    own_facts = {"form": form.name, "title": form.title, "version": version}
    _write_facts(book.create_sheet(FACT_SHEET), {**facts, **own_facts})
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _column(entry: Field) -> Column:
    return entry.column or Column(title=entry.title, required=entry.required)


def _write_head(
    sheet: Worksheet, fields: Sequence[Field], batch: Batch, instructions: str, with_errors: bool
) -> None:
    width = len(fields) + int(with_errors)
    put(sheet, 1, 1, instructions, wrap=True)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    sheet.row_dimensions[1].height = 66
    sheet.row_dimensions[KEY_ROW].hidden = True
    sheet.row_dimensions[TITLE_ROW].height = 48
    sheet.freeze_panes = f"A{FIRST_DATA_ROW}"
    for place, entry in enumerate(fields, 1):
        column = _column(entry)
        put(sheet, KEY_ROW, place, entry.name)
        _title(sheet, place, column.title, required=column.required)
        dimension = sheet.column_dimensions[get_column_letter(place)]
        dimension.number_format = _TEXT
        dimension.width = (
            24 if entry.kind in ("identity", "account") else min(30, max(12, len(column.title) * 2))
        )
        if column.note and not entry.choice:
            _prompt(sheet, place, column)
    if with_errors:
        put(sheet, KEY_ROW, width, ERROR_KEY)
        _title(sheet, width, ERROR_TITLE, required=False)
        sheet.column_dimensions[get_column_letter(width)].width = 60


def _title(sheet: Worksheet, place: int, title: str, required: bool) -> None:
    put(sheet, TITLE_ROW, place, title, wrap=True)
    cell = sheet.cell(TITLE_ROW, place)
    cell.font = Font(bold=True, color="C00000" if required else "000000")
    cell.fill = _HEAD_FILL
    cell.border = _LINE


def _prompt(sheet: Worksheet, place: int, column: Column) -> None:
    letter = get_column_letter(place)
    note = DataValidation(showInputMessage=True, promptTitle=column.title[:32], prompt=column.note[:255])
    note.add(f"{letter}{FIRST_DATA_ROW}:{letter}{_LAST_LIST_ROW}")
    sheet.add_data_validation(note)


def _write_rows(
    sheet: Worksheet,
    fields: Sequence[Field],
    batch: Batch,
    lines: Iterable[tuple[Mapping[str, str], str]],
    with_errors: bool,
) -> None:
    number = FIRST_DATA_ROW - 1
    for number, (cells, reasons) in enumerate(lines, FIRST_DATA_ROW):
        for place, entry in enumerate(fields, 1):
            put(sheet, number, place, cells.get(entry.name, ""))
            if entry.name in batch.locked:
                sheet.cell(number, place).fill = _LOCKED_FILL
        if with_errors:
            put(sheet, number, len(fields) + 1, reasons, wrap=True)
    for row in range(number + 1, FIRST_DATA_ROW + _STYLED_ROWS):
        for place in range(1, len(fields) + 1):
            sheet.cell(row, place).number_format = _TEXT


def _write_sample(sheet: Worksheet, fields: Sequence[Field]) -> None:
    put(sheet, 1, 1, "填写示例（本表不导入）")
    for place, entry in enumerate(fields, 1):
        column = _column(entry)
        sample = column.sample
        if sample == "*":
            sample = next(iter(choice_labels(entry)), "")
        put(sheet, 2, place, column.title, wrap=True)
        put(sheet, 3, place, sample)
        put(sheet, 4, place, column.note, wrap=True)
        sheet.column_dimensions[get_column_letter(place)].width = 24


def _write_codes(sheet: Worksheet, target: Worksheet, fields: Sequence[Field]) -> None:
    """List every choice with its codes, and hang the drop-downs of the filling sheet on the words."""
    place = 1
    for column, entry in enumerate(fields, 1):
        if not entry.options:
            continue
        put(sheet, 1, place, f"{entry.title}代码")
        put(sheet, 1, place + 1, entry.title)
        labels = choice_labels(entry)
        for row, (option, label) in enumerate(zip(entry.options, labels, strict=True), 2):
            put(sheet, row, place, option.value)
            put(sheet, row, place + 1, label)
        words, letter = get_column_letter(place + 1), get_column_letter(column)
        sheet.column_dimensions[words].width = 28
        listed = DataValidation(
            type="list",
            formula1=f"'{CODE_SHEET}'!${words}$2:${words}${len(labels) + 1}",
            allow_blank=True,
            showErrorMessage=True,
            errorTitle=entry.title[:32],
            error="请从下拉列表中选择",
        )
        listed.add(f"{letter}{FIRST_DATA_ROW}:{letter}{_LAST_LIST_ROW}")
        target.add_data_validation(listed)
        place += 3


def _write_facts(sheet: Worksheet, facts: Mapping[str, str]) -> None:
    sheet.sheet_state = "veryHidden"
    for row, (key, value) in enumerate(facts.items(), 1):
        put(sheet, row, 1, key)
        put(sheet, row, 2, value)


def put(sheet: Worksheet, row: int, column: int, text: str, wrap: bool = False) -> None:
    """Write a text cell that stays text: no formula, whatever it begins with."""
    cell = sheet.cell(row, column)
    cell.number_format = _TEXT
    if text:
        cell.value = guarded(text)
        cell.data_type = "s"
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
