"""Two at once: one effect, one winner, words for the other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import Conflict, Rejected
from app.extensions import db
from app.services import audits, declarations
from app.store.models import ContributionLine, Declaration, Effect, Enrolment, Person
from tests.services.conftest import NANTONG, SUZHOU, citizen, nantong_form, rows, suzhou_form, task_of


@pytest.fixture
def at_once(app):
    """Run acts in threads that start together; gives the results and the refusals."""

    def run(*acts):
        gate = threading.Barrier(len(acts))

        def one(act):
            with app.app_context():
                try:
                    gate.wait()
                    return act()
                except (Conflict, Rejected) as refused:
                    return refused
                finally:
                    db.session.remove()

        db.session.remove()
        with ThreadPoolExecutor(len(acts)) as pool:
            answers = list(pool.map(one, acts))
        good = [answer for answer in answers if not isinstance(answer, Exception)]
        return good, [answer for answer in answers if isinstance(answer, Exception)]

    return run


def test_the_same_form_clicked_four_times(suzhou, at_once, now):
    token, form = declarations.new_token(now), suzhou_form(citizen(SUZHOU, "unknown"))
    good, refused = at_once(*[lambda: declarations.file(suzhou, "enrol", form, now, token=token)] * 4)
    assert refused == []
    assert {receipt.reference for receipt in good} == {token}
    assert len(rows(Declaration)) == len(rows(Effect)) == 1
    assert len(rows(ContributionLine, declaration_id=rows(Declaration)[0].id)) == 7


@pytest.mark.parametrize("case", ["unknown", "not_insured"])
def test_two_desks_enrol_one_person(suzhou, at_once, case, now):
    found = citizen(SUZHOU, case)
    employers = sorted(suzhou.employer_ids)[:2]
    people = len(rows(Person))
    good, refused = at_once(
        *[
            lambda employer=employer: declarations.file(
                suzhou, "enrol", suzhou_form(found), now, employer_id=employer
            )
            for employer in employers
        ]
    )
    assert (len(good), len(refused)) == (1, 1)
    (case_row,) = rows(Declaration)
    assert len({row.employer_id for row in rows(Enrolment, declaration_id=case_row.id)}) == 1
    assert len(rows(Person)) == people + (case == "unknown")
    assert isinstance(refused[0], Rejected)
    assert refused[0].errors[0].code == "enrol.active_at_employer"


def test_one_open_declaration_in_a_race(nantong, at_once, now):
    form = nantong_form(citizen(NANTONG, "not_insured"))
    good, refused = at_once(*[lambda: declarations.file(nantong, "enrol", form, now)] * 3)
    assert (len(good), len(refused)) == (1, 2)
    for error in refused:
        assert error.errors[0].message == ("同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报")


def test_two_auditors_claim(submitted, auditor, second_auditor, at_once, now):
    task = task_of(submitted().reference)
    good, refused = at_once(
        lambda: audits.claim(auditor, task, now), lambda: audits.claim(second_auditor, task, now)
    )
    assert (len(good), len(refused)) == (1, 1)
    assert good[0].claimed_by in str(refused[0])


def test_two_auditors_decide(submitted, auditor, second_auditor, at_once, now):
    for place in range(3):
        receipt = submitted(place)
        task = task_of(receipt.reference)
        good, refused = at_once(
            lambda task=task: audits.decide(auditor, task, "approve", "", [], now),
            lambda task=task: audits.decide(second_auditor, task, "reject", "不符", [], now),
        )
        assert (len(good), len(refused)) == (1, 1)
        (case,) = rows(Declaration, reference=receipt.reference)
        assert case.status == good[0].status
        assert bool(rows(Enrolment, declaration_id=case.id)) == (case.status == "approved")


def test_two_auditors_ask_for_the_next(submitted, auditor, second_auditor, at_once, now):
    for place in range(4):
        submitted(place)
    good, refused = at_once(
        *[lambda: audits.claim_next(auditor, now), lambda: audits.claim_next(second_auditor, now)] * 2
    )
    assert refused == []
    assert len({task.id for task in good}) == 4


def test_submitted_twice_at_once(nantong, at_once, now):
    references = [
        declarations.file(nantong, "enrol", nantong_form(citizen(NANTONG, "not_insured", n)), now).reference
        for n in range(3)
    ]
    good, _ = at_once(*[lambda: declarations.submit(nantong, references, now)] * 2)
    assert sorted(result.done for result in good) == [0, 3]
    assert {row.status for row in rows(Declaration)} == {"submitted"}
