"""A batch file from upload to result: good rows become cases, bad rows come back with reasons."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from app.definitions import current
from app.errors import Conflict, NotFound, Rejected
from app.services import batch_results, batch_run, imports
from app.store.models import Declaration, Enrolment, ImportBatch, ImportRow
from tests.services.batch_files import filled, nantong_cells, platform_cells
from tests.services.conftest import HUAIAN, NANTONG, SUZHOU, citizen, rows

FUNDS = {"funds": ["310", "330", "510"]}


@pytest.fixture
def run(now):
    """Upload a file and work it through; gives the batch as it is then."""

    def go(actor, kind, content, settings=None, name="申报.xlsx"):
        made = imports.upload(actor, kind, name, content, settings or {}, now, queued=False)
        batch_run.run(made.batch.id)
        return imports.get_batch(actor, made.batch.id)

    return go


def test_good_rows_wait_to_be_submitted_and_bad_rows_come_back(nantong, run, now):
    people = [citizen(NANTONG, "not_insured", place) for place in range(3)]
    refused = citizen(NANTONG, "flexible")
    cells = [nantong_cells(each) for each in people]
    cells.insert(1, nantong_cells(refused))
    cells.append(nantong_cells(people[0]))
    cells.append(nantong_cells(people[1], wage_yuan="8000.5", post="没有这个岗位"))
    batch = run(nantong, "enrol", filled(nantong, "enrol", cells))
    assert batch.state == "finished"
    assert (batch.total_rows, batch.done_rows, batch.accepted_rows, batch.rejected_rows) == (6, 6, 3, 3)
    assert batch.message == "成功：3行,失败：3行。请在待提交管理模块中查询成功导入信息。"
    found = rows(Declaration, batch_id=batch.id)
    assert {row.status for row in found} == {"pending"}
    assert {row.id_masked for row in found} == {
        f"{each.id_number[:4]}*****{each.id_number[-4:]}" for each in people
    }
    errors = batch_results.errors_of(batch.id)
    assert [(row, error["code"]) for row, error in errors if row < 9] == [
        (5, "enrol.active_flexible"), (8, "import.duplicate_row"),
    ]  # fmt: skip
    assert {error["field"] for row, error in errors if row == 9} >= {"wage_yuan", "post"}
    assert errors[1][1]["message"] == "证件号码与第4行重复，同一文件中每人只能填写一行。"


def test_the_error_workbook_can_be_corrected_and_sent_again(nantong, run, now):
    found = citizen(NANTONG, "not_insured")
    first = run(nantong, "enrol", filled(nantong, "enrol", [nantong_cells(found, wage_yuan="八千")]))
    assert (first.accepted_rows, first.rejected_rows) == (0, 1)
    book = batch_results.error_workbook(nantong, first.id)
    assert book.file_name == "psnAdd_错误数据.xlsx"
    sheet = load_workbook(BytesIO(book.content)).active
    cells = {sheet.cell(2, place).value: sheet.cell(4, place) for place in range(1, sheet.max_column + 1)}
    assert "缴费工资" in cells["_errors"].value
    assert cells["id_number"].value == found.id_number
    book = load_workbook(BytesIO(book.content))
    for cell in book.active[2]:
        if cell.value == "wage_yuan":
            book.active.cell(4, cell.column).value = "8000"
    out = BytesIO()
    book.save(out)
    second = run(nantong, "enrol", out.getvalue())
    assert (second.accepted_rows, second.rejected_rows) == (1, 0)


def test_suzhou_rows_take_effect_at_once_with_one_date_and_fund_set(suzhou, run, now):
    funds = ["310", "37001", "330", "510", "410", "33001"]
    people = [citizen(SUZHOU, "unknown", place) for place in range(4)]
    cells = [platform_cells(each) for each in people] + [platform_cells(citizen(SUZHOU, "flexible"))]
    content = filled(suzhou, "enrol", cells)
    batch = run(suzhou, "enrol", content, {"funds": funds, "start_date": "2026-09-01"})
    assert (batch.state, batch.accepted_rows, batch.rejected_rows) == ("finished", 4, 1)
    found = rows(Declaration, batch_id=batch.id)
    assert {row.status for row in found} == {"done"}
    assert {row.result_code for row in found} == {"enrol.accepted_with_backpay"}
    enrolments = rows(Enrolment, declaration_id=found[0].id)
    assert sorted(row.fund for row in enrolments) == sorted(funds)
    assert {row.from_month for row in enrolments} == {"2026-09"}
    assert [error["message"] for _, error in batch_results.errors_of(batch.id)] == [
        "处理失败！该人员存在灵活就业参保。请先办理停保!"
    ]


def test_platform_rows_wait_for_the_auditor(person, run, now):
    handler = person("huaian.handler")
    cells = [platform_cells(citizen(HUAIAN, "unknown", place), start_date="2026/11/01") for place in range(3)]
    batch = run(handler, "enrol", filled(handler, "enrol", cells), FUNDS)
    assert batch.message == "成功：3行，失败：0行。"
    assert {row.status for row in rows(Declaration, batch_id=batch.id)} == {"submitted"}
    assert {row.state for row in rows(ImportRow, batch_id=batch.id)} == {"accepted"}


def test_what_is_asked_for_the_whole_file_is_asked(person, now):
    handler = person("huaian.handler")
    content = filled(handler, "enrol", [platform_cells(citizen(HUAIAN, "unknown"))])
    with pytest.raises(Rejected) as refused:
        imports.upload(handler, "enrol", "a.xlsx", content, {}, now)
    assert [error.field for error in refused.value.errors] == ["funds"]
    assert rows(ImportBatch) == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("", b"", "file_missing"),
        ("a.xlsx", b"", "empty_file"),
        ("a.pdf", b"%PDF", "not_workbook"),
        ("a.xlsx", bytes(10 * 1024 * 1024 + 1), "too_big"),
    ],
)
def test_a_file_that_is_none_is_refused_at_once(nantong, now, name, content, code):
    with pytest.raises(Rejected) as refused:
        imports.upload(nantong, "enrol", name, content, {}, now)
    assert [error.code for error in refused.value.errors] == [code]
    assert rows(ImportBatch) == []


def test_a_file_of_another_employer_or_kind_is_refused(nantong, run, now):
    other = next(each for each in sorted(nantong.employer_ids) if each != nantong.employer_id)
    content = filled(nantong, "enrol", [nantong_cells(citizen(NANTONG, "not_insured"))], other)
    batch = run(nantong, "enrol", content)
    assert batch.state == "failed"
    assert "请切换到该单位" in batch.message
    assert rows(Declaration) == []


def test_the_same_file_again_waits_until_somebody_agrees(nantong, run, now):
    content = filled(nantong, "enrol", [nantong_cells(citizen(NANTONG, "not_insured"))])
    run(nantong, "enrol", content)
    second = imports.upload(nantong, "enrol", "b.xlsx", content, {}, now)
    assert second.held
    batch_run.run(second.batch.id)
    held = imports.get_batch(nantong, second.batch.id)
    assert (held.state, held.done_rows) == ("stopped", 0)
    assert "申报.xlsx" in held.message
    imports.resume(nantong, held.id)
    batch_run.run(held.id)
    done = imports.get_batch(nantong, held.id)
    assert (done.state, done.accepted_rows, done.rejected_rows) == ("finished", 0, 1)
    assert batch_results.errors_of(held.id)[0][1]["code"] == "enrol.one_open"


def test_nanjing_takes_its_bundles_and_five_hundred_rows(person, run, now):
    handler = person("nanjing.handler")
    funds = {"funds": ["310,510", "330", "410"]}
    found = citizen("320100", "not_insured")
    cells = {
        "id_number": found.id_number, "name": found.name, "start_date": "2026/11/01",
        "phone": "13900000000", "wage_yuan": "8000",
    }  # fmt: skip
    batch = run(handler, "enrol", filled(handler, "enrol", [cells]), funds)
    assert (batch.state, batch.accepted_rows) == ("finished", 1), batch_results.errors_of(batch.id)
    (row,) = rows(Declaration, batch_id=batch.id)
    assert {each.fund for each in rows(Enrolment, declaration_id=row.id)} == {"310", "510", "330", "410"}
    long = run(handler, "enrol", filled(handler, "enrol", [cells] * 501), funds, name="b.xlsx")
    assert (long.state, long.total_rows) == ("failed", 0)
    assert long.message == "批量参保最多500条，文件中有501条。（从第 504 行起超出）"


def test_a_region_without_batch_has_no_template_and_takes_no_file(person, now):
    handler = person("weinan.handler")
    with pytest.raises(NotFound):
        imports.upload(handler, "enrol", "a.xlsx", b"x", {}, now)


def test_all_or_nothing(nantong, run, now, monkeypatch):
    rules = current.parameters(NANTONG)
    real = rules.flag
    monkeypatch.setattr(
        rules, "flag", lambda name, at: True if name == "batch.all_or_nothing" else real(name, at)
    )
    good, bad = nantong_cells(citizen(NANTONG, "not_insured")), nantong_cells(citizen(NANTONG, "flexible"))
    batch = run(nantong, "enrol", filled(nantong, "enrol", [good, bad]))
    assert (batch.accepted_rows, batch.rejected_rows) == (0, 2)
    assert [error["code"] for _, error in batch_results.errors_of(batch.id)] == [
        "import.other_rows_bad", "enrol.active_flexible",
    ]  # fmt: skip
    assert rows(Declaration) == []
    second = run(nantong, "enrol", filled(nantong, "enrol", [good]), name="b.xlsx")
    assert (second.accepted_rows, second.rejected_rows) == (1, 0)


def test_others_see_nothing_of_it(nantong, run, person, now):
    batch = run(nantong, "enrol", filled(nantong, "enrol", [nantong_cells(citizen(NANTONG, "not_insured"))]))
    stranger = person("suzhou.handler")
    for act in (imports.get_batch, imports.stop, imports.resume, imports.remove, batch_results.rejected_page):
        with pytest.raises(NotFound):
            act(stranger, batch.id)
    with pytest.raises(Conflict):
        imports.stop(nantong, batch.id)
    imports.remove(nantong, batch.id)
    assert rows(ImportBatch) == rows(ImportRow) == []
    assert len(rows(Declaration)) == 1
