"""Batch files of stops: template, rows and words of each region (NT-2.4, JS-3.7, SZ-2.2, NJ-3.2, WN-2.3)."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from app.extensions import db
from app.services import batch_results, declarations, templates
from app.store.models import Declaration, Enrolment, HumanTask
from tests.services.batch_files import FIRST_ROW, filled, saved
from tests.services.conftest import SUZHOU, citizen, rows
from tests.services.test_imports import run  # noqa: F401 - a fixture
from tests.services.test_stop import HUAIAN, NANJING, WEINAN, employee, handlers, open_funds  # noqa: F401

CARD = "居民身份证(户口簿)"


def cells_of(found, **more):
    return {"id_type": CARD, "id_number": found.id_number, "name": found.name, **more}


class TestNantong:
    def test_nt_2_4_the_file_holds_the_whole_roster(self, nantong, now):
        made = templates.template_of(nantong, "stop", now)
        assert made.file_name == "企业(32060000001)职工批量减少申报填写表.xlsx"
        sheet = load_workbook(BytesIO(made.content)).active
        places = {cell.value: cell.column for cell in sheet[2]}
        assert list(places)[:3] == ["id_number", "name", "stop_reason"]
        numbers = [
            sheet.cell(row, places["id_number"]).value
            for row in range(FIRST_ROW, sheet.max_row + 1)
            if sheet.cell(row, places["id_number"]).value
        ]
        insured = db.session.scalar(
            select(func.count(func.distinct(Enrolment.person_id))).where(
                Enrolment.employer_id == nantong.employer_id,
                Enrolment.to_month.is_(None),
                Enrolment.status == "active",
                Enrolment.fund == "310",
                ~Enrolment.person_type.startswith("12"),
            )
        )
        assert len(numbers) == len(set(numbers)) == insured
        assert {
            sheet.cell(row, places["stop_reason"]).value for row in range(FIRST_ROW, FIRST_ROW + len(numbers))
        } == {"10-合同期满终止"}

    def test_nt_2_4_the_rows_that_are_left_wait_for_submission(self, nantong, run, now):  # noqa: F811
        book = load_workbook(BytesIO(templates.template_of(nantong, "stop", now).content))
        sheet = book.active
        sheet.delete_rows(FIRST_ROW + 3, sheet.max_row)
        places = {cell.value: cell.column for cell in sheet[2]}
        sheet.cell(FIRST_ROW, places["stop_reason"]).value = "12-辞职"
        sheet.cell(FIRST_ROW + 2, places["name"]).value = "别人"
        batch = run(nantong, "stop", saved(book))
        assert (batch.accepted_rows, batch.rejected_rows) == (2, 1)
        assert batch.message == "成功：2行,失败：1行。请在待提交模块中查询成功导入信息。"
        (error,) = batch_results.errors_of(batch.id)
        assert (error[0], error[1]["code"]) == (FIRST_ROW + 2, "enrol.name_differs")
        found = rows(Declaration, batch_id=batch.id)
        assert {row.status for row in found} == {"pending"}
        data = [declarations.get_case(nantong, row.reference, now).data for row in found]
        assert sorted(each["stop_reason"] for each in data) == ["10", "12"]
        assert {each["stop_month"] for each in data} == {"2026-11"}


class TestSuzhou:
    def test_sz_2_2_rows_take_effect_at_once_and_refusals_keep_their_words(self, suzhou, run):  # noqa: F811
        people = [employee(suzhou, place) for place in range(3)]
        more = {"stop_reason": "辞职", "stop_date": "2026/11/30"}
        cells = [cells_of(each, **more) for each in people]
        cells.append(cells_of(citizen(SUZHOU, "retired"), **more))
        cells.append(cells_of(citizen(SUZHOU, "unknown"), **more))
        cells.append(cells_of(employee(suzhou, 3), stop_reason="辞职", stop_date="2026/11/15"))
        batch = run(suzhou, "stop", filled(suzhou, "stop", cells))
        assert (batch.accepted_rows, batch.rejected_rows) == (3, 3)
        assert {row.status for row in rows(Declaration, batch_id=batch.id)} == {"done"}
        assert all(open_funds(each.person_id) == {} for each in people)
        assert [error["message"] for _, error in batch_results.errors_of(batch.id)] == [
            "处理失败！退休人员不允许停保。",
            "未获取到人员基础信息，无法办理！",
            "减员时间范围是：上月末或本月末！",
        ]

    def test_the_template_is_empty(self, suzhou, now):
        sheet = load_workbook(BytesIO(templates.template_of(suzhou, "stop", now).content)).active
        assert sheet.cell(FIRST_ROW, 2).value in (None, "")


@pytest.mark.parametrize(
    ("region", "more", "status"),
    [
        (HUAIAN, {"stop_reason": "辞职", "stop_date": "2026/11/30"}, "submitted"),
        (NANJING, {"stop_reason": "6301-在职人员解除终止劳动合同", "stop_date": "2026-11-30"}, "done"),
    ],
)
def test_js_3_7_and_nj_3_2_rows_become_cases(handlers, run, region, more, status):  # noqa: F811
    actor = handlers[region]
    people = [employee(actor, place) for place in range(2)]
    cells = [cells_of(each, **more) for each in people]
    if region == NANJING:
        cells = [{name: value for name, value in row.items() if name != "id_type"} for row in cells]
    batch = run(actor, "stop", filled(actor, "stop", cells))
    assert (batch.accepted_rows, batch.rejected_rows) == (2, 0), list(batch_results.errors_of(batch.id))
    assert {row.status for row in rows(Declaration, batch_id=batch.id)} == {status}


class TestWeinan:
    MORE = {"stop_month": "202611", "stop_reason": "02-解除或终止劳动合同"}

    def test_wn_2_3_one_bad_row_keeps_the_file_out(self, handlers, run):  # noqa: F811
        actor = handlers[WEINAN]
        cells = [cells_of(employee(actor, place), **self.MORE) for place in range(2)]
        cells.append(cells_of(citizen(WEINAN, "unknown"), **self.MORE))
        batch = run(actor, "stop", filled(actor, "stop", cells))
        assert (batch.accepted_rows, batch.rejected_rows) == (0, 3)
        assert rows(Declaration, batch_id=batch.id) == []

    def test_wn_2_3_a_good_file_waits_for_each_persons_materials(self, handlers, run):  # noqa: F811
        actor = handlers[WEINAN]
        cells = [cells_of(employee(actor, place), **self.MORE) for place in range(2)]
        batch = run(actor, "stop", filled(actor, "stop", cells))
        assert (batch.accepted_rows, batch.rejected_rows) == (2, 0), list(batch_results.errors_of(batch.id))
        tasks = rows(HumanTask, batch_id=batch.id)
        assert {(task.form, task.settings["status"]) for task in tasks} == {("materials", "draft")}
        assert {row.status for row in rows(Declaration, batch_id=batch.id)} == {"draft"}

    def test_wn_2_3_retirees_have_a_file_of_their_own(self, handlers, run):  # noqa: F811
        actor = handlers[WEINAN]
        found = employee(actor, person_type="1201")
        cells = [cells_of(found, stop_month="202611", stop_reason="02-转出统筹区")]
        batch = run(actor, "stop_retiree", filled(actor, "stop_retiree", cells))
        assert (batch.accepted_rows, batch.rejected_rows) == (1, 0), list(batch_results.errors_of(batch.id))

    def test_the_file_brings_codes_and_a_sample(self, handlers, now):  # noqa: F811
        made = templates.template_of(handlers[WEINAN], "stop", now)
        assert made.file_name == "在职减员报盘模版.xlsx"
        titles = load_workbook(BytesIO(made.content)).sheetnames
        assert any("代码" in title for title in titles)
        assert any("示例" in title for title in titles)


def test_a_file_of_stops_costs_the_statements_of_one_row(suzhou, run, statement_counter):  # noqa: F811
    costs = []
    for first, count in ((0, 1), (1, 6)):
        people = employees(suzhou, first, count)
        cells = [cells_of(each, stop_reason="辞职", stop_date="2026/11/30") for each in people]
        content = filled(suzhou, "stop", cells)
        with statement_counter() as counted:
            batch = run(suzhou, "stop", content)
        assert batch.accepted_rows == count
        costs.append(counted.total)
    assert costs[1] <= costs[0] + 1


def employees(actor, first: int, count: int):
    """Several employees, none of whom was among the first ones."""
    return [employee(actor, place) for place in range(count + first)][first:]
