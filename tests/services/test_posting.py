"""Payment notices and the money that comes in for them: whole, in part, twice, with refunds and late fees."""

import threading
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from sqlalchemy import select, update

from app.errors import Forbidden, NotFound, Rejected
from app.extensions import db
from app.services import audits, billing, declarations, posting
from app.services.assessing import assess
from app.store.ledger import LineRow, Reversal, add_lines, against, set_reversed
from app.store.models import (
    ContributionLine,
    Declaration,
    Employer,
    Enrolment,
    EnrolmentChange,
    OrderPosting,
    PaymentNotice,
    PaymentOrder,
    PaymentPosting,
)
from app.store.personal_accounts import account_balance
from app.store.session import transaction
from tests.services import ledger_truth
from tests.services.conftest import SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.test_stop import employee, stop_form

MONTH, PAID_ON = "2026-11", date(2026, 11, 17)
SMALL = "32050000003"


@pytest.fixture
def small(now) -> Employer:
    """Suzhou's smallest employer, assessed."""
    found = rows(Employer, employer_no=SMALL)[0]
    assess(MONTH, now, employer_id=found.id)
    return found


def notice(employer, now, kind="normal", month=MONTH):
    found = rows(PaymentNotice, employer_id=employer.id, due_month=month, kind=kind)
    return billing.get_notice(found[0].number, now)


def on_notice(found):
    return rows(ContributionLine, notice_id=found.id)


@pytest.fixture
def supervisor(person):
    return person("suzhou.supervisor")


def test_paid_in_full_and_entered_twice(small, supervisor, now):
    before = notice(small, now)
    assert (before.state, before.owed_fen) == ("unpaid", before.total.total_fen)
    done = posting.post(before.number, PAID_ON, now, actor=supervisor)
    assert (done.amount_fen, done.state, done.left_fen) == (before.total.total_fen, "paid", 0)
    assert {row.received_on for row in on_notice(before)} == {PAID_ON}
    after = notice(small, now)
    assert (after.state, after.owed_fen, after.total.total_fen) == ("paid", 0, before.total.total_fen)
    assert rows(PaymentNotice, number=before.number)[0].settled
    again = posting.post(before.number, date(2026, 11, 18), now, actor=supervisor)
    assert (again.lines, again.repeated) == (0, True)
    assert {row.received_on for row in on_notice(before)} == {PAID_ON}
    assert len(rows(PaymentPosting, notice_id=before.id)) == 1


def test_a_partly_paid_notice_stays_open_by_line(small, now):
    found = notice(small, now)
    half = found.total.total_fen // 2
    done = posting.post(found.number, PAID_ON, now, amount_fen=half)
    assert 0 < done.amount_fen <= half
    assert done.amount_fen + done.left_fen == half
    assert done.state == "partly"
    received = [row for row in on_notice(found) if row.received_on]
    assert sum(row.amount_fen for row in received if row.party in ("employer", "employee")) == done.amount_fen
    # allocations come with what pays them
    paid = {(row.person_id, row.fund) for row in received if row.party == "employee" and row.fund == "310"}
    assert paid <= {(row.person_id, row.fund) for row in received if row.party == "allocation_employee"}
    after = notice(small, now)
    assert after.owed_fen == found.total.total_fen - done.amount_fen
    assert {row.state for row in after.rows} & {"unpaid", "partly"}
    same = posting.post(found.number, PAID_ON, now, amount_fen=half)
    assert same.repeated
    rest = posting.post(found.number, PAID_ON, now)
    assert (rest.amount_fen, rest.state) == (after.owed_fen, "paid")


def test_one_fund_alone(small, now):
    found = notice(small, now)
    posting.post(found.number, PAID_ON, now, funds=["510"])
    assert {row.fund for row in on_notice(found) if row.received_on} == {"510"}
    with pytest.raises(Rejected):
        posting.post(found.number, PAID_ON, now, funds=["510"], voucher="2")


