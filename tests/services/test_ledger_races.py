"""A month is assessed, or paid, while charges of it are taken back: nothing is left over, nothing lost."""

import threading
from datetime import date

import pytest
from sqlalchemy import update

from app.errors import Conflict, Rejected
from app.extensions import db
from app.services import assessing, audits, billing, declarations, posting
from app.store import assessments, ledger
from app.store.models import ContributionLine, Employer, PaymentNotice
from app.store.session import transaction
from tests.services import ledger_truth
from tests.services.conftest import HUAIAN, SUZHOU, rows, task_of
from tests.services.test_stop import employee, stop_form

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
