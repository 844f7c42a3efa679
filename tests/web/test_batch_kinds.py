"""Every kind with a batch file in every region: its template over HTTP, filled, sent, and what became of it.

The table below is PRACTICE 1's column B, held against the regions' own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from urllib.parse import unquote

import pytest
from flask import Flask
from openpyxl import load_workbook
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app import clock
from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.definitions.current import parameters
from app.extensions import db
from app.services import accounts, batch_run
from app.store.accounts import find_user
from app.store.models import Declaration, Enrolment, ImportBatch, Person
from app.store.session import end_read
from tests.fixtures.database import TEST_NOW
from tests.services.batch_files import FIRST_ROW, saved
from tests.services.conftest import citizen, rows
from tests.services.test_stop import employee
from tests.web.conftest import post

JUNE = TEST_NOW.replace(month=6)
CARD = "居民身份证(户口簿)"
NANTONG, LIANYUNGANG, HUAIAN = "320600", "320700", "320800"
SUZHOU, NANJING, WEINAN = "320500", "320100", "610500"
SLUGS = {
    NANTONG: "nantong", LIANYUNGANG: "lianyungang", HUAIAN: "huaian", SUZHOU: "suzhou", NANJING: "nanjing",
    WEINAN: "weinan",
}  # fmt: skip
RESULT = "成功：{0}行，失败：{1}行。"


@dataclass(frozen=True)
class File:
    """One kind in one region: `cells` are a good row's beside number and name, `bad` spoils the last one.

    `who` says whom the rows are about; pre-filled files bring their own rows. A file that is taken as a
    `whole` keeps no good row beside a bad one. `words` is what the bad row is answered.
    """

    region: str
    kind: str
    name: str
    who: str
    status: str
    bad: dict[str, str]
    words: str
    cells: dict[str, str] = field(default_factory=dict)
    settings: dict[str, list[str]] = field(default_factory=dict)
    result: str = RESULT
    day: datetime = TEST_NOW
    prefilled: bool = False
    whole: bool = False

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.region}"


def platform_enrol(region: str) -> File:
    return File(
        region, "enrol", "职工批量增员申报模板.xlsx", "not_insured", "submitted",
        {"wage_yuan": "一万"}, "申报工资",
        {"id_type": CARD, "wage_yuan": "9805", "start_date": "2026/11/01", "phone": "13900000000"},
        {"funds": ["310", "330", "510"]},
    )  # fmt: skip


def platform_stop(region: str) -> File:
    return File(
        region, "stop", "职工批量减员申报模板.xlsx", "employee", "submitted",
        {"stop_date": "20261131"}, "日期",
        {"id_type": CARD, "stop_reason": "辞职", "stop_date": "2026/11/30"},
    )  # fmt: skip


def platform_base(region: str) -> File:
    return File(
        region, "base_annual", "在职职工年度工资申报模板.xlsx", "roster", "submitted",
        {"wage_yuan": "九千"}, "工资",
        {"wage_yuan": "9000"}, day=JUNE, prefilled=True,
    )  # fmt: skip


WEINAN_STOP = {"id_type": CARD, "stop_month": "202611"}
FILES = [
    File(
        NANTONG, "enrol", "psnAdd.xlsx", "not_insured", "pending", {"wage_yuan": "8000.50"}, "只填写整数",
        {"post": "专业技术人员", "education": "大学本科毕业", "start_month": "202611", "wage_yuan": "8000"},
        result="成功：{0}行,失败：{1}行。请在待提交管理模块中查询成功导入信息。",
    ),
    File(
        NANTONG, "stop", "企业(32060000001)职工批量减少申报填写表.xlsx", "roster", "pending",
        {"stop_reason": "99-没有这个原因"}, "退工停保原因",
        result="成功：{0}行,失败：{1}行。请在待提交模块中查询成功导入信息。", prefilled=True,
    ),
    File(
        NANTONG, "base", "企业(32060000001)职工批量工资申报填写表.xlsx", "roster", "pending",
        {"wage_yuan": "100"}, "最低缴费基数", {"wage_yuan": "8000"},
        result="成功：{0}行,失败：{1}行。", prefilled=True,
    ),
    *(made(HUAIAN) for made in (platform_enrol, platform_stop, platform_base)),
    *(made(LIANYUNGANG) for made in (platform_enrol, platform_stop, platform_base)),
    File(
        SUZHOU, "enrol", "职工批量增员申报模板.xlsx", "not_insured", "done", {"phone": "123"}, "手机",
        {"id_type": CARD, "wage_yuan": "9805", "phone": "13900000000"},
        {"start_date": ["2026-11-01"], "funds": ["310", "37001", "330", "510", "410", "33001"]},
    ),
    File(
        SUZHOU, "stop", "职工批量减员申报模板.xlsx", "employee", "done", {"stop_date": "2026/11/15"},
        "减员时间范围是：上月末或本月末！",
        {"id_type": CARD, "stop_reason": "辞职", "stop_date": "2026/11/30"},
    ),
    File(
        SUZHOU, "base_annual", "批量缴费申报模板.xlsx", "roster", "done", {"wage_yuan": "-1"}, "工资",
        {"wage_yuan": "9000"}, day=JUNE, prefilled=True,
    ),
    File(
        NANJING, "person_record", "人员基础信息采集模板.xlsx", "unknown", "done", {"phone": "12"}, "电话",
        {"ethnicity": "汉族", "phone": "13900000000"},
    ),
    File(
        NANJING, "enrol", "人员参保登记模板.xlsx", "not_insured", "done", {"start_date": "明天"}, "时间",
        {"start_date": "2026-11-01", "phone": "13900000000", "wage_yuan": "9000"}, {"funds": ["310", "510"]},
    ),
    File(
        NANJING, "stop", "退工停保登记（批量）模板.xlsx", "employee", "done",
        {"stop_reason": "10-合同期满终止"}, "停保原因",
        {"stop_date": "2026-11-30", "stop_reason": "6301-在职人员解除终止劳动合同"},
    ),
    File(
        NANJING, "base_annual", "年度缴费基数申报模板.xlsx", "roster", "done", {"wage_yuan": "九千"}, "工资",
        {"wage_yuan": "9000"}, day=JUNE, prefilled=True,
    ),
    File(
        WEINAN, "stop", "在职减员报盘模版.xlsx", "employee", "draft", {"stop_reason": "99-没有"}, "变更原因",
        {**WEINAN_STOP, "stop_reason": "02-解除或终止劳动合同"}, whole=True,
    ),
    File(
        WEINAN, "stop_retiree", "离退休减员报盘模版.xlsx", "retiree", "draft", {"stop_month": "2026"}, "年月",
        {**WEINAN_STOP, "stop_reason": "02-转出统筹区"}, whole=True,
    ),
    File(
        WEINAN, "base_annual", "基数报盘模版.xlsx", "employee", "draft",
        {"wage_yuan": "100"}, "缴费工资低于保底线",
        {"wage_yuan": "8000"}, {"staff_group": ["active"], "declared_month": ["202606"]},
        day=JUNE, whole=True,
    ),
]  # fmt: skip
OFFERED = {region: {each.kind for each in FILES if each.region == region} for region in SLUGS}


@pytest.fixture
def at() -> Callable[[datetime], None]:
    """Move the region's clock; it is put back afterwards."""
    yield clock.configure
    clock.configure(TEST_NOW)


