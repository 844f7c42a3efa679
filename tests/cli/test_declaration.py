"""`flask declaration show` and `flask doctor`."""

import json
from datetime import timedelta

import pytest

from app import clock, queue
from app.services import declarations
from app.services.doctor import examine
from app.store.outbox import OutboxRow, add_outbox
from app.store.session import transaction
from tests.fixtures.redis import NO_REDIS
from tests.services.conftest import SUZHOU, citizen, in_context, now, person, suzhou, suzhou_form

__all__ = ["in_context", "now", "person", "suzhou"]


@pytest.fixture
def runner(app):
    return app.test_cli_runner()


def test_show(suzhou, runner, now):
    found = citizen(SUZHOU, "unknown")
    receipt = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-10-01"), now)
    result = runner.invoke(args=["declaration", "show", receipt.reference, "--json"])
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert (shown["status"], shown["kind"], shown["region"]) == ("done", "enrol", SUZHOU)
    assert shown["employer"]["employer_no"].startswith(SUZHOU)
    assert shown["person"]["name"] == found.name
    assert shown["data"]["id_number"] == found.id_number
    assert shown["tasks"] == []
    assert [event["element"] for event in shown["events"]][-1] == "done"
    assert len(shown["lines"]) == 14
    assert {line["amount"] for line in shown["lines"] if line["fund"] == "330"} == {"5.00"}
    plain = runner.invoke(args=["declaration", "show", receipt.reference])
    assert receipt.reference in plain.stdout


def test_show_of_nothing(runner):
    result = runner.invoke(args=["declaration", "show", "261118-AAAAAAAAAA", "--json"])
    assert result.exit_code == 1
    assert "261118-AAAAAAAAAA" in result.stderr


def test_doctor_names_what_is_wrong(runner, redis_url):
    result = runner.invoke(args=["doctor", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [each["check"] for each in found["problems"]] == ["redis"]
    queue.configure(redis_url)
    try:
        assert runner.invoke(args=["doctor"]).exit_code == 0
    finally:
        queue.configure(NO_REDIS)


def test_doctor_finds_a_forgotten_outbox(now):
    long_ago = clock.real_utcnow() - timedelta(hours=1)
    with transaction():
        add_outbox(
            [OutboxRow(1, "notice", long_ago, long_ago, {"declaration_id": 1, "template": "returned"})]
        )
    assert "outbox" in [each.check for each in examine(None) if each.level == "problem"]


def test_doctor_finds_an_old_database():
    levels = {each.check: each.level for each in examine("9999")}
    assert levels["database"] == "problem"
