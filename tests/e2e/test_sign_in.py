"""A person signs in and out, on both databases, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from app.config import DEMO_PASSWORD

pytestmark = pytest.mark.e2e


def test_a_handler_signs_in_and_reaches_the_hall(live_server, database_url_of_test: str, page: Page) -> None:
    server = live_server(database_url_of_test, now="2026-11-08T10:00:00")
    page.goto(f"{server.url}/hall")
    expect(page).to_have_url(f"{server.url}/login?next=/hall")

    page.fill("#field-username", "suzhou.handler")
    page.fill("#field-password", "not-the-password")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#field-username")).to_have_value("suzhou.handler")

    page.fill("#field-password", DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{server.url}/hall")
    expect(page.locator(".demo-bar")).to_contain_text("2026-11-08")


def test_an_auditor_is_not_shown_the_hall(live_server, database_url_of_test: str, page: Page) -> None:
    server = live_server(database_url_of_test, now="2026-11-08T10:00:00")
    page.goto(f"{server.url}/login")
    page.fill("#field-username", "nantong.auditor")
    page.fill("#field-password", DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).not_to_have_url(f"{server.url}/login")
    expect(page).not_to_have_url(f"{server.url}/hall")
