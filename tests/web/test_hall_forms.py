"""Forms, check pages, receipts and the home page over HTTP."""

import re

import pytest

from tests.web.visits import (
    CITIES,
    NANTONG,
    SUZHOU,
    citizen,
    count,
    hidden,
    status_of,
    suzhou_form,
)


@pytest.mark.parametrize("city", CITIES)
def test_every_city_has_its_pages(visit, city):
    visitor = visit(f"{city}.handler")
    for address in ("/hall", "/declare/enrol", "/drafts", "/pending", "/submitted", "/messages"):
        answer = visitor.get(address)
        assert answer.status_code == 200, address
    form = visitor.get("/declare/enrol").text
    for name in ("id_number", "wage_yuan"):
        assert f'name="{name}"' in form
    assert "办理条件" in form
    assert "办理时限" in form


def test_a_kind_that_is_not_offered_is_not_there(visit):
    visitor = visit("suzhou.handler")
    for kind in ("retirement", "base", "nothing"):
        assert visitor.get(f"/declare/{kind}").status_code == 404


def test_a_refused_form_keeps_what_was_typed(visit, app):
    visitor = visit("suzhou.handler")
    form = suzhou_form(citizen(app, SUZHOU), phone="123", wage_yuan="一万", remark="第一次<申报>")
    answer = visitor.post("/declare/enrol", {**form, "action": "check"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    for name in ("phone", "wage_yuan"):
        assert f'href="#field-{name}"' in answer.text
        assert f'id="error-{name}"' in answer.text
    assert 'value="123"' in answer.text
    assert 'value="一万"' in answer.text
    assert "第一次&lt;申报&gt;" in answer.text


def test_back_pay_over_a_change_of_the_base_year_names_both_bases(visit, app):
    visitor = visit("suzhou.handler")
    form = suzhou_form(citizen(app, SUZHOU), start_date="2026-06-01", wage_yuan="25000")
    page = visitor.get(visitor.post("/declare/enrol", {**form, "action": "check"}).location).text
    # June's cap is lower than the wage, July's is not
    assert "补缴 6 个月" in page
    assert "缴费基数 24,762.00 至 25,000.00 元" in page
    within = suzhou_form(citizen(app, SUZHOU, place=1), start_date="2026-07-01", wage_yuan="25000")
    page = visitor.get(visitor.post("/declare/enrol", {**within, "action": "check"}).location).text
    assert "缴费基数 25,000.00 元" in page


def test_money_needs_a_confirmation(visit, app):
    visitor = visit("suzhou.handler")
    answer = visitor.post("/declare/enrol", {**suzhou_form(citizen(app, SUZHOU)), "action": "check"})
    assert answer.status_code == 303
    page = visitor.get(answer.location).text
    reference = hidden(page, "reference")
    form = {**suzhou_form(citizen(app, SUZHOU)), "reference": reference, "ask": "1", "action": "file"}
    assert visitor.post("/declare/enrol", form).status_code == 422
    assert status_of(app, reference) == "draft"
    answer = visitor.post("/declare/enrol", {**form, "confirmed": "1"})
    assert answer.location == f"/cases/{reference}/receipt"
    receipt = visitor.get(answer.location).text
    assert f'data-ref="{reference}"' in receipt
    assert "参保成功，补缴成功。后续请到“已审核数据查询”中查询信息" in receipt


def test_a_second_click_finds_the_first_case(visit, app):
    visitor = visit("suzhou.handler")
    form = {
        **suzhou_form(citizen(app, SUZHOU)),
        "token": hidden(visitor.get("/declare/enrol").text, "token"),
        "action": "file",
    }
    first, second = visitor.post("/declare/enrol", form), visitor.post("/declare/enrol", form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert count(app, kind="enrol") == 1

    # the same for a draft that was filed already
    reference = first.location.split("/")[2]
    again = visitor.post("/declare/enrol", {**form, "token": "", "reference": reference})
    assert again.location == first.location


def test_a_form_of_another_employer_is_not_filed_for_this_one(visit, app):
    visitor = visit("suzhou.handler")
    form = {**suzhou_form(citizen(app, SUZHOU)), "employer_id": "1", "action": "file"}
    assert visitor.post("/declare/enrol", form).status_code == 409
    assert count(app, kind="enrol") == 0


def test_js_4_0_months_that_nothing_charges_are_not_called_settled(visit):
    """Where enrolling pays nothing back, the page says which months stay unpaid and what pays them."""
    visitor = visit("huaian.handler")
    typed = {"wage_yuan": "6000", "funds": ["310", "510"]}
    page = visitor.post("/declare/enrol/quote", {**typed, "start_date": "2026-08-01"}).text
    assert 'data-left-out="2026-08,2026-09,2026-10"' in page
    assert "2026-08至2026-10的费用不随本次申报计收，需要补缴的请另行办理“单位补收核定”。" in page
    assert "没有需要补缴的月份" not in page
    now = visitor.post("/declare/enrol/quote", {**typed, "start_date": "2026-11-01"}).text
    assert "data-left-out" not in now
    assert "没有需要补缴的月份" in now


def test_trial_amounts_and_the_person_without_script(visit, app):
    visitor = visit("suzhou.handler")
    trial = visitor.post("/declare/enrol/quote", suzhou_form(citizen(app, SUZHOU), start_date="2026-09-01"))
    assert 'data-trial-months="2026-09,2026-10,2026-11"' in trial.text
    assert "2,897.67" in trial.text
    early = visitor.post("/declare/enrol/quote", suzhou_form(citizen(app, SUZHOU), start_date="1999-01-01"))
    assert early.status_code == 200
    assert "暂时不能试算" in early.text

    nantong = visit("nantong.handler")
    person = citizen(app, NANTONG)
    answer = nantong.post("/declare/enrol", {"id_number": person.id_number, "action": "lookup"})
    assert person.name in answer.text
    unknown = citizen(app, NANTONG, "unknown")
    answer = nantong.post("/declare/enrol", {"id_number": unknown.id_number, "action": "lookup"})
    assert "没有查到人员信息" in answer.text


def test_the_month_in_figures(visit, app):
    visitor = visit("suzhou.handler")
    before = re.findall(r"<dd>([\d,.]+)<small>", visitor.get("/hall").text)
    person = citizen(app, SUZHOU)
    form = suzhou_form(person, start_date="2026-11-01", action="file")
    assert visitor.post("/declare/enrol", form).status_code == 303
    page = visitor.get("/hall").text
    after = re.findall(r"<dd>(?:<a[^>]*>)?([\d,.]+)(?:</a>)?<small>", page)
    assert int(after[0].replace(",", "")) == int(before[0].replace(",", "")) + 1
    assert (before[1], after[1]) == ("0", "1")
    assert (before[3], after[3]) == ("0.00", "965.89")
