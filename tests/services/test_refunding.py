"""What is due back to an employer: seen, ordered, paid by somebody else, void again; never settled twice."""

from datetime import date, datetime

import pytest
from sqlalchemy import update

from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.extensions import db
from app.services import audits, billing, declarations, posting, refunding
from app.services.assessing import assess
from app.store import payment_orders
from app.store.constraints import Duplicate
from app.store.crypto import decrypt
from app.store.ledger import Reversal, add_lines, line_values, set_reversed
from app.store.models import (
    ContributionLine,
    Employer,
    Enrolment,
    OrderPosting,
    PaymentOrder,
)
from app.store.queries.insured import unpaid
from app.store.session import transaction
from tests.services.conftest import SUZHOU, rows, task_of
from tests.services.test_posting import notice, on_notice, refund
from tests.services.test_stop import NANJING, employee, stop_form

MONTH, PAID_ON, TODAY = "2026-11", date(2026, 11, 17), date(2026, 11, 18)
SMALL, FIRST = "32050000003", "32050000001"
LATER = datetime(2026, 12, 10, 9)


@pytest.fixture
def supervisor(person):
    return person("suzhou.supervisor")


@pytest.fixture
def senior(person):
    return person("suzhou.senior")


@pytest.fixture
def owed(suzhou, now) -> int:
    """November was paid, then one person stopped with October; gives what is due back, by hand."""
    assess(MONTH, now, employer_id=suzhou.employer_id)
    employer = rows(Employer, id=suzhou.employer_id)[0]
    posting.post(notice(employer, now).number, PAID_ON, now)
    found = employee(suzhou)
    declarations.file(suzhou, "stop", stop_form(found, SUZHOU, stop_date="2026-10-31"), now)
    paid = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, due_type="10")
    return sum(row.amount_fen for row in paid if row.party in ("employer", "employee"))


def refunds_of(employer_no=FIRST):
    employer = rows(Employer, employer_no=employer_no)[0]
    return rows(ContributionLine, employer_id=employer.id, due_type="20")


def test_both_sides_see_what_waits(owed, suzhou, supervisor, person):
    (listed,) = refunding.waiting_employers(supervisor, "", 10)
    assert (listed.employer_no, listed.amount_fen, listed.people) == (FIRST, owed, 1)
    assert not refunding.waiting_employers(supervisor, FIRST, 10)
    assert not refunding.waiting_employers(person("nanjing.supervisor"), "", 10)
    for actor in (supervisor, suzhou, person("suzhou.auditor")):
        found = refunding.credits_of(actor, FIRST)
        assert (found.amount_fen, found.total.total_fen) == (owed, -owed)
        assert found.account_last4 == "0001"
        assert found.words.endswith(("整", "分"))
        assert {row.due_type for row in found.rows} == {"20"}
    for stranger in (person("nanjing.handler"), person("nanjing.supervisor")):
        with pytest.raises(NotFound):
            refunding.credits_of(stranger, FIRST)
    with pytest.raises(NotFound):
        refunding.credits_of(supervisor, "nothing")


def test_an_order_takes_the_credits_and_no_notice_does(owed, supervisor, now):
    made = refunding.order(FIRST, now, actor=supervisor, seen_fen=owed)
    assert (made.reference, made.amount_fen, made.status) == ("T320526110001", owed, "issued")
    (row,) = rows(PaymentOrder, number=made.reference)
    assert decrypt(row.account_cipher) == "622200320500000001"
    assert (row.payee, row.ordered_by_name) == (rows(Employer, employer_no=FIRST)[0].name, supervisor.name)
    assert {line.order_id for line in refunds_of()} == {made.id}
    shown = refunding.order_for(supervisor, made.reference)
    assert (shown.total.total_fen, shown.employer_no) == (-owed, FIRST)
    employer = rows(Employer, employer_no=FIRST)[0]
    assess("2026-12", LATER, employer_id=employer.id)
    following = notice(employer, LATER, month="2026-12")
    assert {row.due_type for row in following.rows} == {"10"}
    assert not refunding.waiting_employers(supervisor, "", 10)
    with pytest.raises(Conflict):
        refunding.order(FIRST, now, actor=supervisor)


def test_what_was_seen_is_what_is_ordered(owed, supervisor, now):
    with pytest.raises(Conflict) as refused:
        refunding.order(FIRST, now, actor=supervisor, seen_fen=owed - 1)
    assert f"{owed / 100:.2f}" in str(refused.value)
    assert not rows(PaymentOrder)


