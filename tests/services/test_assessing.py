"""The monthly assessment: repeated, raced, killed half way; late joiners, retirees, changes of rates."""

import threading
from collections import Counter
from contextlib import suppress
from datetime import date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select, update

from app.domain.calendar import month_of
from app.errors import Conflict, Rejected
from app.extensions import db
from app.services import assessing, audits, billing, declarations, demo, posting, trials
from app.services.assessing import assess
from app.store.models import Assessment, ContributionLine, Employer, Enrolment, PaymentNotice
from app.store.session import transaction
from tests.services import ledger_truth
from tests.services.conftest import (
    HUAIAN,
    NANTONG,
    SUZHOU,
    citizen,
    huaian_form,
    nantong_form,
    rows,
    suzhou_form,
    task_of,
)
from tests.services.test_stop import employee, stop_form

MONTH = "2026-11"


def employer(number: str) -> Employer:
    return rows(Employer, employer_no=number)[0]


def lines(employer_id: int, month: str = MONTH, **more):
    return rows(ContributionLine, employer_id=employer_id, accrual_month=month, **more)


@pytest.fixture(autouse=True)
def truth(in_context):
    """The ledger as it must be, but for people whom the demonstration itself has charged."""
    cases = ledger_truth.already_charged()
    return lambda *months: ledger_truth.check(months or (MONTH, "2026-12"), leave_out=cases)


def test_everybody_is_charged_once(suzhou, now, truth):
    found = employer("32050000001")
    done = assess(MONTH, now, employer_id=found.id)
    assert done.employers == 1
    people = {row.person_id for row in rows(Enrolment, employer_id=found.id, to_month=None)}
    made = lines(found.id)
    assert {row.person_id for row in made} <= people
    assert done.added_lines == done.lines == len(made) > 0
    assert done.added_people == done.people == len({row.person_id for row in made})
    assert {row.due_type for row in made} == {"10"}
    assert {row.due_month for row in made} == {MONTH}
    assert all(row.wage_fen for row in made)
    assert done.totals_fen["employee"] == sum(row.amount_fen for row in made if row.party == "employee")
    again = assess(MONTH, now, employer_id=found.id)
    assert (again.added_lines, again.lines, again.totals_fen) == (0, done.lines, done.totals_fen)
    assert len(lines(found.id)) == done.lines
    assert truth()


def test_all_regions_at_once_and_the_counts_of_the_mark(now, truth):
    done = assess(MONTH, now)
    assert done.employers == len(rows(Employer))
    marks = rows(Assessment, month=MONTH)
    assert {mark.state for mark in marks} == {"finished"}
    assert sum(mark.lines for mark in marks) == done.added_lines
    assert truth()


@pytest.mark.parametrize("month", ["2027-01", "2026-13", "", "november"])
def test_a_month_that_cannot_be_assessed(now, month):
    with pytest.raises(Rejected):
        assess(month, now)
    assert not rows(Assessment, month=month)


def test_retirees_have_lines_for_the_allocation_and_by_head(now):
    found = employer("32050000001")
    assess(MONTH, now, employer_id=found.id)
    retired = lines(found.id, retired=True)
    assert {(row.fund, row.party) for row in retired} == {("310", "allocation_employer"), ("330", "employee")}
    assert all(row.base_fen == row.wage_fen for row in retired if row.fund == "310")


def test_a_month_with_another_rate_and_other_bounds(now, truth):
    found = employer("32050000001")
    assess("2022-08", now, employer_id=found.id)
    bases = {row.base_fen for row in lines(found.id, "2022-08", fund="310", party="employee", retired=False)}
    assert bases
    assert min(bases) >= 425_000
    assert max(bases) <= 2_247_000
    assert truth("2022-08")


def test_the_printed_figures_of_suzhou(suzhou, now):
    """SZ-6.1, DOMAIN 2.4: 9805 yuan in 2022-08, through the assessment."""
    found = employer("32050000003")
    person_id = rows(Enrolment, employer_id=found.id, person_type="1101")[0].person_id
    with transaction() as session:
        session.execute(
            update(Enrolment)
            .where(Enrolment.person_id == person_id)
            .values(wage_fen=980_500, base_fen=980_500, from_month="2020-01")
        )
    assess("2022-08", now, employer_id=found.id)
    made = {(row.fund, row.party): row.amount_fen for row in lines(found.id, "2022-08", person_id=person_id)}
    assert made == {
        ("330", "employee"): 500, ("510", "employer"): 7844, ("37001", "employer"): 9805,
        ("310", "employee"): 19610, ("310", "employer"): 58830,
        ("310", "allocation_employee"): 19610, ("310", "allocation_employer"): 9805,
    }  # fmt: skip


