"""Who is told what: the sender of a retirement by text message (NJ-4.1), stops and payouts of allowances."""

from datetime import date

import pytest
from sqlalchemy import update

from app.errors import Rejected
from app.extensions import db
from app.services import audits, declarations, notices, sms
from app.store.crypto import blind
from app.store.models import Declaration, Notice, Outbox
from app.store.session import transaction
from tests.services.conftest import citizen, rows, task_of
from tests.services.endings.people import NANJING, OF_AGE, employee, retirement_form, withdrawal_form
from tests.services.test_stop import stop_form

PHONE = "13900000000"


@pytest.fixture
def filed(desk):
    def make(found, **more):
        return desk.file("retirement", retirement_form(found, **more), "pension_assessment")

    return make


def delivered(now):
    """Send everything that waits, twice, as a lost job would; gives the texts that went out."""
    for row in rows(Outbox):
        for _ in range(2):
            if row.topic == "sms":
                sms.deliver(row.id, now)
            elif row.topic == "notice":
                notices.deliver(row.id, now)
    db.session.rollback()
    return [message.text for message in sms.kept_messages(PHONE[-4:])]


def test_nj_4_1_the_senders_phone_gets_the_approval_once(handler, filed, desk, now):
    found = employee(handler, born=OF_AGE)
    made = filed(found)
    desk.first_audit(made)
    assert delivered(now) == []
    audits.decide(desk.senior, task_of(made), "approve", "", [], now)
    (text,) = delivered(now)
    assert text == (f"您送件的医保退休申报（{made}）已审核通过：办理成功，该人员次月起转为退休人员。")
    assert found.name not in text
    assert found.id_number not in text
    assert [row.title for row in rows(Notice)] == ["申报已审核通过"]


def test_nj_4_1_a_return_and_then_a_refusal_are_two_results(handler, filed, desk, now):
    made = filed(employee(handler, born=OF_AGE))
    audits.decide(desk.auditor, task_of(made), "return", "请核对工资", ["retirement_wage_yuan"], now)
    assert ["退回补正" in text for text in delivered(now)] == [True]
    found = declarations.get_case(handler, made, now)
    declarations.file(handler, "retirement", dict(found.data), now, reference=made)
    audits.decide(desk.auditor, task_of(made), "reject", "核定表与填报不一致", [], now)
    texts = delivered(now)
    assert len(texts) == 2
    assert sum("审核未通过" in text for text in texts) == 1
    assert all("核定表与填报不一致" not in text for text in texts)
    assert sorted(row.title for row in rows(Notice)) == ["申报审核未通过", "申报需要补正"]


def test_nj_4_1_the_phone_may_be_left_out(handler, filed, desk, now):
    desk.approve(filed(employee(handler, born=OF_AGE), sender_phone=""))
    assert [row.topic for row in rows(Outbox) if row.topic == "sms"] == []
    assert delivered(now) == []
    assert len(rows(Notice)) == 1


def test_a_decision_that_fails_tells_nobody(handler, filed, desk, now):
    made = filed(employee(handler, born=OF_AGE))
    before = len(rows(Outbox))
    with pytest.raises(Rejected):
        audits.decide(desk.auditor, task_of(made), "reject", "", [], now)
    assert len(rows(Outbox)) == before


@pytest.fixture
def allowance_open(handler, now):
    """Somebody's allowance case that waits for an audit."""

    def make(found, kind="nursing_allowance"):
        draft = declarations.save_draft(
            handler, "enrol", {"id_number": citizen(NANJING, "not_insured").id_number}, now
        )
        with transaction() as session:
            session.execute(
                update(Declaration)
                .where(Declaration.reference == draft.reference)
                .values(
                    kind=kind,
                    status="submitted",
                    person_hash=None if kind == "maternity_bank" else blind(found.id_number),
                )
            )

    return make


@pytest.mark.parametrize(
    ("kind", "sex", "warned"),
    [("nursing_allowance", "1", True), ("maternity_bank", "2", True), ("maternity_bank", "1", False)],
)
def test_a_stop_warns_while_an_allowance_is_open(handler, allowance_open, now, kind, sex, warned):
    """The allowance of a man's leave is his own case; that of a woman waits for the unit's account."""
    found = employee(handler, born=date(1990, 1, 1), sex=sex)
    form = stop_form(found, NANJING)
    assert declarations.check(handler, "stop", form, now).warnings == []
    allowance_open(found, kind)
    warnings = declarations.check(handler, "stop", form, now).warnings
    assert [each.code for each in warnings] == ["stop.allowance_open"] * warned
    assert all("停保会影响待遇发放" in each.message for each in warnings)
    assert declarations.file(handler, "stop", form, now).status == "done"


def test_a_payout_warns_while_an_allowance_is_open_and_does_not_wait_for_it(
    handler, allowance_open, withdrawn, now
):
    found = employee(handler)
    allowance_open(found)
    codes = [
        each.code for each in declarations.check(handler, "withdrawal", withdrawal_form(found), now).warnings
    ]
    assert "withdrawal.allowance_open" in codes
    assert withdrawn(found).status == "approved"
