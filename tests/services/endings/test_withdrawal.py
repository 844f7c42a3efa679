"""Nanjing's payout of a personal account (NJ-4.2): what ends, what is paid, and what stands in the way."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from app.clock import to_utc
from app.errors import Forbidden, NotFound, Rejected
from app.extensions import db
from app.services import audits, declarations, materials, trials
from app.store.crypto import decrypt
from app.store.models import (
    AccountEntry,
    ContributionLine,
    Declaration,
    Employer,
    Enrolment,
    EnrolmentChange,
    PaymentOrder,
)
from app.store.personal_accounts import CORRECTION, account_balance, add_entries, entry_values
from app.store.session import transaction
from tests.documents.samples import pdf, picture
from tests.services.conftest import rows, task_of
from tests.services.endings.people import NANJING, PAID, allocate, employee
from tests.services.endings.people import withdrawal_form as form
from tests.services.test_stop import open_funds, refusals, stop_form


@pytest.fixture
def filed(desk):
    """A case with its picture, waiting for the first auditor."""
    return lambda found, **more: desk.file("withdrawal", form(found, **more), "withdrawal_picture")


@pytest.fixture
def approved(withdrawn):
    return withdrawn


def test_nj_4_2_a_death_ends_everything_and_pays_the_account_out(handler, approved, now):
    found = employee(handler)
    funds = open_funds(found.person_id)
    allocate(handler, found, now, "2026-09", 16000, PAID)
    allocate(handler, found, now, "2026-10", 16000, PAID)
    late = allocate(handler, found, now, "2026-11", 16000, PAID)
    unpaid = allocate(handler, found, now, "2026-11", 64000, party="employer")
    owed = allocate(handler, found, now, "2026-10", 64000, party="employer")
    done = approved(found)
    assert (done.status, done.message_code) == ("approved", "withdrawal.accepted")
    assert "320.00" in done.message

    assert open_funds(found.person_id) == {}
    ended = [row for row in rows(Enrolment, person_id=found.person_id) if row.fund in funds]
    assert {(row.to_month, row.status, row.reason) for row in ended} == {("2026-10", "active", "6401")}
    (case,) = rows(Declaration, reference=done.reference)
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"terminated"}

    back = {row.reversal_of_id: row for row in rows(ContributionLine, declaration_id=case.id)}
    assert {key: (row.due_type, row.amount_fen) for key, row in back.items()} == {
        late: ("20", -16000),
        unpaid: ("10", -64000),
    }
    assert rows(ContributionLine, id=owed)[0].reversed_by_id is None

    (entry,) = rows(AccountEntry, person_id=found.person_id)
    (order,) = rows(PaymentOrder, declaration_id=case.id)
    assert (entry.entry, entry.amount_fen, entry.declaration_id) == ("payout", -32000, case.id)
    assert (order.amount_fen, order.payee, order.payee_relation, order.bank_name, order.status) == (
        32000, "示例亲属", "02", "示例银行", "issued",
    )  # fmt: skip
    assert decrypt(order.account_cipher) == "6222000011112222"
    assert order.account_last4 == "2222"
    assert account_balance(found.person_id) == 0


def test_nj_4_2_the_balance_is_shown_before_filing(handler, now):
    found = employee(handler)
    allocate(handler, found, now, "2026-09", 16050, PAID)
    allocate(handler, found, now, "2026-10", 16000)
    checked = declarations_check(handler, found, now)
    assert checked.ok
    assert checked.data["account_balance"] == "160.50"


def declarations_check(actor, found, now, **more):
    return trials.check(actor, "withdrawal", form(found, **more), now)


def test_a_balance_of_somebody_elses_employee_is_not_shown(handler, now):
    found = employee(handler)
    other = db.session.scalars(db.select(Employer.id).where(Employer.employer_no == f"{NANJING}00003")).one()
    stranger = replace(handler, employer_id=other)
    checked = declarations_check(stranger, found, now)
    assert [error.code for error in checked.errors] == ["withdrawal.not_of_employer"]
    assert "account_balance" not in checked.data


def test_corrections_count(handler, now):
    found = employee(handler)
    values = entry_values(
        region=NANJING, person_id=found.person_id, entry=CORRECTION, amount_fen=-500, declaration_id=None,
        created_at_utc=to_utc(now),
    )  # fmt: skip
    allocate(handler, found, now, "2026-09", 1500, PAID)
    with transaction():
        add_entries([values])
    assert account_balance(found.person_id) == 1000


def test_nj_4_2_one_attachment_only(handler, now):
    found = employee(handler)
    made = declarations.file(handler, "withdrawal", form(found), now).reference
    with pytest.raises(Rejected):
        declarations.proceed(handler, made, "next", now)
    materials.upload(handler, made, "withdrawal_picture", "a.jpg", picture(), now)
    with pytest.raises(Rejected) as second:
        materials.upload(handler, made, "withdrawal_picture", "b.jpg", picture(text="b"), now)
    assert second.value.errors[0].message == "最多上传1个文件"


def test_nj_4_2_the_attachment_is_a_picture(handler, now):
    made = declarations.file(handler, "withdrawal", form(employee(handler)), now).reference
    with pytest.raises(Rejected) as refused:
        materials.upload(handler, made, "withdrawal_picture", "a.pdf", pdf(1), now)
    assert refused.value.errors[0].code == "material.pictures_only"
    assert "拼接在一张图片" in refused.value.errors[0].message
    listed = materials.list_items(handler, made, now)
    assert (listed.pictures_only, listed.max_files) == (True, 1)


def test_nj_4_2_two_different_auditors(handler, filed, auditor, senior, now):
    made = filed(employee(handler))
    both = replace(auditor, roles=auditor.roles | senior.roles)
    audits.decide(both, task_of(made), "approve", "", [], now)
    with pytest.raises(Forbidden):
        audits.decide(both, task_of(made), "approve", "", [], now)
    assert rows(Declaration, reference=made)[0].status == "submitted"
    assert rows(PaymentOrder) == []


def test_nj_4_2_without_a_balance_only_the_insurance_ends(handler, approved):
    found = employee(handler)
    done = approved(found)
    assert done.message_code == "withdrawal.accepted_without_payment"
    assert open_funds(found.person_id) == {}
    assert rows(PaymentOrder) == rows(AccountEntry) == []


def test_a_later_allocation_becomes_a_second_payout(handler, approved, now):
    found = employee(handler)
    approved(found)
    assert refusals(handler, form(found), now, "withdrawal")[0][0] == "withdrawal.nothing"
    allocate(handler, found, now, "2026-09", 16000, PAID)
    assert approved(found).message_code == "withdrawal.supplement"
    assert [row.amount_fen for row in rows(PaymentOrder)] == [16000]


def test_nj_4_2_refused_while_a_stop_is_open(handler, filed, now):
    found = employee(handler)
    filed(found)
    assert refusals(handler, stop_form(found, NANJING), now)[0][:2] == ("enrol.one_open", "id_number")
    # said once, though two rules find it
    assert [each[0] for each in refusals(handler, form(found), now, "withdrawal")] == ["withdrawal.open_case"]


def test_what_was_filed_since_stands_in_the_way_of_the_decision(handler, filed, auditor, senior, now):
    found = employee(handler)
    made = filed(found)
    audits.decide(auditor, task_of(made), "approve", "", [], now)
    (case,) = rows(Declaration, reference=made)
    other = declarations.save_draft(handler, "enrol", {"id_number": found.id_number}, now).reference
    with transaction() as session:
        session.execute(
            update(Declaration)
            .where(Declaration.reference == other)
            .values(status="pending", person_hash=case.person_hash)
        )
    with pytest.raises(Rejected) as refused:
        audits.decide(senior, task_of(made), "approve", "", [], now)
    assert refused.value.errors[0].code == "withdrawal.open_case"
    assert "人员参保登记" in refused.value.errors[0].message
    assert open_funds(found.person_id) != {}


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"termination_date": "2026-11-30"}, "withdrawal.future", "termination_date"),
        ({"termination_date": "1990-01-01"}, "withdrawal.before_start", "termination_date"),
        ({"payee_relation": "01"}, "withdrawal.payee_differs", "bank_account_name"),
    ],
)
def test_nj_4_2_what_the_form_may_not_say(handler, now, given, code, field):
    assert refusals(handler, form(employee(handler), **given), now, "withdrawal")[0][:2] == (code, field)


def test_elsewhere_it_is_for_the_counter(person, now):
    suzhou = person("suzhou.handler")
    found = employee(suzhou)
    with pytest.raises((NotFound, Forbidden)):
        declarations.file(suzhou, "withdrawal", form(found), now)


def test_the_counter_of_another_region_files_and_somebody_else_decides(person, now):
    counter, handler = person("suzhou.counter"), person("suzhou.handler")
    found = employee(handler)
    made = declarations.file(counter, "withdrawal", form(found), now, employer_id=handler.employer_id)
    assert made.status == "submitted"
    done = audits.decide(person("suzhou.auditor"), task_of(made.reference), "approve", "", [], now)
    assert done.message_code == "withdrawal.accepted_without_payment"
    assert open_funds(found.person_id) == {}


@pytest.mark.parametrize("day", ["", "2026", "2026-02-31", "去年"])
def test_a_half_filled_form_has_no_amounts(handler, now, day):
    found = employee(handler)
    assert trials.quote(handler, "withdrawal", {**form(found), "termination_date": day}, now) is None


def test_returned_and_corrected_it_is_audited_again(handler, filed, auditor, senior, now):
    found = employee(handler)
    made = filed(found)
    back = audits.decide(auditor, task_of(made), "return", "请核对终止时间", ["termination_date"], now)
    assert back.status == "returned"
    corrected = form(found, termination_date="2026-09-20")
    again = declarations.file(handler, "withdrawal", corrected, now, reference=made)
    assert again.status == "submitted"
    audits.decide(auditor, task_of(made), "approve", "", [], now)
    audits.decide(senior, task_of(made), "approve", "", [], now)
    assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-09"}
