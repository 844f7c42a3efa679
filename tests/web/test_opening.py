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


def test_others_stay_out(app):
    assert enter(app, "huaian.auditor").get(PAGE).status_code == 403
    assert enter(app, "huaian.admin").get(PAGE).status_code == 403
