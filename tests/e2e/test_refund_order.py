"""Money back to an employer in a real browser: one person orders it, another one enters that it was paid."""

import re
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.services import assessing, posting
from app.store.models import Employer
from tests.e2e.hall_steps import sign_in
from tests.fixtures.browser import SCREENS
from tests.fixtures.database import TEST_NOW
from tests.services.test_posting import refund_half

pytestmark = pytest.mark.e2e
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
UNIT = "32050000003"


@ON_SQLITE
def test_what_is_due_back_is_ordered_and_paid(database, live_server, database_url_of_test: str, new_page):
    with database.app.app_context():
        unit = db.session.query(Employer).filter_by(employer_no=UNIT).one()
        number = assessing.assess("2026-11", TEST_NOW, employer_id=unit.id).notices[0]
        posting.post(number, date(2026, 11, 17), TEST_NOW)
        refund_half(number)
        db.session.remove()
    server = live_server(database_url_of_test, now=TEST_NOW.isoformat())
    supervisor, senior, employer = new_page(), new_page(), new_page()
    sign_in(supervisor, server, "suzhou.supervisor")
    supervisor.goto(f"{server.url}/refunds")
    _keep(supervisor, "refunds")
    supervisor.locator(f"[data-employer='{UNIT}'] a.row-link").click()
    amount = supervisor.locator("[data-total] .num").last.inner_text()
    _keep(supervisor, "refund")
    supervisor.get_by_role("button", name="开具退费支付单").click()
    expect(supervisor).to_have_url(re.compile(r"/payment-orders/T\d+$"))
    order = supervisor.locator("[data-order]").get_attribute("data-order")
    expect(supervisor.locator("[data-total]")).to_contain_text(amount)
    # whoever ordered it may only make it void
    expect(supervisor.get_by_role("button", name="已支付")).to_have_count(0)
    expect(supervisor.get_by_role("button", name="作废")).to_be_visible()
    _keep(supervisor, "refund-order")
    sign_in(senior, server, "suzhou.senior")
    senior.goto(f"{server.url}/payment-orders")
    _keep(senior, "payment-orders")
    row = senior.locator("[data-row]", has_text=str(order))
    row.get_by_role("button", name="已支付").click()
    expect(senior.locator("[data-row]")).to_have_count(0)
    sign_in(employer, server, "suzhou.handler")
    employer.goto(f"{server.url}/refunds/{UNIT}")
    expect(employer.locator(f"[data-order='{order}']")).to_have_attribute("data-state", "paid")
    _keep(employer, "refund-employer")


def _keep(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)
