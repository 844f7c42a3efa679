"""A month is assessed, or paid, while charges of it are taken back: nothing is left over, nothing lost."""

import threading
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from app.errors import Conflict, Rejected
from app.extensions import db
from app.services import assessing, audits, billing, declarations, posting, refunding
from app.store import assessments, ledger
from app.store.models import ContributionLine, Employer, OrderPosting, PaymentNotice, PaymentOrder
from app.store.session import transaction
from tests.services import ledger_truth
from tests.services.conftest import HUAIAN, SUZHOU, rows, task_of
from tests.services.test_stop import NANJING, employee, stop_form

MONTH = "2026-11"


def at_once(app, *acts) -> list[Exception]:
    """Run acts at the same time, each with a session of its own; gives what they raised."""
    db.session.remove()
    gate, failed = threading.Barrier(len(acts)), []

    def run(act):
        with app.app_context():
            try:
                gate.wait(10)
                act()
            except Exception as error:  # noqa: BLE001 - shown by the test
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


@pytest.mark.parametrize("attempt", range(3))
def test_stopped_with_last_month_while_this_one_is_assessed(app, suzhou, now, attempt):
    cases = ledger_truth.already_charged()
    people = [employee(suzhou, place) for place in range(4)]

    def stop():
        for found in people:
            declarations.file(suzhou, "stop", stop_form(found, SUZHOU, stop_date="2026-10-31"), now)

    assert not at_once(app, stop, lambda: assessing.assess(MONTH, now, employer_id=suzhou.employer_id))
    assert ledger_truth.check(leave_out=cases)
    for found in people:
        standing = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, reversed_by_id=None)
        assert not standing


@pytest.mark.parametrize("attempt", range(3))
def test_stopped_while_the_month_is_paid(app, suzhou, now, attempt):
    """What was paid is refunded, what was taken back first is not paid."""
    employer = rows(Employer, id=suzhou.employer_id)[0]
    assessing.assess(MONTH, now, employer_id=employer.id)
    (notice,) = rows(PaymentNotice, employer_id=employer.id, due_month=MONTH, kind="normal")
    found = employee(suzhou)
    form = stop_form(found, SUZHOU, stop_date="2026-10-31")
    failed = at_once(
        app,
        lambda: declarations.file(suzhou, "stop", form, now),
        lambda: posting.post(notice.number, date(2026, 11, 17), now),
    )
    assert all(isinstance(each, (Conflict, Rejected)) for each in failed)
    mine = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH)
    for line in [each for each in mine if each.reversal_of_id is None and each.reversed_by_id]:
        (against,) = [each for each in mine if each.reversal_of_id == line.id]
        assert (against.due_type == "20") == (line.received_on is not None)
    assert billing.get_notice(notice.number, now).state == "paid"


def test_an_approved_stop_and_a_notice_do_not_wait_for_each_other(app, person, now, monkeypatch):
    """Whoever takes charges back holds the employer before the lines, as whoever makes a notice does."""
    handler, auditor = person("huaian.handler"), person("huaian.auditor")
    employer_id = handler.employer_id
    assessing.assess(MONTH, now, employer_id=employer_id)
    found = employee(handler)
    form = stop_form(found, HUAIAN, stop_date="2026-10-31")
    task = task_of(declarations.file(handler, "stop", form, now).reference)
    with transaction() as session:
        mine = (ContributionLine.person_id == found.person_id, ContributionLine.accrual_month == MONTH)
        session.execute(update(ContributionLine).where(*mine).values(notice_id=None))
    held, taken_back, tries = threading.Event(), threading.Event(), []
    real = ledger.set_reversed

    def told(reversals):
        real(reversals)
        if reversals:
            tries.append(1)
            taken_back.set()

    monkeypatch.setattr(ledger, "set_reversed", told)

    def notice():
        with transaction():
            assessments.hold_employer(employer_id)
            held.set()
            taken_back.wait(1)
            billing.issue(employer_id, HUAIAN, MONTH, now)

    def decide():
        held.wait(10)
        audits.decide(auditor, task, "approve", "", [], now)

    assert not at_once(app, decide, notice)
    assert len(tries) == 1
    assert not rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, reversed_by_id=None)


