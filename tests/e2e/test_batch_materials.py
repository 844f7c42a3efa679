"""Weinan's batch stop in a real browser: the file, everybody's materials, one submission, the auditor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from app.clock import to_utc
from app.extensions import db
from app.services import accounts
from app.store.accounts import find_user
from app.store.models import Declaration, Material
from tests.documents.samples import HOSTILE
from tests.e2e.hall_steps import sign_in
from tests.e2e.test_weinan_wizard import scan
from tests.fixtures.browser import SCREENS
from tests.fixtures.database import TEST_NOW
from tests.services.batch_files import FIRST_ROW
from tests.services.conftest import rows
from tests.services.test_stop import employee

pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"
REASON = "02-解除或终止劳动合同"

# what a browser does when somebody drops files from a folder
DROP = """(zone, files) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name));
  }
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def people(database):
    with database.app.app_context():
        actor = accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor
        found = [employee(actor, place) for place in range(4)]
        db.session.remove()
    return found


def encoded(*files: tuple[str, bytes]) -> list[list[str]]:
    from base64 import b64encode

    return [[name, b64encode(content).decode()] for name, content in files]


def shoot(page: Page, name: str, full: bool = False) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=full)


def filled_template(page: Page, people, folder: Path) -> Path:
    """Download the region's template and fill it as a person does."""
    with page.expect_download() as download:
        page.get_by_role("link", name="下载模板").click()
    assert download.value.suggested_filename == "在职减员报盘模版.xlsx"
    file = folder / "减员.xlsx"
    download.value.save_as(file)
    book = load_workbook(file)
    assert {"代码对应表", "示例"} <= set(book.sheetnames)
    sheet = book.active
    places = {cell.value: cell.column for cell in sheet[2]}
    for number, found in enumerate(people, FIRST_ROW):
        cells = {
            "id_type": "居民身份证(户口簿)", "id_number": found.id_number, "name": found.name,
            "stop_month": "202611", "stop_reason": REASON,
        }  # fmt: skip
        for name, value in cells.items():
            sheet.cell(number, places[name]).value = value
    book.save(file)
    return file


def upload(page: Page, url: str, people, folder: Path) -> None:
    page.goto(f"{url}/imports/stop")
    page.set_input_files("#field-file", filled_template(page, people, folder))
    page.get_by_role("button", name="文件上传").click()
    row = page.locator("tr[data-batch]").first
    # the page is neither left nor loaded again
    expect(row).to_have_attribute("data-state", "finished", timeout=60_000)
    expect(row).to_have_attribute("data-accepted", str(len(people)))


