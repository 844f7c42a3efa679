"""Nanjing's retirement and payout of an account in real browsers: the employer, then both auditors."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.clock import to_utc
from app.extensions import db
from app.services import accounts
from app.store.models import Enrolment, PaymentOrder, Person, User
from tests.documents.samples import pdf
from tests.e2e.agency_steps import open_case, press
from tests.e2e.hall_steps import check, fill, refused, sign_in
from tests.e2e.test_weinan_wizard import give, scan
from tests.fixtures.browser import SCREENS
from tests.fixtures.database import TEST_NOW, Bed
from tests.fixtures.server import LiveServer
from tests.services.conftest import rows
from tests.services.endings.people import OF_AGE, PAID, allocate, employee, retirement_form, withdrawal_form
from tests.services.test_stop import Insured

pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1366, "height": 768}


@pytest.fixture
def prepared(database: Bed) -> Callable[..., Insured]:
    """One of Nanjing's employees with money in the account; of age where that is asked."""

    def make(*, of_age: bool = False) -> Insured:
        with database.app.app_context():
            user = db.session.query(User).filter_by(username="nanjing.handler").one()
            account = accounts.load_account(user.id, to_utc(TEST_NOW))
            assert account is not None
            found = employee(account.actor, born=OF_AGE if of_age else None)
            for month in ("2026-09", "2026-10", "2026-11"):
                allocate(account.actor, found, TEST_NOW, month, 16000, PAID)
            allocate(account.actor, found, TEST_NOW, "2026-11", 64000, party="employer")
            db.session.remove()
        return found

    return make


def shoot(page: Page, name: str) -> None:
    """Keep pictures of the page as a desk and as a phone show it; nothing may stick out of the phone."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=SCREENS / f"{name}-1366.png", full_page=True)
    page.set_viewport_size(NARROW)
    page.screenshot(path=SCREENS / f"{name}-390.png", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(WIDE)
    assert wide <= NARROW["width"], f"{name} is {wide} pixels wide on a phone"


def file_with(page: Page, name: str, item: str, *papers: tuple[str, bytes]) -> str:
    """Confirm the check page, give the one document and submit; gives the reference."""
    shoot(page, f"{name}-check")
    box = page.locator("[name=confirmed]")
    if box.count():
        box.check()
    page.locator("button[name=action][value=file]").click()
    page.wait_for_url(re.compile(r"/cases/[^/]+/materials$"))
    page.locator("#material-step .btn-primary").click()
    expect(page.get_by_role("alert")).to_contain_text("请上传")
    give(page, item, *papers)
    expect(page.locator(f"[data-item={item}] [data-material][data-state=ready]")).to_have_count(
        1, timeout=30_000
    )
    shoot(page, f"{name}-materials")
    reference = page.locator("[data-case]").get_attribute("data-case") or ""
    confirmed = page.locator("[name=materials_confirmed]")
    if confirmed.count():
        confirmed.check()
    page.locator("#material-step .btn-primary").click()
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "submitted")
    shoot(page, f"{name}-filed")
    return reference


def approve(server: LiveServer, page: Page, username: str, reference: str, name: str) -> None:
    """Approve one step as somebody, after a look at it."""
    sign_in(page, server, username)
    open_case(page, server, reference)
    shoot(page, f"{name}-{username}")
    press(page, "approve")


@ON_SQLITE
def test_nj_4_1_retired_by_two_auditors(live_server, database: Bed, new_page, prepared):
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page()
    found = prepared(of_age=True)
    sign_in(page, server, "nanjing.handler")
    page.goto(f"{server.url}/declare/retirement")
    shoot(page, "retirement-form")
    typed = retirement_form(found)
    fill(page, {**typed, "total_months": "250", "paid_months": "250", "deemed_months": ""})
    assert refused(page) == ["累计缴费月数不足300个月，还差50个月，请选择一次性补缴或继续缴费。"]
    shoot(page, "retirement-refused")
    fill(page, typed)
    check(page)
    reference = file_with(page, "retirement", "pension_assessment", ("核定表.pdf", pdf(2)))

    approve(server, new_page(), "nanjing.auditor", reference, "retirement")
    page.goto(f"{server.url}/cases/{reference}")
    waiting = re.compile("submitted|in_audit")
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", waiting)
    approve(server, new_page(), "nanjing.senior", reference, "retirement")

    page.goto(f"{server.url}/cases/{reference}")
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "approved")
    expect(page.locator("main")).to_contain_text("次月起转为退休人员")
    shoot(page, "retirement-case")
    page.goto(f"{server.url}/cases/{reference}?tab=diagram")
    shoot(page, "retirement-diagram")
    with database.app.app_context():
        types = {
            row.person_type for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None
        }
        assert types == {"1201"}


@ON_SQLITE
def test_nj_4_2_a_death_is_paid_out_by_two_auditors(live_server, database: Bed, new_page, prepared):
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page()
    found = prepared()
    sign_in(page, server, "nanjing.handler")
    page.goto(f"{server.url}/declare/withdrawal")
    shoot(page, "withdrawal-form")
    fill(page, {**withdrawal_form(found), "termination_date": "2026-11-30"})
    assert refused(page) == ["终止时间不能晚于今天。"]
    fill(page, withdrawal_form(found))
    check(page)
    expect(page.locator("[data-value=account_balance]")).to_contain_text("320.00")
    reference = file_with(page, "withdrawal", "withdrawal_picture", ("结算单.jpg", scan("payout")))

    approve(server, new_page(), "nanjing.auditor", reference, "withdrawal")
    approve(server, new_page(), "nanjing.senior", reference, "withdrawal")
    page.goto(f"{server.url}/cases/{reference}")
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "approved")
    expect(page.locator("main")).to_contain_text("320.00元已生成支付单")
    shoot(page, "withdrawal-case")
    page.goto(f"{server.url}/cases/{reference}?tab=amounts")
    shoot(page, "withdrawal-amounts")
    with database.app.app_context():
        assert rows(Person, id=found.person_id)[0].life_status == "2"
        assert [row.amount_fen for row in rows(PaymentOrder, person_id=found.person_id)] == [32000]

    # nothing else can be filed about the dead
    page.goto(f"{server.url}/declare/stop")
    fill(page, {"id_number": found.id_number, "stop_date": "2026-11-30", "stop_reason": "6301"})
    (words,) = refused(page)
    assert words.startswith("该人员已登记死亡（2026-10-15）")
    shoot(page, "withdrawal-then-stop")
