"""JS-2.1d: operators keep their own mail and address; what happens to accounts can be verified."""

import json

import pytest
from sqlalchemy import text

from app.errors import Rejected
from app.extensions import db
from app.services import account_log, profiles
from app.store.account_events import digest_of, walk_events
from app.store.models import AccountEvent, User
from app.store.session import is_postgresql, transaction
from tests.services.conftest import rows


def test_own_data_are_sealed_and_the_record_names_the_fields_only(suzhou):
    assert profiles.own_profile(suzhou) == {"email": "", "address": ""}
    assert profiles.change_own(suzhou, {"email": "zhou@example.org", "address": "示例路1号"}, "10.0.0.1")
    assert profiles.own_profile(suzhou)["email"] == "zhou@example.org"
    (user,) = rows(User, id=suzhou.id)
    assert b"example.org" not in user.profile_cipher
    (event,) = rows(AccountEvent)
    assert (event.action, event.detail) == ("profile.changed", {"changed": ["address", "email"]})
    assert not profiles.change_own(suzhou, {"email": "zhou@example.org", "address": "示例路1号"})
    assert len(rows(AccountEvent)) == 1


@pytest.mark.parametrize(
    "data", [{"email": "zhou"}, {"email": "a@b"}, {"address": "<b>"}, {"address": "路" * 201}]
)
def test_wrong_data_are_refused(suzhou, data):
    with pytest.raises(Rejected) as error:
        profiles.change_own(suzhou, data)
    assert error.value.errors[0].field in data


@pytest.fixture
def chain(suzhou):
    """Three acts on accounts."""
    for place in range(3):
        profiles.change_own(suzhou, {"address": f"示例路{place}号"})


def tamper(statement: str) -> None:
    """Change the table as somebody with the database's own password could."""
    with transaction() as session:
        if is_postgresql():
            session.execute(text("ALTER TABLE account_event DISABLE TRIGGER account_event_stays"))
        else:
            session.execute(text("DROP TRIGGER account_event_no_update"))
            session.execute(text("DROP TRIGGER account_event_no_delete"))
        session.execute(text(statement))


def test_the_chain_holds(chain):
    report = account_log.verify()
    assert (report.events, report.broken) == (3, [])
    last = list(walk_events())[-1]
    assert report.head == last.digest.hex() == digest_of(last).hex()


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE account_event SET action = 'sign_in' WHERE seq = 2", [2]),
        ("DELETE FROM account_event WHERE seq = 2", [3]),
        ("UPDATE account_event SET address = '10.9.9.9' WHERE seq = 3", [3]),
    ],
)
def test_a_change_is_found(chain, statement, broken):
    tamper(statement)
    assert account_log.verify().broken == broken


def test_the_command_says_so(app, chain):
    runner = app.test_cli_runner()
    db.session.remove()
    fine = runner.invoke(args=["audit", "verify", "--json"])
    assert (fine.exit_code, json.loads(fine.output)["events"]) == (0, 3)
    tamper("UPDATE account_event SET action = 'sign_in' WHERE seq = 2")
    db.session.remove()
    found = runner.invoke(args=["audit", "verify", "--json"])
    assert (found.exit_code, json.loads(found.output)["broken"]) == (1, [2])
