"""A death reported by mistake is taken back by the agency with two auditors, before payment only."""

import pytest
from sqlalchemy import update

from app.errors import Forbidden, NotFound, Rejected
from app.services import audits, declarations, trials
from app.store.models import (
    AccountEntry,
    ContributionLine,
    Declaration,
    Effect,
    Enrolment,
    EnrolmentChange,
    PaymentOrder,
    Person,
)
from app.store.personal_accounts import account_balance
from app.store.session import transaction
from tests.services.conftest import rows, task_of
from tests.services.endings.people import NANJING, PAID, allocate, employee, withdrawal_form
from tests.services.test_revert import registry_of
from tests.services.test_stop import open_funds, refusals, stop_form


def form(found, **more):
    return {"id_number": found.id_number, "undo_reason": "医院误报，本人到场核验", **more}


@pytest.fixture
def filed(counter, handler, now):
    """An undoing that waits for the first auditor."""

    def make(found, **more):
        receipt = declarations.file(
            counter, "death_undo", form(found, **more), now, employer_id=handler.employer_id
        )
        assert receipt.status == "submitted"
        return receipt.reference

    return make


def words_of(counter, handler, found, now):
    with pytest.raises(Rejected) as refused:
        declarations.file(counter, "death_undo", form(found), now, employer_id=handler.employer_id)
    return refused.value.errors[0].code, refused.value.errors[0].message


def life(found):
    (row,) = rows(Person, id=found.person_id)
    return row.life_status, row.died_on


def test_a_death_is_on_record_with_what_was_before(handler, withdrawn, now):
    found = employee(handler)
    assert life(found) == ("1", None)
    done = withdrawn(found)
    assert life(found)[0] == "2"
    assert life(found)[1].isoformat() == "2026-10-15"
    (case,) = rows(Declaration, reference=done.reference)
    (effect,) = rows(Effect, declaration_id=case.id)
    assert (effect.result["life_status"], effect.result["died_on"]) == (["1", "2"], "2026-10-15")


def test_another_termination_is_no_death(handler, withdrawn, now):
    found = employee(handler)
    withdrawn(found, termination_reason="6499")
    assert life(found) == ("1", None)


def test_about_the_dead_nothing_else_is_filed(handler, withdrawn, counter, now):
    found = employee(handler)
    withdrawn(found)
    enrol = {
        "id_number": found.id_number, "start_date": "2026-12-01", "phone": "13900000000",
        "wage_yuan": "8000", "funds": ["310", "510", "330", "410"],
    }  # fmt: skip
    other = next(iter(handler.employer_ids - {handler.employer_id}))
    for actor, kind, typed, employer in [
        (handler, "enrol", enrol, handler.employer_id),
        (handler, "enrol", enrol, other),
        (handler, "stop", stop_form(found, NANJING), handler.employer_id),
        (handler, "revert", {"revert_type": "stop", "id_number": found.id_number}, handler.employer_id),
    ]:
        with pytest.raises(Rejected) as refused:
            declarations.file(actor, kind, typed, now, employer_id=employer)
        (error,) = refused.value.errors
        assert (error.code, "2026-10-15" in error.message, "死亡登记撤销" in error.message) == (
            "person.dead", True, True,
        ), kind  # fmt: skip


def test_the_dead_are_known_in_other_regions_too(handler, withdrawn, person, now):
    found = employee(handler)
    withdrawn(found)
    suzhou = person("suzhou.handler")
    typed = stop_form(found, "320500")
    assert refusals(suzhou, typed, now)[0][0] == "person.dead_elsewhere"


def test_a_later_payout_names_the_death_on_record(handler, withdrawn, now):
    found = employee(handler)
    withdrawn(found)
    allocate(handler, found, now, "2026-09", 16000, PAID)
    for given in ({"termination_date": "2026-10-16"}, {"termination_reason": "6499"}):
        assert refusals(handler, withdrawal_form(found, **given), now, "withdrawal")[0][0] == (
            "withdrawal.death_differs"
        )


