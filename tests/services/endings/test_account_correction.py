"""Correcting a personal account at the counter: two others decide, and no balance becomes negative by it."""

from dataclasses import replace

import pytest

from app.clock import to_utc
from app.errors import Forbidden, NotFound, Rejected
from app.services import audits, declarations, materials
from app.store.models import AccountEntry, Declaration, Effect, Employer
from app.store.personal_accounts import CORRECTION, account_balance, add_entries, entry_values
from app.store.session import transaction
from tests.documents.samples import picture
from tests.services.conftest import rows, task_of
from tests.services.endings.people import NANJING, PAID, allocate, employee, withdrawal_form
from tests.services.test_races import at_once  # noqa: F401 - a fixture

KIND = "account_correction"
PAPER = "account_voucher"


@pytest.fixture
def clerk(counter, handler):
    return replace(counter, employer_id=handler.employer_id)


def form(found, direction="increase", yuan="120.50", **more):
    return {
        "id_type": "01", "id_number": found.id_number, "correction_direction": direction,
        "correction_yuan": yuan, "voucher": "支付单 2026-0001", "correction_reason": "核对流水，重复划出一笔",
        **more,
    }  # fmt: skip


def owing(found, fen, now):
    """Let the account be out by something that nobody booked."""
    with transaction():
        add_entries(
            [
                entry_values(
                    region=NANJING, person_id=found.person_id, entry=CORRECTION, amount_fen=fen,
                    declaration_id=None, created_at_utc=to_utc(now),
                )
            ]
        )  # fmt: skip


@pytest.fixture
def filed(clerk, now):
    def make(found, *given, **more) -> str:
        made = declarations.file(clerk, KIND, form(found, *given, **more), now)
        assert made.status == "draft"
        materials.upload(clerk, made.reference, PAPER, "a.jpg", picture(), now)
        assert declarations.proceed(clerk, made.reference, "next", now).status == "submitted"
        return made.reference

    return make


def refused(act):
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value.errors[0]


def test_a_negative_account_is_mended_and_paid_out(clerk, handler, desk, withdrawn, filed, now):
    found = employee(handler)
    owing(found, -5000, now)
    error = refused(lambda: declarations.file(handler, "withdrawal", withdrawal_form(found), now))
    assert error.code == "withdrawal.negative"
    reference = filed(found, "increase", "80.00")
    case = declarations.get_case(desk.auditor, reference, now)
    assert (case.data["account_balance"], case.data["corrected_balance"]) == ("-50.00", "30.00")
    desk.first_audit(reference)
    assert account_balance(found.person_id) == -5000
    done = audits.decide(desk.senior, task_of(reference), "approve", "", [], now)
    assert (done.status, done.message_code) == ("approved", f"{KIND}.accepted")
    assert "+80.00" in done.message
    assert account_balance(found.person_id) == 3000
    declaration = rows(Declaration, reference=reference)[0].id
    (entry,) = rows(AccountEntry, declaration_id=declaration)
    assert (entry.entry, entry.amount_fen) == (CORRECTION, 8000)
    (effect,) = rows(Effect, effect=f"{KIND}.apply")
    assert effect.result == {"amount_fen": 8000, "before_fen": -5000, "after_fen": 3000}
    assert withdrawn(found).message_code == "withdrawal.accepted"
    assert account_balance(found.person_id) == 0


def test_whoever_audited_first_does_not_decide(handler, desk, filed, now):
    found = employee(handler)
    reference = filed(found)
    desk.first_audit(reference)
    with pytest.raises(Forbidden):
        audits.decide(desk.auditor, task_of(reference), "approve", "", [], now)
    assert not rows(AccountEntry, person_id=found.person_id)


def test_no_correction_makes_a_balance_negative(clerk, handler, filed, desk, now):
    found = employee(handler)
    allocate(handler, found, now, "2026-09", 16000, PAID)
    error = refused(lambda: declarations.file(clerk, KIND, form(found, "decrease", "160.01"), now))
    assert error.code == f"{KIND}.below_zero"
    assert "160.00" in error.message
    assert "-0.01" in error.message
    reference = filed(found, "decrease", "160.00")
    desk.approve(reference)
    assert account_balance(found.person_id) == 0


def test_what_became_of_the_balance_meanwhile_counts(clerk, handler, filed, desk, now):
    found = employee(handler)
    allocate(handler, found, now, "2026-09", 16000, PAID)
    reference = filed(found, "decrease", "100.00")
    owing(found, -9000, now)
    desk.first_audit(reference)
    error = refused(lambda: audits.decide(desk.senior, task_of(reference), "approve", "", [], now))
    assert error.code == f"{KIND}.below_zero"
    assert account_balance(found.person_id) == 7000


def test_a_mending_in_parts_is_told(handler, filed, desk, now):
    found = employee(handler)
    owing(found, -5000, now)
    reference = filed(found, "increase", "20.00")
    case = declarations.get_case(desk.auditor, reference, now)
    assert [each.code for each in case.warnings] == [f"{KIND}.still_negative"]
    desk.approve(reference)
    assert account_balance(found.person_id) == -3000


def test_not_while_a_payout_is_open_and_the_other_way_round(clerk, handler, desk, filed, now):
    first, second = employee(handler), employee(handler, 1)
    desk.file("withdrawal", withdrawal_form(first), "withdrawal_picture")
    assert refused(lambda: declarations.file(clerk, KIND, form(first), now)).code == f"{KIND}.open_case"
    filed(second)
    error = refused(lambda: declarations.file(handler, "withdrawal", withdrawal_form(second), now))
    assert error.code == "withdrawal.open_case"


def test_both_submitted_at_once_is_one(clerk, handler, now, at_once):  # noqa: F811
    found = employee(handler)
    correction = declarations.file(clerk, KIND, form(found), now).reference
    materials.upload(clerk, correction, PAPER, "a.jpg", picture(), now)
    payout = declarations.file(handler, "withdrawal", withdrawal_form(found), now).reference
    materials.upload(handler, payout, "withdrawal_picture", "a.jpg", picture(), now)
    good, bad = at_once(
        lambda: declarations.proceed(clerk, correction, "next", now),
        lambda: declarations.proceed(handler, payout, "next", now),
    )
    assert (len(good), len(bad)) == (1, 1)
    assert isinstance(bad[0], Rejected)


@pytest.mark.parametrize("yuan", ["0", "-5", "1.234", "abc"])
def test_an_amount_is_more_than_nothing(clerk, handler, now, yuan):
    found = employee(handler)
    error = refused(lambda: declarations.file(clerk, KIND, form(found, yuan=yuan), now))
    assert error.field == "correction_yuan"


def test_a_person_of_another_unit_is_not_shown(clerk, handler, counter, now):
    found = employee(handler)
    (other,) = rows(Employer, employer_no=f"{NANJING}00003")
    error = refused(lambda: declarations.file(counter, KIND, form(found), now, employer_id=other.id))
    assert error.code == f"{KIND}.not_of_employer"


def test_the_dead_may_be_corrected(handler, withdrawn, filed, desk, now):
    found = employee(handler)
    withdrawn(found)
    owing(found, -700, now)
    desk.approve(filed(found, "increase", "7.00"))
    assert account_balance(found.person_id) == 0


def test_it_is_the_counters_alone(handler, now):
    with pytest.raises(NotFound):
        declarations.file(handler, KIND, form(employee(handler)), now)
