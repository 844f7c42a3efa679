"""Templates: what we hand out, and that it comes back as the same data."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import openpyxl
import pytest

from app.formspec.excel import Refused, build_error_workbook, build_template
from app.formspec.resolve import FormDocumentError
from app.formspec.rows import Row, check_row, guarded, unguarded
from app.formspec.workbook import read_workbook
from tests.formspec.people import jiangsu_rows, nantong_rows

TODAY = date(2026, 11, 8)
FUNDS = {"funds": ["310"]}


@pytest.mark.parametrize(("name", "rows"), [("enrol", jiangsu_rows(30)), ("enrol.320600", nantong_rows(30))])
def test_round_trip(forms, name, rows):
    form = forms[name]
    upload = read_workbook(build_template(form, "7", rows, {"region": "320800"}), form)
    assert upload.facts["region"] == "320800"
    assert upload.version == "7"
    assert [row.number for row in upload.rows] == list(range(4, 34))
    for row, given in zip(upload.rows, rows, strict=True):
        data, errors = check_row(form, row, TODAY, FUNDS if name == "enrol" else None)
        assert errors == []
        assert {key: data[key] for key in given} == given


def test_the_template_is_as_the_manuals_want_it(forms):
    book = openpyxl.load_workbook(BytesIO(build_template(forms["enrol"], "1")))
    sheet = book.active
    assert book.sheetnames == ["职工批量增员申报", "示例", "代码对应表", "模板信息"]
    assert book["模板信息"].sheet_state == "veryHidden"
    assert [cell.value for cell in sheet[3]][:5] == [
        "证件类型", "证件号码", "姓名", "性别(证件类型为居民身份证时此项不用填写)", "民族(不填默认汉族)",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[2]][:3] == ["id_type", "id_number", "name"]
    assert sheet.row_dimensions[2].hidden
    assert sheet["B3"].font.color.rgb == "00C00000"
    assert sheet["D3"].font.color.rgb == "00000000"
    assert {cell.number_format for row in sheet["A4:K60"] for cell in row} == {"@"}
    lists = {
        str(entry.sqref)[:2]: entry.formula1
        for entry in sheet.data_validations.dataValidation
        if entry.formula1
    }
    assert lists["E4"].startswith("'代码对应表'!$")
    assert set(lists) == {"A4", "D4", "E4", "G4"}


def test_forms_without_a_batch_file_say_so(forms):
    assert forms["enrol.610500"].batch is None
    with pytest.raises(FormDocumentError):
        build_template(forms["enrol.610500"], "1")


def test_refused_rows_come_back_in_the_same_template(forms):
    form = forms["enrol.320600"]
    rows = nantong_rows(2)
    rows[1]["wage_yuan"] = "六千"
    upload = read_workbook(build_template(form, "7", rows), form)
    _, errors = check_row(form, upload.rows[1], TODAY)
    content = build_error_workbook(form, "7", [Refused(upload.rows[1], [error.message for error in errors])])
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    assert sheet["G3"].value == "错误原因"
    assert sheet["G4"].value == "缴费工资：只填写整数，不保留小数"
    sheet["F4"] = "6000"
    corrected = BytesIO()
    sheet.parent.save(corrected)
    again = read_workbook(corrected.getvalue(), form)
    data, errors = check_row(form, again.rows[0], TODAY)
    assert errors == []
    assert data["wage_yuan"] == "6000.00"
    assert data["id_number"] == rows[1]["id_number"]


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_of_ours_becomes_a_formula(forms, text):
    form = forms["enrol.320600"]
    row = Row(4, {"id_number": "1", "name": text}, {"name": "B"})
    content = build_error_workbook(form, "1", [Refused(row, ["=cmd()"])])
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    assert {cell.data_type for cells in sheet.iter_rows() for cell in cells} <= {"s", "n"}
    assert str(sheet["B4"].value).startswith("'")
    assert str(sheet["G4"].value).startswith("'")
    assert unguarded(guarded(text)) == text


def test_a_batch_asks_only_for_what_its_template_has(forms):
    row = Row(4, {"id_number": jiangsu_rows(1)[0]["id_number"], "name": "测试甲", "wage_yuan": 8000.0,
                  "phone": 13900000000}, {})  # fmt: skip
    data, errors = check_row(forms["enrol"], row, TODAY, FUNDS)
    assert errors == []
    assert data["start_date"] == "2026-11-08"
    assert (data["ethnicity"], data["nationality"], data["person_type"], data["id_type"]) == (
        "01", "CHN", "1101", "01",
    )  # fmt: skip
    assert data["wage_yuan"] == "8000.00"


def test_drop_down_words_codes_and_both_are_understood(forms):
    base = dict(read_cells(forms["enrol.320600"]))
    for typed in ("专业技术人员", "02", "02-专业技术人员", " 专业技术人员 "):
        data, errors = check_row(forms["enrol.320600"], Row(4, {**base, "post": typed}), TODAY)
        assert (data["post"], errors) == ("02", [])
    _, errors = check_row(forms["enrol.320600"], Row(4, {**base, "post": "宇航员"}), TODAY)
    assert [error.message for error in errors] == ["工作岗位：请从列表中选择"]


def read_cells(form) -> dict:
    return dict(read_workbook(build_template(form, "1", nantong_rows(1)), form).rows[0].cells)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"id_number": 3.2060019900101e17}, "number_rounded"),
        ({"id_number": "3.2E+17"}, "number_rounded"),
        ({"id_number": date(2026, 1, 1)}, "cell_value"),
        ({"wage_yuan": True}, "cell_value"),
    ],
)
def test_cells_that_lost_their_text_are_named(forms, cells, code):
    form = forms["enrol.320600"]
    row = Row(17, {**read_cells(form), **cells}, {"id_number": "A", "wage_yuan": "F"})
    _, errors = check_row(form, row, TODAY)
    assert [(error.field, error.code) for error in errors] == [(next(iter(cells)), code)]
    assert f"{'A' if 'id_number' in cells else 'F'}17 单元格" in errors[0].message
