"""The page on which a clerk begins with a new unit, and the form that follows."""

import re

from app.services.demo.identities import credit_code
from tests.web.test_operators import enter, post

PAGE = "/counter/opening"
CODE = credit_code("320800", "91", 77)


def test_a_new_unit_leads_on_to_its_form(app):
    client = enter(app, "huaian.counter")
    assert client.get(PAGE).status_code == 200
    answer = post(client, PAGE, PAGE, employer_name="淮安新来企业有限公司", credit_code=CODE)
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert page.status_code == 200
    assert 'name="bank_account"' in page.text
    assert f'value="{CODE}"' in page.text
    form = {
        "employer_name": "淮安新来企业有限公司", "credit_code": CODE, "unit_type": "企业",
        "management_type": "01", "funds": ["310"], "start_month": "202611", "contact_name": "何平",
        "contact_mobile": "13600000077", "bank_name": "示例银行", "bank_account_name": "淮安新来企业有限公司",
        "bank_account": "6222003208000000077", "action": "file",
        "reference": re.search(r"reference=([0-9A-Z-]+)", answer.location)[1],
    }  # fmt: skip
    filed = post(client, answer.location, answer.location, **form)
    assert filed.status_code in (200, 303), filed.text
    text = client.get(filed.location).text if filed.status_code == 303 else filed.text
    assert "data-ref=" in text or "核对" in text


def test_wrong_and_known_codes_are_refused_and_kept(app):
    client = enter(app, "huaian.counter")
    wrong = post(client, PAGE, PAGE, employer_name="新来", credit_code="123")
    assert wrong.status_code == 422
    assert 'value="新来"' in wrong.text
    assert 'href="#field-credit_code"' in wrong.text
    known = post(client, PAGE, PAGE, employer_name="新来", credit_code=credit_code("320800", "91", 1))
    assert known.status_code == 422
    assert 'name="confirmed"' in known.text


def begun(client) -> tuple[str, str]:
    """Number and case of a unit that is being entered."""
    answer = post(client, PAGE, PAGE, employer_name="淮安新来企业有限公司", credit_code=CODE)
    number = re.search(r"unit=(\d+)", answer.location)[1]
    return number, re.search(r"reference=([0-9A-Z-]+)", answer.location)[1]


def test_a_unit_that_is_being_entered_is_filed_nothing_else_for(app):
    client = enter(app, "huaian.counter")
    number, reference = begun(client)
    listed = client.get(f"/counter?q={CODE[:-1]}").text
    assert "登记中" in listed
    assert "已终止" not in listed
    page = client.get(f"/counter/units/{number}").text
    assert "新单位参保登记尚未办结" in page
    assert "data-kind" not in page
    assert client.get(f"/declare/enrol?unit={number}").status_code == 404
    assert client.get(f"/declare/employer_opening?reference={reference}").status_code == 200
    post(client, f"/cases/{reference}/discard", PAGE, confirmed="1")
    assert number not in client.get(f"/counter?q={CODE[:-1]}").text
    assert "单位编号已作废" in client.get(f"/counter/units/{number}").text


def test_what_opens_a_unit_is_not_offered_for_one_that_is_there(app):
    page = enter(app, "huaian.counter").get("/counter/units/32080000001").text
    assert 'data-kind="enrol"' in page
    assert "employer_opening" not in page


def test_one_unit_in_the_address_and_anothers_case_do_not_mix(app):
    client = enter(app, "huaian.counter")
    number, reference = begun(client)
    both = f"/declare/employer_opening?reference={reference}&unit="
    assert client.get(f"{both}{number}").status_code == 200
    assert client.get(f"{both}32080000001").status_code == 404


def test_others_stay_out(app):
    assert enter(app, "huaian.auditor").get(PAGE).status_code == 403
    assert enter(app, "huaian.admin").get(PAGE).status_code == 403
