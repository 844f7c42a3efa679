"""Nanjing's retirement and payout of an account on screen: menu, form, check, materials, receipt, inbox."""

import re

import pytest

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.extensions import db
from app.services import accounts
from app.services.actors import Actor
from app.store.models import Declaration, User
from tests.documents.samples import picture
from tests.fixtures.database import TEST_NOW
from tests.services.conftest import rows
from tests.services.endings.people import employee
from tests.services.endings.people import retirement_form as retirement
from tests.services.endings.people import withdrawal_form as withdrawal
from tests.services.endings.test_retirement import employee as near_retirement
from tests.web.conftest import post
from tests.web.test_materials import send


@pytest.fixture
def browser(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(username):
        client = app.test_client()
        assert post(client, "/login", username=username, password=DEMO_PASSWORD).status_code == 302
        return client

    return enter


@pytest.fixture
def actor(app) -> Actor:
    with app.app_context():
        user = db.session.scalars(db.select(User.id).where(User.username == "nanjing.handler")).one()
        return accounts.load_account(user, to_utc(TEST_NOW)).actor


@pytest.mark.parametrize(
    ("kind", "find", "form", "item", "title", "shown"),
    [
        ("retirement", near_retirement, retirement, "pension_assessment", "医保退休办理", "4321.50"),
        (
            "withdrawal", employee, withdrawal, "withdrawal_picture",
            "参保人员个人账户一次性支取", "个人账户余额",
        ),
    ],
)  # fmt: skip
def test_from_the_menu_to_the_auditor(app, browser, actor, kind, find, form, item, title, shown):
    handler = browser("nanjing.handler")
    place = f"/declare/{kind}"
    assert place in handler.get("/hall").text
    page = handler.get(place)
    assert page.status_code == 200
    assert title in page.text
    with app.app_context():
        typed = form(find(actor))
    answer = post(handler, place, place, action="check", **typed)
    assert answer.status_code == 303, answer.text
    check = handler.get(answer.location).text
    assert shown in check
    reference = answer.location.rsplit("/", 1)[-1]
    filed = post(
        handler, place, answer.location, action="file", reference=reference, replay="1", ask="1",
        confirmed="1", **typed,
    )  # fmt: skip
    assert filed.status_code == 303, filed.text
    steps = handler.get(f"/cases/{reference}/materials").text
    assert f"material_{item}" in steps
    send(handler, reference, item, ("a.jpg", picture()))
    done = post(handler, f"/cases/{reference}/proceed", f"/cases/{reference}/materials", decision="next")
    assert done.status_code == 303, done.text
    with app.app_context():
        (case,) = rows(Declaration, reference=reference)
        assert case.status == "submitted"
    for tab in ("materials", "amounts", "diagram", "history"):
        assert handler.get(f"/cases/{reference}?tab={tab}").status_code == 200
    auditor = browser("nanjing.auditor")
    assert reference in auditor.get("/inbox").text
    seen = auditor.get(f"/cases/{reference}")
    assert seen.status_code == 200
    assert re.search(r'name="decision"', seen.text)


@pytest.mark.parametrize("kind", ["retirement", "withdrawal"])
def test_other_regions_offer_it_at_the_counter_only(browser, kind):
    assert browser("suzhou.handler").get(f"/declare/{kind}").status_code == 404