class TestWhatIsDueBack:
    """A credit goes onto a notice or onto an order, never onto both, and is paid out once."""

    LATER = datetime(2026, 12, 10, 9)

    @pytest.fixture
    def employer(self, suzhou, now) -> SimpleNamespace:
        """November was paid, then two people stopped with October; the employer's id and number."""
        found = rows(Employer, id=suzhou.employer_id)[0]
        assessing.assess(MONTH, now, employer_id=found.id)
        (notice,) = rows(PaymentNotice, employer_id=found.id, due_month=MONTH, kind="normal")
        posting.post(notice.number, date(2026, 11, 17), now)
        for place in range(2):
            form = stop_form(employee(suzhou, place), SUZHOU, stop_date="2026-10-31")
            declarations.file(suzhou, "stop", form, now)
        return SimpleNamespace(id=suzhou.employer_id, number=f"{SUZHOU}00001")

    def refunds(self, employer):
        return rows(ContributionLine, employer_id=employer.id, due_type="20")

    @pytest.mark.parametrize("attempt", range(3))
    def test_ordered_while_the_next_month_is_billed(self, app, employer, attempt):
        failed = at_once(
            app,
            lambda: refunding.order(employer.number, self.LATER),
            lambda: assessing.assess("2026-12", self.LATER, employer_id=employer.id),
        )
        assert all(isinstance(each, Conflict) for each in failed)
        lines = self.refunds(employer)
        taken = {(line.notice_id is not None, line.order_id is not None) for line in lines}
        assert taken in ({(True, False)}, {(False, True)})
        orders = rows(PaymentOrder, employer_id=employer.id)
        assert len(orders) == (0 if failed else 1)
        owed = -sum(line.amount_fen for line in lines if line.party in ("employer", "employee"))
        assert sum(order.amount_fen for order in orders) == (0 if failed else owed)

    def test_ordered_twice_at_once(self, app, employer, now):
        failed = at_once(app, *[lambda: refunding.order(employer.number, now)] * 2)
        assert [type(each) for each in failed] == [Conflict]
        assert len(rows(PaymentOrder, employer_id=employer.id)) == 1

    @pytest.mark.parametrize("attempt", range(3))
    def test_paid_while_it_is_made_void(self, app, employer, now, attempt):
        order = refunding.order(employer.number, now)
        failed = at_once(
            app,
            lambda: posting.pay_order(order.id, now.date(), now),
            lambda: refunding.cancel(order.id, now),
        )
        assert [type(each) for each in failed] == [Conflict]
        (row,) = rows(PaymentOrder, employer_id=employer.id)
        paid = row.status == "paid"
        assert row.status == ("paid" if paid else "cancelled")
        assert len(rows(OrderPosting, order_id=order.id)) == paid
        assert {(line.received_on, line.order_id) for line in self.refunds(employer)} == {
            (now.date(), order.id) if paid else (None, None)
        }

    def test_paid_twice_at_once(self, app, employer, now):
        order = refunding.order(employer.number, now)
        assert not at_once(app, *[lambda: posting.pay_order(order.id, now.date(), now)] * 2)
        assert len(rows(OrderPosting, order_id=order.id)) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_reverted_while_its_refund_is_ordered(app, person, now, attempt):
    """The refund of a stop is ordered, or the stop is undone: not both."""
    handler = person("nanjing.handler")
    employer_id = handler.employer_id
    assessing.assess(MONTH, now, employer_id=employer_id)
    (notice,) = rows(PaymentNotice, employer_id=employer_id, due_month=MONTH, kind="normal")
    posting.post(notice.number, date(2026, 11, 17), now)
    found = employee(handler)
    declarations.file(handler, "stop", stop_form(found, NANJING, stop_date="2026-10-31"), now)
    form = {"revert_type": "stop", "id_number": found.id_number}
    failed = at_once(
        app,
        lambda: refunding.order(f"{NANJING}00001", now),
        lambda: declarations.file(handler, "revert", form, now),
    )
    assert [type(each) for each in failed] == [Conflict]
    ordered = rows(PaymentOrder, employer_id=employer_id)
    lines = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, due_type="20")
    undone = any(line.reversal_of_id in {each.id for each in lines} for line in lines)
    assert bool(ordered) != undone