@pytest.mark.parametrize(
    ("amount", "day", "code"),
    [
        (10**9, PAID_ON, "ledger.amount_too_high"),
        (1, PAID_ON, "ledger.amount_too_low"),
        (None, date(2026, 11, 19), "ledger.received_later"),
    ],
)
def test_what_cannot_be_entered(small, now, amount, day, code):
    found = notice(small, now)
    with pytest.raises(Rejected) as refused:
        posting.post(found.number, day, now, amount_fen=amount)
    assert refused.value.errors[0].code == code
    assert not [row for row in on_notice(found) if row.received_on]


def test_who_may_enter(small, suzhou, person, now):
    number = notice(small, now).number
    for actor in (suzhou, person("suzhou.auditor")):
        with pytest.raises(Forbidden):
            posting.post(number, PAID_ON, now, actor=actor)
    with pytest.raises(NotFound):
        posting.post(number, PAID_ON, now, actor=person("nanjing.supervisor"))
    with pytest.raises(NotFound):
        posting.post("nothing", PAID_ON, now)


def test_two_enter_the_same_at_once(app, small, now):
    found = notice(small, now)
    db.session.remove()
    gate, done = threading.Barrier(2), []

    def run():
        with app.app_context():
            try:
                gate.wait(10)
                done.append(posting.post(found.number, PAID_ON, now))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(each.repeated for each in done) == [False, True]
    assert len(rows(PaymentPosting, notice_id=found.id)) == 1


def test_the_account_receives_what_was_allocated(small, now):
    found = notice(small, now)
    person_id = on_notice(found)[0].person_id
    mine = [
        row.amount_fen
        for row in rows(ContributionLine, person_id=person_id, accrual_month=MONTH)
        if row.party.startswith("allocation")
    ]
    before = account_balance(person_id)
    posting.post(found.number, PAID_ON, now)
    db.session.rollback()
    assert account_balance(person_id) == before + sum(mine)


def test_back_pay_has_a_notice_of_its_own(suzhou, now):
    """SZ-7.3: normal dues and back-pay are separate notices."""
    declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "not_insured"), "2026-09-01"), now)
    employer = rows(Employer, id=suzhou.employer_id)[0]
    assess(MONTH, now, employer_id=employer.id)
    normal, back = notice(employer, now), notice(employer, now, "backpay")
    assert normal.number != back.number
    assert {row.due_type for row in normal.rows} == {"10"}
    assert {row.due_type for row in back.rows} == {"31"}
    assert sorted({row.accrual_month for row in back.rows}) == ["2026-09", "2026-10", MONTH]
    assert back.words.endswith(("整", "分"))


def test_a_late_joiner_joins_the_notice_of_his_month(suzhou, now):
    employer = rows(Employer, id=suzhou.employer_id)[0]
    assess(MONTH, now, employer_id=employer.id)
    first = posting.post(notice(employer, now).number, PAID_ON, now)
    declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "not_insured")), now)
    assess(MONTH, now, employer_id=employer.id)
    back = notice(employer, now, "backpay")
    assert (first.state, back.state) == ("paid", "unpaid")
    assert len(rows(PaymentNotice, employer_id=employer.id, due_month=MONTH)) == 2


