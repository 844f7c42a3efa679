"""The batch page: what each side may open, upload without script, progress, results, and hostile files."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.config import DEMO_PASSWORD
from app.services import accounts, batch_run
from app.store.accounts import find_user
from app.store.models import Declaration, ImportBatch
from app.store.session import end_read
from tests.fixtures.database import TEST_NOW
from tests.formspec.test_workbook import main_sheet, repacked
from tests.services.batch_files import filled, nantong_cells, platform_cells, saved
from tests.services.conftest import NANTONG, citizen, rows

FIXTURES = Path(__file__).parents[1] / "formspec" / "fixtures"
PAGE = "/imports/enrol"


@pytest.fixture
def client(app, sign_in):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    return sign_in("nantong.handler", DEMO_PASSWORD)


@pytest.fixture
def template(app):
    """Fill Nantong's template with rows."""

    def fill(cells):
        with app.app_context():
            user = find_user("nantong.handler")
            actor = accounts.load_account(user.id, TEST_NOW.astimezone()).actor
            return filled(actor, "enrol", cells)

    return fill


@pytest.fixture
def person_cells(app):
    with app.app_context():
        return [nantong_cells(citizen(NANTONG, "not_insured", place)) for place in range(3)]


def upload(client, content, name="申报.xlsx", page=PAGE, **form):
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)[1]
    # the client itself would leave the temporary file of a large body open
    file = FileStorage(BytesIO(content), name, "file")
    boundary, body = encode_multipart({"csrf_token": token, "file": file, **form})
    return client.post(page, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def work(app):
    """Do what the worker does, for every batch that waits."""
    with app.app_context():
        for batch in rows(ImportBatch):
            batch_run.run(batch.id)
        end_read()


def row_of(client):
    """The marks of the newest batch on the page."""
    text = client.get(PAGE).text
    found = re.search(r"<tr [^>]*data-batch=[^>]*>", text)
    return dict(re.findall(r'data-(\w+)="([^"]*)"', found[0])) if found else {}


def test_the_page_has_four_steps_and_says_what_to_do(client):
    text = client.get(PAGE).text
    assert [word for word in ("下载模板", "填写", "上传", "查看结果") if f">{word}" in text] != []
    assert "职工批量增加申报" in text
    assert "文件大小不能超过10M" in text
    assert "还没有上传过文件" in text
    assert 'id="field-file"' in text


def test_the_template_is_named_by_the_region(client):
    answer = client.get(f"{PAGE}/template")
    assert answer.status_code == 200
    assert "psnAdd.xlsx" in answer.headers["Content-Disposition"]
    book = load_workbook(BytesIO(answer.data))
    facts = {row[0].value: row[1].value for row in book["模板信息"].iter_rows(max_col=2)}
    assert facts["employer"] == "32060000001"
    assert facts["region"] == NANTONG


def test_a_file_goes_from_upload_to_result_without_script(app, client, template, person_cells):
    bad = {**person_cells[2], "wage_yuan": "8000.50"}
    answer = upload(client, template([*person_cells[:2], bad]))
    assert (answer.status_code, answer.location) == (303, f"{PAGE}#batches")
    page = client.get(PAGE).text
    assert row_of(client)["state"] == "queued"
    assert "hx-trigger" in page
    work(app)
    marks = row_of(client)
    assert {name: marks[name] for name in ("total", "done", "accepted", "rejected", "state")} == {
        "total": "3", "done": "3", "accepted": "2", "rejected": "1", "state": "finished",
    }  # fmt: skip
    page = client.get(PAGE).text
    assert "成功：2行,失败：1行。请在待提交管理模块中查询成功导入信息。" in page
    assert "hx-trigger" not in page
    batch = marks["batch"]
    details = client.get(f"{PAGE}/{batch}").text
    assert 'data-row="6"' in details
    assert "只填写整数" in details
    assert person_cells[2]["id_number"] not in details
    taken = client.get(f"{PAGE}/{batch}/accepted").text
    assert taken.count("data-ref=") == 2
    assert person_cells[0]["id_number"] not in taken
    book = client.get(f"{PAGE}/{batch}/errors.xlsx")
    assert load_workbook(BytesIO(book.data)).active.cell(4, 1).value == person_cells[2]["id_number"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("formula.xlsx", "B4 单元格含有公式"),
        ("formula.xls", "公式"),
        ("merged.xlsx", "合并单元格"),
        ("merged.xls", "合并单元格"),
        ("first_row_deleted.xlsx", "表头不在原来的位置"),
        ("first_row_deleted.xls", "表头不在原来的位置"),
        # Nantong's template, which has no name: whose file it is matters more than what it lacks
        ("column_moved.xlsx", "文件是“职工增加申报”的模板"),
        ("column_moved.xls", "文件是“职工增加申报”的模板"),
        ("password.xls", "密码"),
    ],
)
def test_odd_files_end_with_words_and_change_nothing(app, client, name, words):
    assert upload(client, (FIXTURES / name).read_bytes(), name).status_code == 303
    work(app)
    assert row_of(client)["state"] == "failed"
    text = client.get(PAGE).text
    assert words.replace("B4 ", "") in text
    with app.app_context():
        assert rows(Declaration) == []


