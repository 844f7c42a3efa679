"""Double clicks, stale pages and two people at once, over HTTP: one effect, and words for the other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.bench.browser import Answer
from tests.faults.ground import AUDITORS, HANDLER, Ground
from tests.faults.people import (
    decided_by_whom,
    decision_form,
    declared,
    enrolled_funds,
    enrolment_form,
    file_and_submit,
)
from tests.faults.truth import problems_of, settle

BOTH = pytest.mark.parametrize("ground", ["sqlite", "postgresql"], indirect=True)


def at_once(*acts) -> list[Answer]:
    """What acts that start together give."""
    gate = Barrier(len(acts))

    def one(act):
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result() for each in [pool.submit(one, act) for act in acts]]


@BOTH
def test_a_form_clicked_four_times_is_one_case(ground: Ground) -> None:
    windows = ground.windows(HANDLER, 4)
    (number,) = ground.take(1)
    fields = enrolment_form(windows[0], number)
    answers = at_once(*[lambda window=window: window.send("/declare/enrol", fields) for window in windows])
    assert {answer.status for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    (case,) = declared(ground, number)
    assert (case.status, case.reference) == ("pending", answers[0].location.split("/")[2])


@BOTH
def test_two_forms_about_one_person_are_one_case(ground: Ground) -> None:
    windows = ground.windows(HANDLER, 2)
    (number,) = ground.take(1)
    forms = [enrolment_form(window, number) for window in windows]
    answers = at_once(
        *[
            lambda window=window, fields=fields: window.send("/declare/enrol", fields)
            for window, fields in zip(windows, forms, strict=True)
        ]
    )
    assert sorted(answer.status for answer in answers) == [303, 422]
    refused = next(answer for answer in answers if answer.status == 422)
    assert 'role="alert"' in refused.text
    assert "未审核完毕" in refused.text
    assert len(declared(ground, number)) == 1


@BOTH
def test_submitting_twice_at_once_submits_once(ground: Ground) -> None:
    windows = ground.windows(HANDLER, 2)
    (number,) = ground.take(1)
    filed = windows[0].send("/declare/enrol", enrolment_form(windows[0], number))
    reference = filed.location.split("/")[2]
    form = windows[0].open("/pending?kind=enrol").form("csrf_token")
    fields = [("csrf_token", dict(form.fields)["csrf_token"]), ("kind", "enrol"), ("one", reference)]
    fields.append(("ref", reference))
    answers = at_once(*[lambda window=window: window.send("/pending/submit", fields) for window in windows])
    assert {answer.status for answer in answers} == {303}
    (case,) = declared(ground, number)
    assert case.status == "submitted"
    with ground.application():
        assert problems_of([number]) == []


@BOTH
def test_two_auditors_decide_at_once(ground: Ground) -> None:
    """One wins; the other one reads what happened. The registry follows the winner."""
    auditors = [ground.visitor(name) for name in AUDITORS]
    handler = ground.visitor(HANDLER)
    numbers = ground.take(4)
    for number in numbers:
        reference = file_and_submit(handler, number)
        pages = [decision_form(auditor, reference) for auditor in auditors]
        acts = (("approve", "同意"), ("reject", "与劳动合同不符"))
        answers = at_once(
            *[
                lambda auditor=auditor, page=page, act=act: auditor.send(
                    page.action, page.filled(decision=act[0], opinion=act[1])
                )
                for auditor, page, act in zip(auditors, pages, acts, strict=True)
            ]
        )
        (case,) = declared(ground, number)
        assert case.status in ("approved", "rejected")
        assert len(decided_by_whom(ground, number)) == 1
        won = 0 if case.status == "approved" else 1
        assert answers[won].status in (302, 303)
        assert answers[1 - won].status in (302, 303, 409)
        assert bool(enrolled_funds(ground, number)) == (case.status == "approved")
    with ground.application():
        settle(ground)
        assert problems_of(numbers) == []


@BOTH
def test_one_auditor_decides_twice_from_a_stale_page(ground: Ground) -> None:
    windows = ground.windows(AUDITORS[0], 2)
    handler = ground.visitor(HANDLER)
    (number,) = ground.take(1)
    reference = file_and_submit(handler, number)
    pages = [decision_form(window, reference) for window in windows]
    first = windows[0].send(pages[0].action, pages[0].filled(decision="approve", opinion=""))
    assert first.status in (302, 303)
    second = windows[1].send(pages[1].action, pages[1].filled(decision="reject", opinion="不符"))
    assert second.status == 409
    assert "刷新" in second.text
    (case,) = declared(ground, number)
    assert case.status == "approved"
    assert len(decided_by_whom(ground, number)) == 1