class TestTakenBack:
    """Suzhou 2 (3): stopped with last month, after this month was assessed."""

    def stopped(self, suzhou, now, found):
        form = stop_form(found, SUZHOU, stop_date="2026-10-31")
        made = declarations.file(suzhou, "stop", form, now)
        assert made.status == "done"

    def test_unpaid_charges_leave_the_notice(self, suzhou, now):
        employer = rows(Employer, id=suzhou.employer_id)[0]
        cases = ledger_truth.already_charged()
        assess(MONTH, now, employer_id=employer.id)
        before = notice(employer, now)
        found = employee(suzhou)
        mine = [row for row in on_notice(before) if row.person_id == found.person_id]
        self.stopped(suzhou, now, found)
        after = notice(employer, now)
        owed = sum(row.amount_fen for row in mine if row.party in ("employer", "employee"))
        assert after.total.total_fen == before.total.total_fen - owed
        posting.post(before.number, PAID_ON, now)
        assert not [row for row in rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH)
                    if row.received_on]  # fmt: skip
        assert ledger_truth.check(leave_out=cases)

    def test_lists_follow_at_the_next_run(self, suzhou, now):
        """What was open of a notice was taken back: nothing is left to be paid, and the list says so."""
        employer = rows(Employer, id=suzhou.employer_id)[0]
        assess(MONTH, now, employer_id=employer.id)
        before, found = notice(employer, now), employee(suzhou)
        with transaction() as session:
            others = (ContributionLine.notice_id == before.id, ContributionLine.person_id != found.person_id)
            session.execute(update(ContributionLine).where(*others).values(received_on=PAID_ON))
        assert notice(employer, now).state == "partly"
        self.stopped(suzhou, now, found)
        assert notice(employer, now).state == "paid"
        assess("2026-12", now, employer_id=employer.id)
        assert rows(PaymentNotice, number=before.number)[0].settled

    def test_paid_charges_become_a_refund_that_lowers_the_next_notice(self, suzhou, now):
        employer = rows(Employer, id=suzhou.employer_id)[0]
        assess(MONTH, now, employer_id=employer.id)
        paid = notice(employer, now)
        posting.post(paid.number, PAID_ON, now)
        found = employee(suzhou)
        before = account_balance(found.person_id)
        self.stopped(suzhou, now, found)
        db.session.rollback()
        refunds = rows(ContributionLine, person_id=found.person_id, due_type="20")
        back = -sum(row.amount_fen for row in refunds if row.party in ("employer", "employee"))
        assert back > 0
        assert notice(employer, now).total.total_fen == paid.total.total_fen
        assert account_balance(found.person_id) < before
        later = datetime(2026, 12, 10, 9)
        assess("2026-12", later, employer_id=employer.id)
        following = notice(employer, later, month="2026-12")
        rows_back = [row for row in following.rows if row.due_type == "20"]
        assert -sum(row.total_fen for row in rows_back) == back
        dues = sum(row.total_fen for row in following.rows if row.due_type == "10")
        assert following.total.total_fen == dues - back
        done = posting.post(following.number, date(2026, 12, 10), later)
        assert (done.amount_fen, done.state) == (dues - back, "paid")
        assert {row.received_on for row in rows(ContributionLine, due_type="20")} == {date(2026, 12, 10)}

    def test_a_paid_collection_cannot_be_cancelled(self, suzhou, now):
        found = citizen(SUZHOU, "not_insured")
        declarations.file(suzhou, "enrol", suzhou_form(found), now)
        assess(MONTH, now, employer_id=suzhou.employer_id)
        employer = rows(Employer, id=suzhou.employer_id)[0]
        posting.post(notice(employer, now, "backpay").number, PAID_ON, now)
        with pytest.raises(Rejected) as refused:
            declarations.file(
                suzhou, "collection_cancel", {"id_type": "01", "id_number": found.id_number}, now
            )
        assert refused.value.errors[0].code == "collection_cancel.paid"


def test_a_late_payment_has_a_late_fee(small, now):
    """社会保险法 86: five in ten thousand a day from the day after the due date."""
    late = datetime(2026, 12, 5, 9)
    found = notice(small, late)
    principal = found.total.employee_fen + found.total.employer_fen
    assert abs(found.total.late_fee_fen - principal * 10 * 5 / 10_000) < len(on_notice(found))
    done = posting.post(found.number, late.date(), late)
    assert done.late_fee_fen == found.total.late_fee_fen
    assert done.amount_fen == principal + done.late_fee_fen == found.total.total_fen
    assert notice(small, datetime(2026, 12, 31)).total.late_fee_fen == done.late_fee_fen