def test_wn_2_3_a_batch_of_stops_with_everybodys_materials(
    live_server, database, new_page, people, tmp_path
) -> None:
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page()
    sign_in(page, server, "weinan.handler")
    upload(page, server.url, people, tmp_path)
    shoot(page, "batch-materials-imported")
    page.locator(".batch-bar-result").get_by_role("link", name="上传材料").click()
    page.wait_for_url(re.compile(r"/materials$"))
    expect(page.locator("tr[data-materials=missing]")).to_have_count(4)
    shoot(page, "batch-materials-empty")

    # nothing there yet: refused in words, with links to the people
    page.get_by_role("link", name="下一步").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"第4行 {people[0].name}：缺少身份证复印件")
    alert.get_by_role("link").nth(3).click()
    expect(page.locator("#field-person_7")).to_be_in_viewport()

    # four files are dropped: two find their people, one finds nobody, one is hostile
    page.locator(".drop-zone").evaluate(
        DROP,
        encoded(
            (f"{people[0].id_number}身份证.jpg", scan("one")),
            (f"{people[1].id_number}_身份证正面.jpg", scan("two")),
            ("扫描件0007.jpg", scan("three")),
            ("通知.pdf", HOSTILE["a page"][0]),
        ),
    )
    told = page.locator("#batch-answers")
    expect(told).to_contain_text("已对应 2 个，待指定 1 个，未接收 1 个", timeout=30_000)
    expect(told).to_contain_text("通知.pdf")
    expect(page.locator("#field-files li[data-held]")).to_have_count(1)
    shoot(page, "batch-materials-dropped", full=True)

    # the one that finds nobody is given to somebody by what is typed
    held = page.locator("li[data-held]").first
    held.get_by_label("姓名、证件号码或行号").fill("第6行")
    held.get_by_label("材料").select_option(label="身份证复印件")
    page.get_by_role("button", name="保存指定").click()
    expect(page.locator("li[data-held]")).to_have_count(0)

    # the last one's is chosen by the dialog, the item said for all files
    page.get_by_label("材料").first.select_option(label="身份证复印件")
    page.set_input_files(
        "#field-file",
        [{"name": f"{people[3].id_number}.jpg", "mimeType": "image/jpeg", "buffer": scan("four")}],
    )
    expect(page.locator("tr[data-materials=complete]")).to_have_count(4, timeout=30_000)
    expect(page.locator("#batch-table")).not_to_have_attribute("hx-trigger", "every 3s", timeout=60_000)
    shoot(page, "batch-materials-given")

    page.get_by_role("link", name="下一步").click()
    page.wait_for_url(re.compile(r"/review$"))
    shoot(page, "batch-materials-review")
    page.locator("[name=materials_confirmed]").check()
    page.get_by_role("button", name="申报提交").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("将为 4 人提交批量在职减员")
    shoot(page, "batch-materials-confirm")
    dialog.get_by_role("button", name="提交 4 人").click()
    expect(page.locator("main")).to_contain_text("业务已经提交，等待中心审批", timeout=30_000)
    shoot(page, "batch-materials-submitted")

    page.goto(f"{server.url}/messages")
    expect(page.locator("main")).to_contain_text("共4条，成功4条，失败0条")
    page.get_by_role("link", name="查看处理结果").click()
    page.wait_for_url(re.compile(r"/imports/stop/\d+$"))

    with database.app.app_context():
        cases = rows(Declaration, status="submitted", kind="stop")
        assert len(cases) == 4
        assert {row.state for row in rows(Material)} == {"ready"}
        reference = cases[2].reference
        db.session.remove()
    audit(server, new_page(), reference)


def audit(server, page: Page, reference: str) -> None:
    """The auditor finds all four in the inbox, with their documents."""
    sign_in(page, server, "weinan.auditor")
    page.goto(f"{server.url}/inbox?kind=stop")
    expect(page.locator("[data-ref][data-task]")).to_have_count(4)
    page.goto(f"{server.url}/cases/{reference}")
    page.locator(".tabs a, [role=tab]").filter(has_text="材料").first.click()
    viewer = page.locator("[data-doc-viewer]")
    expect(viewer).to_be_visible()
    shoot(page, "batch-materials-auditor")


def test_on_a_phone_and_by_keyboard_then_discarded(live_server, database, new_page, people, tmp_path) -> None:
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page(viewport={"width": 390, "height": 780})
    sign_in(page, server, "weinan.handler")
    upload(page, server.url, people[:2], tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".batch-bar-result").get_by_role("link", name="上传材料").click()
    page.wait_for_url(re.compile(r"/materials$"))
    # a key pressed while scripts are still starting may go to the page before
    page.wait_for_load_state("networkidle")
    page.locator("#give-item").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#field-file")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    file = tmp_path / "不知道是谁.jpg"
    file.write_bytes(scan("who"))
    chooser.value.set_files(file)
    expect(page.locator("li[data-held]")).to_have_count(1, timeout=30_000)
    shoot(page, "batch-materials-phone", full=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="废弃").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("2 人的申报")
    dialog.get_by_role("button", name="废弃 2 人").click()
    expect(page.locator("main")).to_contain_text("已废弃 2 人的申报", timeout=30_000)
    with database.app.app_context():
        assert {row.status for row in rows(Declaration, kind="stop", employer_id=employer_of(people))} >= {
            "discarded"
        }
        db.session.remove()


def employer_of(people) -> int:
    return accounts.load_account(find_user("weinan.handler").id, to_utc(TEST_NOW)).actor.employer_id
