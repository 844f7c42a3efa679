"""A recorded death on screen: the counter undoes it, the auditors see it in the person's file."""

import pytest

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.extensions import db
from app.services import accounts, audits, declarations
from app.store.models import Declaration, Employer, User
from tests.fixtures.database import TEST_NOW
from tests.services.conftest import rows, task_of
from tests.services.endings.people import employee, withdrawal_form
from tests.web.conftest import post


@pytest.fixture
def browser(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def enter(username):
        client = app.test_client()
        assert post(client, "/login", username=username, password=DEMO_PASSWORD).status_code == 302
        return client

    return enter


def actor_of(name):
    user = db.session.scalars(db.select(User.id).where(User.username == name)).one()
    return accounts.load_account(user, to_utc(TEST_NOW)).actor


@pytest.fixture
def dead(app):
    """Somebody of Suzhou whose payout the counter filed; gives the person and the unit."""
    with app.app_context():
        handler, counter = actor_of("suzhou.handler"), actor_of("suzhou.counter")
        found = employee(handler)
        form = withdrawal_form(found)
        made = declarations.file(counter, "withdrawal", form, TEST_NOW, employer_id=handler.employer_id)
        audits.decide(actor_of("suzhou.auditor"), task_of(made.reference), "approve", "", [], TEST_NOW)
        return found, handler.employer_id


def test_the_undoing_shows_the_death_to_both_auditors(app, dead, browser):
    found, employer_id = dead
    with app.app_context():
        form = {"id_number": found.id_number, "undo_reason": "医院误报，本人到场核验"}
        made = declarations.file(
            actor_of("suzhou.counter"), "death_undo", form, TEST_NOW, employer_id=employer_id
        ).reference
    for name in ("suzhou.auditor", "suzhou.senior"):
        client = browser(name)
        seen = client.get(f"/cases/{made}").text
        assert "医院误报" in seen
        assert "2026-10-15" in seen
        assert "死亡登记" in seen
        with app.app_context():
            audits.decide(actor_of(name), task_of(made), "approve", "", [], TEST_NOW)
    with app.app_context():
        (case,) = rows(Declaration, reference=made)
        assert case.status == "approved"
        assert "死亡登记已撤销" in case.result_message


def test_the_clerk_files_it_on_the_counters_pages(app, dead, browser):
    found, employer_id = dead
    with app.app_context():
        unit = rows(Employer, id=employer_id)[0].employer_no
    clerk = browser("suzhou.counter")
    assert 'data-kind="death_undo"' in clerk.get(f"/counter/units/{unit}").text
    place = f"/declare/death_undo?unit={unit}"
    assert "死亡登记撤销" in clerk.get(place).text
    typed = {"id_number": found.id_number, "undo_reason": "医院误报，本人到场核验"}
    answer = post(clerk, place, place, action="check", **typed)
    assert answer.status_code == 303, answer.text
    check = clerk.get(answer.location).text
    assert "2026-10-15" in check
    reference = answer.location.split("?")[0].rsplit("/", 1)[-1]
    filed = post(
        clerk, place, answer.location, action="file", reference=reference, replay="1", ask="1",
        confirmed="1", **typed,
    )  # fmt: skip
    assert filed.status_code == 303, filed.text
    with app.app_context():
        assert rows(Declaration, reference=reference)[0].status == "submitted"


def test_no_employer_finds_it_in_the_hall(browser):
    handler = browser("suzhou.handler")
    assert "/declare/death_undo" not in handler.get("/hall").text
    assert handler.get("/declare/death_undo").status_code == 404