def test_nobody_is_late_with_what_is_charged_after_the_due_day(suzhou):
    """Enrolled on the 28th: the month's charge is due on the 25th of the next one."""
    late = datetime(2026, 11, 28, 9)
    assess(MONTH, datetime(2026, 11, 18, 10), employer_id=suzhou.employer_id)
    declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "not_insured")), late)
    assess(MONTH, late, employer_id=suzhou.employer_id)
    employer = rows(Employer, id=suzhou.employer_id)[0]
    back = notice(employer, late, "backpay")
    assert (back.due_on, back.total.late_fee_fen) == (date(2026, 12, 25), 0)
    assert notice(employer, late).total.late_fee_fen > 0
    after = notice(employer, datetime(2026, 12, 27, 9), "backpay")
    owed = [row.amount_fen for row in on_notice(back) if row.party in ("employer", "employee")]
    by_hand = [int((Decimal(fen) * 2 * 5 / 10_000).quantize(0, ROUND_HALF_UP)) for fen in owed]
    assert after.total.late_fee_fen == sum(by_hand) > 0


def test_a_credit_never_turns_a_notice_round(small, now):
    """What is due back beyond a notice waits for the next one."""
    with transaction() as session:
        session.execute(
            update(Enrolment)
            .where(Enrolment.employer_id == small.id, Enrolment.person_type.like("11%"))
            .values(to_month=MONTH)
        )
    found = notice(small, now)
    posting.post(found.number, PAID_ON, now)
    lines = [row for row in on_notice(found) if not row.retired]
    refund(lines)
    later = datetime(2026, 12, 10, 9)
    assess("2026-12", later, employer_id=small.id)
    following = rows(PaymentNotice, employer_id=small.id, due_month="2026-12")
    assert all(billing.get_notice(each.number, later).total.total_fen >= 0 for each in following)
    assert rows(ContributionLine, employer_id=small.id, due_type="20", notice_id=None)


def test_an_order_is_paid_once(person, now):
    employer = rows(Employer, region=SUZHOU)[0]
    somebody = rows(Enrolment, employer_id=employer.id)[0]
    declaration_id = _declaration(person("suzhou.handler"), now)
    with transaction() as session:
        session.add(
            PaymentOrder(
                id=1, region=SUZHOU, declaration_id=declaration_id, person_id=somebody.person_id,
                amount_fen=500, payee="示例", payee_relation="01", bank_name="示例银行",
                account_cipher=b"", account_last4="1234",
                created_at_utc=datetime(2026, 11, 16).astimezone(),
            )
        )  # fmt: skip
    supervisor = person("suzhou.supervisor")
    assert [each.id for each in posting.open_orders(supervisor, 0, 10)] == [1]
    assert posting.pay_order(1, PAID_ON, now, actor=supervisor)
    assert not posting.pay_order(1, PAID_ON, now, actor=supervisor)
    assert rows(PaymentOrder, id=1)[0].status == "paid"
    assert len(rows(OrderPosting, order_id=1)) == 1
    assert not posting.open_orders(supervisor, 0, 10)
    with pytest.raises(NotFound):
        posting.pay_order(2, PAID_ON, now, actor=supervisor)
    with pytest.raises(NotFound):
        posting.pay_order(1, PAID_ON, now, actor=person("nanjing.supervisor"))


def _declaration(handler, now) -> int:
    reference = declarations.save_draft(handler, "enrol", {}, now).reference
    return rows(Declaration, reference=reference)[0].id


def test_a_base_declared_after_the_assessment_is_a_difference(person, now):
    """NT-2.5: the higher base becomes type 34 on the back-pay notice, the lower one a credit."""
    handler, auditor = person("nantong.handler"), person("nantong.auditor")
    cases = ledger_truth.already_charged()
    assess(MONTH, now, employer_id=handler.employer_id)
    up, down = employee(handler, 0), employee(handler, 1)
    for found, wage in ((up, "15000"), (down, "6000")):
        form = {"id_number": found.id_number, "from_month": MONTH, "wage_yuan": wage}
        made = declarations.file(handler, "base", form, now, submit_now=True)
        audits.decide(auditor, task_of(made.reference), "approve", "", [], now)
    assert rows(EnrolmentChange, action="base")
    assert ledger_truth.check(leave_out=cases)
    employer = rows(Employer, id=handler.employer_id)[0]
    assess(MONTH, now, employer_id=employer.id)
    back = notice(employer, now, "backpay")
    assert {row.due_type for row in back.rows} == {"34"}
    assert back.total.total_fen > 0
    assert not [row for row in on_notice(back) if row.person_id == down.person_id]