@pytest.fixture
def hall(app: Flask):
    """A region's handler in a browser, and the same account for looking people up."""
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(region: str):
        client = app.test_client()
        assert (
            post(client, "/login", username=f"{SLUGS[region]}.handler", password=DEMO_PASSWORD).status_code
            == 302
        )
        with app.app_context():
            actor = accounts.load_account(find_user(f"{SLUGS[region]}.handler").id, to_utc(TEST_NOW)).actor
        return client, actor

    return enter


def people_of(file: File, actor, count: int):
    """Whom the rows of a file are about."""
    if file.who == "employee":
        return [employee(actor, place, month=f"{file.day:%Y-%m}") for place in range(count)]
    if file.who == "retiree":
        return [employee(actor, place, "1201") for place in range(count)]
    return [citizen(file.region, file.who, place) for place in range(count)]


def template_of(client, file: File):
    answer = client.get(f"/imports/{file.kind}/template")
    assert answer.status_code == 200
    assert file.name in unquote(answer.headers["Content-Disposition"])
    return load_workbook(BytesIO(answer.data))


def put(sheet, number: int, cells: dict[str, str]) -> None:
    places = {cell.value: cell.column for cell in sheet[2]}
    for name, value in cells.items():
        sheet.cell(number, places[name]).value = value


