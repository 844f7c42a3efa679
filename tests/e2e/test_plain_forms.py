"""The kinds of files alone in real browsers (NT-8, JS-nav): the employer files, the agency decides."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.store.models import Employer
from tests.documents.samples import pdf
from tests.e2e.hall_steps import check, file, fill, refused, sign_in
from tests.e2e.test_endings import ON_SQLITE, approve, file_with, prepared, shoot
from tests.e2e.test_weinan_wizard import give, scan
from tests.fixtures.database import Bed
from tests.services.conftest import rows
from tests.services.test_stop import Insured

__all__ = ["prepared"]
pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"


def approved(page: Page, address: str, words: str, name: str) -> None:
    """The case is approved and says so; its diagram is kept as a picture."""
    page.goto(address)
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "approved")
    expect(page.locator("main")).to_contain_text(words)
    shoot(page, f"{name}-case")
    page.goto(f"{address}?tab=diagram")
    shoot(page, f"{name}-diagram")


@ON_SQLITE
def test_nt_8_a_nursing_allowance_from_the_menu_to_the_decision(
    live_server, database: Bed, new_page, prepared: Callable[..., Insured]
):
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page()
    found = prepared(of_age=True)  # a man, whatever the demonstration made of him
    sign_in(page, server, "nanjing.handler")
    menu = page.locator("#menu")
    expect(menu.locator("[data-closed]").first).to_be_visible()
    menu.get_by_role("link", name="男职工护理假津贴").click()
    form = {
        "id_number": found.id_number, "phone": "13900000000", "spouse_name": "示例配偶",
        "spouse_id_number": "P1234567", "child_birth_date": "2026-10-08",
        "leave_start_date": "2026-10-10", "leave_end_date": "2026-10-09",
    }  # fmt: skip
    fill(page, form)
    assert refused(page) == ["护理假结束日期不能早于开始日期。"]
    shoot(page, "nursing-refused")
    fill(page, {"leave_end_date": "2026-10-24"})
    check(page)
    expect(page.locator("main")).to_contain_text(found.name)
    shoot(page, "nursing-check")
    box = page.locator("[name=confirmed]")
    if box.count():
        box.check()
    page.locator("button[name=action][value=file]").click()
    page.wait_for_url(re.compile(r"/cases/[^/]+/materials$"))
    give(page, "marriage_certificate", ("结婚证.jpg", scan("marriage")))
    give(page, "birth_certificate", ("出生证.pdf", pdf(1)))
    ready = page.locator("[data-material][data-state=ready]")
    expect(ready).to_have_count(2, timeout=30_000)
    shoot(page, "nursing-materials")
    reference = page.locator("[data-case]").get_attribute("data-case") or ""
    confirmed = page.locator("[name=materials_confirmed]")
    if confirmed.count():
        confirmed.check()
    page.locator("#material-step .btn-primary").click()
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "submitted")
    approve(server, new_page(), "nanjing.auditor", reference, "nursing")
    approved(page, f"{server.url}/cases/{reference}", "护理假津贴申报已受理", "nursing")


@ON_SQLITE
def test_nt_8_the_account_must_be_the_employers(live_server, database: Bed, new_page):
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page()
    sign_in(page, server, "nanjing.handler")
    page.goto(f"{server.url}/declare/maternity_bank")
    with database.app.app_context():
        (employer,) = rows(Employer, employer_no="32010000001")
        name = employer.name
        db.session.remove()
    fill(page, {"bank_name": "示例银行", "bank_account_name": "某某", "bank_account": "6222000011112222"})
    assert refused(page) == [f"银行户名应与单位名称（{name}）一致，只能登记单位的对公账户。"]
    shoot(page, "bank-refused")
    fill(page, {"bank_account_name": name})
    check(page)
    reference = file_with(page, "bank", "account_proof", ("账户证明.pdf", pdf(1)))
    approve(server, new_page(), "nanjing.auditor", reference, "bank")
    approved(page, f"{server.url}/cases/{reference}", "银行信息已登记", "bank")


@ON_SQLITE
def test_js_nav_feedback_is_answered(live_server, database: Bed, new_page):
    server = live_server(database.url, now=NOW)
    page: Page = new_page()
    sign_in(page, server, "huaian.handler")
    page.locator("#menu").get_by_role("link", name="系统反馈").click()
    fill(page, {"category": "advice", "content": "希望列表可以按日期排序"})
    check(page)
    reference = file(page)
    shoot(page, "feedback-receipt")
    approve(server, new_page(), "huaian.auditor", reference, "feedback")
    approved(page, f"{server.url}/cases/{reference}", "经办机构已答复您的反馈", "feedback")