class TestALateFeeThatWasPaid:
    """社会保险法 86 asks it of what was owed: a month that was not owed gives it back with the charge."""

    LATE = datetime(2026, 11, 28, 9)

    def refunded(self, suzhou) -> tuple[Employer, list[ContributionLine], int]:
        """November paid three days late, then one person stopped with October; gives the person's lines."""
        employer = rows(Employer, id=suzhou.employer_id)[0]
        assess(MONTH, datetime(2026, 11, 18, 10), employer_id=employer.id)
        posting.post(notice(employer, self.LATE).number, self.LATE.date(), self.LATE)
        found = employee(suzhou)
        charged = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, due_type="10")
        made = declarations.file(suzhou, "stop", stop_form(found, SUZHOU, stop_date="2026-10-31"), self.LATE)
        assert made.status == "done", made
        db.session.rollback()
        return employer, charged, found.person_id

    def test_each_refund_carries_it(self, suzhou):
        _, charged, person_id = self.refunded(suzhou)
        refunds = rows(ContributionLine, person_id=person_id, due_type="20")
        given = {(row.fund, row.party): row.late_fee_fen for row in refunds}
        assert given == {(row.fund, row.party): -row.late_fee_fen for row in charged}
        # three days at five in ten thousand of each amount, rounded half up
        by_hand = {
            (row.fund, row.party): -int((Decimal(row.amount_fen) * 3 * 5 / 10_000).quantize(0, ROUND_HALF_UP))
            for row in charged
            if row.party in ("employer", "employee")
        }
        assert {key: fen for key, fen in given.items() if key in by_hand} == by_hand
        assert sum(by_hand.values()) < 0

    def test_the_next_notice_carries_it(self, suzhou):
        employer, charged, person_id = self.refunded(suzhou)
        principal = sum(row.amount_fen for row in charged if row.party in ("employer", "employee"))
        fee = sum(row.late_fee_fen for row in charged)
        later = datetime(2026, 12, 10, 9)
        assess("2026-12", later, employer_id=employer.id)
        following = notice(employer, later, month="2026-12")
        back = [row for row in following.rows if row.due_type == "20"]
        assert sum(row.late_fee_fen for row in back) == -fee
        assert sum(row.total_fen for row in back) == -(principal + fee)
        dues = sum(row.total_fen for row in following.rows if row.due_type == "10")
        assert following.owed_fen == following.total.total_fen == dues - principal - fee
        done = posting.post(following.number, later.date(), later)
        assert (done.amount_fen, done.late_fee_fen) == (dues - principal - fee, -fee)
        assert {row.late_fee_fen for row in rows(ContributionLine, person_id=person_id, due_type="20")} <= {
            -row.late_fee_fen for row in charged
        }


