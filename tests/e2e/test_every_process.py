"""Every process in real browsers, as the one who files and as those who decide."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.store.models import Employer, Enrolment
from tests.e2e.agency_steps import open_case, press
from tests.e2e.hall_steps import check, fill, sign_in
from tests.e2e.process_table import CITIES, JOURNEYS, Journey, Scene
from tests.e2e.test_endings import ON_SQLITE, shoot
from tests.e2e.test_import_batches import finished
from tests.e2e.test_registration import code_of
from tests.e2e.test_weinan_wizard import scan
from tests.fixtures.database import TEST_NOW, Bed
from tests.fixtures.server import LiveServer
from tests.services.conftest import rows
from tests.services.test_base_annual import members, shortened

pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"
JUNE = TEST_NOW.replace(month=6)
# What a screen reader needs of a page: named controls, one title, headings that leave out no level.
UNSOUND = """() => {
  const seen = [...document.querySelectorAll('main *, header *')].filter(
    (each) => each.checkVisibility() && !each.closest('[aria-hidden=true]'));
  const named = (each) => each.labels?.length || each.getAttribute('aria-label') ||
    each.getAttribute('aria-labelledby') || each.textContent.trim() || each.title;
  const wrong = seen.filter((each) => each.matches('input:not([type=hidden]), select, textarea, button, a')
    && !named(each)).map((each) => `no name: ${each.outerHTML.slice(0, 120)}`);
  wrong.push(...seen.filter((each) => each.tabIndex > 0).map((each) => `tabindex: ${each.outerHTML}`));
  const levels = seen.filter((each) => /^H[1-6]$/.test(each.tagName)).map((each) => +each.tagName[1]);
  if (levels.filter((level) => level === 1).length !== 1) wrong.push(`titles: ${levels}`);
  levels.forEach((level, at) => { if (at && level > levels[at - 1] + 1) wrong.push(`headings: ${levels}`); });
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  wrong.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: ${id}`));
  return wrong;
}"""


@ON_SQLITE
@pytest.mark.parametrize("city", sorted(CITIES))
def test_every_process_on_both_sides(live_server, database: Bed, new_page: Callable[..., Page], city: str):
    """All kinds of a city, one after the other: the second one meets what the first one left."""
    server = live_server(database.url, now=NOW)
    people = People(server, city, new_page)
    for journey in JOURNEYS:
        if journey.city == city:
            with database.app.app_context():
                values = journey.values(Scene(city))
                db.session.remove()
            _go(journey, values, server, people)


class People:
    """The pages of those who are signed in, each opened when first needed."""

    def __init__(self, server: LiveServer, city: str, new_page: Callable[..., Page]) -> None:
        self._server, self._city, self._new_page = server, city, new_page
        self._pages: dict[str, Page] = {}

    def page(self, role: str) -> Page:
        if role not in self._pages:
            self._pages[role] = self._new_page()
            sign_in(self._pages[role], self._server, f"{self._city}.{role}")
        return self._pages[role]


@ON_SQLITE
def test_js_3_8_a_yearly_file_is_declared_and_approved(live_server, database: Bed, new_page):
    server = live_server(database.url, now=JUNE.isoformat(), workers=1)
    with database.app.app_context():
        actor = Scene("huaian").handler
        content, first = shortened(actor, JUNE, ["9000", "九千"]), members(actor)[0].person_id
        db.session.remove()
    people = People(server, "huaian", new_page)
    page = people.page("handler")
    page.goto(f"{server.url}/imports/base_annual")
    paper = {"name": "申报.xlsx", "mimeType": "application/octet-stream", "buffer": content}
    page.locator("#field-file").set_input_files([paper])
    page.get_by_role("button", name="文件上传").click()
    assert finished(page) == {"total": "2", "done": "2", "accepted": "1", "rejected": "1"}
    look(page, "base_annual-result")
    page.goto(f"{server.url}/submitted")
    reference = page.locator("tr[data-ref]").first.get_attribute("data-ref") or ""
    _decide(people.page("auditor"), server, reference, "base_annual-auditor")
    _ended(page, server, reference, "base_annual", "approved", "新的缴费基数自本基数年度起执行")
    page.goto(f"{server.url}/base-year")
    look(page, "base_annual-left")
    expect(page.locator(f"[data-person='{first}']")).to_have_count(0)
    with database.app.app_context():
        assert 900000 in {row.wage_fen for row in rows(Enrolment, person_id=first)}
        db.session.remove()


@ON_SQLITE
def test_wn_1_3_another_unit_number_is_linked(live_server, database: Bed, new_page):
    server = live_server(database.url, now=NOW, workers=1)
    with database.app.app_context():
        (other,) = rows(Employer, employer_no="61050000004")
        db.session.remove()
    page = People(server, "weinan", new_page).page("admin")
    page.get_by_role("link", name="业务单位").click()
    expect(page.locator("#field-employer_no")).to_be_visible()
    look(page, "employer_link-form")
    fill(page, {"employer_no": other.employer_no, "credit_code": "91610500MA1WRONG00"})
    page.locator("#field-credit_code").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "employer_link-refused")
    fill(page, {"credit_code": other.credit_code})
    page.locator("#field-credit_code").press("Enter")
    expect(page.locator("main")).to_contain_text("139****0004")
    look(page, "employer_link-code")
    fill(page, {"code": code_of(new_page(), server.url, "0004")})
    page.get_by_role("button", name="完成关联").click()
    expect(page.locator(f"tr[data-unit='{other.employer_no}']")).to_contain_text("已关联")
    look(page, "employer_link-done")


def look(page: Page, name: str) -> None:
    """Keep pictures, and hold the page to what everybody needs of it."""
    page.wait_for_load_state()
    assert page.evaluate(UNSOUND) == [], name
    shoot(page, name)


def _decide(page: Page, server: LiveServer, reference: str, name: str) -> None:
    open_case(page, server, reference)
    look(page, name)
    press(page, "approve")


def _ended(page: Page, server: LiveServer, reference: str, kind: str, status: str, says: str) -> None:
    """The case has ended so, says why, and shows the way it went."""
    page.goto(f"{server.url}/cases/{reference}")
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", status)
    expect(page.locator("main")).to_contain_text(says)
    look(page, f"{kind}-case")
    page.goto(f"{server.url}/cases/{reference}?tab=diagram")
    expect(page.locator("g.djs-shape.mark-done").first).to_be_visible()
    look(page, f"{kind}-diagram")


def _go(journey: Journey, values: dict[str, str], server: LiveServer, people: People) -> None:
    page = people.page("counter" if journey.unit else "handler")
    unit = f"?unit={CITIES[journey.city]}{journey.unit:05d}" if journey.unit else ""
    page.goto(f"{server.url}/declare/{journey.kind}{unit}")
    for name, value in values.items():
        fill(page, {name: value})
        found = page.locator("[name=name][readonly]")
        if name == "id_number" and found.count():
            # what the registry knows comes before the rest is typed
            expect(found).not_to_have_value("")
    # the trial amounts
    page.wait_for_load_state("networkidle")
    look(page, f"{journey.kind}-form")
    _file(page, journey.kind)
    case = page.locator("[data-ref]").first
    reference = case.get_attribute("data-ref") or ""
    look(page, f"{journey.kind}-receipt")
    if case.get_attribute("data-status") == "pending":
        page.goto(f"{server.url}/cases/{reference}")
        page.get_by_role("button", name="提交", exact=True).click()
        page.wait_for_url(re.compile("/receipt$"))
    for role in journey.audits:
        _decide(people.page(role), server, reference, f"{journey.kind}-{role}")
    ended = "approved" if journey.audits else "done"
    _ended(page, server, reference, journey.kind, ended, journey.says)


def _file(page: Page, kind: str) -> None:
    """From the filled form to the receipt, the way that the kind's diagram goes."""
    wizard = page.locator("button.btn-primary[value=file]:visible")
    if wizard.count():
        wizard.click()
    else:
        check(page)
        look(page, f"{kind}-check")
        box = page.locator("[name=confirmed]")
        if box.count():
            box.check()
        page.locator("button[name=action][value=file]").click()
    page.wait_for_url(re.compile(r"/cases/[^/]+/(receipt|materials)$"))
    if page.url.endswith("/materials"):
        _give_everything(page, kind)
        page.locator("#material-step .btn-primary").click()
        page.wait_for_url(re.compile(r"/cases/[^/]+(/receipt)?$"))
    if not page.url.endswith("/receipt"):
        # the wizard shows everything once more
        look(page, f"{kind}-review")
        page.get_by_role("button", name="提交", exact=True).click()
        page.wait_for_url(re.compile("/receipt$"))


def _give_everything(page: Page, kind: str) -> None:
    """A picture for every item that is asked for."""
    for item in page.locator("[data-item]").all():
        paper = {"name": "证明.jpg", "mimeType": "image/jpeg", "buffer": scan(kind)}
        item.locator("input[type=file]").set_input_files([paper])
        expect(item.locator("[data-material]")).to_have_count(1)
    look(page, f"{kind}-materials")
    page.locator("[name=materials_confirmed]").check()
