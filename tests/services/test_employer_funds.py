"""An employer's funds are dated: one begins or ends with a month, at the counter (PRACTICE 2.8)."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from app.errors import Conflict, NotFound, Rejected
from app.extensions import db
from app.services import audits, declarations
from app.services.forms import setting_of
from app.store.employers import fund_spans, funds_of
from app.store.models import Effect, Employer, EmployerFund, Enrolment
from app.store.session import transaction
from tests.services.conftest import SUZHOU, SUZHOU_FUNDS, citizen, rows, suzhou_form, task_of
from tests.services.test_races import at_once  # noqa: F401 - a fixture

KIND = "employer_funds"


@pytest.fixture
def unit():
    """The region's smallest employer."""
    return db.session.scalars(select(Employer.id).where(Employer.employer_no == f"{SUZHOU}00003")).one()


@pytest.fixture
def clerk(person, unit):
    return replace(person("suzhou.counter"), employer_id=unit)


@pytest.fixture
def operator(suzhou, unit):
    return replace(suzhou, employer_id=unit, employer_ids=suzhou.employer_ids | {unit})


@pytest.fixture
def decider(person):
    return person("suzhou.auditor")


def form(action, fund="320", month="2026-11", **more):
    return {
        "fund_action": action, "fund_code": fund, "change_month": month, "change_reason": "单位申请变更险种",
        **more,
    }  # fmt: skip


def without(unit, fund):
    """Let the unit never have had a fund."""
    with transaction() as session:
        session.execute(
            delete(EmployerFund).where(EmployerFund.employer_id == unit, EmployerFund.fund == fund)
        )


def nobody_in(unit, fund, last="2026-10"):
    """Let everybody have left a fund after a month."""
    with transaction() as session:
        session.execute(
            update(Enrolment)
            .where(Enrolment.employer_id == unit, Enrolment.fund == fund)
            .values(to_month=last)
        )


def codes(act):
    with pytest.raises(Rejected) as caught:
        act()
    return [error.code for error in caught.value.errors]


@pytest.fixture
def approved(clerk, decider, now):
    def make(*given, **more):
        made = declarations.file(clerk, KIND, form(*given, **more), now)
        return audits.decide(decider, task_of(made.reference), "approve", "", [], now)

    return make


def test_a_fund_begins_with_a_month_and_nobody_gets_it_silently(clerk, decider, unit, now):
    without(unit, "320")
    before = len(rows(Enrolment, employer_id=unit))
    made = declarations.file(clerk, KIND, form("add"), now)
    assert made.status == "submitted"
    case = declarations.get_case(decider, made.reference, now)
    assert "320" not in case.data["funds_held"]
    assert [each.code for each in case.warnings] == [f"{KIND}.not_enrolled"]
    done = audits.decide(decider, task_of(made.reference), "approve", "", [], now)
    assert (done.status, done.message_code) == ("approved", f"{KIND}.added")
    assert "2026-11" in done.message
    assert fund_spans(unit)["320"] == [("2026-11", None)]
    assert "320" not in funds_of(unit, "2026-10")
    assert len(rows(Enrolment, employer_id=unit)) == before
    (effect,) = rows(Effect, effect=f"{KIND}.apply")
    assert effect.result == {"action": "add", "fund": "320", "month": "2026-11"}


def test_the_hall_offers_it_from_then_on(operator, approved, unit, now):
    without(unit, "320")
    offered = lambda: [code for code, _ in setting_of(operator, "enrol", now).options["funds"]]  # noqa: E731
    assert "320" not in offered()
    approved("add")
    assert "320" in offered()
    typed = suzhou_form(citizen(SUZHOU, "unknown"), funds=[*SUZHOU_FUNDS, "320"], person_type="1102")
    assert declarations.file(operator, "enrol", typed, now).status == "done"


def test_what_is_there_already_is_not_added(clerk, unit, now):
    assert codes(lambda: declarations.file(clerk, KIND, form("add", "310"), now)) == [f"{KIND}.held"]


