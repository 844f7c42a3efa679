"""Pausing, resuming and closing an employer at the counter; kinds that wait until arrears are paid."""

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, update

from app.clock import to_utc
from app.domain.employer_status import blocked_by_arrears
from app.errors import Conflict, NotFound, Rejected
from app.extensions import db
from app.services import arrears, audits, declarations
from app.store.ledger import add_lines, line_values
from app.store.models import ContributionLine, Effect, Employer, EmployerFund, Enrolment
from app.store.queries.insured import insured_on, unpaid
from app.store.session import transaction
from tests.domain.regions import load_region
from tests.services.conftest import SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.test_races import at_once  # noqa: F401 - a fixture


@pytest.fixture
def clerk(person):
    return person("suzhou.counter")


@pytest.fixture
def decider(person):
    return person("suzhou.auditor")


@pytest.fixture
def last():
    """The region's smallest employer."""
    return db.session.scalars(select(Employer.id).where(Employer.employer_no == f"{SUZHOU}00003")).one()


def empty(employer_id):
    """Let everybody have left before and everything be paid."""
    with transaction() as session:
        session.execute(
            update(Enrolment).where(Enrolment.employer_id == employer_id).values(to_month="2026-10")
        )
        session.execute(
            update(ContributionLine)
            .where(ContributionLine.employer_id == employer_id)
            .values(received_on=date(2026, 11, 2))
        )


def closing(**more):
    return {"closing_month": "2026-11", "closing_reason": "01", **more}


def codes(act):
    with pytest.raises(Rejected) as caught:
        act()
    return [error.code for error in caught.value.errors]


def test_an_employer_with_people_and_debts_is_not_closed(clerk, last, now):
    refused = codes(lambda: declarations.file(clerk, "employer_closing", closing(), now, employer_id=last))
    assert set(refused) == {"employer_closing.people", "employer_closing.unpaid"}


def test_nor_one_with_an_open_case(clerk, suzhou, last, now):
    empty(last)
    filed = suzhou_form(citizen(SUZHOU, "unknown"))
    declarations.file(clerk, "enrol", filed, now, employer_id=last)
    refused = codes(lambda: declarations.file(clerk, "employer_closing", closing(), now, employer_id=last))
    assert refused == ["employer_closing.open_case"]


def test_closing_is_decided_by_somebody_else_and_ends_employer_and_funds(clerk, decider, suzhou, last, now):
    empty(last)
    made = declarations.file(clerk, "employer_closing", closing(), now, employer_id=last)
    assert made.status == "submitted"
    done = audits.decide(decider, task_of(made.reference), "approve", "", [], now)
    assert (done.status, done.message_code) == ("approved", "employer_closing.accepted")
    assert rows(Employer, id=last)[0].status == "ended"
    assert {row.to_month for row in rows(EmployerFund, employer_id=last)} == {"2026-11"}
    (effect,) = rows(Effect, effect="employer_closing.apply")
    assert effect.result == {"before": "active", "after": "ended", "month": "2026-11"}
    again = codes(lambda: declarations.file(clerk, "employer_closing", closing(), now, employer_id=last))
    assert again == ["employer_closing.ended"]
    filed = suzhou_form(citizen(SUZHOU, "unknown"))
    refused = codes(lambda: declarations.file(suzhou, "enrol", filed, now, employer_id=last))
    assert "employer.ended" in refused


def test_closing_is_not_for_the_employer_itself(suzhou, now):
    with pytest.raises(NotFound):
        declarations.file(suzhou, "employer_closing", closing(), now)


def test_an_enrolment_against_the_closing(clerk, decider, suzhou, last, at_once, now):  # noqa: F811
    empty(last)
    made = declarations.file(clerk, "employer_closing", closing(), now, employer_id=last)
    task, form = task_of(made.reference), suzhou_form(citizen(SUZHOU, "unknown"))
    good, refused = at_once(
        lambda: audits.decide(decider, task, "approve", "", [], now),
        lambda: declarations.file(suzhou, "enrol", form, now, employer_id=last),
    )
    assert (len(good), len(refused)) == (1, 1)
    assert isinstance(refused[0], Conflict | Rejected)
    ended = rows(Employer, id=last)[0].status == "ended"
    insured = insured_on(last, "2026-11")
    assert bool(insured) != ended


def test_pausing_and_resuming(clerk, decider, suzhou, last, now):
    def act(what):
        made = declarations.file(clerk, "employer_pausing", {"pausing_action": what}, now, employer_id=last)
        return audits.decide(decider, task_of(made.reference), "approve", "", [], now).message_code

    assert codes(
        lambda: declarations.file(
            clerk, "employer_pausing", {"pausing_action": "resume"}, now, employer_id=last
        )
    ) == ["employer_pausing.not_resume"]
    assert act("pause") == "employer_pausing.paused"
    filed = suzhou_form(citizen(SUZHOU, "unknown"))
    assert "employer.paused" in codes(
        lambda: declarations.file(suzhou, "enrol", filed, now, employer_id=last)
    )
    assert act("resume") == "employer_pausing.active"
    assert declarations.file(suzhou, "enrol", filed, now, employer_id=last).status == "done"


class TestArrears:
    def owe(self, employer_id, now, due_month="2026-08", fen=12345):
        with transaction() as session:
            session.execute(delete(ContributionLine).where(ContributionLine.employer_id == employer_id))
        person = rows(Enrolment, employer_id=employer_id)[0].person_id
        row = line_values(
            region=SUZHOU, person_id=person, employer_id=employer_id, fund="310", party="employer",
            due_type="10", due_month=due_month, accrual_month=due_month, base_fen=0, rate=None, fixed_fen=fen,
            amount_fen=fen, declaration_id=None, created_at_utc=to_utc(now),
        )  # fmt: skip
        with transaction():
            add_lines([row])

    def test_what_is_owed(self, suzhou, now):
        employer = suzhou.employer_id
        self.owe(employer, now)
        found = arrears.arrears_of(employer, load_region(SUZHOU), now.date())
        assert (found.lines, found.amount_fen, found.first_month) == (1, 12345, "2026-08")
        self.owe(employer, now, "2026-11")
        assert arrears.arrears_of(employer, load_region(SUZHOU), now.date()).lines == 0
        assert unpaid(employer).lines == 1

    def test_no_kind_waits_unless_the_region_says_so(self, suzhou, now):
        self.owe(suzhou.employer_id, now)
        form = suzhou_form(citizen(SUZHOU, "unknown"))
        assert declarations.file(suzhou, "enrol", form, now).status == "done"

    def test_a_kind_that_waits(self, suzhou, now, monkeypatch):
        self.owe(suzhou.employer_id, now)
        monkeypatch.setattr(
            "app.services.arrears.rules",
            SimpleNamespace(
                blocked_by_arrears=lambda _params, kind, _today: kind == "enrol",
                overdue_before=lambda _params, _today: "2026-10",
            ),
        )
        form = suzhou_form(citizen(SUZHOU, "unknown"))
        with pytest.raises(Rejected) as caught:
            declarations.file(suzhou, "enrol", form, now)
        (error,) = caught.value.errors
        assert error.code == "arrears.blocked"
        assert "123.45" in error.message
        assert "2026-08" in error.message
        assert not blocked_by_arrears(load_region(SUZHOU), "enrol", now.date())