class TestChargesTakenBackFromUnderACredit:
    """A notice of 2026-12 whose credits are more than what is left of its charges."""

    @pytest.fixture
    def turned(self, small, now):
        """The notice, the later day, and what is due back to the employer."""
        paid = notice(small, now)
        posting.post(paid.number, PAID_ON, now)
        refund(on_notice(paid)[: len(on_notice(paid)) // 2])
        later = datetime(2026, 12, 10, 9)
        assess("2026-12", later, employer_id=small.id)
        following = notice(small, later, month="2026-12")
        credit = -sum(row.total_fen for row in following.rows if row.due_type == "20")
        assert credit > 0
        refund([row for row in on_notice(following) if row.due_type == "10"], "10")
        return following.number, later, credit

    def test_it_is_no_notice_about_less_than_nothing(self, turned):
        number, later, _ = turned
        found = billing.get_notice(number, later)
        assert (found.total.total_fen, found.owed_fen, found.words) == (0, 0, "零圆整")

    def test_paying_it_settles_no_credit_against_nothing(self, small, turned):
        number, later, credit = turned
        posting.post(number, later.date(), later)
        waiting = rows(ContributionLine, employer_id=small.id, due_type="20", notice_id=None)
        assert -sum(row.amount_fen for row in waiting if row.party in ("employer", "employee")) == credit
        assert {row.received_on for row in waiting} == {None}
        assert rows(PaymentNotice, number=number)[0].settled

    def test_the_next_run_takes_them_along(self, small, turned):
        number, later, credit = turned
        with transaction() as session:
            session.execute(
                update(Enrolment)
                .where(Enrolment.employer_id == small.id, Enrolment.to_month == "2026-12")
                .values(to_month=None)
            )
        assess("2027-01", later.replace(day=28), employer_id=small.id)
        following = notice(small, later, month="2027-01")
        assert -sum(row.total_fen for row in following.rows if row.due_type == "20") == credit
        assert billing.get_notice(number, later).state == "paid"


def test_a_fund_alone_settles_no_credit_of_another_charge(small, now):
    """What is due back in one fund beyond its charges waits for the rest of the notice."""
    paid = notice(small, now)
    posting.post(paid.number, PAID_ON, now)
    refund([row for row in on_notice(paid) if row.fund == "310"])
    later = datetime(2026, 12, 10, 9)
    assess("2026-12", later, employer_id=small.id)
    following = notice(small, later, month="2026-12")
    mine = [row for row in on_notice(following) if row.due_type == "10" and row.fund == "310"]
    refund(mine[: len(mine) // 2], "10")
    whole = notice(small, later, month="2026-12").owed_fen
    first = posting.post(following.number, later.date(), later, funds=["310"])
    second = posting.post(following.number, later.date(), later)
    assert first.amount_fen >= 0
    assert (first.amount_fen + second.amount_fen, second.state) == (whole, "paid")


def test_money_comes_in_for_a_month_from_its_first_day_on(small, now):
    number = notice(small, now).number
    with pytest.raises(Rejected) as refused:
        posting.post(number, date(2026, 10, 31), now)
    assert refused.value.errors[0].code == "ledger.received_earlier"
    assert "2026-11-01" in refused.value.errors[0].message
    assert posting.post(number, date(2026, 11, 1), now).state == "paid"


def test_a_month_billed_ahead_is_paid_from_the_day_of_its_notice_on(small, now):
    assess("2026-12", now, employer_id=small.id)
    number = notice(small, now, month="2026-12").number
    with pytest.raises(Rejected):
        posting.post(number, date(2026, 11, 17), now)
    assert posting.post(number, date(2026, 11, 18), now).state == "paid"


def refund(lines, due_type="20") -> None:
    """Take lines back, as an approval does."""
    with transaction():
        made = []
        for row in lines:
            line = LineRow(
                row.id, row.person_id, row.employer_id, row.fund, row.party, row.due_type, row.due_month,
                row.accrual_month, row.base_fen, row.rate, row.fixed_fen, row.amount_fen, row.received_on,
            )  # fmt: skip
            made.append((against(line, SUZHOU, due_type, row.due_month, 1, row.created_at_utc), line))
        set_reversed([Reversal(line.id, row["id"]) for row, line in made])
        add_lines([row for row, _ in made])


def refund_half(number) -> int:
    """Take half of what a notice was paid for back, as approvals do; gives what is due back."""
    query = select(ContributionLine).join(PaymentNotice, PaymentNotice.id == ContributionLine.notice_id)
    lines = list(
        db.session.scalars(query.where(PaymentNotice.number == number).order_by(ContributionLine.id))
    )
    lines = lines[: len(lines) // 2]
    refund(lines)
    return sum(row.amount_fen for row in lines if row.party in ("employer", "employee"))
