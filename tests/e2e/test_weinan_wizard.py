"""Weinan's wizard in a real browser, with real files: forth, back, discarded, submitted, audited."""

import io
import re

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from app.domain.calendar import month_of
from app.store.models import Declaration, Enrolment, Material
from tests.documents.samples import HOSTILE, pdf
from tests.e2e.hall_steps import fill, sign_in
from tests.fixtures.browser import SCREENS
from tests.services.conftest import rows

pytestmark = pytest.mark.e2e
WEINAN, NOW = "610500", "2026-11-18T10:00:00"


def scan(text: str, kind: str = "JPEG", size: tuple[int, int] = (1400, 900)) -> bytes:
    """A picture that looks like a scanned paper."""
    image = Image.new("RGB", size, "#f4f1e8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, size[0] - 40, size[1] - 40), outline="#887", width=6)
    for line in range(8):
        draw.text((120, 120 + line * 80), f"{text} line {line + 1}", fill="#222", font_size=40)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the page, to be looked at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def form(found) -> dict[str, str]:
    return {
        "id_type": "01", "id_number": found.id_number, "name": found.name, "ethnicity": "01",
        "phone": "13900000000", "first_work_date": "2020-01-01", "person_type": "1101",
        "start_month": "2026-11", "wage_yuan": "8000",
    }  # fmt: skip


def to_materials(page: Page, url: str, found) -> str:
    """Fill and confirm; returns the reference."""
    page.goto(f"{url}/declare/enrol")
    fill(page, form(found))
    page.locator("button.btn-primary[value=file]:visible").click()
    page.wait_for_url(re.compile(r"/cases/[^/]+$"))
    expect(page.locator(".steps .now")).to_contain_text("确认")
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url(re.compile(r"/cases/[^/]+/materials$"))
    return page.locator("[data-case]").get_attribute("data-case") or ""


def give(page: Page, item: str, *files: tuple[str, bytes]) -> None:
    chosen = [{"name": name, "mimeType": "application/octet-stream", "buffer": body} for name, body in files]
    page.locator(f"[data-item={item}] input[type=file]").set_input_files(chosen)


def test_the_whole_wizard(live_server, database, new_page, citizen) -> None:
    server = live_server(database.url, now=NOW, workers=1)
    page: Page = new_page()
    sign_in(page, server, "weinan.handler")
    reference = to_materials(page, server.url, citizen(WEINAN, "unknown"))
    identity, contract = (
        page.locator("[data-item=identity_card]"),
        page.locator("[data-item=labour_contract]"),
    )
    expect(identity).to_contain_text("必需")
    shoot(page, "materials-empty")

    # nothing there yet: words at each item
    page.locator("#material-step .btn-primary").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("请上传身份证复印件")
    expect(alert).to_contain_text("请上传劳动合同")
    alert.get_by_role("link", name="请上传身份证复印件").click()
    expect(identity).to_be_in_viewport()

    # a hostile file is refused in words, a sound one beside it is taken
    give(page, "identity_card", ("身份证.pdf", HOSTILE["a page"][0]), ("身份证正面.jpg", scan("front")))
    expect(identity.locator(".field-error").first).to_contain_text("网页")
    expect(identity.locator("[data-material]")).to_have_count(1)
    give(page, "identity_card", ("身份证反面.png", scan("back", "PNG")))
    expect(identity.locator("[data-material][data-state=ready]")).to_have_count(2, timeout=30_000)
    give(page, "labour_contract", ("劳动合同.pdf", pdf(3)))
    expect(contract.locator("[data-state=ready]")).to_have_count(1, timeout=30_000)
    expect(alert).not_to_contain_text("请上传")
    shoot(page, "materials-given")

    # the pictures of the card become one PDF
    identity.get_by_role("button", name="把图片合并为一个 PDF").click()
    expect(identity.locator("[data-material]")).to_have_count(1, timeout=30_000)
    expect(identity).to_contain_text("身份证复印件.pdf", timeout=30_000)
    expect(identity).to_contain_text("共 2 页")

    # back to the confirmation and forth: what was uploaded is still there
    page.get_by_role("button", name="上一步").click()
    expect(page.locator(".steps .now")).to_contain_text("确认")
    page.get_by_role("button", name="下一步").click()
    expect(identity.locator("[data-material]")).to_have_count(1)

    page.locator("[name=materials_confirmed]").check()
    page.locator("#material-step .btn-primary").click()
    expect(page.locator("[data-case]")).to_have_attribute("data-status", "pending")
    expect(page.locator(".material-list")).to_contain_text("劳动合同.pdf")
    shoot(page, "materials-review")
    page.get_by_role("button", name="修改").click()
    expect(page.locator("#field-wage_yuan")).to_have_value("8000.00")
    page.locator("button.btn-primary[value=file]:visible").click()
    page.get_by_role("button", name="下一步").click()
    page.locator("[name=materials_confirmed]").check()
    page.locator("#material-step .btn-primary").click()
    page.get_by_role("button", name="提交", exact=True).click()
    page.wait_for_url(re.compile("/receipt$"))
    expect(page.locator("main")).to_contain_text("业务已经提交，等待中心审批")

    audit(server, new_page(), reference)
    with database.app.app_context():
        (case,) = rows(Declaration, reference=reference)
        assert case.status == "approved"
        enrolled = rows(Enrolment, declaration_id=case.id)
        assert {each.fund for each in enrolled} == {"310", "330", "510"}
        assert {each.from_month for each in enrolled} == {month_of(case.created_at_utc.date())}
        assert {row.state for row in rows(Material, declaration_id=case.id)} == {"ready", "removed"}


def audit(server, page: Page, reference: str) -> None:
    sign_in(page, server, "weinan.auditor")
    page.goto(f"{server.url}/cases/{reference}")
    page.locator("[data-tab] , .tabs a, [role=tab]").filter(has_text="材料").first.click()
    viewer = page.locator("[data-doc-viewer]")
    expect(viewer).to_be_visible()
    shoot(page, "materials-auditor")
    image = viewer.locator("[data-doc-image]")
    viewer.locator("[data-doc-file]").filter(has_text="劳动合同").click()
    expect(viewer.locator("[data-doc-place]")).to_have_text("1 / 3")
    viewer.focus()
    page.keyboard.press("ArrowRight")
    expect(viewer.locator("[data-doc-place]")).to_have_text("2 / 3")
    page.keyboard.press("r")
    expect(image).to_have_attribute("src", re.compile(r"page-2\.jpg\?angle=90$"))
    page.keyboard.press("+")
    expect(image).to_have_class(re.compile("size-150"))
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth > image.naturalHeight)")
    with page.expect_download() as download:
        viewer.locator("[data-doc-save]").click()
    assert download.value.suggested_filename == "劳动合同.pdf"
    page.locator("button[name=decision][value=approve]").first.click()
    confirm = page.locator("dialog button.btn-primary, dialog button[value=approve]")
    if confirm.count():
        confirm.first.click()
    expect(page.locator("main")).to_contain_text("通过")


def test_discarded_half_way_and_on_a_phone(live_server, database, new_page, citizen) -> None:
    server = live_server(database.url, now=NOW, workers=0)
    page: Page = new_page(viewport={"width": 375, "height": 740})
    sign_in(page, server, "weinan.handler")
    reference = to_materials(page, server.url, citizen(WEINAN, "unknown"))
    give(page, "identity_card", ("身份证.jpg", scan("front")))
    # chosen while the first one is still on its way
    give(page, "labour_contract", ("合同.pdf", pdf(1)))
    expect(page.locator("[data-item=identity_card] [data-material]")).to_have_count(1)
    expect(page.locator("[data-item=labour_contract] [data-material]")).to_have_count(1)
    shoot(page, "materials-phone")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 375
    page.locator("[data-item=identity_card]").get_by_role("button", name="删除").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("身份证.jpg")
    dialog.get_by_role("button", name="删除").click()
    expect(page.locator("[data-material]")).to_have_count(1)
    page.get_by_role("button", name="废弃").click()
    dialog.locator("button.btn-danger").click()
    page.wait_for_url(re.compile(rf"/cases/{reference}$"))
    expect(page.locator("[data-case]")).to_have_attribute("data-status", "discarded")
