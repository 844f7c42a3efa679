"""Nantong's cases and people for the tests of the agency's pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.extensions import db
from app.services import accounts, declarations
from app.services.actors import Actor
from app.services.demo import demo_people
from app.store.accounts import find_user
from app.store.ids import new_id
from app.store.models import HumanTask, User, UserRole
from app.store.session import insert_rows, transaction
from tests.fixtures.database import TEST_NOW
from tests.web.conftest import HASH, post

NANTONG = "320600"


class Agency:
    """The demonstration's people, seen from the pages."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        app.config["SIGN_IN_DELAY_SECONDS"] = 0

    def browser(self, username: str) -> FlaskClient:
        """A browser in which an account of the demonstration is signed in."""
        client = self.app.test_client()
        answer = post(client, "/login", username=username, password=DEMO_PASSWORD)
        assert answer.status_code == 302, answer.text
        return client

    def actor(self, username: str) -> Actor:
        """The same account as the services know it."""
        with self.app.app_context():
            user = find_user(username)
            account = accounts.load_account(user.id, to_utc(TEST_NOW)) if user else None
            assert account is not None
            return account.actor

    def file(
        self, place: int = 0, now: datetime = TEST_NOW, reference: str | None = None, **more: Any
    ) -> str:
        """File and submit an enrolment of the n-th uninsured person; returns the reference."""
        form = {"post": "01", "education": "21", "start_month": "2026-11", "wage_yuan": "8000", **more}
        with self.app.app_context():
            form.setdefault("id_number", self.citizen(place).id_number)
            actor = self.actor("nantong.handler")
            receipt = declarations.file(actor, "enrol", form, now, reference=reference, submit_now=True)
            db.session.remove()
            return receipt.reference

    def citizen(self, place: int = 0, case: str = "not_insured") -> Any:
        """A person of the demonstration."""
        with self.app.app_context():
            return demo_people(NANTONG, case, place + 1)[place]

    def task(self, reference: str) -> int:
        """The open task of a case."""
        with self.app.app_context():
            found = db.session.execute(
                db.select(HumanTask.id).where(HumanTask.reference == reference)
            ).scalar_one()
            db.session.remove()
            return found

    def add_auditor(self, username: str, region: str = NANTONG) -> None:
        """Another auditor of a region, with the tests' password."""
        user_id = new_id()
        with self.app.app_context(), transaction():
            user = {
                "id": user_id, "username": username, "name": "另一审核员", "side": "agency",
                "password_hash": HASH, "password_history": [], "password_changed_at_utc": to_utc(TEST_NOW),
                "must_change_password": False, "demo": True, "preferences": {},
            }  # fmt: skip
            insert_rows(User, [user])
            insert_rows(UserRole, [{"user_id": user_id, "role": "auditor", "region": region}])


def decide(client: FlaskClient, task: int, decision: str, **form: Any) -> Any:
    """Post a decision from the inbox page."""
    return post(client, f"/inbox/{task}/decide", "/inbox", decision=decision, open=str(task), **form)
