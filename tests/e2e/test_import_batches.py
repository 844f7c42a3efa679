"""Two thousand rows in a real browser: Suzhou's take effect at once, Nantong's are submitted and approved."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.store.models import Declaration, Enrolment
from app.store.people import add_people, person_values
from app.store.session import transaction
from tests.e2e.hall_steps import sign_in
from tests.e2e.make_fixtures import NANTONG, ROWS, people
from tests.fixtures.browser import SCREENS
from tests.fixtures.database import Bed
from tests.fixtures.server import LiveServer
from tests.services.conftest import rows

pytestmark = pytest.mark.e2e

FIXTURES = Path(__file__).parent / "fixtures"
NOW = "2026-11-18T10:00:00"
PATIENCE = 120_000


def upload(page: Page, server: LiveServer, name: str) -> None:
    page.goto(f"{server.url}/imports/enrol")
    page.set_input_files("#field-file", FIXTURES / name)
    expect(page.locator("[data-file-name]")).to_have_text(name)
    page.get_by_role("button", name="文件上传").click()
    page.wait_for_url(re.compile(r"#batches$"))


def finished(page: Page) -> dict[str, str]:
    """Wait until the newest batch is done, without leaving or reloading the page; gives its marks."""
    row = page.locator("tr[data-batch]").first
    expect(row).to_have_attribute("data-state", "finished", timeout=PATIENCE)
    return {
        name: row.get_attribute(f"data-{name}") or "" for name in ("total", "done", "accepted", "rejected")
    }


def picture(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def test_the_fixtures_come_from_libreoffice() -> None:
    new = (FIXTURES / "suzhou_enrol_2000.xlsx").read_bytes()
    old = (FIXTURES / "nantong_enrol_2000.xls").read_bytes()
    assert new.startswith(b"PK\x03\x04")
    assert old.startswith(bytes.fromhex("d0cf11e0a1b11ae1"))


def test_suzhou_two_thousand_rows(
    live_server: Callable[..., LiveServer], database: Bed, new_page: Callable[..., Page]
) -> None:
    server = live_server(database.url, now=NOW, workers=1)
    page = new_page()
    sign_in(page, server, "suzhou.handler")
    page.goto(f"{server.url}/imports/enrol")
    picture(page, "import-suzhou-empty")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载模板").click()
    assert download.value.suggested_filename == "职工批量增员申报模板.xlsx"
    upload(page, server, "suzhou_enrol_2000.xlsx")
    picture(page, "import-suzhou-running")
    # leaving and coming back changes nothing
    page.goto(f"{server.url}/hall")
    page.goto(f"{server.url}/imports/enrol")
    assert finished(page) == {"total": "2000", "done": "2000", "accepted": "2000", "rejected": "0"}
    picture(page, "import-suzhou-done")
    with database.app.app_context():
        assert len(rows(Declaration, status="done")) == ROWS
        assert len(rows(Enrolment, from_month="2026-11")) >= ROWS * 6
        db.session.remove()


def test_nantong_two_thousand_rows_submitted_and_approved(
    live_server: Callable[..., LiveServer], database: Bed, new_page: Callable[..., Page]
) -> None:
    with database.app.app_context(), transaction():
        add_people(
            [
                person_values(
                    region=NANTONG, id_type="01", id_number=each.number, name=each.name, sex=each.sex,
                    birth_date=each.birth_date,
                )
                for each in people(NANTONG)
            ]
        )  # fmt: skip
    server = live_server(database.url, now=NOW, workers=1)
    page = new_page()
    sign_in(page, server, "nantong.handler")
    upload(page, server, "nantong_enrol_2000.xls")
    assert finished(page) == {"total": "2000", "done": "2000", "accepted": "2000", "rejected": "0"}
    expect(page.locator("#batches")).to_contain_text(
        "成功：2000行,失败：0行。请在待提交管理模块中查询成功导入信息。"
    )
    picture(page, "import-nantong-done")
    page.goto(f"{server.url}/pending?kind=enrol")
    page.get_by_role("button", name="全部提交").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("2000")
    dialog.get_by_role("button", name=re.compile("提交 2000 条")).click()
    expect(page.locator("main")).to_contain_text("已提交 2000 条申报", timeout=PATIENCE)
    page.context.clear_cookies()
    sign_in(page, server, "nantong.auditor")
    page.goto(f"{server.url}/inbox?kind=enrol&step=first_audit")
    picture(page, "approve-all")
    page.get_by_role("button", name=re.compile("全部通过")).click()
    page.locator("dialog").get_by_role("button", name=re.compile("通过 2000 件")).click()
    expect(page.locator("main")).to_contain_text("已通过 2000 件", timeout=PATIENCE)
    with database.app.app_context():
        assert len(rows(Declaration, status="approved")) == ROWS
        db.session.remove()
