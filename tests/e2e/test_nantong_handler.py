"""Nantong, the employer's half: records wait for submission, one by one or all at once."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.services.demo import DemoPerson
from tests.e2e.hall_steps import check, file, fill, refused, sign_in
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.e2e
NANTONG = "320600"


def open_form(page: Page, server: LiveServer, person: DemoPerson, month: str = "202612") -> None:
    page.goto(f"{server.url}/declare/enrol")
    with page.expect_response(re.compile("/declare/enrol/person")):
        fill(page, {"id_number": person.id_number})
    fill(page, {"post": "01", "education": "21", "start_month": month, "wage_yuan": "8000"})


def reminder(page: Page) -> str:
    return page.locator("[data-reminder='declarations.pending']").inner_text()


def rows(page: Page) -> list[str]:
    return [row.get_attribute("data-ref") or "" for row in page.locator("tr[data-ref]").all()]


def test_three_are_filed_one_is_dropped_the_rest_submitted(
    live_server: Callable[..., LiveServer], database_url_of_test: str, page: Page, citizen
) -> None:
    server = live_server(database_url_of_test, now="2026-11-18T10:00:00")
    sign_in(page, server, "nantong.handler")

    # somebody the registry does not know
    open_form(page, server, citizen(NANTONG, "unknown"))
    expect(page.locator("#person-found")).to_contain_text("没有查到人员信息")
    assert "没有查到人员信息" in refused(page)

    references = []
    for place in range(3):
        person = citizen(NANTONG, "not_insured", place)
        open_form(page, server, person)
        expect(page.locator("[name=name]")).to_have_value(person.name)
        check(page)
        expect(page.locator("[data-value=name]")).to_have_text(person.name)
        expect(page.get_by_role("button", name="保存")).to_be_visible()
        references.append(file(page))
        expect(page.locator("[data-ref]")).to_have_attribute("data-status", "pending")
        assert reminder(page) == str(place + 1)

    # the same person again is refused while the first record waits
    open_form(page, server, citizen(NANTONG, "not_insured", 0))
    assert refused(page) == ["同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报"]

    # an unfinished form is a draft and not counted here
    open_form(page, server, citizen(NANTONG, "not_insured", 3))
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_text("草稿已保存，可在草稿箱继续填写。")).to_be_visible()
    assert reminder(page) == "3"
    page.goto(f"{server.url}/drafts")
    assert len(rows(page)) == 1

    page.locator("[data-reminder='declarations.pending']").click()
    page.wait_for_url("**/pending")
    expect(page.locator("[data-kind=enrol] [data-count]")).to_have_text("3")
    assert sorted(rows(page)) == sorted(references)

    dropped, alone, last = references
    page.locator(f"tr[data-ref='{dropped}']").get_by_role("button", name="删除申报").click()
    expect(page.locator("dialog")).to_contain_text("将删除 1 条职工增加申报记录")
    page.locator("dialog").get_by_role("button", name="删除 1 条").click()
    expect(page.get_by_text("已删除 1 条申报。")).to_be_visible()
    assert reminder(page) == "2"

    page.locator(f"tr[data-ref='{alone}']").get_by_role("button", name="提交").click()
    expect(page.get_by_text("已提交 1 条申报。")).to_be_visible()
    assert reminder(page) == "1"
    assert rows(page) == [last]

    page.get_by_role("button", name="全部提交").click()
    expect(page.locator("dialog")).to_contain_text("将提交 1 条职工增加申报，提交后由医保经办机构审核")
    page.locator("dialog").get_by_role("button", name="提交 1 条").click()
    expect(page.get_by_text("已提交 1 条申报。")).to_be_visible()
    assert reminder(page) == "0"
    expect(page.get_by_text("没有待提交的申报")).to_be_visible()

    page.goto(f"{server.url}/submitted?month=2026-11")
    assert sorted(rows(page)) == sorted([alone, last])
    expect(page.locator(f"tr[data-ref='{alone}'] [data-status-badge]")).to_contain_text("未处理")
    page.locator(f"tr[data-ref='{alone}']").get_by_role("link", name="详细业务").click()
    expect(page.locator("[data-status=submitted]")).to_be_visible()
    expect(page.locator(".alert")).to_contain_text("还剩 5 个工作日")

    # the diagram and the list of steps say the same: filled, confirmed, waiting for the first audit
    page.get_by_role("link", name="流程图", exact=True).click()
    expect(page.locator("[data-diagram]")).to_have_attribute("data-shown", "enrol")
    for element, mark in (("fill", "done"), ("confirm", "done"), ("audit", "current")):
        expect(page.locator(f"g.djs-shape[data-element-id={element}]")).to_have_class(
            re.compile(rf"mark-{mark}")
        )
        expect(page.locator(f"li[data-element={element}]")).to_have_attribute("data-mark", mark)
    page.get_by_role("button", name="医保机构审核").click()
    expect(page.locator("[data-diagram]")).to_have_attribute("data-shown", "audit")
    expect(page.locator("g.djs-shape[data-element-id=first_audit]")).to_have_class(re.compile("mark-current"))

    for reference, status in ((dropped, "discarded"), (alone, "submitted"), (last, "submitted")):
        shown = json.loads(server.flask("declaration", "show", reference, "--json").stdout)
        assert (shown["status"], shown["lines"]) == (status, [])
