"""Two desks on one case or month at once: exactly one wins, the other gets words, nothing is half done."""

from datetime import date

import pytest

from app import clock
from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import accounts, assessing, audits, billing, declarations, operator_accounts, posting
from app.store.models import ContributionLine, Declaration, Effect, Enrolment, Event, HumanTask, User
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
from tests.services.test_operators import activate, data, fresh_counters  # noqa: F401
from tests.services.test_races import at_once  # noqa: F401 - a fixture

MONTH = "2026-11"
TIMES = 3


def of(reference) -> Declaration:
    return rows(Declaration, reference=reference)[0]


def whole(case) -> None:
    """A case that waits has one task, one that ended has none; what it did is there once or not at all."""
    waits = case.status in ("draft", "pending", "submitted", "in_audit", "returned")
    assert len(rows(HumanTask, declaration_id=case.id)) == waits
    assert (case.open_key is not None) == waits
    done = case.status in ("approved", "done")
    assert len(rows(Effect, declaration_id=case.id)) == done
    assert bool(rows(Enrolment, declaration_id=case.id)) == done


def in_words(refused) -> bool:
    return all(isinstance(error, Conflict | Rejected | NotFound | Forbidden) for error in refused) and all(
        str(error) for error in refused
    )


def test_submitted_and_discarded_at_once(nantong, at_once, now):  # noqa: F811
    for place in range(TIMES):
        form = nantong_form(citizen(NANTONG, "not_insured", place))
        made = declarations.file(nantong, "enrol", form, now).reference
        answers, refused = at_once(
            lambda made=made: declarations.submit(nantong, [made], now),
            lambda made=made: declarations.discard(nantong, [made], now),
        )
        assert not refused
        won = [answer for answer in answers if answer.done]
        lost = [answer for answer in answers if not answer.done]
        assert (len(won), len(lost)) == (1, 1)
        assert lost[0].items[0].message
        case = of(made)
        assert case.status == won[0].items[0].status
        if case.status == "discarded":
            assert not rows(HumanTask, declaration_id=case.id)
            assert case.open_key is None
        else:
            whole(case)


def test_submitted_twice_and_discarded_at_once(nantong, at_once, now):  # noqa: F811
    form = nantong_form(citizen(NANTONG, "not_insured"))
    made = declarations.file(nantong, "enrol", form, now).reference
    answers, _ = at_once(
        *[lambda: declarations.submit(nantong, [made], now)] * 2,
        *[lambda: declarations.discard(nantong, [made], now)] * 2,
    )
    assert sorted(answer.done for answer in answers) == [0, 0, 0, 1]
    acts = [row.action for row in rows(Event, declaration_id=of(made).id)]
    assert acts.count("discarded") + (of(made).status == "submitted") == 1


@pytest.fixture
def waiting(person, now):
    """An enrolment of the platform that waits for its audit, which its employer may recall."""
    handler = person("huaian.handler")

    def make(place=0):
        found = citizen(HUAIAN, "not_insured", place)
        return declarations.file(handler, "enrol", huaian_form(found), now).reference

    return make


def test_recalled_and_decided_at_once(waiting, person, at_once, now):  # noqa: F811
    handler, auditor = person("huaian.handler"), person("huaian.auditor")
    for place, decision in enumerate(("approve", "reject", "return")):
        made = waiting(place)
        task = task_of(made)
        fields = ["wage_yuan"] if decision == "return" else []
        good, refused = at_once(
            lambda made=made: declarations.recall(handler, made, now),
            lambda t=task, d=decision, f=fields: audits.decide(auditor, t, d, "请核对", f, now),
        )
        case = of(made)
        # a returned case may still be recalled by its employer, nothing else comes after the other
        both = (decision, case.status) == ("return", "recalled")
        assert len(good) == 1 + (both and not refused)
        assert in_words(refused)
        assert case.status in {answer.status for answer in good}
        whole(case)


def test_corrected_and_recalled_at_once(waiting, person, at_once, now):  # noqa: F811
    """A returned case is handed in again by one operator while another one takes it back."""
    handler, auditor = person("huaian.handler"), person("huaian.auditor")
    for place in range(TIMES):
        made = waiting(place)
        audits.decide(auditor, task_of(made), "return", "工资与劳动合同不符", ["wage_yuan"], now)
        data = declarations.get_case(handler, made, now).data
        good, refused = at_once(
            lambda made=made, data=data: declarations.file(
                handler, "enrol", {**data, "wage_yuan": "9000"}, now, reference=made
            ),
            lambda made=made: declarations.discard(handler, [made], now),
        )
        assert in_words(refused)
        filed = [answer for answer in good if hasattr(answer, "reference")]
        dropped = [answer for answer in good if not hasattr(answer, "reference") and answer.done]
        assert len(filed) + len(dropped) == 1
        case = of(made)
        assert case.status == ("submitted" if filed else "discarded")
        whole(case)