def test_an_ended_fund_leaves_nobody_in_it(clerk, approved, unit, now):
    refused = codes(lambda: declarations.file(clerk, KIND, form("end", "410"), now))
    assert refused == [f"{KIND}.people"]
    nobody_in(unit, "410", "2026-11")
    assert codes(lambda: declarations.file(clerk, KIND, form("end", "410", "2026-10"), now)) == [
        f"{KIND}.people"
    ]
    done = approved("end", "410")
    assert done.message_code == f"{KIND}.ended"
    assert [last for _, last in fund_spans(unit)["410"]] == ["2026-11"]
    again = codes(lambda: declarations.file(clerk, KIND, form("end", "410"), now))
    assert again == [f"{KIND}.not_held"]
    # and it may begin again later: both stretches stand
    approved("add", "410", "2026-12")
    assert [first for first, _ in fund_spans(unit)["410"]][1] == "2026-12"
    assert "410" in funds_of(unit, "2026-11")


def test_a_forced_fund_follows_the_month_of_the_start(operator, approved, unit, now):
    """The page ticks what is forced: whoever starts before the fund does is not asked to have it."""
    nobody_in(unit, "410", "2026-10")
    approved("end", "410")
    assert "410" not in setting_of(operator, "enrol", now).locked["funds"]
    typed = suzhou_form(citizen(SUZHOU, "not_insured"), "2026-11-01")
    assert codes(lambda: declarations.file(operator, "enrol", typed, now)) == ["enrol.fund_not_of_employer"]
    approved("add", "410", "2026-12")
    assert "410" in setting_of(operator, "enrol", now).locked["funds"]

    def funds(place, start) -> list[str]:
        typed = suzhou_form(citizen(SUZHOU, "not_insured", place), start)
        done = declarations.file(operator, "enrol", typed, now)
        assert done.status == "done"
        return declarations.get_case(operator, done.reference, now).data["funds"]

    assert "410" not in funds(0, "2026-11-01")
    assert "410" in funds(1, "2026-12-01")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("add", "390"), "not_here"),
        (("add", "320", "2027-06"), "month_limits"),
        (("end", "310", "2020-01"), "month_limits"),
        (("end", "310", "2026-12"), "month_limits"),
        (("end", "320"), "not_held"),
    ],
)
def test_what_is_refused(clerk, unit, now, given, code):
    without(unit, "320")
    assert codes(lambda: declarations.file(clerk, KIND, form(*given), now)) == [f"{KIND}.{code}"]


def test_the_last_fund_is_ended_by_closing(clerk, unit, now):
    for fund in fund_spans(unit):
        if fund != "310":
            without(unit, fund)
    assert codes(lambda: declarations.file(clerk, KIND, form("end", "310"), now)) == [f"{KIND}.last"]


def test_not_for_the_employer_itself_and_not_while_it_closes(operator, clerk, unit, now):
    with pytest.raises(NotFound):
        declarations.file(operator, KIND, form("add"), now)
    without(unit, "320")
    declarations.file(clerk, "employer_pausing", {"pausing_action": "pause"}, now)
    assert codes(lambda: declarations.file(clerk, KIND, form("add"), now)) == [f"{KIND}.one_open"]


def test_an_enrolment_against_the_end_of_its_fund(clerk, decider, operator, unit, at_once, now):  # noqa: F811
    nobody_in(unit, "320", "2026-10")
    without(unit, "320")
    with transaction() as session:
        session.add(EmployerFund(employer_id=unit, fund="320", from_month="2020-01"))
    made = declarations.file(clerk, KIND, form("end"), now)
    task = task_of(made.reference)
    typed = suzhou_form(citizen(SUZHOU, "unknown"), funds=[*SUZHOU_FUNDS, "320"], person_type="1102")
    good, refused = at_once(
        lambda: audits.decide(decider, task, "approve", "", [], now),
        lambda: declarations.file(operator, "enrol", {**typed, "start_date": "2026-12-01"}, now),
    )
    assert (len(good), len(refused)) == (1, 1)
    assert isinstance(refused[0], Conflict | Rejected)
    ended = fund_spans(unit)["320"][0][1] is not None
    inside = [row for row in rows(Enrolment, employer_id=unit, fund="320") if row.to_month is None]
    assert bool(inside) != ended