def test_everything_is_put_back_by_new_rows(handler, withdrawn, filed, desk, counter, now):
    found = employee(handler)
    funds = open_funds(found.person_id)
    allocate(handler, found, now, "2026-09", 16000, PAID)
    allocate(handler, found, now, "2026-11", 16000, PAID)
    allocate(handler, found, now, "2026-11", 64000, party="employer")
    before, balance = registry_of(found.person_id), account_balance(found.person_id)
    died = withdrawn(found)
    allocate(handler, found, now, "2026-10", 5000, PAID)
    assert withdrawn(found).message_code == "withdrawal.supplement"
    assert account_balance(found.person_id) == 0

    trial = trials.check(counter, "death_undo", form(found), now, employer_id=handler.employer_id)
    assert (trial.data["died_on"], trial.data["death_reference"]) == ("2026-10-15", died.reference)
    assert sorted(line.amount_fen for line in trial.amounts.lines) == [16000, 64000]

    done = desk.approve(filed(found))
    assert (done.status, done.message_code) == ("approved", "death_undo.accepted")
    assert "210.00" in done.message
    assert life(found) == ("1", None)
    assert open_funds(found.person_id) == funds
    active, sums, standing = registry_of(found.person_id)
    assert active == before[0]
    later = ("310", "allocation_employee", "2026-10", 5000)
    assert (sums - {later}, standing - {later}) == before[1:]
    assert account_balance(found.person_id) == balance + 5000

    (case,) = rows(Declaration, reference=done.reference)
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"restored"}
    assert len(rows(ContributionLine, declaration_id=case.id)) == 2
    assert [(row.entry, row.amount_fen) for row in rows(AccountEntry, declaration_id=case.id)] == [
        ("correction", 21000)
    ]
    assert {row.status for row in rows(PaymentOrder, person_id=found.person_id)} == {"cancelled"}
    # a stop is possible again, and so is a death that is none by mistake
    assert withdrawn(found, termination_date="2026-11-10").message_code == "withdrawal.accepted"
    assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-11"}


def test_after_the_payment_it_is_refused(handler, withdrawn, counter, filed, desk, now):
    found = employee(handler)
    allocate(handler, found, now, "2026-09", 16000, PAID)
    withdrawn(found)
    made = filed(found)
    with transaction() as session:
        session.execute(update(PaymentOrder).values(status="paid"))
    desk.first_audit(made)
    with pytest.raises(Rejected) as refused:
        audits.decide(desk.senior, task_of(made), "approve", "", [], now)
    assert refused.value.errors[0].code == "death_undo.paid"
    assert life(found)[0] == "2"
    other = employee(handler)
    allocate(handler, other, now, "2026-09", 16000, PAID)
    withdrawn(other)
    with transaction() as session:
        session.execute(update(PaymentOrder).values(status="paid"))
    assert words_of(counter, handler, other, now)[0] == "death_undo.paid"


def test_after_a_refund_it_is_refused(handler, withdrawn, counter, now):
    found = employee(handler)
    allocate(handler, found, now, "2026-11", 64000, PAID, party="employer")
    withdrawn(found)
    with transaction() as session:
        session.execute(
            update(ContributionLine).where(ContributionLine.due_type == "20").values(received_on=PAID)
        )
    assert words_of(counter, handler, found, now)[0] == "death_undo.refunded"


def test_the_living_and_another_unit(handler, withdrawn, counter, now):
    found = employee(handler)
    assert words_of(counter, handler, found, now)[0] == "death_undo.living"
    withdrawn(found)
    other = next(iter(handler.employer_ids - {handler.employer_id}))
    with pytest.raises(Rejected) as refused:
        declarations.file(counter, "death_undo", form(found), now, employer_id=other)
    assert refused.value.errors[0].code == "death_undo.other_employer"


def test_only_the_counter_files_it_and_two_others_decide(handler, withdrawn, filed, desk, counter, now):
    found = employee(handler)
    withdrawn(found)
    with pytest.raises((Forbidden, NotFound)):
        declarations.file(handler, "death_undo", form(found), now)
    made = filed(found)
    with pytest.raises(Forbidden):
        audits.decide(counter, task_of(made), "approve", "", [], now)
    desk.first_audit(made)
    assert rows(Declaration, reference=made)[0].status == "submitted"
    assert life(found)[0] == "2"
    with pytest.raises(Forbidden):
        audits.decide(desk.auditor, task_of(made), "approve", "", [], now)
    audits.decide(desk.senior, task_of(made), "reject", "证明不足", [], now)
    assert life(found)[0] == "2"


@pytest.mark.parametrize("slug", ["suzhou", "nantong", "huaian", "lianyungang", "weinan"])
def test_in_every_region_a_payout_and_its_undoing(person, slug, now):
    handler, counter = person(f"{slug}.handler"), person(f"{slug}.counter")
    auditor, senior = person(f"{slug}.auditor"), person(f"{slug}.senior")
    found = employee(handler)
    funds = open_funds(found.person_id)
    paid = declarations.file(
        counter, "withdrawal", withdrawal_form(found), now, employer_id=handler.employer_id
    ).reference
    assert audits.decide(auditor, task_of(paid), "approve", "", [], now).status == "approved"
    assert life(found)[0] == "2"
    made = declarations.file(
        counter, "death_undo", form(found), now, employer_id=handler.employer_id
    ).reference
    audits.decide(auditor, task_of(made), "approve", "", [], now)
    assert audits.decide(senior, task_of(made), "approve", "", [], now).status == "approved"
    assert (life(found), open_funds(found.person_id)) == (("1", None), funds)