def test_without_an_account_nothing_is_ordered(owed, supervisor, now):
    with transaction() as session:
        session.execute(update(Employer).where(Employer.employer_no == FIRST).values(bank_cipher=None))
    with pytest.raises(Conflict) as refused:
        refunding.order(FIRST, now, actor=supervisor)
    assert "银行账号" in str(refused.value)


def test_who_may_order_pay_and_void(owed, suzhou, supervisor, senior, person, now):
    for actor in (suzhou, senior, person("suzhou.auditor")):
        with pytest.raises(Forbidden):
            refunding.order(FIRST, now, actor=actor)
    with pytest.raises(NotFound):
        refunding.order(FIRST, now, actor=person("nanjing.supervisor"))
    made = refunding.order(FIRST, now, actor=supervisor)
    # four eyes: whoever ordered does not enter the payment
    with pytest.raises(Conflict):
        posting.pay_order(made.id, TODAY, now, actor=supervisor)
    for actor in (suzhou, person("suzhou.auditor")):
        with pytest.raises(Forbidden):
            posting.pay_order(made.id, TODAY, now, actor=actor)
    with pytest.raises(Forbidden):
        refunding.cancel(made.id, now, actor=senior)
    for act in (refunding.cancel, lambda *given, **named: posting.pay_order(given[0], TODAY, now, **named)):
        with pytest.raises(NotFound):
            act(made.id, now, actor=person("nanjing.supervisor"))
    assert refunding.order_for(suzhou, made.reference).row.id == made.id
    with pytest.raises(NotFound):
        refunding.order_for(person("nanjing.handler"), made.reference)


def test_paid_by_somebody_else_and_entered_twice(owed, supervisor, senior, now):
    made = refunding.order(FIRST, now, actor=supervisor)
    assert [each.id for each in posting.open_orders(senior, 0, 10)] == [made.id]
    for day, code in ((date(2026, 11, 19), "ledger.paid_later"), (PAID_ON, "ledger.paid_earlier")):
        with pytest.raises(Rejected) as refused:
            posting.pay_order(made.id, day, now, actor=senior)
        assert refused.value.errors[0].code == code
    assert posting.pay_order(made.id, TODAY, now, actor=senior)
    assert not posting.pay_order(made.id, TODAY, now, actor=senior)
    (entered,) = rows(OrderPosting, order_id=made.id)
    assert (entered.paid_on, entered.posted_by_name) == (TODAY, senior.name)
    assert {line.received_on for line in refunds_of()} == {TODAY}
    with pytest.raises(Conflict):
        refunding.cancel(made.id, now, actor=supervisor)
    (shown,) = refunding.credits_of(supervisor, FIRST).orders
    assert (shown.status, shown.paid_on, shown.paid_by_name) == ("paid", TODAY, senior.name)


def test_a_void_order_lets_its_credits_wait_again(owed, supervisor, senior, now):
    made = refunding.order(FIRST, now, actor=supervisor)
    assert refunding.cancel(made.id, now, actor=supervisor)
    assert not refunding.cancel(made.id, now, actor=supervisor)
    with pytest.raises(Conflict):
        posting.pay_order(made.id, TODAY, now, actor=senior)
    assert refunding.credits_of(supervisor, FIRST).amount_fen == owed
    assert not refunding.order_for(supervisor, made.reference).rows
    employer = rows(Employer, employer_no=FIRST)[0]
    assess("2026-12", LATER, employer_id=employer.id)
    following = notice(employer, LATER, month="2026-12")
    assert -sum(row.total_fen for row in following.rows if row.due_type == "20") == owed
    with pytest.raises(Conflict):
        refunding.order(FIRST, LATER, actor=supervisor)


def test_an_order_of_a_persons_account_is_not_made_void_here(person, now):
    with pytest.raises(NotFound):
        refunding.cancel(1, now, actor=person("suzhou.supervisor"))


def test_the_late_fee_is_paid_back_too(suzhou, supervisor):
    """Three days after the due date: the fee of the month that was not owed comes back with it."""
    late = datetime(2026, 11, 28, 9)
    assess(MONTH, datetime(2026, 11, 18, 10), employer_id=suzhou.employer_id)
    employer = rows(Employer, id=suzhou.employer_id)[0]
    posting.post(notice(employer, late).number, late.date(), late)
    found = employee(suzhou)
    declarations.file(suzhou, "stop", stop_form(found, SUZHOU, stop_date="2026-10-31"), late)
    paid = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, due_type="10")
    principal = sum(row.amount_fen for row in paid if row.party in ("employer", "employee"))
    fee = sum(row.late_fee_fen for row in paid)
    assert fee > 0
    assert refunding.order(FIRST, late, actor=supervisor).amount_fen == principal + fee


