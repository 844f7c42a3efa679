"""A form that is refused for another open declaration leads to that one, whoever may see it."""

import re

from tests.web.visits import NANTONG, citizen, nantong_form

LINK = re.compile(r'<a href="([^"]+)" data-open-case>(.*?)</a>', re.DOTALL)


def test_the_refusal_leads_to_the_open_case(visit, app):
    visitor, found = visit("nantong.handler"), citizen(app, NANTONG)
    first = visitor.post("/declare/enrol", {**nantong_form(found), "action": "file"})
    reference = re.search(r"/cases/([^/?]+)", first.headers["Location"])[1]
    for action in ("check", "file"):
        answer = visitor.post("/declare/enrol", {**nantong_form(found), "action": action})
        assert answer.status_code == 422
        assert "同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报" in answer.text
        ((address, words),) = LINK.findall(answer.text)
        assert reference in words
        assert "职工增加申报" in words
        page = visitor.get(address)
        assert (page.status_code, reference in page.text) == (200, True)


def test_a_counter_clerk_opens_the_case_that_is_named_once_it_is_submitted(visit, app):
    visitor, clerk, found = visit("nantong.handler"), visit("nantong.counter"), citizen(app, NANTONG)
    first = visitor.post("/declare/enrol", {**nantong_form(found), "action": "file"})
    reference = re.search(r"/cases/([^/?]+)", first.headers["Location"])[1]
    form = {**nantong_form(found), "action": "check"}
    refused = clerk.post("/declare/enrol?unit=32060000001", form)
    assert refused.status_code == 422
    assert LINK.findall(refused.text) == []
    assert reference in refused.text
    assert "单位尚未提交" in refused.text
    assert clerk.get(f"/cases/{reference}").status_code == 404
    assert visitor.post(f"/cases/{reference}/submit").status_code == 303
    ((address, words),) = LINK.findall(clerk.post("/declare/enrol?unit=32060000001", form).text)
    assert reference in words
    page = clerk.get(address)
    assert (page.status_code, reference in page.text) == (200, True)


def test_nt_3_1_every_kind_says_the_manuals_words(visit, app):
    """One open declaration of the employer keeps out those of other kinds, in the same sentence."""
    visitor = visit("nantong.handler")
    contact = {"contact_name": "张敏", "contact_phone": "051388888888", "address": "崇川区新路1号"}
    assert visitor.post("/declare/employer_update", {**contact, "action": "file"}).status_code == 303
    account = {
        "account_use": "allowance", "bank_name": "示例银行", "bank_account": "6222000000000001",
        "bank_account_name": "南通示例制造有限公司",
    }  # fmt: skip
    refused = visitor.post("/declare/maternity_bank", {**account, "action": "file"})
    assert refused.status_code == 422
    assert "同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报" in refused.text
    assert "同类" not in refused.text
