"""A unit registers, its admin activates the account by a message, and adds an operator who gets in."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

REGION, PASSWORD = "320800", "Quiet-river-42"
# the pace of codes is kept for each phone, over both databases
OPERATORS = {"sqlite": "13912345678", "postgresql": "13912345679"}


def code_of(page: Page, url: str, last4: str) -> str:
    """Read the newest code on the page of messages, as soon as the worker has delivered it."""
    page.goto(f"{url}/messages/sms?last4={last4}")
    newest = page.locator("[data-sms] .todo-note").filter(has_text=re.compile(r"验证码\d{6}")).first
    for _ in range(60):
        if newest.count():
            break
        page.wait_for_timeout(250)
        page.reload()
    return re.search(r"验证码(\d{6})", newest.inner_text())[1]


def set_password(page: Page) -> None:
    page.fill("#field-new_password", PASSWORD)
    page.fill("#field-new_password_2", PASSWORD)
    page.get_by_role("button", name="完成").click()


def test_a_unit_registers_and_its_admin_adds_an_operator(live_server, database_url_of_test, new_page) -> None:
    operator = OPERATORS[re.split(r"[:+]", database_url_of_test)[0]]
    server = live_server(database_url_of_test, now="2026-11-18T10:00:00", workers=1)
    page, phone = new_page(), new_page()
    page.goto(f"{server.url}/login")
    page.get_by_role("link", name="单位注册").click()
    page.locator(f'a[href="/register/{REGION}"]').click()
    hint = page.get_by_text("演示：可用").inner_text()
    page.fill("#field-employer_no", f"{REGION}00004")
    page.fill("#field-credit_code", "91320800MA1WRONG00")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("alert")).to_contain_text("与登记信息不一致")
    expect(page.locator("#field-employer_no")).to_have_value(f"{REGION}00004")
    page.fill("#field-credit_code", re.search(r"[0-9A-Z]{18}", hint)[0])
    page.get_by_role("button", name="下一步").click()

    expect(page).to_have_url(f"{server.url}/activate/code")
    expect(page.get_by_text("139****0004")).to_be_visible()
    page.fill("#field-code", code_of(phone, server.url, "0004"))
    page.get_by_role("button", name="下一步").click()
    page.fill("#field-new_password", "888888")
    page.fill("#field-new_password_2", "888888")
    page.get_by_role("button", name="完成").click()
    expect(page.get_by_role("alert")).to_be_visible()
    set_password(page)
    expect(page).to_have_url(f"{server.url}/hall")
    expect(page.locator("header")).to_contain_text("示例新办企业4")

    page.get_by_role("link", name="操作员管理").click()
    page.get_by_role("link", name="添加操作员").click()
    page.fill("#field-username", operator)
    page.fill("#field-name", "周小兰")
    page.get_by_role("button", name="添加").click()
    expect(page.locator("tr", has_text=operator)).to_contain_text("待激活")

    phone.goto(f"{server.url}/login")
    phone.get_by_role("link", name="激活账号").click()
    phone.fill("#field-username", operator)
    phone.get_by_role("button", name="获取验证码").click()
    expect(phone).to_have_url(f"{server.url}/activate/code")
    code = code_of(new_page(), server.url, operator[-4:])
    phone.fill("#field-code", code)
    phone.get_by_role("button", name="下一步").click()
    set_password(phone)
    expect(phone).to_have_url(f"{server.url}/hall")

    page.reload()
    row = page.locator("tr", has_text=operator)
    expect(row).to_contain_text("正常")
    row.get_by_role("button", name="停用").click()
    page.get_by_role("button", name="停用", exact=True).last.click()
    expect(page.locator("tr", has_text=operator)).to_contain_text("已停用")
    phone.reload()
    expect(phone).to_have_url(re.compile("/login"))
