"""Read a batch file that came from outside, trusting nothing in it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from app.formspec.excel import FACT_SHEET, FIRST_DATA_ROW, KEY_ROW
from app.formspec.fields import Batch
from app.formspec.form import Form
from app.formspec.resolve import FormDocumentError
from app.formspec.rows import Row
from app.formspec.workbook_error import WorkbookError
from app.formspec.xls_scan import OLE_MAGIC, column_letters, scan_xls
from app.formspec.xlsx_scan import Area, SheetScan, scan_xlsx

__all__ = ["Limits", "Upload", "WorkbookError", "read_workbook"]

_READER = Path(__file__).with_name("sheet_reader.py")
_MEGABYTE = 1 << 20
# First bytes of what people rename to .xlsx, and its name in the refusal.
_OTHER_KINDS: Sequence[tuple[bytes, str]] = (
    (b"%PDF", " PDF 文件"),
    (b"\xff\xd8\xff", "图片"),
    (b"\x89PNG", "图片"),
    (b"<", "网页或 XML 文件"),
    (b"{", "文本文件"),
    (b"Rar!", "压缩文件"),
    (b"7z\xbc\xaf", "压缩文件"),
)


# Far more than any template needs, far less than a reader chokes on.
_AREA = Area(rows=99_999, columns=64)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch file may cost. Units: bytes, rows, seconds."""

    file_bytes: int = 10 * _MEGABYTE
    rows: int = 10_000
    unpacked_bytes: int = 128 * _MEGABYTE
    memory_bytes: int = 768 * _MEGABYTE
    result_bytes: int = 48 * _MEGABYTE
    seconds: int = 30
    area: Area = _AREA


@dataclass(frozen=True, slots=True)
class Upload:
    """A batch file as read: the facts from its hidden sheet, and every row that is not blank."""

    facts: Mapping[str, str]
    rows: Sequence[Row]

    @property
    def version(self) -> str:
        return self.facts.get("version", "")


def read_workbook(source: bytes | Path, form: Form, limits: Limits | None = None) -> Upload:
    """Return the rows of a filled template (.xlsx or .xls, told apart by content).

    Shape: cells are raw values (text, numbers, days) by field name; `row_to_data` types them.
    Raises: WorkbookError with words that name the cell or the limit, for everything that is wrong with the
    file as a whole; FormDocumentError where the form has no batch file.
    """
    limits = limits or Limits()
    if form.batch is None:
        raise FormDocumentError(form.name, "#/x-batch", "this form has no batch file")
    with _on_disk(source, limits) as path, _reader_process() as reader:
        scans = _first_look(path, limits)
        found = _read(reader, path, form.batch, limits)
    facts = {str(row[0]): str(row[1]) for row in found.get("facts", []) if len(row) > 1}
    if found.get("sheet") is None:
        raise WorkbookError("header_missing")
    _refuse_other_form(form, facts)
    letters = _letters(form, form.batch, found["rows"], facts)
    formula = scans.get(found["sheet"], SheetScan()).formula
    if formula:
        raise WorkbookError("formula", formula)
    _refuse_merged(found["merged"])
    return Upload(facts, _rows(found, letters, limits))


@contextmanager
def _on_disk(source: bytes | Path, limits: Limits) -> Iterator[Path]:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size == 0:
        raise WorkbookError("empty_file")
    if size > limits.file_bytes:
        raise WorkbookError("too_big", limit=limits.file_bytes // _MEGABYTE)
    if isinstance(source, Path):
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="batch-") as file:
        file.write(source)
        file.flush()
        yield Path(file.name)