def send(client, file: File, book):
    place = f"/imports/{file.kind}"
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(place).text)[1]
    sent = [("csrf_token", token), ("file", FileStorage(BytesIO(saved(book)), "申报.xlsx", "file"))]
    fields: dict[str, object] = dict(sent)
    for name, values in file.settings.items():
        fields[name] = values
    boundary, body = encode_multipart(fields)
    return client.post(place, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def work(app: Flask, client, file: File) -> dict[str, str]:
    """Do what the worker does; gives the marks of the newest batch on the page."""
    with app.app_context():
        for batch in rows(ImportBatch):
            batch_run.run(batch.id)
        end_read()
    text = client.get(f"/imports/{file.kind}").text
    found = re.search(r"<tr [^>]*data-batch=[^>]*>", text)
    assert found, text
    return {**dict(re.findall(r'data-(\w+)="([^"]*)"', found[0])), "page": text}


def fill(file: File, book, people, spoiled: bool) -> int:
    """Fill two good rows and, where wanted, a bad one; gives how many rows there are."""
    sheet, count = book.active, 3 if spoiled else 2
    if file.prefilled:
        sheet.delete_rows(FIRST_ROW + count, sheet.max_row)
    for place in range(count):
        cells = dict(file.cells)
        if not file.prefilled:
            cells |= {"id_number": people[place].id_number, "name": people[place].name}
        if place == 2:
            cells |= file.bad
        put(sheet, FIRST_ROW + place, cells)
    return count


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.id)
def test_a_file_of_a_region(app: Flask, hall, at, file: File):
    at(file.day)
    client, actor = hall(file.region)
    book = template_of(client, file)
    check_template(file, book)
    with app.app_context():
        people = () if file.prefilled else people_of(file, actor, 3)
        before = enrolled(actor)
        end_read()
    fill(file, book, people, spoiled=True)
    answer = send(client, file, book)
    assert answer.status_code == 303, answer.text
    marks = work(app, client, file)
    taken = 0 if file.whole else 2
    assert (marks["state"], marks["total"], marks["accepted"]) == ("finished", "3", str(taken)), told(
        client, file, marks
    )
    assert file.result.format(taken, 3 - taken) in marks["page"]
    words = told(client, file, marks)
    assert f'data-row="{FIRST_ROW + 2}"' in words
    assert file.words in words
    again = load_workbook(BytesIO(client.get(f"/imports/{file.kind}/{marks['batch']}/errors.xlsx").data))
    assert again.active.cell(FIRST_ROW, 1).value, "bad rows come back in the template"
    if file.whole:
        book = template_of(client, file)
        fill(file, book, people, spoiled=False)
        assert send(client, file, book).status_code == 303
        marks = work(app, client, file)
        assert (marks["state"], marks["accepted"]) == ("finished", "2"), told(client, file, marks)
    with app.app_context():
        cases = rows(Declaration, batch_id=int(marks["batch"]))
        assert [case.status for case in cases] == [file.status] * 2
        check_registry(file, cases, before, enrolled(actor))
        end_read()


def told(client, file: File, marks) -> str:
    return client.get(f"/imports/{file.kind}/{marks['batch']}").text


def check_template(file: File, book) -> None:
    """Every cell that is filled in is text; the title row stands first; Weinan brings codes and samples."""
    sheet = book.active
    columns = [cell.column for cell in sheet[2] if cell.value]
    assert {sheet.cell(FIRST_ROW, column).number_format for column in columns} == {"@"}
    assert sheet.cell(1, 1).value
    if file.region == WEINAN:
        assert {"代码对应表", "示例"} <= set(book.sheetnames)
    if file.region == NANJING:
        assert "文本格式" in sheet.cell(1, 1).value
    if file.prefilled:
        assert sheet.cell(FIRST_ROW, 1).value
    else:
        assert not sheet.cell(FIRST_ROW, 1).value


def enrolled(actor) -> int:
    """How many open stretches the employer has."""
    return len(
        db.session.scalars(
            db.select(Enrolment.id).where(
                Enrolment.employer_id == actor.employer_id,
                Enrolment.to_month.is_(None),
                Enrolment.fund == "310",
            )
        ).all()
    )


def check_registry(file: File, cases, before: int, after: int) -> None:
    """What takes effect at once is in the registry; what waits is not."""
    if file.kind == "person_record":
        names = {case.person_name for case in cases}
        assert {row.name for row in rows(Person, region=file.region) if row.name in names} == names
        assert all(case.person_id for case in cases)
    moved = {"enrol": 2, "stop": -2}.get(file.kind, 0) if file.status == "done" else 0
    assert after - before == moved


@pytest.mark.parametrize("region", sorted(SLUGS))
def test_a_region_offers_the_files_of_the_table_and_no_others(app: Flask, hall, region: str):
    client, _ = hall(region)
    with app.app_context():
        rules = parameters(region)
    named = {label.split(".")[1] for label in rules.labels if re.fullmatch(r"kind\.\w+\.batch", label)}
    assert named == OFFERED[region]
    for kind in sorted({"enrol", "stop", "stop_retiree", "base", "base_annual", "person_record"} - named):
        answer = client.get(f"/imports/{kind}")
        assert answer.status_code == 404 or "不提供文件导入" in answer.text, (region, kind)
        assert client.get(f"/imports/{kind}/template").status_code == 404, (region, kind)
