"""Workbooks from outside: odd ones are read, hostile ones are refused in words and harm nothing."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formspec.excel import build_template
from app.formspec.rows import check_row
from app.formspec.workbook import Limits, WorkbookError, read_workbook
from app.formspec.xlsx_scan import Area, is_plain, scan_sheet, scan_sheet_exactly
from tests.formspec.people import nantong_rows

FIXTURES = Path(__file__).parent / "fixtures"
TODAY = date(2026, 11, 8)
AREA = Area(rows=99_999, columns=64)
MAIN = "xl/worksheets/sheet1.xml"


@pytest.fixture(scope="module")
def template(forms) -> bytes:
    return build_template(forms["enrol.320600"], "1", nantong_rows(3))


def repacked(content: bytes, **parts: bytes) -> bytes:
    """Return the archive with parts replaced; `sheet` is the filling sheet."""
    replaced = {MAIN: parts.pop("sheet")} if "sheet" in parts else {}
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, replaced.get(entry.filename, source.read(entry.filename)))
        for name, value in parts.items():
            archive.writestr(name, value)
    return target.getvalue()


def main_sheet(content: bytes) -> bytes:
    return zipfile.ZipFile(io.BytesIO(content)).read(MAIN)


def refusal(content: bytes | Path, form, **limits) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_workbook(content, form, Limits(**limits))
    return caught.value


def test_the_fixtures_were_made_by_libreoffice():
    workbooks = sorted(FIXTURES.glob("*.xlsx"))
    assert len(workbooks) >= 7
    for path in workbooks:
        assert b"<Application>LibreOffice/" in zipfile.ZipFile(path).read("docProps/app.xml"), path.name
        assert path.with_suffix(".xls").read_bytes()[:4] == b"\xd0\xcf\x11\xe0"


@pytest.mark.parametrize("extension", ["xlsx", "xls"])
def test_both_formats_give_the_same_data(forms, extension):
    form = forms["enrol.320600"]
    upload = read_workbook(FIXTURES / f"nantong.{extension}", form)
    checked = [check_row(form, row, TODAY) for row in upload.rows]
    assert [errors for _data, errors in checked] == [[]] * 12
    read = [{key: data[key] for key in nantong_rows(1)[0]} for data, _errors in checked]
    assert read == nantong_rows(12)


@pytest.mark.parametrize("extension", ["xlsx", "xls"])
def test_odd_but_right_files_are_read(forms, extension):
    """Blank rows, an own sheet with formulas in front, lower-case x, full-width digits, days, numbers."""
    upload = read_workbook(FIXTURES / f"odd.{extension}", forms["enrol"])
    checked = [check_row(forms["enrol"], row, TODAY, {"funds": ["310"]}) for row in upload.rows]
    assert [row.number for row in upload.rows] == [6, 7, 8, 9, 10, 11]
    assert [errors for _data, errors in checked] == [[]] * 6
    assert checked[0][0]["id_number"].endswith("X")
    assert checked[1][0]["phone"] == "13900000002"
    assert checked[2][0]["start_date"] == "2026-11-01"
    assert checked[2][0]["wage_yuan"] == "8000.00"


@pytest.mark.parametrize("extension", ["xlsx", "xls"])
@pytest.mark.parametrize(
    ("name", "code", "named"),
    [
        ("formula", "formula", "F5"),
        ("merged", "merged", "B5"),
        ("first_row_deleted", "header_moved", "A3"),
        ("column_moved", "column_missing", "姓名"),
    ],
)
def test_changed_templates_are_refused_by_name(forms, name, code, named, extension):
    error = refusal(FIXTURES / f"{name}.{extension}", forms["enrol.320600"])
    assert error.code == code
    assert named in error.message


@pytest.mark.parametrize("extension", ["xlsx", "xls"])
def test_a_number_in_place_of_an_identity_number_refuses_its_row_only(forms, extension):
    form = forms["enrol.320600"]
    upload = read_workbook(FIXTURES / f"number.{extension}", form)
    found = [check_row(form, row, TODAY)[1] for row in upload.rows]
    assert [len(errors) for errors in found] == [0, 1, 0]
    assert "A5 单元格" in found[1][0].message


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "empty_file", "空的"),
        (b"%PDF-1.7 ...", "not_workbook", "PDF"),
        (b"<html><table>", "not_workbook", "网页"),
        (b"PK\x03\x04 torn", "damaged", "损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged", "损坏"),
    ],
)
def test_what_is_no_workbook_is_refused(forms, content, code, words):
    error = refusal(content, forms["enrol.320600"])
    assert error.code == code
    assert words in error.message


def test_size_and_rows_are_limited_exactly(forms, template):
    form = forms["enrol.320600"]
    size = len(template)
    assert len(read_workbook(template, form, Limits(file_bytes=size, rows=3)).rows) == 3
    assert refusal(template, form, file_bytes=size - 1).code == "too_big"
    assert refusal(bytes(10 * 1024 * 1024 + 1), form).message == "文件大小不能超过 10M"
    error = refusal(template, form, rows=2)
    assert (error.code, error.cell) == ("too_many_rows", "A6")
    assert "每批最多 2 行" in error.message


def test_an_empty_template_says_so(forms):
    form = forms["enrol.320600"]
    assert refusal(build_template(form, "1"), form).code == "no_rows"


def test_the_template_of_another_form_is_refused(forms):
    form = forms["enrol.320100"]
    other = build_template(forms["person_record.320100"], "1", [{"id_number": "1", "name": "测试"}])
    error = refusal(other, form)
    assert (error.code, error.message) == (
        "wrong_form",
        "文件是“人员基础信息采集”的模板，请在对应的事项里上传，或下载本事项的模板",
    )
    elsewhere = build_template(forms["enrol.320500"], "1", [{"name": "测试"}])
    assert refusal(elsewhere, form).code == "wrong_form"
    error = refusal(repacked_facts(build_template(form, "1", [{"name": "测试"}]), "person_record"), form)
    assert error.code == "wrong_form"


def repacked_facts(content: bytes, form_name: str) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    for row in book["模板信息"].iter_rows():
        if row[0].value == "form":
            row[1].value = form_name
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="XFD1048576"><v>1</v></c>',
        b'<c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c>',
        b"<c r='XFD1048576'><v>1</v></c>",
        b'<c  s="1"\n  r = "XFD1048576"><v>1</v></c>',
        b'<c r="XF&#68;1048576"><v>1</v></c>',
        b'<m:c xmlns:m="urn:any" r="XFD1048576"><m:v>1</m:v></m:c>',
        b'<c r="B100000"><v>1</v></c>',
        b'<c r="BM4"><v>1</v></c>',
    ],
)
def test_a_far_cell_is_refused_before_any_reader_sees_it(forms, template, cell):
    sheet = main_sheet(template).replace(b"</sheetData>", b'<row r="200">' + cell + b"</row></sheetData>")
    error = refusal(repacked(template, sheet=sheet), forms["enrol.320600"])
    assert error.code == "far_cell"
    assert error.cell.upper() in ("XFD1048576", "B100000", "BM4")
    assert error.cell in error.message


@pytest.mark.parametrize("part", [MAIN, "xl/workbook.xml", "xl/styles.xml"])
def test_document_types_are_refused(forms, template, part):
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    source = zipfile.ZipFile(io.BytesIO(template))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            content = source.read(entry.filename)
            archive.writestr(entry.filename, bomb + content if entry.filename == part else content)
    assert refusal(target.getvalue(), forms["enrol.320600"]).code == "unsafe_xml"


def test_a_zip_bomb_is_stopped_while_it_unpacks(forms, template):
    sheet = main_sheet(template).replace(b"</sheetData>", b" " * (20 << 20) + b"</sheetData>")
    content = repacked(template, sheet=sheet)
    assert len(content) < 200_000
    error = refusal(content, forms["enrol.320600"], unpacked_bytes=8 << 20)
    assert error.code == "too_large_inside"
    assert error.message.startswith("文件解开后的内容超过 8M")


def test_a_shared_strings_bomb_ends_the_reader_only(forms, template):
    """One long string, named by many cells: small on disk and unpacked, enormous once read."""
    strings = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    )
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(200, 9_000))
    sheet = main_sheet(template).replace(b"</sheetData>", cells + b"</sheetData>")
    parts = {"xl/sharedStrings.xml": strings % (b"x" * 400_000)}
    types = zipfile.ZipFile(io.BytesIO(template)).namelist()
    if "xl/sharedStrings.xml" in types:
        pytest.fail("the template is expected to hold its texts in the cells")
    error = refusal(repacked(template, sheet=sheet, **parts), forms["enrol.320600"])
    assert error.code in ("too_complex", "damaged")


def test_a_protected_file_says_so(forms):
    form = forms["enrol.320600"]
    assert refusal(FIXTURES / "password.xls", form).code == "password"
    assert refusal(encrypted_container(), form).code == "password"


def encrypted_container() -> bytes:
    """The outer shape of a password-protected .xlsx: an OLE container with an EncryptedPackage."""

    def entry(name: str, kind: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
        return (head.ljust(116, b"\0") + struct.pack("<IQ", start, size)[:12]).ljust(128, b"\0")

    free, end, fat_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0")
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6).ljust(20, b"\0")
    header += struct.pack("<IIIIIIII", 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    fat = struct.pack("<128I", fat_mark, end, *[3 + n for n in range(7)], end, *[free] * 118)
    directory = entry("Root Entry", 5, end, 0) + entry("EncryptedPackage", 2, 2, 4096)
    return header + fat + directory.ljust(512, b"\0") + bytes(512 * 8)


def test_two_columns_of_one_name_are_refused(forms, template):
    book = openpyxl.load_workbook(io.BytesIO(template))
    book.active["C2"] = "name"
    buffer = io.BytesIO()
    book.save(buffer)
    error = refusal(buffer.getvalue(), forms["enrol.320600"])
    assert (error.code, error.cell) == ("column_twice", "C3")


def test_reordered_columns_are_read_by_name(forms, template):
    book = openpyxl.load_workbook(io.BytesIO(template))
    sheet = book.active
    for row in range(2, 7):
        sheet.cell(row, 2).value, sheet.cell(row, 1).value = (
            sheet.cell(row, 1).value,
            sheet.cell(row, 2).value,
        )
    buffer = io.BytesIO()
    book.save(buffer)
    upload = read_workbook(buffer.getvalue(), forms["enrol.320600"])
    assert upload.rows[0].cells["id_number"] == nantong_rows(1)[0]["id_number"]
    assert upload.rows[0].address("id_number") == "B4"


CELLS = st.sampled_from(
    [
        b'<c r="A1"><v>1</v></c>',
        b'<c r="B2" t="s"><v>0</v></c>',
        b'<c r="C3"><f>A1</f><v>2</v></c>',
        b"<c r='D4'><f/><v>1</v></c>",
        b'<c r="AA7"/>',
        b'<c r="XFD9" s="1"/>',
        b'<c r="BN9"><v>3</v></c>',
        b'<c r="A1000000"><v>3</v></c>',
        b'<c r="E5"><is><t>&#20214; f &lt;f&gt;</t></is></c>',
        b"<!-- <f> -->",
        b'<c r="F6"><f t="shared" si="0"/></c>',
        b'<c\tr="G7"><v>1</v></c>',
        b"<formula1>x</formula1>",
    ]
)


def outcome(look, content: bytes) -> tuple[str, str]:
    try:
        return "found", look(content, AREA).formula
    except WorkbookError as error:
        return error.code, error.cell.upper()


@settings(max_examples=200, deadline=None)
@given(st.lists(CELLS, max_size=8))
def test_the_fast_look_sees_what_the_exact_one_sees(cells):
    content = b"<worksheet><sheetData>" + b"".join(cells) + b"</sheetData></worksheet>"
    exact, fast = outcome(scan_sheet_exactly, content), outcome(scan_sheet, content)
    assert fast == exact or {fast[0], exact[0]} == {"far_cell"}
    if is_plain(content):
        assert b"<!" not in content