@contextmanager
def _reader_process() -> Iterator[subprocess.Popen[bytes]]:
    """Start the reader first: it loads while the file is looked through, and waits for its order."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(_READER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _first_look(path: Path, limits: Limits) -> Mapping[str, SheetScan]:
    content = path.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        return scan_xlsx(BytesIO(content), limits.unpacked_bytes, limits.area)
    if content.startswith(OLE_MAGIC):
        return scan_xls(content, limits.area)
    head = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    kind = next((name for magic, name in _OTHER_KINDS if head.startswith(magic)), "其他格式的文件")
    raise WorkbookError("not_workbook", kind=kind)


def _read(reader: subprocess.Popen[bytes], path: Path, batch: Batch, limits: Limits) -> dict[str, Any]:
    job = {
        "path": str(path.resolve()),
        "keys": list(batch.columns),
        "fact_sheet": FACT_SHEET,
        "memory": limits.memory_bytes,
        "seconds": limits.seconds,
        "characters": limits.result_bytes,
    }
    try:
        output, _ = reader.communicate(orjson.dumps(job), timeout=limits.seconds)
    except subprocess.TimeoutExpired as error:
        raise WorkbookError("too_complex") from error
    if reader.returncode != 0:
        raise WorkbookError("too_complex")
    found: dict[str, Any] = orjson.loads(output)
    if "error" in found:
        raise WorkbookError(found["error"])
    return found


def _letters(
    form: Form, batch: Batch, rows: Sequence[Sequence[Any]], facts: Mapping[str, str]
) -> dict[int, str]:
    """As `_header`; columns that another region's template of the same name lacks are not missing."""
    try:
        return _header(form, batch, rows)
    except WorkbookError as error:
        if error.code == "column_missing" and facts.get("form", form.name) != form.name:
            raise WorkbookError("wrong_form", other=facts.get("title", facts["form"])) from error
        raise


def _header(form: Form, batch: Batch, rows: Sequence[Sequence[Any]]) -> dict[int, str]:
    """Return field names by column index, from the hidden row of field names.

    Raises: WorkbookError where the row moved, or a column is missing or doubled.
    """
    keys = [str(cell).strip() for cell in rows[KEY_ROW - 1]] if len(rows) >= KEY_ROW else []
    if not set(keys).intersection(batch.columns):
        first = form.by_name[batch.columns[0]]
        title = first.column.title if first.column else first.title
        raise WorkbookError("header_moved", f"A{KEY_ROW + 1}", title=title)
    placed: dict[int, str] = {}
    for index, key in enumerate(keys):
        if key in batch.columns:
            if key in placed.values():
                address = f"{column_letters(index + 1)}{KEY_ROW + 1}"
                raise WorkbookError("column_twice", address, title=_title(form, key))
            placed[index] = key
    for name in batch.columns:
        if name not in placed.values():
            raise WorkbookError("column_missing", title=_title(form, name))
    return placed


def _title(form: Form, name: str) -> str:
    entry = form.by_name[name]
    return entry.column.title if entry.column else entry.title


def _refuse_merged(ranges: Sequence[Sequence[Sequence[int]]]) -> None:
    for (_top, left), (bottom, _right) in ranges:
        if bottom + 1 >= FIRST_DATA_ROW:
            top = max(_top + 1, FIRST_DATA_ROW)
            raise WorkbookError("merged", f"{column_letters(left + 1)}{top}")


def _refuse_other_form(form: Form, facts: Mapping[str, str]) -> None:
    other = facts.get("form", "")
    if other and other.partition(".")[0] != form.name.partition(".")[0].partition("#")[0]:
        raise WorkbookError("wrong_form", other=facts.get("title", other))


def _rows(found: Mapping[str, Any], placed: Mapping[int, str], limits: Limits) -> list[Row]:
    letters = {name: column_letters(index + 1) for index, name in placed.items()}
    columns = list(placed.items())
    width = max(placed) + 1
    kept: list[Row] = []
    for number, row in enumerate(found["rows"][FIRST_DATA_ROW - 1 :], FIRST_DATA_ROW):
        values = row if len(row) >= width else [*row, *[""] * (width - len(row))]
        cells = {name: values[index] for index, name in columns if values[index] != ""}
        if not cells or not any(_filled(value) for value in cells.values()):
            continue
        if len(kept) == limits.rows:
            raise WorkbookError("too_many_rows", f"A{number}", limit=limits.rows)
        if found["typed"]:
            cells = {name: _plain(value) for name, value in cells.items()}
        kept.append(Row(number, cells, letters))
    if not kept:
        raise WorkbookError("no_rows", row=FIRST_DATA_ROW)
    return kept


def _filled(value: Any) -> bool:
    return not isinstance(value, str) or value.strip() != ""


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return date.fromisoformat(value["day"]) if "day" in value else str(value.get("other", ""))