@pytest.mark.parametrize("name", ["number.xlsx", "number.xls"])
def test_a_number_that_lost_its_digits_names_its_cell(app, client, name):
    assert upload(client, (FIXTURES / name).read_bytes(), name).status_code == 303
    work(app)
    marks = row_of(client)
    assert marks["state"] == "finished"
    assert int(marks["total"]) == int(marks["accepted"]) + int(marks["rejected"]) == 3
    assert "A5 单元格" in client.get(f"{PAGE}/{marks['batch']}").text


@pytest.mark.parametrize("name", ["odd.xlsx", "odd.xls"])
def test_what_is_unusual_but_right_is_taken(app, sign_in, name):
    handler = sign_in("huaian.handler", DEMO_PASSWORD)
    assert upload(handler, (FIXTURES / name).read_bytes(), name, funds="310").status_code == 303
    work(app)
    marks = row_of(handler)
    assert (marks["state"], marks["total"], marks["accepted"]) == ("finished", "6", "6")


def far_cell(content):
    cell = b'<row r="200"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return repacked(content, sheet=main_sheet(content).replace(b"</sheetData>", cell))


def shared_strings_bomb(content):
    strings = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    )
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(200, 9_000))
    sheet = main_sheet(content).replace(b"</sheetData>", cells + b"</sheetData>")
    return repacked(content, sheet=sheet, **{"xl/sharedStrings.xml": strings % (b"x" * 400_000)})


def unpacking_bomb(content):
    return repacked(content, sheet=main_sheet(content).replace(b"</sheetData>", b" " * (129 << 20)))


def document_type(content):
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    return repacked(content, sheet=bomb + main_sheet(content))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (far_cell, "XFD1048576 单元格超出填写区域"),
        (shared_strings_bomb, "读取超出内存或时间限制"),
        (unpacking_bomb, "文件解开后的内容超过 128M"),
        (document_type, "不允许的内容"),
    ],
)
def test_hostile_files_end_with_words_and_harm_nothing(app, client, template, person_cells, make, words):
    hostile = make(template(person_cells))
    assert len(hostile) < 2_000_000
    assert upload(client, hostile).status_code == 303
    work(app)
    assert row_of(client)["state"] == "failed"
    assert words in client.get(PAGE).text
    upload(client, template(person_cells))
    work(app)
    assert row_of(client)["accepted"] == "3"


def test_one_row_too_many(app, sign_in):
    handler = sign_in("nanjing.handler", DEMO_PASSWORD)
    book = load_workbook(BytesIO(handler.get(f"{PAGE}/template").data))
    for row in range(4, 4 + 501):
        book.active.cell(row, 2).value = "示例人"
    upload(handler, saved(book), funds="330")
    work(app)
    assert row_of(handler)["state"] == "failed"
    assert "批量参保最多500条，文件中有501条" in handler.get(PAGE).text


def test_what_is_no_workbook(app, client):
    answer = upload(client, b"%PDF-1.7\n" + bytes(100), "申报.xlsx")
    assert answer.status_code == 303
    work(app)
    assert "文件不是 Excel 工作簿（实际是 PDF 文件）" in client.get(PAGE).text
    answer = upload(client, b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 422
    assert "文件大小不能超过10M" in answer.text
    assert 'href="#field-file"' in answer.text
    assert upload(client, b"").status_code == 422


def test_the_same_file_asks_first(app, client, template, person_cells):
    content = template(person_cells[:1])
    upload(client, content)
    work(app)
    answer = upload(client, content, "again.xlsx")
    assert answer.status_code == 303
    asked = client.get(answer.location).text
    assert "该文件已经上传过" in asked
    assert row_of(client)["state"] == "stopped"
    act(client, f"{PAGE}/{row_of(client)['batch']}/resume")
    work(app)
    assert row_of(client)["rejected"] == "1"


def act(client, address, **form):
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(PAGE).text)[1]
    return client.post(address, data={"csrf_token": token, **form})


