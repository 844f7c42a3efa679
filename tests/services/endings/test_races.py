"""Endings where two acts meet: exactly one wins, the other gets words, nothing is half done."""

from dataclasses import replace
from datetime import date

import pytest

from app.errors import Conflict, Forbidden, Rejected
from app.services import audits, declarations, posting
from app.store.models import (
    AccountEntry,
    ContributionLine,
    Declaration,
    Effect,
    Enrolment,
    PaymentOrder,
    Person,
)
from tests.services.conftest import citizen, rows, task_of
from tests.services.endings.people import (
    NANJING,
    OF_AGE,
    PAID,
    allocate,
    employee,
    retirement_form,
    withdrawal_form,
)
from tests.services.test_races import at_once  # noqa: F401 - a fixture
from tests.services.test_revert import enrol_form, revert_form
from tests.services.test_stop import open_funds, stop_form

TIMES = 3


def in_words(refused) -> bool:
    return all(isinstance(error, Conflict | Rejected | Forbidden) and str(error) for error in refused)


def test_a_revert_against_a_new_stop(handler, at_once, now):  # noqa: F811
    """An enrolment of this month is reverted and stopped at once."""
    for place in range(TIMES):
        found = citizen(NANJING, "not_insured", place)
        made = declarations.file(handler, "enrol", enrol_form(found), now)
        (enrolled,) = rows(Declaration, reference=made.reference)
        good, refused = at_once(
            lambda found=found: declarations.file(handler, "revert", revert_form(found, "enrol"), now),
            lambda found=found: declarations.file(handler, "stop", stop_form(found, NANJING), now),
        )
        assert (len(good), len(refused)) == (1, 1)
        assert in_words(refused)
        done = {row.kind for row in rows(Declaration, person_id=enrolled.person_id, status="done")}
        stretches = rows(Enrolment, person_id=enrolled.person_id)
        if "stop" in done:
            assert done == {"enrol", "stop"}
            assert {(row.status, row.to_month) for row in stretches} == {("active", "2026-11")}
        else:
            assert done == {"enrol", "revert"}
            assert {row.status for row in stretches} == {"ended"}
        lines = rows(ContributionLine, person_id=enrolled.person_id)
        assert ("revert" in done) == (sum(line.amount_fen for line in lines) == 0)


def test_a_revert_of_a_stop_against_the_next_stop(handler, at_once, now):  # noqa: F811
    """Nobody is stopped twice, whoever is first."""
    found = employee(handler)
    declarations.file(handler, "stop", stop_form(found, NANJING), now)
    good, _ = at_once(
        lambda: declarations.file(handler, "revert", revert_form(found, "stop"), now),
        lambda: declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now),
    )
    ends = {row.to_month for row in rows(Enrolment, person_id=found.person_id)}
    # the second stop is only possible after the revert: then both were done, one after the other
    assert (len(good), ends) in [(1, {None}), (2, {"2026-10"})]


@pytest.fixture
def half_audited(desk, handler, now):
    """Two endings that wait for the second auditor."""

    def make(kind, place=0):
        if kind == "withdrawal":
            found = employee(handler, place)
            allocate(handler, found, now, "2026-09", 16000, PAID)
            made = desk.file(kind, withdrawal_form(found), "withdrawal_picture")
        else:
            found = employee(handler, place, born=OF_AGE)
            made = desk.file(kind, retirement_form(found), "pension_assessment")
        desk.first_audit(made)
        return found, made

    return make


@pytest.mark.parametrize("kind", ["withdrawal", "retirement"])
def test_two_auditors_decide_at_once_on_the_second_audit(half_audited, person, desk, at_once, now, kind):  # noqa: F811
    other = replace(person("nanjing.counter"), roles=desk.senior.roles)
    for place in range(TIMES):
        found, made = half_audited(kind, place)
        task = task_of(made)
        good, refused = at_once(
            lambda task=task: audits.decide(desk.senior, task, "approve", "", [], now),
            lambda task=task: audits.decide(other, task, "reject", "材料不符", [], now),
        )
        assert (len(good), len(refused)) == (1, 1)
        assert in_words(refused)
        (case,) = rows(Declaration, reference=made)
        approved = case.status == "approved"
        assert case.status == good[0].status
        assert len(rows(Effect, declaration_id=case.id)) == approved
        if kind == "withdrawal":
            assert len(rows(PaymentOrder, declaration_id=case.id)) == approved
            assert rows(Person, id=found.person_id)[0].life_status == ("2" if approved else "1")
        else:
            types = {row.person_type for row in rows(Enrolment, person_id=found.person_id)}
            assert ("1201" in types) == approved


def test_one_auditor_clicks_twice(half_audited, desk, at_once, now):  # noqa: F811
    found, made = half_audited("withdrawal")
    task = task_of(made)
    good, refused = at_once(*[lambda: audits.decide(desk.senior, task, "approve", "", [], now)] * 3)
    assert (len(good), len(refused)) == (1, 2)
    assert len(rows(PaymentOrder)) == len(rows(AccountEntry, person_id=found.person_id)) == 1


def test_a_payout_against_an_enrolment_elsewhere(half_audited, desk, handler, at_once, now):  # noqa: F811
    """Somebody who has left is paid out while another unit enrols him: the dead are not enrolled."""
    other = next(iter(handler.employer_ids - {handler.employer_id}))
    for place in range(TIMES):
        found = employee(handler, place)
        allocate(handler, found, now, "2026-09", 16000, PAID)
        declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
        made = desk.file("withdrawal", withdrawal_form(found), "withdrawal_picture")
        desk.first_audit(made)
        task = task_of(made)
        good, refused = at_once(
            lambda task=task: audits.decide(desk.senior, task, "approve", "", [], now),
            lambda found=found: declarations.file(
                handler, "enrol", enrol_form(found, "2026-12-01"), now, employer_id=other
            ),
        )
        assert (len(good), len(refused)) == (1, 1)
        assert in_words(refused)
        dead = rows(Person, id=found.person_id)[0].life_status == "2"
        assert dead == (open_funds(found.person_id) == {})
        assert dead == (rows(Declaration, reference=made)[0].status == "approved")


def test_an_undoing_against_the_payment_of_the_order(half_audited, desk, counter, handler, at_once, now):  # noqa: F811
    """The order is paid or cancelled, never both."""
    for place in range(TIMES):
        found, made = half_audited("withdrawal", place)
        audits.decide(desk.senior, task_of(made), "approve", "", [], now)
        case_id = rows(Declaration, reference=made)[0].id
        order_id = rows(PaymentOrder, declaration_id=case_id)[0].id
        form = {"id_number": found.id_number, "undo_reason": "医院误报，本人到场核验"}
        undo = declarations.file(counter, "death_undo", form, now, employer_id=handler.employer_id).reference
        desk.first_audit(undo)
        task = task_of(undo)
        good, refused = at_once(
            lambda task=task: audits.decide(desk.senior, task, "approve", "", [], now),
            lambda order_id=order_id: posting.pay_order(order_id, date(2026, 11, 18), now),
        )
        assert (len(good), len(refused)) == (1, 1)
        assert in_words(refused)
        (order,) = rows(PaymentOrder, declaration_id=case_id)
        status = order.status
        life = rows(Person, id=found.person_id)[0].life_status
        assert (status, life) in [("paid", "2"), ("cancelled", "1")]
