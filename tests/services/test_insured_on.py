"""Who was insured here in a month: after stops, reverts, transfers, merges and new types."""

from datetime import datetime

import pytest
from sqlalchemy import select

from app.errors import Rejected
from app.extensions import db
from app.services import audits, declarations
from app.store.models import Employer, Enrolment
from app.store.queries.insured import insured_on
from tests.services.conftest import citizen, rows, task_of
from tests.services.test_employer_transfer import employer_id
from tests.services.test_employer_transfer import form as transfer_form
from tests.services.test_revert import revert_form
from tests.services.test_stop import NANJING, employee, stop_form

MONTHS = ("2026-10", "2026-11", "2026-12", "2027-01")


@pytest.fixture
def handler(person):
    return person("nanjing.handler")


@pytest.fixture
def decider(person):
    return person("nanjing.auditor")


def seen(found, *employers, months=MONTHS):
    """At which of the employers a person is insured in each month."""
    person_id = getattr(found, "person_id", found)
    return [
        [place for place in employers if insured_on(employer_id(place), month, [person_id])]
        for month in months
    ]


def test_a_stop_and_its_revert(handler, now):
    found = employee(handler)
    assert seen(found, 1, 2) == [[1], [1], [1], [1]]
    declarations.file(handler, "stop", stop_form(found, NANJING), now)
    assert seen(found, 1, 2) == [[1], [1], [], []]
    declarations.file(handler, "revert", revert_form(found, "stop"), now)
    assert seen(found, 1, 2) == [[1], [1], [1], [1]]


def test_an_enrolment_that_was_reverted_has_never_been(handler, now):
    found = citizen(NANJING, "not_insured", 1)
    enrol = {
        "id_number": found.id_number, "start_date": "2026-11-01", "phone": "13900000000", "wage_yuan": "8000",
        "funds": ["310", "510", "330", "410"],
    }  # fmt: skip
    declarations.file(handler, "enrol", enrol, now)
    person_id = rows(Enrolment)[-1].person_id
    (row,) = insured_on(handler.employer_id, "2026-11", [person_id])
    assert set(row.funds) == {"310", "510", "330", "410"}
    assert {wage for wage, _ in row.funds.values()} == {800000}
    declarations.file(handler, "revert", revert_form(found, "enrol"), now)
    assert seen(person_id, 1, 2) == [[], [], [], []]


def test_a_transfer_and_a_stop_after_it(handler, decider, now):
    found = employee(handler)
    made = declarations.file(handler, "employer_transfer", transfer_form(found, month="2026-10"), now)
    audits.decide(decider, task_of(made.reference), "approve", "", [], now)
    assert seen(found, 1, 2) == [[1], [2], [2], [2]]
    # what was done by one declaration about many is business of each of them
    with pytest.raises(Rejected) as caught:
        declarations.file(handler, "revert", revert_form(found, "enrol"), now)
    assert caught.value.errors[0].code == "revert.nothing"
    stop = stop_form(found, NANJING, stop_date="2026-11-30")
    declarations.file(handler, "stop", stop, now, employer_id=employer_id(2))
    assert seen(found, 1, 2) == [[1], [2], [], []]


def test_an_enrolment_of_this_month_cannot_be_reverted_under_a_transfer(handler, decider, now):
    found = citizen(NANJING, "not_insured", 2)
    enrol = {
        "id_number": found.id_number, "start_date": "2026-11-01", "phone": "13900000000", "wage_yuan": "8000",
        "funds": ["310", "510", "330", "410"],
    }  # fmt: skip
    declarations.file(handler, "enrol", enrol, now)
    made = declarations.file(handler, "employer_transfer", transfer_form(found), now)
    later = datetime(2026, 11, 19, 9, 0)
    audits.decide(decider, task_of(made.reference), "approve", "", [], later)
    with pytest.raises(Rejected) as caught:
        declarations.file(handler, "revert", revert_form(found, "enrol"), later)
    assert caught.value.errors[0].code == "revert.built_upon"
    assert "单位转移" in caught.value.errors[0].message


def test_the_whole_employer_in_two_statements(handler, statement_counter):
    for number in (f"{NANJING}00001", f"{NANJING}00002"):
        one = db.session.scalars(select(Employer.id).where(Employer.employer_no == number)).one()
        with statement_counter() as counted:
            found = insured_on(one, "2026-09")
        assert counted.total <= 2
        expected = {
            row.person_id
            for row in rows(Enrolment, employer_id=one, status="active")
            if row.from_month <= "2026-09" and (row.to_month is None or row.to_month >= "2026-09")
        }
        assert {row.person_id for row in found} == expected
        assert expected
