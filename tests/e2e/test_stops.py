"""Stops in a real browser: Suzhou at once, Nantong through the pending list, Nanjing with its revert."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.clock import to_utc
from app.extensions import db
from app.services import accounts
from app.store.models import User
from tests.e2e.hall_steps import check, file, fill, refused, sign_in
from tests.fixtures.browser import SCREENS
from tests.fixtures.database import TEST_NOW
from tests.fixtures.server import LiveServer
from tests.services.test_stop import Insured, employee, open_funds

pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def insured(database) -> Callable[[str, int], Insured]:
    """`insured("suzhou", 0)`: the n-th employee of a city's first employer."""

    def find(city: str, place: int = 0) -> Insured:
        with database.app.app_context():
            user = db.session.query(User).filter_by(username=f"{city}.handler").one()
            account = accounts.load_account(user.id, to_utc(TEST_NOW))
            assert account is not None
            found = employee(account.actor, place)
            db.session.remove()
        return found

    return find


@pytest.fixture
def funds(database) -> Callable[[Insured], set[str]]:
    """The funds that somebody goes on in."""

    def find(found: Insured) -> set[str]:
        with database.app.app_context():
            left = set(open_funds(found.person_id))
            db.session.remove()
        return left

    return find


def pick(page: Page, server: LiveServer, found: Insured, words: str) -> None:
    """Look somebody up in the roster and open the form for him."""
    page.goto(f"{server.url}/declare/stop")
    page.fill("#filter-q", words)
    page.locator("form[action$='/people'] button").click()
    page.locator(f"tr[data-person='{found.person_id}']").get_by_role("link", name="减员申报").click()
    expect(page.locator("[name=id_number]")).to_have_value(found.id_number)
    expect(page.locator("[name=name]")).to_have_value(found.name)


def shoot(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


@ON_SQLITE
def test_sz_2_1_stopped_at_once(live_server, database_url_of_test: str, page: Page, insured, funds, citizen):
    server = live_server(database_url_of_test, now=NOW)
    sign_in(page, server, "suzhou.handler")
    page.goto(f"{server.url}/declare/stop")
    fill(page, {"id_number": citizen("320500", "retired").id_number, "stop_reason": "6313"})
    assert refused(page) == ["处理失败！退休人员不允许停保。"]

    found = insured("suzhou")
    pick(page, server, found, found.id_number)
    expect(page.locator("[name=stop_date]")).to_have_value("2026-11-30")
    shoot(page, "stop-suzhou-form")
    fill(page, {"stop_date": "2026-12-31", "stop_reason": "6313"})
    assert refused(page) == ["减员时间范围是：上月末或本月末！"]
    fill(page, {"stop_date": "2026-10-31"})
    check(page)
    expect(page.locator("[data-value=stop_reason]")).to_have_text("辞职")
    shoot(page, "stop-suzhou-check")
    file(page)
    expect(page.locator("[data-ref]")).to_have_attribute("data-status", "done")
    expect(page.locator("[data-message-text]")).to_have_text("处理成功! 后续请到“已审核数据查询”中查询信息!")
    shoot(page, "stop-suzhou-receipt")
    assert funds(found) == set()


@ON_SQLITE
def test_nt_2_3_stopped_through_the_pending_list(
    live_server, database_url_of_test: str, page: Page, insured, funds
):
    server = live_server(database_url_of_test, now=NOW)
    sign_in(page, server, "nantong.handler")
    found = insured("nantong")
    pick(page, server, found, found.name)
    expect(page.locator("[name=stop_month]")).to_have_value("2026-11")
    expect(page.locator("[name=stop_month]")).not_to_be_editable()
    expect(page.locator("[name=stop_reason]")).to_have_value("10")
    shoot(page, "stop-nantong-form")
    check(page)
    reference = file(page)
    expect(page.locator("[data-ref]")).to_have_attribute("data-status", "pending")
    page.goto(f"{server.url}/pending?kind=stop")
    expect(page.locator(f"tr[data-ref='{reference}']")).to_contain_text(found.name)
    shoot(page, "stop-nantong-pending")
    page.locator(f"tr[data-ref='{reference}']").get_by_role("button", name="提交").click()
    page.goto(f"{server.url}/cases/{reference}")
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "submitted")
    assert funds(found) != set()

    page.context.clear_cookies()
    sign_in(page, server, "nantong.auditor")
    page.goto(f"{server.url}/cases/{reference}")
    shoot(page, "stop-nantong-audit")


@ON_SQLITE
def test_nj_3_3_a_stop_is_taken_back(live_server, database_url_of_test: str, page: Page, insured, funds):
    server = live_server(database_url_of_test, now=NOW)
    sign_in(page, server, "nanjing.handler")
    found = insured("nanjing")
    before = funds(found)
    pick(page, server, found, found.name)
    expect(page.locator(".alert.warn").first).to_contain_text("重要提醒:办理医保退休, 不要办理停保!!!")
    fill(page, {"stop_date": "2026-11-30", "stop_reason": "6301"})
    shoot(page, "stop-nanjing-form")
    check(page)
    file(page)
    assert funds(found) == set()

    page.goto(f"{server.url}/declare/revert")
    page.locator("[name=revert_type][value=stop]").check()
    fill(page, {"id_number": found.id_number})
    shoot(page, "revert-form")
    check(page)
    expect(page.locator("[data-value=handled_at]")).to_have_text(re.compile(r"2026-11-18 10:\d\d"))
    shoot(page, "revert-check")
    file(page)
    assert funds(found) == before
    page.goto(f"{server.url}/declare/revert")
    page.locator("[name=revert_type][value=stop]").check()
    fill(page, {"id_number": found.id_number})
    assert refused(page) == ["同一身份证一天只能回退一次"]
