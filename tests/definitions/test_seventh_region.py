"""A region that the product has never seen, from files alone: filed, audited twice, in the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.clock import to_utc
from app.definitions import seeds
from app.domain.identity import identity_check_digit
from app.errors import Rejected
from app.extensions import db
from app.services import audits, declarations
from app.services.actors import AGENCY, EMPLOYER, Actor
from app.store.ids import new_id
from app.store.models import Declaration, Employer, EmployerFund, Enrolment, HumanTask, User
from app.store.session import insert_rows, transaction
from tests.definitions.conftest import SEVENTH
from tests.fixtures.database import TEST_NOW

FUNDS = ("310", "330", "510")


def account(name: str) -> int:
    user_id = new_id()
    user = {
        "id": user_id, "username": f"seventh.{name}", "name": name, "side": "employer",
        "password_hash": "-", "password_history": [], "password_changed_at_utc": to_utc(TEST_NOW),
        "preferences": {},
    }  # fmt: skip
    insert_rows(User, [user])
    return user_id


@pytest.fixture
def people(seeded: Flask, folder: Path, seventh: Path) -> dict[str, Actor]:
    """An employer of the new region, its operator, and two people of its agency."""
    seeds.sync([folder, seventh], now=TEST_NOW)
    employer_id = new_id()
    with transaction():
        employer = {
            "id": employer_id, "region": SEVENTH, "employer_no": f"{SEVENTH}00001",
            "credit_code": "91320500MA1NAAAA1A", "name": "示例单位", "unit_type": "企业", "details": {},
        }  # fmt: skip
        insert_rows(Employer, [employer])
        insert_rows(
            EmployerFund,
            [
                {"employer_id": employer_id, "fund": fund, "from_month": "2020-01", "to_month": None}
                for fund in FUNDS
            ],
        )
        who = {role: account(role) for role in ("handler", "auditor", "senior")}
    actors = {
        "handler": Actor(
            who["handler"], "经办", "seventh.handler", EMPLOYER, frozenset({"handler"}),
            employer_ids=frozenset({employer_id}), employer_id=employer_id,
        )
    }  # fmt: skip
    for role in ("auditor", "senior"):
        actors[role] = Actor(
            who[role], role, f"seventh.{role}", AGENCY, frozenset({role}), regions=frozenset({SEVENTH})
        )
    return actors


def form_data(**changes: Any) -> dict[str, Any]:
    first17 = f"{SEVENTH}19900101123"
    return {
        "id_type": "01", "id_number": first17 + identity_check_digit(first17), "name": "示例七",
        "ethnicity": "01", "nationality": "CHN", "birth_date": "1990-01-01", "sex": "1",
        "phone": "13900000007", "first_work_date": "2015-07-01", "start_date": "2026-11-01",
        "person_type": "1101", "wage_yuan": "8000.00", "funds": list(FUNDS), "political_status": "13",
        "bank_name": "示例银行", "bank_account_name": "示例七", "bank_account": "6222020000000000007",
        **changes,
    }  # fmt: skip


def open_task(reference: str) -> tuple[str, int]:
    query = select(HumanTask).where(HumanTask.reference == reference)
    task = db.session.scalars(query).one()
    return task.role, task.id


def test_files_an_enrolment(people: dict[str, Actor]) -> None:
    filed = declarations.file(people["handler"], "enrol", form_data(), TEST_NOW)
    assert filed.status == "pending"  # by its own policy; the files it shares say otherwise
    submitted = declarations.submit(people["handler"], [filed.reference], TEST_NOW)
    assert [item.ok for item in submitted.items] == [True]
    for role, status in (("auditor", "submitted"), ("senior", "approved")):
        asked, task_id = open_task(filed.reference)
        assert asked == role
        audits.claim(people[role], task_id, TEST_NOW)
        assert audits.decide(people[role], task_id, "approve", "", [], TEST_NOW).status == status

    case = db.session.scalars(select(Declaration).where(Declaration.reference == filed.reference)).one()
    enrolled = db.session.scalars(
        select(Enrolment).where(Enrolment.employer_id == case.employer_id).order_by(Enrolment.fund)
    )
    assert [row.fund for row in enrolled] == list(FUNDS)


def test_its_rules_are_its_parameters(people: dict[str, Actor]) -> None:
    with pytest.raises(Rejected) as refused:
        declarations.file(people["handler"], "enrol", form_data(funds=["320"]), TEST_NOW)
    assert {error.field for error in refused.value.errors} >= {"funds"}
