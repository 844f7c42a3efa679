"""`python -m tests.faults.victim ACT REFERENCE`: begins an act and stands still just before its commit.

It prints `waiting` when everything is written and nothing is committed; then it is killed from outside.
"""

from __future__ import annotations

import sys
import time

from sqlalchemy import event, select

from app import clock
from app.clock import to_utc
from app.extensions import db
from app.factory import create_app
from app.services import accounts, audits, declarations
from app.services.actors import Actor
from app.store.models import HumanTask, User


def actor(username: str) -> Actor:
    """An account of the demonstration."""
    user = db.session.scalars(select(User.id).where(User.username == username)).one()
    account = accounts.load_account(user, to_utc(clock.now()))
    assert account is not None
    return account.actor


def form_of(number: str) -> dict[str, str]:
    """The form of the tests' enrolments."""
    return {
        "id_number": number, "post": "01", "education": "21", "start_month": "2026-09", "wage_yuan": "8000",
    }  # fmt: skip


def act(what: str, subject: str) -> None:
    """File the enrolment of a person, or approve a case."""
    if what == "file":
        declarations.file(actor("nantong.handler"), "enrol", form_of(subject), clock.now(), submit_now=True)
    else:
        task = db.session.scalars(select(HumanTask.id).where(HumanTask.reference == subject)).one()
        audits.decide(actor("nantong.auditor"), task, "approve", "", [], clock.now())


def stand_still(_session: object) -> None:
    """Wait for the end."""
    print("waiting", flush=True)
    time.sleep(600)


def main() -> None:
    app = create_app()
    with app.app_context():
        event.listen(db.session, "before_commit", stand_still)
        act(*sys.argv[1:])


if __name__ == "__main__":
    main()