def test_corrected_twice_at_once(waiting, person, at_once, now):  # noqa: F811
    handler, auditor = person("huaian.handler"), person("huaian.auditor")
    made = waiting()
    audits.decide(auditor, task_of(made), "return", "工资与劳动合同不符", ["wage_yuan"], now)
    data = declarations.get_case(handler, made, now).data
    good, refused = at_once(
        *[
            lambda wage=wage: declarations.file(
                handler, "enrol", {**data, "wage_yuan": wage}, now, reference=made
            )
            for wage in ("9000", "9500")
        ]
    )
    assert (len(good), len(refused)) == (1, 1)
    assert in_words(refused)
    whole(of(made))
    assert [row.action for row in rows(Event, declaration_id=of(made).id)].count("corrected") == 1


def test_backpay_is_cancelled_while_its_notice_is_paid(suzhou, at_once, now):  # noqa: F811
    """What was paid first cannot be cancelled, what was cancelled first is not paid."""
    for place in range(TIMES):
        found = citizen(SUZHOU, "not_insured", place)
        made = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-09-01"), now)
        case_id, person_id = of(made.reference).id, of(made.reference).person_id
        assessing.assess(MONTH, now, employer_id=suzhou.employer_id)
        billed = rows(ContributionLine, declaration_id=case_id)[0].due_month
        notices = billing.notices_named(f"{SUZHOU}00001", now)
        number = next(each.number for each in notices if (each.kind, each.due_month) == ("backpay", billed))
        form = {"id_type": "01", "id_number": found.id_number}
        good, refused = at_once(
            lambda form=form: declarations.file(suzhou, "collection_cancel", form, now),
            lambda number=number: posting.post(number, date(2026, 11, 18), now),
        )
        assert in_words(refused)
        mine = rows(ContributionLine, declaration_id=case_id)
        paid = {each.received_on is not None for each in mine}
        gone = {each.reversed_by_id is not None for each in mine}
        assert (paid, gone) in [({True}, {False}), ({False}, {True})]
        cancelled = rows(Declaration, kind="collection_cancel", status="done", person_id=person_id)
        assert len(cancelled) == (gone == {True})
        # money for the others of the notice may come in all the same
        assert len(good) + len(refused) == 2


def test_a_month_is_assessed_while_enrolments_are_approved(nantong, auditor, at_once, now):  # noqa: F811
    """Whoever is approved during the run is charged for the month once, by the run or by his own case."""
    left_out = ledger_truth.already_charged()
    made = [
        declarations.file(
            nantong, "enrol", nantong_form(citizen(NANTONG, "not_insured", place)), now, submit_now=True
        ).reference
        for place in range(4)
    ]
    tasks = [task_of(reference) for reference in made]

    def approve():
        for task in tasks:
            audits.decide(auditor, task, "approve", "", [], now)

    good, refused = at_once(approve, lambda: assessing.assess(MONTH, now, employer_id=nantong.employer_id))
    assert (len(good), refused) == (2, [])
    assert ledger_truth.check(leave_out=left_out)
    for reference in made:
        lines = rows(ContributionLine, person_id=of(reference).person_id, accrual_month=MONTH)
        assert lines
        assert len({(line.fund, line.party) for line in lines}) == len(lines)


def test_an_operator_is_disabled_while_filing(person, at_once, now):  # noqa: F811
    """The case is whole or not there; the account is out; what was filed is the employer's."""
    admin = person("huaian.admin")
    user_id = operator_accounts.add(admin, data(admin), now)
    activate(now)
    account = accounts.load_account(user_id, clock.real_utcnow())
    handler = account.actor
    form = huaian_form(citizen(HUAIAN, "not_insured"))
    token = declarations.new_token(now)
    good, refused = at_once(
        lambda: declarations.file(handler, "enrol", form, now, token=token),
        lambda: operator_accounts.disable(admin, user_id, now),
    )
    assert in_words(refused)
    assert rows(User, id=user_id)[0].status == "disabled"
    assert not accounts.load_account(user_id, clock.real_utcnow()).active
    cases = rows(Declaration, reference=token)
    assert len(cases) == len(good) - 1
    for case in cases:
        whole(case)
        assert declarations.recall(admin, token, now).status == "recalled"
