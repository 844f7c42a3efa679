"""The pages of changed data: what is fixed, old beside new, and the case before the auditor."""

import re

import pytest

from app.services import rosters
from tests.web.agency import Agency, decide
from tests.web.conftest import post

PERSON, EMPLOYER = "/declare/person_update", "/declare/employer_update"


@pytest.fixture
def agency(app) -> Agency:
    return Agency(app)


def value(page: str, name: str) -> str:
    """What a field of the form holds."""
    tag = re.search(rf'<input[^>]*\bname="{name}"[^>]*>', page)[0]
    return re.search(r'value="([^"]*)"', tag)[1]


def is_fixed(page: str, name: str) -> bool:
    return " readonly" in re.search(rf'<input[^>]*\bname="{name}"[^>]*>', page)[0]


def filed(client, place: str, **form) -> str:
    """Check and file a form; returns the reference."""
    answer = post(client, place, place, action="check", **form)
    assert answer.status_code == 303, answer.text
    reference = answer.location.rsplit("/", 1)[-1]
    done = post(
        client, place, answer.location, action="file", reference=reference, replay="1", ask="1",
        confirmed="1", **form,
    )  # fmt: skip
    assert done.location == f"/cases/{reference}/receipt", done.text
    return reference


def test_a_person_from_the_roster_to_the_auditor(app, agency):
    client = agency.browser("nantong.handler")
    assert PERSON in client.get("/hall").text
    with app.app_context():
        person = rosters.search(agency.actor("nantong.handler"), "person_update", "")[0]
    assert f"person={person.person_id}" in client.get(f"{PERSON}/people").text
    page = client.get(f"{PERSON}?person={person.person_id}").text
    assert "不可修改部分" in page
    assert "可修改部分" in page
    old = value(page, "old_phone")
    assert value(page, "phone") == old
    assert is_fixed(page, "old_phone")
    assert is_fixed(page, "name")
    assert not is_fixed(page, "phone")
    form = {"id_number": value(page, "id_number"), "phone": "13911112222", "home_postcode": "226000"}
    refused = post(client, PERSON, PERSON, action="check", **{**form, "home_postcode": "12"})
    assert refused.status_code == 422
    assert "邮政编码为 6 位数字" in refused.text
    reference = filed(client, PERSON, **form)
    post(client, "/pending/submit", "/pending", one=reference)
    auditor = agency.browser("nantong.auditor")
    case = auditor.get(f"/cases/{reference}").text
    compared = re.search(r'data-field="phone">.*?</dd>', case, re.S)[0]
    assert "移动电话" in compared
    assert "原值" in compared
    assert "新值" in compared
    assert 'data-precheck="passed"' in case
    decide(auditor, agency.task(reference), "approve")
    assert 'data-status="approved"' in client.get(f"/cases/{reference}").text
    assert value(client.get(f"{PERSON}?person={person.person_id}").text, "old_phone") == "13911112222"


def test_the_employer_itself(agency):
    client = agency.browser("nantong.handler")
    page = client.get(EMPLOYER).text
    assert value(page, "old_contact_name") == value(page, "contact_name") == "张敏"
    assert is_fixed(page, "old_contact_name")
    form = {name: value(page, name) for name in ("postcode", "contact_phone")}
    reference = filed(client, EMPLOYER, **form, contact_name="王芳")
    post(client, "/pending/submit", "/pending", one=reference)
    auditor = agency.browser("nantong.auditor")
    assert reference in auditor.get("/inbox").text
    case = auditor.get(f"/cases/{reference}").text
    assert "张敏" in case
    assert "王芳" in case
    decide(auditor, agency.task(reference), "approve")
    assert value(client.get(EMPLOYER).text, "old_contact_name") == "王芳"
    for tab in ("materials", "amounts", "diagram", "history"):
        assert client.get(f"/cases/{reference}?tab={tab}").status_code == 200


def test_the_platform_shows_the_enrolment_and_cannot_change_it(app, agency):
    client = agency.browser("huaian.handler")
    with app.app_context():
        person = rosters.search(agency.actor("huaian.handler"), "person_update", "")[0]
    page = client.get(f"{PERSON}?person={person.person_id}").text
    for words in ("人员类型", "首次参保年月", "正常参保", "婚姻状况（原值）", "银行账号（新值）"):
        assert words in page
    assert is_fixed(page, "first_month")
    bank = {"bank_name": "示例银行", "bank_account_name": person.name, "bank_account": "6222000011112222"}
    form = {"id_number": value(page, "id_number"), "phone": value(page, "phone"), "marriage": "20", **bank}
    reference = filed(client, PERSON, **form)
    case = agency.browser("huaian.auditor").get(f"/cases/{reference}").text
    assert "已婚" in case
    assert "首次参保年月" in case
    assert "6222000011112222" not in case


