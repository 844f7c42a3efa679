"""Nanjing's registration screen: from the blank form to the receipt, and on to the enrolment."""

import pytest

from app.config import DEMO_PASSWORD
from app.store.models import Person
from tests.services.conftest import citizen, rows
from tests.web.conftest import post

NANJING = "320100"
PLACE = "/declare/person_record"


@pytest.fixture
def handler(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0
    client = app.test_client()
    assert post(client, "/login", username="nanjing.handler", password=DEMO_PASSWORD).status_code == 302
    return client


@pytest.fixture
def found(app):
    with app.app_context():
        return citizen(NANJING, "unknown")


def typed(found, **more):
    return {
        "id_type": "01", "id_number": found.id_number, "name": found.name, "ethnicity": "01",
        "phone": "13900000000", "nationality": "CHN", **more,
    }  # fmt: skip


def test_from_the_menu_to_the_receipt(app, handler, found):
    assert PLACE in handler.get("/hall").text
    page = handler.get(PLACE)
    assert page.status_code == 200
    assert "人员基础信息采集" in page.text
    assert 'id="trial-card"' not in page.text
    answer = post(handler, PLACE, PLACE, action="check", **typed(found))
    assert answer.status_code == 303, answer.text
    check = handler.get(answer.location)
    assert found.name in check.text
    reference = answer.location.rsplit("/", 1)[-1]
    # the check page posts everything once more
    done = post(
        handler, PLACE, answer.location, action="file", reference=reference, replay="1", ask="1",
        confirmed="1", **typed(found),
    )  # fmt: skip
    assert done.location == f"/cases/{reference}/receipt"
    receipt = handler.get(done.location).text
    assert "人员基础信息采集成功，现在可以办理参保。" in receipt
    with app.app_context():
        assert len(rows(Person, name=found.name, region=NANJING)) == 1
    case = handler.get(f"/cases/{reference}")
    assert 'data-status="done"' in case.text
    for tab in ("materials", "amounts", "diagram", "history"):
        assert handler.get(f"/cases/{reference}?tab={tab}").status_code == 200


def test_a_duplicate_is_refused_at_the_number(app, handler):
    with app.app_context():
        known = citizen(NANJING, "not_insured")
    answer = post(handler, PLACE, PLACE, action="check", **typed(known))
    if answer.status_code == 303:
        answer = handler.get(answer.location)
    assert "该人员已有基础信息" in answer.text


def test_a_wrong_number_keeps_what_was_typed(handler, found):
    answer = post(handler, PLACE, PLACE, action="check", **typed(found, id_number="110105194912310021"))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'href="#field-id_number"' in answer.text
    assert found.name in answer.text
