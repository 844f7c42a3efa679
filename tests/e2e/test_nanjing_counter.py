"""Nanjing's counter in a real browser: a foreigner is registered and enrolled, somebody else approves."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.store.crypto import blind
from app.store.models import Enrolment, Person
from tests.e2e.agency_steps import open_case, press
from tests.e2e.hall_steps import check, file, fill, sign_in
from tests.fixtures.browser import SCREENS
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.e2e
NOW = "2026-11-18T10:00:00"
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
UNIT, PASSPORT, NAME = "32010000001", "E7654321", "Example Person"


@ON_SQLITE
def test_nj_2_2_a_foreigner_at_the_counter(database, live_server, database_url_of_test: str, new_page):
    server = live_server(database_url_of_test, now=NOW)
    clerk, auditor = new_page(), new_page()
    sign_in(clerk, server, "nanjing.counter")
    expect(clerk).to_have_url(re.compile("/counter$"))
    box = clerk.locator("#filter-q")
    expect(box).to_be_focused()
    # keyboard alone: a whole number and Enter lead on
    clerk.keyboard.type(UNIT)
    clerk.keyboard.press("Enter")
    expect(clerk).to_have_url(re.compile(f"/counter/units/{UNIT}$"))
    _keep(clerk, "counter-unit")
    clerk.locator("[data-kind=person_record]").click()
    expect(clerk.locator(f"[data-counter-unit='{UNIT}']")).to_be_visible()
    person = {
        "id_type": "08", "id_number": PASSPORT, "name": NAME, "sex": "2", "birth_date": "1988-03-09",
        "ethnicity": "01", "phone": "13900000000", "nationality": "USA",
    }  # fmt: skip
    fill(clerk, person)
    check(clerk)
    record = file(clerk)
    _approve(auditor, server, record, first=True)

    clerk.goto(f"{server.url}/declare/enrol?unit={UNIT}")
    fill(clerk, {"id_type": "08", "id_number": PASSPORT, "phone": "13900000000", "wage_yuan": "9000"})
    expect(clerk.locator("#field-name")).to_have_value(NAME)
    _keep(clerk, "counter-form")
    check(clerk)
    enrolled = file(clerk)
    expect(clerk.locator(".receipt")).to_have_attribute("data-status", "submitted")
    _approve(auditor, server, enrolled)
    clerk.goto(f"{server.url}/counter/cases/submitted")
    expect(clerk.locator(f"tr[data-ref='{enrolled}']")).to_have_attribute("data-status", "approved")
    _keep(clerk, "counter-cases")
    with database.app.app_context():
        known = db.session.query(Person).filter_by(id_hash=blind(PASSPORT)).one()
        funds = db.session.query(Enrolment).filter_by(person_id=known.id).count()
        db.session.remove()
    assert (known.id_type, known.sex, funds) == ("08", "2", 4)


def _approve(page: Page, server: LiveServer, reference: str, *, first: bool = False) -> None:
    if first:
        sign_in(page, server, "nanjing.auditor")
    open_case(page, server, reference)
    expect(page.locator("[data-channel='02']").first).to_be_visible()
    press(page, "approve")


def _keep(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")