def test_nt_2_7_a_typed_number_brings_the_values_of_today(app, agency):
    client = agency.browser("nantong.handler")
    with app.app_context():
        person, other = rosters.search(agency.actor("nantong.handler"), "person_update", "")[:2]
        picked = rosters.picked(agency.actor("nantong.handler"), "person_update", person.person_id)
        second = rosters.picked(agency.actor("nantong.handler"), "person_update", other.person_id)
    typed = {"id_number": picked["id_number"], "home_postcode": "226000"}
    answer = post(client, f"{PERSON}/person", PERSON, **typed)
    assert answer.status_code == 200
    assert 'hx-swap-oob="true"' in answer.text
    assert value(answer.text, "old_phone") == value(answer.text, "phone") == picked["phone"]
    assert value(answer.text, "name") == picked["name"]
    # what was typed already stays; without script the button does the same
    assert value(answer.text, "home_postcode") == "226000"
    page = post(client, PERSON, PERSON, action="lookup", **typed)
    assert value(page.text, "old_phone") == picked["phone"]
    # another number brings another person's values, but for what was typed
    moved = {
        "id_number": second["id_number"], "home_postcode": "226000",
        "old_phone": picked["phone"], "phone": picked["phone"], "shown": "phone",
    }  # fmt: skip
    answer = post(client, f"{PERSON}/person", PERSON, **moved)
    assert value(answer.text, "phone") == value(answer.text, "old_phone") == second["phone"]
    assert value(answer.text, "home_postcode") == "226000"
    # nobody of the own people: nothing of anybody is shown
    stranger = post(client, f"{PERSON}/person", PERSON, **{**moved, "id_number": "11010519491231002X"})
    assert value(stranger.text, "old_phone") == ""


def test_nt_2_5_a_typed_number_brings_the_old_wage(app, agency):
    client = agency.browser("nantong.handler")
    with app.app_context():
        person = rosters.search(agency.actor("nantong.handler"), "base", "")[0]
        picked = rosters.picked(agency.actor("nantong.handler"), "base", person.person_id)
    answer = post(
        client, "/declare/base/person", "/declare/base", id_number=picked["id_number"], wage_yuan="8000"
    )
    assert value(answer.text, "old_wage_yuan") == picked["old_wage_yuan"] == f"{person.wage_fen / 100:.2f}"
    assert value(answer.text, "wage_yuan") == "8000.00"


def test_js_3_5_an_emptied_field_is_shown_and_written(app, agency):
    client = agency.browser("suzhou.handler")
    with app.app_context():
        person = rosters.search(agency.actor("suzhou.handler"), "person_update", "")[0]
    page = client.get(f"{PERSON}?person={person.person_id}").text
    start = {
        "id_number": value(page, "id_number"),
        "shown": value(page, "shown"),
        "phone": value(page, "phone"),
    }
    filed(client, PERSON, **start, email="a@b.cn", home_address="示例路1号")
    page = client.get(f"{PERSON}?person={person.person_id}").text
    assert value(page, "email") == "a@b.cn"
    start["shown"] = value(page, "shown")
    answer = post(client, PERSON, PERSON, action="check", **start, email="", home_address="示例路1号")
    checked = client.get(answer.location).text
    assert "（空）" in checked
    reference = answer.location.rsplit("/", 1)[-1]
    replay = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', checked))
    post(client, PERSON, answer.location, **{**replay, "action": "file", "confirmed": "1"})
    assert 'data-status="done"' in client.get(f"/cases/{reference}").text
    page = client.get(f"{PERSON}?person={person.person_id}").text
    assert value(page, "old_email") == ""
    assert value(page, "old_home_address") == "示例路1号"


def test_js_3_4_the_fixed_part_of_the_employer(agency):
    page = agency.browser("huaian.handler").get(EMPLOYER).text
    for title in ("单位名称", "统一社会信用代码", "单位管理类型", "单位类型"):
        assert title in page
    assert "普通单位" in page
    assert is_fixed(page, "employer_name")


def test_js_3_5_every_fixed_field_of_the_person(app, agency):
    client = agency.browser("huaian.handler")
    with app.app_context():
        person = rosters.search(agency.actor("huaian.handler"), "person_update", "")[0]
    page = client.get(f"{PERSON}?person={person.person_id}").text
    for title in (
        "人员编号", "姓名", "性别", "证件类型", "证件号码", "出生日期", "民族", "险种类型", "人员参保状态",
        "人员类型", "首次工作日期", "首次参保年月", "个人参保日期",
    ):  # fmt: skip
        assert title in page
    assert "职工基本医疗保险" in value(page, "insured_funds")
    for name in (
        "education",
        "political_status",
        "marriage",
        "health",
        "technical_grade",
        "qualification_grade",
    ):
        assert re.search(rf'<select[^>]*name="{name}"', page), name