def test_killed_in_the_middle_it_goes_on(now, monkeypatch, truth):
    found = employer("32050000001")
    monkeypatch.setattr(assessing, "PEOPLE_AT_ONCE", 7)
    real, calls = assessing.charge_month, []

    def dies(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(assessing, "charge_month", dies)
    with pytest.raises(KeyboardInterrupt):
        assess(MONTH, now, employer_id=found.id)
    half = len(lines(found.id))
    assert half
    assert rows(Assessment, employer_id=found.id, month=MONTH)[0].state == "running"
    assert not rows(PaymentNotice, employer_id=found.id, due_month=MONTH, kind="normal")
    monkeypatch.setattr(assessing, "charge_month", real)
    done = assess(MONTH, now, employer_id=found.id)
    assert 0 < half < done.lines == len(lines(found.id))
    mark = rows(Assessment, employer_id=found.id, month=MONTH)[0]
    assert (mark.state, mark.lines) == ("finished", done.lines)
    assert truth()


def test_two_runs_at_once_charge_once(app, now, truth):
    found = employer("32050000001").id
    db.session.remove()
    gate, failed = threading.Barrier(2), []

    def run():
        with app.app_context():
            try:
                gate.wait(10)
                assess(MONTH, now, employer_id=found)
            except Exception as error:  # noqa: BLE001 - shown by the test
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    counted = Counter((row.person_id, row.fund, row.party) for row in lines(found))
    assert set(counted.values()) == {1}
    assert len(rows(PaymentNotice, employer_id=found, due_month=MONTH, kind="normal")) == 1
    assert truth()


def test_approved_after_the_assessment_it_gets_supplementary_lines(submitted, auditor, nantong, now, truth):
    """PRACTICE 2.4 and 3: the start stays, what is assessed already becomes supplementary lines."""
    made = submitted(start_month=MONTH)
    assess(MONTH, now)
    done = audits.decide(auditor, task_of(made.reference), "approve", "", [], datetime(2026, 12, 3, 9))
    assert done.status == "approved"
    person_id = declarations.get_case(nantong, made.reference, now).person_id
    found = rows(ContributionLine, person_id=person_id, accrual_month=MONTH)
    assert {(row.due_type, row.due_month) for row in found} == {("31", "2026-12")}
    assert not assess(MONTH, datetime(2026, 12, 4)).added_lines
    assert truth()


def test_enrolled_in_a_region_without_back_pay_after_the_assessment(person, now, truth):
    """The platform has no automatic back-pay, yet what is assessed already is charged."""
    handler, auditor = person("huaian.handler"), person("huaian.auditor")
    assess(MONTH, now, region=HUAIAN)
    made = declarations.file(handler, "enrol", huaian_form(citizen(HUAIAN, "not_insured")), now)
    audits.decide(auditor, task_of(made.reference), "approve", "", [], now)
    person_id = declarations.get_case(handler, made.reference, now).person_id
    found = rows(ContributionLine, person_id=person_id, accrual_month=MONTH)
    assert found
    assert {row.due_type for row in found} == {"31"}
    assert assess(MONTH, now, region=HUAIAN).added_lines == 0
    assert truth()


def test_enrolled_before_the_settlement_and_assessed_early(suzhou, now):
    early = datetime(2026, 11, 5, 9)
    assess(MONTH, early, region=SUZHOU)
    made = declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "not_insured")), early)
    person_id = declarations.get_case(suzhou, made.reference, now).person_id
    assert {row.accrual_month for row in rows(ContributionLine, person_id=person_id, due_type="31")} == {
        MONTH
    }


def test_paid_back_before_the_assessment_it_is_left_out(suzhou, now, truth):
    made = declarations.file(suzhou, "enrol", suzhou_form(citizen(SUZHOU, "not_insured")), now)
    person_id = declarations.get_case(suzhou, made.reference, now).person_id
    assess(MONTH, now, region=SUZHOU)
    assert {row.due_type for row in rows(ContributionLine, person_id=person_id, accrual_month=MONTH)} == {
        "31"
    }
    assert truth()


def test_an_enrolment_from_next_month_waits_for_it(suzhou, now, truth):
    form = suzhou_form(citizen(SUZHOU, "not_insured"), "2026-12-01")
    made = declarations.file(suzhou, "enrol", form, now)
    person_id = declarations.get_case(suzhou, made.reference, now).person_id
    assess(MONTH, now, region=SUZHOU)
    assert not rows(ContributionLine, person_id=person_id, accrual_month=MONTH)
    assess("2026-12", now, region=SUZHOU)
    assert rows(ContributionLine, person_id=person_id, accrual_month="2026-12")
    assert truth()


