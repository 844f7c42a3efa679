"""Long work in a real browser with a real worker: started, left, come back to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.clock import to_utc
from app.extensions import db
from app.services import accounts
from app.store.accounts import find_user
from tests.e2e.hall_steps import sign_in
from tests.e2e.test_endings import shoot
from tests.fixtures.database import TEST_NOW
from tests.services.batch_files import filled
from tests.services.test_stop import employee

pytestmark = pytest.mark.e2e
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@ON_SQLITE
def test_js_3_8_the_bases_of_a_region_are_carried_on(live_server, database, page: Page) -> None:
    server = live_server(database.url, now="2026-11-18T10:00:00", workers=1)
    sign_in(page, server, "huaian.counter")
    page.goto(f"{server.url}/base-years")
    page.get_by_role("button", name="全部结转").click()
    page.locator("dialog").get_by_role("button", name="全部结转").click()
    page.wait_for_url(re.compile(r"/base-years/runs/\d+$"))
    # somebody leaves the page and comes back
    page.goto(f"{server.url}/base-years/runs")
    page.locator("tr[data-run] a").first.click()
    expect(page.locator("#run")).to_have_attribute("data-state", "finished", timeout=60_000)
    expect(page.locator("tr[data-outcome=filed]")).not_to_have_count(0)
    shoot(page, "carry-run")
    page.goto(f"{server.url}/base-years/runs")
    shoot(page, "carry-runs")


@ON_SQLITE
def test_wn_2_4_the_month_is_confirmed_after_the_import(live_server, database, page: Page, tmp_path) -> None:
    with database.app.app_context():
        actor = accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor
        people = [employee(actor, place) for place in range(3)]
        cells = [{"id_number": each.id_number, "name": each.name, "wage_yuan": "8000"} for each in people]
        file = tmp_path / "基数.xlsx"
        file.write_bytes(filled(actor, "base_annual", cells))
        db.session.remove()
    server = live_server(database.url, now="2026-06-16T10:00:00", workers=1)
    sign_in(page, server, "weinan.handler")
    page.goto(f"{server.url}/imports/base_annual")
    page.set_input_files("#field-file", file)
    page.get_by_role("button", name="文件上传").click()
    row = page.locator("tr[data-batch]").first
    expect(row).to_have_attribute("data-state", "finished", timeout=60_000)
    page.locator(".batch-bar-result").get_by_role("link", name="上传材料").click()
    page.wait_for_url(re.compile(r"/confirmation$"))
    expect(page.locator("[name=declared_month]")).to_have_value("2026-06")
    shoot(page, "base-month-confirmation")
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url(re.compile(r"/materials$"))
    expect(page.locator("tr[data-materials=missing]")).to_have_count(3)
    shoot(page, "base-month-materials")
    page.get_by_role("link", name="上一步").click()
    page.wait_for_url(re.compile(r"/confirmation$"))
