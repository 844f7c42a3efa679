"""A first look into an .xlsx before any reader touches it: real sizes, far cells, formulas.

The look is on the bytes of each sheet where they are plain (UTF-8, no prefixes, double quotes: what every
spreadsheet program writes), which is fast; anything unusual goes through an XML parser, which is exact.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from posixpath import normpath
from typing import IO, Any
from xml.parsers import expat

from app.formspec.workbook_error import WorkbookError

MAX_ENTRIES = 2_000
_CHUNK = 1 << 20
_MEGABYTE = 1 << 20
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)

# Cells that may lie far out: two letters or more, or a row of six digits and more.
_FAR_CANDIDATE = re.compile(rb'<c\b[^<>]*\sr="([A-Za-z]{2,}[0-9]+|[A-Za-z][0-9]{6,})"[^<>]*>', re.ASCII)
_FAR_HINT = re.compile(rb'r="(?:[A-Za-z]{2,}[0-9]|[A-Za-z][0-9]{6})', re.ASCII)
_FORMULA = re.compile(rb"<f[\s/>]")
_CELL_REFERENCE = re.compile(rb'<c\b[^<>]*\sr="([A-Za-z]+[0-9]+)"')
_REFERENCE = re.compile(r"([A-Za-z]+)([0-9]+)", re.ASCII)
# Anything by which the same cells could be written so that the patterns above miss them. Each pattern
# begins with a fixed character: that is what makes the look fast.
_UNUSUAL = (
    re.compile(rb":(?:c|f|row)[\s/>]"),
    re.compile(rb"r\s+="),
    re.compile(rb"r=\s"),
    re.compile(rb"='"),
    re.compile(rb"= '"),
    re.compile(rb' r="[A-Za-z0-9]*&'),
    re.compile(rb'\nr="'),
    re.compile(rb'\rr="'),
    re.compile(rb'\tr="'),
    re.compile(rb"<!"),
)
_DECLARATION = re.compile(rb"\s*<\?xml[^>]*?encoding=[\"']([^\"']+)[\"']")


@dataclass(frozen=True, slots=True)
class SheetScan:
    """What the first look found in one sheet: the first formula's address, or nothing."""

    formula: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """The outermost cell that a workbook may use; the fast look tells rows apart from 100,000 on."""

    rows: int
    columns: int

    def holds(self, reference: str) -> bool:
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            return False
        return len(match[2]) < 8 and int(match[2]) <= self.rows and column_number(match[1]) <= self.columns


def column_number(letters: str) -> int:
    """Return 1 for A, 27 for AA; anything beyond four letters is simply far."""
    number = 0
    for letter in letters[:4].upper():
        number = number * 26 + ord(letter) - 64
    return number


def scan_xlsx(file: IO[bytes], max_unpacked: int, area: Area) -> dict[str, SheetScan]:
    """Return what was found in each sheet, by sheet name; the whole content has been unpacked once.

    Raises: WorkbookError for damaged or oversized content, document type declarations and far cells.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _scan_archive(archive, max_unpacked, area)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise WorkbookError("damaged") from error
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        raise WorkbookError("damaged") from error


def _scan_archive(archive: zipfile.ZipFile, max_unpacked: int, area: Area) -> dict[str, SheetScan]:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(entries) > MAX_ENTRIES or len(set(names)) != len(names) or "xl/workbook.xml" not in names:
        raise WorkbookError("damaged")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise WorkbookError("password")
    left = max_unpacked
    sheets = sheet_parts(archive, left)
    scans: dict[str, SheetScan] = {}
    for entry in entries:
        if not entry.filename.lower().endswith((".xml", ".rels")):
            continue
        content = _unpack(archive, entry, left, max_unpacked)
        left -= len(content)
        if _SHEET_PART.fullmatch(entry.filename):
            title = sheets.get(entry.filename, entry.filename)
            scans[title] = scan_sheet(content, area, title)
        elif b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise WorkbookError("unsafe_xml")
    return scans


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, limit: int) -> bytes:
    """Return an entry's bytes; what the archive claims about its size is not believed."""
    pieces = []
    with archive.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                raise WorkbookError("too_large_inside", limit=limit // _MEGABYTE)
            pieces.append(piece)
    return b"".join(pieces)


def sheet_parts(archive: zipfile.ZipFile, limit: int) -> dict[str, str]:
    """Return sheet names by part, such as {"xl/worksheets/sheet1.xml": "职工批量增员申报"}."""
    targets: dict[str, str] = {}
    titles: dict[str, str] = {}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "sheet":
            key = next((value for name, value in attributes.items() if _local(name) == "id"), "")
            target = targets.get(key, "")
            part = target.lstrip("/") if target.startswith("/") else normpath(f"xl/{target}")
            titles[part] = attributes.get("name", part)

    names = set(archive.namelist())
    for part, handler in (("xl/_rels/workbook.xml.rels", relation), ("xl/workbook.xml", sheet)):
        if part in names:
            _parse(_unpack(archive, archive.getinfo(part), limit, limit), handler)
    return titles


def scan_sheet(content: bytes, area: Area, title: str = "") -> SheetScan:
    """Look through one sheet's XML, fast where it is written plainly.

    Raises: WorkbookError for a cell with content outside the area, or a document type declaration.
    """
    if not is_plain(content):
        return scan_sheet_exactly(content, area, title)
    if _FAR_HINT.search(content) is not None:
        for match in _FAR_CANDIDATE.finditer(content):
            reference = match[1].decode("ascii")
            if not match[0].endswith(b"/>") and not area.holds(reference):
                raise WorkbookError("far_cell", reference, sheet=_named(title))
    formula = _FORMULA.search(content)
    if formula is None:
        return SheetScan()
    before = content.rfind(b"<c ", 0, formula.start())
    cell = _CELL_REFERENCE.match(content, before) if before >= 0 else None
    return SheetScan(formula=cell[1].decode("ascii").upper() if cell else "?")


def is_plain(content: bytes) -> bool:
    """Tell whether the patterns of the fast look see everything that an XML parser would see."""
    declared = _DECLARATION.match(content.removeprefix(b"\xef\xbb\xbf"))
    if declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        return False
    if b"\0" in content:
        return False
    return not any(pattern.search(content) for pattern in _UNUSUAL)


def scan_sheet_exactly(content: bytes, area: Area, title: str = "") -> SheetScan:
    """The same look through an XML parser, element by element."""
    look = _ExactLook(area, title)
    _parse(content, look.start, look.end, look.text)
    return SheetScan(formula=look.formula)


class _ExactLook:
    def __init__(self, area: Area, title: str) -> None:
        self.area = area
        self.title = title
        self.formula = ""
        self.cell = ""
        self.row = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "c":
            self.cell = attributes.get("r", "")
        elif name == "f" and not self.formula:
            self.formula = self.cell.upper() or "?"
        elif self.cell and name in ("v", "is") and not self.area.holds(self.cell):
            raise WorkbookError("far_cell", self.cell.upper(), sheet=_named(self.title))

    def end(self, tag: str) -> None:
        if _local(tag) == "c":
            self.cell = ""

    def text(self, text: str) -> None:
        if self.cell and text.strip() and not self.area.holds(self.cell):
            raise WorkbookError("far_cell", self.cell.upper(), sheet=_named(self.title))


def _parse(content: bytes, start: Any, end: Any = None, text: Any = None) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise WorkbookError("damaged") from error


def _refuse_doctype(*_: Any) -> None:
    raise WorkbookError("unsafe_xml")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _named(title: str) -> str:
    return f"工作表“{title}”" if title else "工作表"
