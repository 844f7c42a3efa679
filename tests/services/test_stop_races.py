"""Stops and reverts at once: exactly one wins, the other gets words, nothing is half done."""

import pytest

from app.errors import Conflict, Rejected
from app.services import declarations
from app.store.models import ContributionLine, Declaration, Enrolment
from tests.services.conftest import SUZHOU, rows, suzhou_form
from tests.services.test_races import at_once  # noqa: F401 - a fixture
from tests.services.test_revert import nanjing, revert_form  # noqa: F401
from tests.services.test_stop import NANJING, charge, employee, open_funds, stop_form


def finished(kind: str) -> list[Declaration]:
    return [row for row in rows(Declaration, kind=kind) if row.status in ("done", "approved")]


def test_two_operators_stop_one_person(suzhou, at_once, now):  # noqa: F811
    found = employee(suzhou)
    charge(found.person_id, "2026-11")
    forms = [stop_form(found, SUZHOU, stop_date=day) for day in ("2026-10-31", "2026-11-30")] * 2
    good, refused = at_once(
        *[lambda form=form: declarations.file(suzhou, "stop", form, now) for form in forms]
    )
    assert (len(good), len(refused)) == (1, 3)
    assert all(isinstance(error, Conflict | Rejected) for error in refused)
    (case,) = finished("stop")
    ended = {
        (row.to_month, row.ended_by_declaration_id) for row in rows(Enrolment, person_id=found.person_id)
    }
    assert len(ended) == 1
    assert {by for _, by in ended} == {case.id}
    taken = rows(ContributionLine, declaration_id=case.id)
    month = rows(ContributionLine, person_id=found.person_id, accrual_month="2026-11")
    assert sum(line.amount_fen for line in month if line.reversed_by_id) == 0
    assert len(taken) in (0, len(month) // 2)


def test_a_stop_is_reverted_twice_at_once(nanjing, at_once, now):  # noqa: F811
    found = employee(nanjing)
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    form = revert_form(found, "stop")
    good, refused = at_once(*[lambda: declarations.file(nanjing, "revert", form, now)] * 3)
    assert (len(good), len(refused)) == (1, 2)
    assert len(finished("revert")) == 1
    assert open_funds(found.person_id) != {}


@pytest.mark.parametrize("start", ["2026-12-01"])
def test_a_revert_against_a_new_enrolment(suzhou, nanjing, at_once, now, start):  # noqa: F811
    found = employee(nanjing)
    funds = set(open_funds(found.person_id))
    declarations.file(nanjing, "stop", stop_form(found, NANJING), now)
    other = next(iter(nanjing.employer_ids - {nanjing.employer_id}))
    enrol = {
        "id_number": found.id_number, "start_date": start, "phone": "13900000000", "wage_yuan": "8000",
        "funds": ["310", "510", "330", "410"],
    }  # fmt: skip
    good, refused = at_once(
        lambda: declarations.file(nanjing, "revert", revert_form(found, "stop"), now),
        lambda: declarations.file(nanjing, "enrol", enrol, now, employer_id=other),
    )
    assert (len(good), len(refused)) == (1, 1)
    going_on = [
        row
        for row in rows(Enrolment, person_id=found.person_id)
        if row.to_month is None and row.status == "active"
    ]
    assert {row.fund for row in going_on} >= funds & {"310", "510", "330", "410"}
    assert len({row.employer_id for row in going_on}) == 1
    assert len(going_on) == len({row.fund for row in going_on})


def test_a_stop_against_an_enrolment_from_the_next_month(suzhou, at_once, now):  # noqa: F811
    found = employee(suzhou)
    good, _refused = at_once(
        lambda: declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now),
        lambda: declarations.file(suzhou, "enrol", suzhou_form(found, "2026-12-01"), now),
    )
    stopped = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month == "2026-11"]
    assert stopped
    begun = {row.from_month for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None}
    assert begun in (set(), {"2026-12"})
    assert len(good) == 1 + bool(begun)