def test_what_is_about_to_be_paid_is_not_taken_back(person, now):
    """A stop whose refund is ordered is not reverted before the order was paid or made void."""
    handler, supervisor = person("nanjing.handler"), person("nanjing.supervisor")
    assess(MONTH, now, employer_id=handler.employer_id)
    employer = rows(Employer, id=handler.employer_id)[0]
    posting.post(notice(employer, now).number, PAID_ON, now)
    found = employee(handler)
    declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    made = refunding.order(employer.employer_no, now, actor=supervisor)
    form = {"revert_type": "stop", "id_number": found.id_number}
    with pytest.raises(Conflict) as refused:
        declarations.file(handler, "revert", form, now)
    assert "支付单" in str(refused.value)
    db.session.rollback()
    assert {line.order_id for line in refunds_of(employer.employer_no)} == {made.id}
    refunding.cancel(made.id, now, actor=supervisor)
    assert declarations.file(handler, "revert", form, now).status == "done"
    assert not refunding.waiting_employers(supervisor, "", 10)


def test_the_ledger_itself_holds_what_is_ordered(owed, supervisor, now):
    refunding.order(FIRST, now, actor=supervisor)
    line = refunds_of()[0]
    with pytest.raises(Duplicate) as refused, transaction():
        set_reversed([Reversal(line.id, 1, line.reversal_of_id)])
    assert refused.value.rule == "ordered"


def test_a_closed_employer_gets_what_is_left(person, supervisor, senior, now):
    """Nobody bills it any more: what waits is paid out. A credit that waits is no debt either."""
    small = rows(Employer, employer_no=SMALL)[0]
    assess(MONTH, now, employer_id=small.id)
    paid = notice(small, now)
    posting.post(paid.number, PAID_ON, now)
    with transaction() as session:
        mine = (ContributionLine.employer_id == small.id, ContributionLine.received_on.is_(None))
        session.execute(update(ContributionLine).where(*mine).values(received_on=PAID_ON))
        session.execute(update(Enrolment).where(Enrolment.employer_id == small.id).values(to_month="2026-10"))
    refund(on_notice(paid))
    _difference(small, -5000)
    assert unpaid(small.id).amount_fen == 0
    clerk, decider = person("suzhou.counter"), person("suzhou.auditor")
    form = {"closing_month": MONTH, "closing_reason": "01"}
    made = declarations.file(clerk, "employer_closing", form, now, employer_id=small.id)
    assert audits.decide(decider, task_of(made.reference), "approve", "", [], now).status == "approved"
    order = refunding.order(SMALL, now, actor=supervisor)
    assert order.amount_fen == paid.total.total_fen + 5000
    assert posting.pay_order(order.id, TODAY, now, actor=senior)
    assert not refunding.waiting_employers(supervisor, "", 10)


def _difference(employer, fen) -> None:
    person_id = rows(Enrolment, employer_id=employer.id)[0].person_id
    row = line_values(
        region=SUZHOU, person_id=person_id, employer_id=employer.id, fund="310", party="employer",
        due_type="34", due_month=MONTH, accrual_month="2026-10", base_fen=0, rate="0.08", fixed_fen=None,
        amount_fen=fen, declaration_id=None, created_at_utc=datetime(2026, 11, 17).astimezone(),
    )  # fmt: skip
    with transaction():
        add_lines([row])


def test_a_difference_that_waits_hides_no_debt(suzhou, now):
    """A charge of 50 yuan and a credit of 50 yuan that no notice has set against it: 50 yuan are owed."""
    employer = rows(Employer, id=suzhou.employer_id)[0]
    before = unpaid(employer.id).amount_fen
    _difference(employer, 5000)
    _difference(employer, -5000)
    assert unpaid(employer.id).amount_fen == before + 5000


def test_numbers_go_on(owed, supervisor, now):
    for serial in (1, 2):
        made = refunding.order(FIRST, now, actor=supervisor)
        assert made.reference == f"T32052611{serial:04d}"
        refunding.cancel(made.id, now, actor=supervisor)
    found = payment_orders.list_of_employer(rows(Employer, employer_no=FIRST)[0].id, 10)
    assert [each.reference for each in found] == ["T320526110002", "T320526110001"]
    assert all(each.cancelled_by_name == supervisor.name for each in found)


def test_billing_reads_no_order(owed, supervisor, now):
    """A notice that was paid keeps its figures, whatever is paid back for it."""
    employer = rows(Employer, employer_no=FIRST)[0]
    before = notice(employer, now)
    refunding.order(FIRST, now, actor=supervisor)
    after = billing.get_notice(before.number, now)
    assert (after.total.total_fen, after.state) == (before.total.total_fen, "paid")