@pytest.mark.parametrize(
    ("kind", "words"),
    [("enrol", "不会重复申报"), ("base", "其余人员以最后一次导入的为准")],
)
def test_what_is_said_of_a_second_import_is_true(app, client, kind, words):
    with app.app_context():
        actor = accounts.load_account(find_user("nantong.handler").id, TEST_NOW.astimezone()).actor
        content = filled(actor, kind, [{"id_number": "1"}])
    for _ in range(2):
        answer = upload(client, content, page=f"/imports/{kind}")
    assert answer.location.endswith("/again")
    assert words in client.get(answer.location).text


def test_stop_go_on_and_remove(app, client, template, person_cells):
    upload(client, template(person_cells))
    batch = row_of(client)["batch"]
    assert act(client, f"{PAGE}/{batch}/stop").status_code == 303
    assert row_of(client)["state"] == "stopped"
    assert act(client, f"{PAGE}/{batch}/resume").status_code == 303
    assert row_of(client)["state"] == "queued"
    work(app)
    assert row_of(client)["accepted"] == "3"
    assert act(client, f"{PAGE}/{batch}/stop").status_code == 409
    asked = act(client, f"{PAGE}/{batch}/delete")
    assert "已经导入成功的 3 条申报不受影响" in asked.text
    assert act(client, f"{PAGE}/{batch}/delete", confirmed="1").status_code == 303
    assert row_of(client) == {}
    with app.app_context():
        assert len(rows(Declaration)) == 3


def test_others_find_nothing(app, client, sign_in, template, person_cells):
    upload(client, template(person_cells[:1]))
    work(app)
    batch = row_of(client)["batch"]
    stranger = sign_in("suzhou.handler", DEMO_PASSWORD)
    assert stranger.get(f"{PAGE}/{batch}").status_code == 404
    assert stranger.get(f"{PAGE}/{batch}/accepted").status_code == 404
    assert stranger.get(f"{PAGE}/{batch}/errors.xlsx").status_code == 404
    assert act(stranger, f"{PAGE}/{batch}/delete", confirmed="1").status_code == 404
    assert f'data-batch="{batch}"' not in stranger.get(PAGE).text
    auditor = sign_in("nantong.auditor", DEMO_PASSWORD)
    assert auditor.get(PAGE).status_code == 403


def test_a_reviewer_sees_results_and_uploads_nothing(app, sign_in, client, template, person_cells):
    upload(client, template(person_cells[:1]))
    work(app)
    reviewer = sign_in("nantong.reviewer", DEMO_PASSWORD)
    text = reviewer.get(PAGE).text
    assert row_of(client)["batch"] in text
    assert 'id="field-file"' not in text


def test_weinan_says_that_it_has_none(sign_in):
    handler = sign_in("weinan.handler", DEMO_PASSWORD)
    text = handler.get(PAGE).text
    assert "不提供文件导入" in text
    assert "/imports/enrol" not in handler.get("/hall").text
    assert handler.get("/imports/nothing").status_code == 404


def test_suzhou_asks_date_and_funds_and_names_its_columns(sign_in):
    handler = sign_in("suzhou.handler", DEMO_PASSWORD)
    text = handler.get(PAGE).text
    assert 'id="field-start_date"' in text
    assert 'id="field-funds"' in text
    assert "请及时导出，数据记录仅保存 24h" in text
    answer = upload(handler, b"PK", "a.xlsx", start_date="2026-13-01")
    assert answer.status_code == 422
    assert 'href="#field-start_date"' in answer.text


def test_a_result_leads_to_where_the_declarations_are(app, client, sign_in, template, person_cells):
    upload(client, template(person_cells[:1]))
    work(app)
    batch = row_of(client)["batch"]
    assert 'class="btn" href="/pending"' in client.get(f"{PAGE}/{batch}").text
    handler = sign_in("suzhou.handler", DEMO_PASSWORD)
    with app.app_context():
        actor = accounts.load_account(find_user("suzhou.handler").id, TEST_NOW.astimezone()).actor
        content = filled(actor, "enrol", [platform_cells(citizen("320500", "not_insured"))])
    funds = ["310", "37001", "330", "510", "410", "33001"]
    assert upload(handler, content, start_date="2026-11-01", funds=funds).status_code == 303
    work(app)
    page = handler.get(f"{PAGE}/{row_of(handler)['batch']}").text
    assert "没有错误数据" in page
    # nothing waits for submission where everything is done at once
    assert 'class="btn" href="/pending"' not in page
    assert 'class="btn" href="/submitted"' in page
