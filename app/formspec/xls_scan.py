"""A first look into an old .xls (BIFF8 in an OLE container): passwords, far cells, formulas.

Source: [MS-CFB] for the container, [MS-XLS] for the records.
"""

from __future__ import annotations

import struct

from app.formspec.workbook_error import WorkbookError
from app.formspec.xlsx_scan import Area, SheetScan

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FREE = 0xFFFFFFFA
_PAIR = struct.Struct("<HH")
_BOF, _BOUNDSHEET, _FILEPASS, _FORMULA = 0x0809, 0x0085, 0x002F, 0x0006
# Records that put a value into a cell: number, RK, several RK, label, shared string, rich string, boolean.
_VALUE_RECORDS = frozenset({0x0203, 0x027E, 0x00BD, 0x0204, 0x00FD, 0x00D6, 0x0205, _FORMULA})


def streams(content: bytes) -> dict[str, bytes]:
    """Return the streams of an OLE container by name.

    Raises: WorkbookError where the container is damaged.
    """
    try:
        return _Container(content).streams()
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise WorkbookError("damaged") from error


def scan_xls(content: bytes, area: Area) -> dict[str, SheetScan]:
    """Return what was found in each sheet, by sheet name.

    Raises: WorkbookError for damaged or protected files and for far cells.
    """
    found = streams(content)
    if "EncryptedPackage" in found or "EncryptionInfo" in found:
        raise WorkbookError("password")
    book = found.get("Workbook") or found.get("Book")
    if book is None:
        raise WorkbookError("damaged")
    try:
        return _scan_records(book, area)
    except (struct.error, IndexError) as error:
        raise WorkbookError("damaged") from error


def _scan_records(book: bytes, area: Area) -> dict[str, SheetScan]:
    sheets: dict[int, str] = {}
    scans: dict[str, SheetScan] = {}
    title = ""
    offset, end, pair = 0, len(book) - 4, _PAIR.unpack_from
    while offset <= end:
        kind, length = pair(book, offset)
        if kind in _VALUE_RECORDS:
            row, column = pair(book, offset + 4)
            if row >= area.rows or column >= area.columns:
                raise WorkbookError("far_cell", _address(row, column), sheet=f"工作表“{title}”")
            if kind == _FORMULA and title and not scans[title].formula:
                scans[title] = SheetScan(formula=_address(row, column))
        elif kind == _FILEPASS:
            raise WorkbookError("password")
        elif kind == _BOUNDSHEET:
            body = book[offset + 4 : offset + 4 + length]
            sheets[struct.unpack_from("<I", body)[0]] = _sheet_name(body)
        elif kind == _BOF and offset in sheets:
            title = sheets[offset]
            scans[title] = SheetScan()
        offset += 4 + length
    return scans


def _address(row: int, column: int) -> str:
    return f"{column_letters(column + 1)}{row + 1}"


def _sheet_name(body: bytes) -> str:
    length, wide = body[6], body[7] & 1
    return body[8 : 8 + length * 2].decode("utf-16-le") if wide else body[8 : 8 + length].decode("latin-1")


def column_letters(number: int) -> str:
    """Return A for 1, AA for 27."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class _Container:
    """The sector chains of an OLE file: only as much as reading its streams needs."""

    def __init__(self, content: bytes) -> None:
        if content[:8] != OLE_MAGIC or len(content) < 512:
            raise WorkbookError("damaged")
        self.content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise WorkbookError("damaged")
        self.size = 1 << shift
        first_directory, _, self.cutoff, first_mini, _, first_difat, _ = struct.unpack_from(
            "<IIIIIII", content, 48
        )
        self.fat = self._read_fat(first_difat)
        self.entries = self._read_directory(first_directory)
        self.mini_fat = _numbers(self._chain(first_mini)) if first_mini < _FREE else ()
        root = self.entries[0]
        self.mini = self._chain(root[2])[: root[3]] if root[2] < _FREE else b""

    def streams(self) -> dict[str, bytes]:
        return {name: self._stream(start, size) for name, kind, start, size in self.entries if kind == 2}

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self.size
        return self.content[start : start + self.size]

    def _read_fat(self, next_difat: int) -> tuple[int, ...]:
        sectors = list(struct.unpack_from("<109I", self.content, 76))
        seen: set[int] = set()
        while next_difat < _FREE and next_difat not in seen:
            seen.add(next_difat)
            numbers = _numbers(self._sector(next_difat))
            sectors += numbers[:-1]
            next_difat = numbers[-1]
        return _numbers(b"".join(self._sector(number) for number in sectors if number < _FREE))

    def _chain(self, start: int) -> bytes:
        pieces, number, steps = [], start, 0
        while number < _FREE:
            pieces.append(self._sector(number))
            number = self.fat[number]
            steps += 1
            if steps > len(self.fat):
                raise WorkbookError("damaged")
        return b"".join(pieces)

    def _read_directory(self, start: int) -> list[tuple[str, int, int, int]]:
        content = self._chain(start)
        entries = []
        for offset in range(0, len(content) - 127, 128):
            length, kind = struct.unpack_from("<HB", content, offset + 64)
            name = content[offset : offset + max(0, min(length, 64) - 2)].decode("utf-16-le")
            first, size = struct.unpack_from("<II", content, offset + 116)
            entries.append((name, kind, first, size))
        return entries

    def _stream(self, start: int, size: int) -> bytes:
        if size >= self.cutoff:
            return self._chain(start)[:size]
        pieces, number, steps = [], start, 0
        while number < _FREE and steps <= len(self.mini_fat):
            pieces.append(self.mini[number * 64 : number * 64 + 64])
            number = self.mini_fat[number]
            steps += 1
        return b"".join(pieces)[:size]


def _numbers(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])
