"""Every process in a real browser, as the one who files and as those who decide."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from tests.e2e.agency_steps import open_case, press
from tests.e2e.hall_steps import check, fill, sign_in
from tests.e2e.process_table import CITIES, JOURNEYS, Journey, Scene
from tests.e2e.test_endings import ON_SQLITE, shoot
from tests.e2e.test_weinan_wizard import scan
from tests.fixtures.database import Bed
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"


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


def _go(journey: Journey, values: dict[str, str], server: LiveServer, people: People) -> None:
    page = people.page("counter" if journey.unit else "handler")
    unit = f"?unit={CITIES[journey.city]}{journey.unit:05d}" if journey.unit else ""
    page.goto(f"{server.url}/declare/{journey.kind}{unit}")
    fill(page, values)
    page.wait_for_load_state("networkidle")
    shoot(page, f"{journey.kind}-form")
    _file(page, journey.kind)
    case = page.locator("[data-ref]").first
    reference = case.get_attribute("data-ref") or ""
    shoot(page, f"{journey.kind}-receipt")
    if case.get_attribute("data-status") == "pending":
        page.goto(f"{server.url}/cases/{reference}")
        page.get_by_role("button", name="提交", exact=True).click()
        page.wait_for_url(re.compile("/receipt$"))
    for role in journey.audits:
        desk = people.page(role)
        open_case(desk, server, reference)
        shoot(desk, f"{journey.kind}-{role}")
        press(desk, "approve")
    page.goto(f"{server.url}/cases/{reference}")
    ended = "approved" if journey.audits else "done"
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", ended)
    expect(page.locator("main")).to_contain_text(journey.says)
    shoot(page, f"{journey.kind}-case")
    page.goto(f"{server.url}/cases/{reference}?tab=diagram")
    expect(page.locator("g.djs-shape.mark-done").first).to_be_visible()
    shoot(page, f"{journey.kind}-diagram")


def _file(page: Page, kind: str) -> None:
    """From the filled form to the receipt, the way that the kind's diagram goes."""
    wizard = page.locator("button.btn-primary[value=file]:visible")
    if wizard.count():
        wizard.click()
    else:
        check(page)
        shoot(page, f"{kind}-check")
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
        shoot(page, f"{kind}-review")
        page.get_by_role("button", name="提交", exact=True).click()
        page.wait_for_url(re.compile("/receipt$"))


def _give_everything(page: Page, kind: str) -> None:
    """A picture for every item that is asked for."""
    for item in page.locator("[data-item]").all():
        paper = {"name": "证明.jpg", "mimeType": "image/jpeg", "buffer": scan(kind)}
        item.locator("input[type=file]").set_input_files([paper])
        expect(item.locator("[data-material]")).to_have_count(1)
    shoot(page, f"{kind}-materials")
    page.locator("[name=materials_confirmed]").check()