def test_somebody_enrols_while_the_month_is_being_assessed(app, suzhou, now, truth):
    """Whoever is first: there is exactly one charge."""
    db.session.remove()
    gate, failed = threading.Barrier(2), []
    early = datetime(2026, 11, 5, 9)

    def run(act):
        with app.app_context():
            try:
                gate.wait(10)
                act()
            except Exception as error:  # noqa: BLE001 - shown by the test
                failed.append(error)
            finally:
                db.session.remove()

    found = [citizen(SUZHOU, "not_insured", place) for place in range(3)]

    def enrol():
        for each in found:
            declarations.file(suzhou, "enrol", suzhou_form(each), early)

    threads = [
        threading.Thread(target=run, args=(act,))
        for act in (enrol, lambda: assess(MONTH, early, region=SUZHOU))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert truth()


def test_few_statements_for_many_people(now, statement_counter):
    found = employer("32050000001").id
    with statement_counter() as seen:
        assess(MONTH, now, employer_id=found)
    assert len(seen.writes) == 3
    assert seen.total + len(seen.reads) <= 40


def test_a_notice_of_the_month(now):
    found = employer("32050000002")
    done = assess(MONTH, now, employer_id=found.id)
    (notice,) = [each for each in billing.notices_named(found.employer_no, now) if each.kind == "normal"]
    assert notice.number in done.notices
    assert notice.number.startswith("32052611")
    total = db.session.scalar(
        select(func.sum(ContributionLine.amount_fen)).where(
            ContributionLine.employer_id == found.id,
            ContributionLine.accrual_month == MONTH,
            ContributionLine.party.in_(("employee", "employer")),
        )
    )
    assert notice.total.total_fen == total
    assert notice.due_on == date(2026, 11, 25)
    assert notice.state == "unpaid"


def test_the_trial_says_what_an_assessed_month_will_cost(suzhou, now):
    early = datetime(2026, 11, 5, 9)
    form = suzhou_form(citizen(SUZHOU, "not_insured"))
    assert trials.quote(suzhou, "enrol", form, early).months == []
    assess(MONTH, early, region=SUZHOU)
    quoted = trials.quote(suzhou, "enrol", form, early)
    assert quoted.months == [MONTH]
    made = declarations.file(suzhou, "enrol", form, early)
    person_id = declarations.get_case(suzhou, made.reference, now).person_id
    charged = rows(ContributionLine, person_id=person_id, accrual_month=MONTH)
    assert sum(row.amount_fen for row in charged) == sum(line.amount_fen for line in quoted.lines)


def test_reverted_after_the_assessment_the_person_is_charged(person, now, truth):
    """NJ-3.3: stopped with last month, then the month is assessed, then the stop is reverted."""
    handler = person("nanjing.handler")
    found = employee(handler)
    stop = stop_form(found, "320100", stop_date="2026-10-31")
    declarations.file(handler, "stop", stop, now)
    assess(MONTH, now, region="320100")
    assert not rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH)
    declarations.file(handler, "revert", {"id_number": found.id_number, "revert_type": "stop"}, now)
    again = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH)
    assert {row.due_type for row in again} == {"31"}
    assert truth()


class Year:
    """Enrolments, stops, bases, approvals, payments and assessments of one employer, in any order."""

    ACTS = ("enrol", "stop", "base", "base", "approve", "approve", "approve", "charge", "pay")

    def __init__(self, handler, auditor, seed):
        self.handler, self.auditor = handler, auditor
        self.random = Random(seed)
        self.strangers = iter(demo.demo_people(NANTONG, "not_insured", 6))
        self.waiting: list[str] = []
        self.moment = datetime(2026, 11, 2, 9)
        self.done = Counter()

    def step(self):
        self.moment += timedelta(hours=self.random.randrange(1, 40))
        act = self.random.choice(self.ACTS)
        with suppress(Rejected, Conflict, StopIteration):
            getattr(self, act)()
            self.done[act] += 1

    def wage(self):
        return str(self.random.randrange(6000, 20000))

    def file(self, kind, form):
        made = declarations.file(self.handler, kind, form, self.moment, submit_now=True)
        self.waiting.append(made.reference)

    def enrol(self):
        start = self.random.choice(["2026-10", "2026-11", month_of(self.moment)])
        self.file("enrol", nantong_form(next(self.strangers), start, wage=self.wage()))

    def stop(self):
        self.file("stop", stop_form(employee(self.handler, self.random.randrange(5)), NANTONG))

    def base(self):
        found = employee(self.handler, self.random.randrange(5))
        month = month_of(self.moment)
        self.file("base", {"id_number": found.id_number, "from_month": month, "wage_yuan": self.wage()})

    def approve(self):
        reference = self.waiting.pop(self.random.randrange(len(self.waiting))) if self.waiting else ""
        if reference:
            audits.decide(self.auditor, task_of(reference), "approve", "", [], self.moment)

    def charge(self):
        month = self.random.choice(sorted({MONTH, month_of(self.moment)}))
        assess(month, self.moment, employer_id=self.handler.employer_id)

    def pay(self):
        for notice in billing.notices_named("32060000001", self.moment):
            posting.post(notice.number, self.moment.date(), self.moment)


@pytest.mark.parametrize("seed", range(4))
def test_at_random_every_assessed_month_carries_what_it_should(nantong, auditor, truth, seed):
    year = Year(nantong, auditor, seed)
    for _ in range(40):
        year.step()
    while year.waiting:
        with suppress(Rejected, Conflict):
            year.approve()
    year.charge()
    assert year.done.keys() >= {"enrol", "base", "approve", "charge"}
    assert truth(MONTH, "2026-12")
