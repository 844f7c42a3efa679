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
    assert "移动电话（原值）" in case
    assert "移动电话（新值）" in case
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
