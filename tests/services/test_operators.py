"""JS-2.1e: the employer's admin looks after its operators; each act is recorded, old and new."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app import clock
from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import account_log, accounts, activating, operator_accounts, sms, throttle
from app.services.activating import Claim
from app.store import operators
from app.store.models import AccountEvent, OneTimeCode, Outbox, User
from app.store.session import transaction
from tests.services.conftest import rows

PHONE, PASSWORD = "13912345678", "Quiet-river-42"


@pytest.fixture(autouse=True)
def fresh_counters():
    throttle._local.clear()
    yield
    throttle._local.clear()


@pytest.fixture
def admin(db_session):
    """The account of one role of Huai'an's employers."""

    def find(role="admin"):
        user = next(each for each in rows(User) if each.username == f"huaian.{role}")
        return accounts.load_account(user.id, clock.real_utcnow()).actor

    return find


def data(actor, **changes):
    usual = {"username": PHONE, "name": "周小兰", "roles": ["handler"], "employers": [actor.employer_id]}
    return {**usual, **changes}


def last_code(now) -> str:
    """Deliver what is waiting and read the newest code."""
    for row in rows(Outbox):
        if row.topic == "sms":
            sms.deliver(row.id, now)
    return re.search(r"验证码(\d{6})", sms.kept_messages()[0].text)[1]


def activate(now, phone=PHONE, password=PASSWORD):
    """The whole way of a new operator: code, password, in."""
    throttle._local.clear()
    with transaction():
        for code in rows(OneTimeCode):
            code.created_at_utc -= timedelta(minutes=2)
    activating.request_code(Claim(phone=phone), "10.0.0.1", now)
    ticket = activating.confirm_code(Claim(phone=phone), last_code(now), "10.0.0.1")
    return activating.set_password(ticket, password, password, now, "10.0.0.1")


def refused(error) -> list[str]:
    return [each.code for each in error.value.errors]


def actions() -> list[str]:
    return [row.action for row in rows(AccountEvent)]


def test_an_added_operator_activates_and_signs_in(admin, now):
    operator_accounts.add(admin(), data(admin()), now, "10.0.0.9")
    with pytest.raises(Rejected):
        accounts.sign_in(PHONE, "888888", "10.0.0.1", clock.real_utcnow())
    account = activate(now)
    assert account.actor.roles == {"handler"}
    assert account.actor.employer_id == admin().employer_id
    assert not account.must_change_password
    assert accounts.sign_in(PHONE, PASSWORD, "10.0.0.1", clock.real_utcnow()).actor.id == account.actor.id
    assert actions() == ["operator.added", "sign_in", "code.sent", "code.tried", "activated", "sign_in"]
    added = rows(AccountEvent)[0]
    assert (added.actor_id, added.address) == (admin().id, "10.0.0.9")
    assert added.detail["after"]["roles"] == ["handler"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"username": "12345"}, "operator.phone"),
        ({"name": "<b>"}, "operator.name"),
        ({"roles": []}, "operator.roles"),
        ({"roles": ["auditor"]}, "operator.roles"),
        ({"employers": []}, "operator.employers"),
        ({"employers": [1]}, "operator.employers"),
    ],
)
def test_wrong_data_are_refused_in_words(admin, now, change, code):
    with pytest.raises(Rejected) as error:
        operator_accounts.add(admin(), data(admin(), **change), now)
    assert refused(error) == [code]
    assert rows(AccountEvent) == []


def test_a_phone_is_one_account(admin, now):
    operator_accounts.add(admin(), data(admin()), now)
    with pytest.raises(Rejected) as error:
        operator_accounts.add(admin(), data(admin()), now)
    assert refused(error) == ["operator.taken"]


@pytest.mark.parametrize("role", ["handler", "reviewer"])
def test_only_an_admin_looks_after_operators(admin, now, role):
    with pytest.raises(Forbidden):
        operator_accounts.add(admin(role), data(admin()), now)
    with pytest.raises(Forbidden):
        operator_accounts.list_operators(admin(role))


def test_an_operator_of_other_employers_is_not_found(admin, now):
    other = next(each for each in rows(User) if each.username == "suzhou.handler")
    for act in (lambda: operator_accounts.get_operator(admin(), other.id),
                lambda: operator_accounts.disable(admin(), other.id, now)):  # fmt: skip
        with pytest.raises(NotFound):
            act()


def test_changed_roles_are_recorded_old_and_new_and_end_the_session(admin, now):
    user_id = operator_accounts.add(admin(), data(admin()), now)
    before = activate(now).session_version
    both = sorted(admin().employer_ids)[:2]
    operator_accounts.change(admin(), user_id, {"name": "周兰", "roles": ["reviewer"], "employers": both})
    account = accounts.load_account(user_id, clock.real_utcnow())
    assert account.actor.roles == {"reviewer"}
    assert account.actor.employer_ids == set(both)
    assert account.session_version > before
    detail = rows(AccountEvent)[-1].detail
    assert (detail["before"]["roles"], detail["after"]["roles"]) == (["handler"], ["reviewer"])


def test_a_reset_ends_sessions_and_the_old_password(admin, now):
    user_id = operator_accounts.add(admin(), data(admin()), now)
    before = activate(now)
    operator_accounts.reset(admin(), user_id, now)
    assert accounts.load_account(user_id, clock.real_utcnow()).session_version > before.session_version
    with pytest.raises(Rejected):
        accounts.sign_in(PHONE, PASSWORD, "10.0.0.1", clock.real_utcnow())
    assert activate(now, password="Other-river-43").actor.id == user_id


def test_the_old_password_does_not_come_back_by_a_reset(admin, now):
    user_id = operator_accounts.add(admin(), data(admin()), now)
    activate(now)
    operator_accounts.reset(admin(), user_id, now)
    with pytest.raises(Rejected) as error:
        activate(now)
    assert refused(error) == ["password.reused"]


def test_a_disabled_operator_is_out_and_comes_back(admin, now):
    user_id = operator_accounts.add(admin(), data(admin()), now)
    activate(now)
    operator_accounts.disable(admin(), user_id, now)
    assert not accounts.load_account(user_id, clock.real_utcnow()).active
    with pytest.raises(Rejected):
        accounts.sign_in(PHONE, PASSWORD, "10.0.0.1", clock.real_utcnow())
    with pytest.raises(Conflict):
        operator_accounts.disable(admin(), user_id, now)
    operator_accounts.enable(admin(), user_id)
    assert activate(now, password="Other-river-43").active


def test_a_removed_operator_may_be_added_again(admin, now):
    user_id = operator_accounts.add(admin(), data(admin()), now)
    activate(now)
    operator_accounts.remove(admin(), user_id, now)
    account = accounts.load_account(user_id, clock.real_utcnow())
    assert not account.active
    assert account.employers == ()
    assert operator_accounts.add(admin(), data(admin(), roles=["reviewer"]), now) == user_id
    assert accounts.load_account(user_id, clock.real_utcnow()).actor.roles == {"reviewer"}


def sole_admin(admin, now):
    """An admin who is the only one: the demonstration's own one is taken away."""
    user_id = operator_accounts.add(
        admin(), data(admin(), roles=["admin"], employers=sorted(admin().employer_ids)), now
    )
    actor = activate(now).actor
    with transaction():
        demo = next(each for each in rows(User) if each.username == "huaian.admin")
        demo.status = "disabled"
    assert actor.id == user_id
    return actor


def test_the_last_admin_stays(admin, now):
    actor = sole_admin(admin, now)
    other = operator_accounts.add(actor, data(actor, username="13912345679"), now)
    with pytest.raises(Rejected) as error:
        operator_accounts.change(
            actor, actor.id, {"name": "周小兰", "roles": ["handler"], "employers": sorted(actor.employer_ids)}
        )
    assert refused(error) == ["operator.last_admin"]
    with pytest.raises(Rejected) as error:
        operator_accounts.remove(actor, actor.id, now)
    assert refused(error) == ["operator.own"]
    operator_accounts.remove(actor, other, now)


def test_two_admins_who_remove_each_other_leave_one(app, admin, now):
    first = sole_admin(admin, now)
    everything = sorted(first.employer_ids)
    second_id = operator_accounts.add(
        first, data(first, username="13912345679", roles=["admin"], employers=everything), now
    )
    activate(now, phone="13912345679")
    second = accounts.load_account(second_id, clock.real_utcnow()).actor

    def take_out(who, whom):
        with app.app_context():
            try:
                operator_accounts.remove(who, whom, now)
            except Rejected as error:
                return error.errors[0].code
            return "done"

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(take_out, (first, second), (second.id, first.id)))
    assert found == ["done", "operator.last_admin"]


def test_a_demonstration_account_is_nobodys_to_change(admin, now):
    other = next(each for each in rows(User) if each.username == "huaian.handler")
    for act in (operator_accounts.disable, operator_accounts.reset, operator_accounts.remove):
        with pytest.raises(Rejected) as error:
            act(admin(), other.id, now)
        assert refused(error) == ["operator.demo"]


def test_a_code_is_tried_five_times(admin, now):
    operator_accounts.add(admin(), data(admin()), now)
    activating.request_code(Claim(phone=PHONE), "10.0.0.1", now)
    code = last_code(now)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(Rejected):
            activating.confirm_code(Claim(phone=PHONE), wrong, "10.0.0.1")
    with pytest.raises(Rejected):
        activating.confirm_code(Claim(phone=PHONE), code, "10.0.0.1")


def test_a_code_ends_after_ten_minutes_and_proves_once(admin, now, monkeypatch):
    operator_accounts.add(admin(), data(admin()), now)
    activating.request_code(Claim(phone=PHONE), "10.0.0.1", now)
    code, real = last_code(now), clock.real_utcnow
    monkeypatch.setattr(clock, "real_utcnow", lambda: real() + timedelta(minutes=11))
    with pytest.raises(Rejected):
        activating.confirm_code(Claim(phone=PHONE), code, "10.0.0.1")
    monkeypatch.undo()
    ticket = activating.confirm_code(Claim(phone=PHONE), code, "10.0.0.1")
    with pytest.raises(Rejected):
        activating.confirm_code(Claim(phone=PHONE), code, "10.0.0.1")
    activating.set_password(ticket, PASSWORD, PASSWORD, now)
    with pytest.raises(Rejected) as error:
        activating.set_password(ticket, "Other-river-43", "Other-river-43", now)
    assert refused(error) == ["activate.stale"]


def test_a_phone_without_an_account_looks_like_any_other(db_session, now):
    activating.request_code(Claim(phone="13700000001"), "10.0.0.1", now)
    assert [row for row in rows(Outbox) if row.topic == "sms"] == []
    with pytest.raises(Rejected) as error:
        activating.request_code(Claim(phone="13700000001"), "10.0.0.1", now)
    assert refused(error) == ["code.too_soon"]
    with pytest.raises(Rejected) as error:
        activating.confirm_code(Claim(phone="13700000001"), "123456", "10.0.0.1")
    assert refused(error) == ["code.wrong"]


def test_an_address_that_guesses_is_stopped(db_session, now):
    for number in range(activating.ADDRESS_LIMIT):
        with pytest.raises(Rejected):
            activating.confirm_code(Claim(phone=f"137000{number:05d}"), "123456", "10.0.0.1")
    with pytest.raises(Rejected) as error:
        activating.confirm_code(Claim(phone="13700000001"), "123456", "10.0.0.1")
    assert refused(error) == ["activate.address"]


def test_weak_passwords_are_refused_and_the_proof_stays(admin, now):
    operator_accounts.add(admin(), data(admin()), now)
    throttle._local.clear()
    activating.request_code(Claim(phone=PHONE), "10.0.0.1", now)
    ticket = activating.confirm_code(Claim(phone=PHONE), last_code(now), "10.0.0.1")
    for weak in ("888888", "Abc-123456", f"A-{PHONE}"):
        with pytest.raises(Rejected):
            activating.set_password(ticket, weak, weak, now)
    assert activating.set_password(ticket, PASSWORD, PASSWORD, now).active


def test_the_chain_holds_and_shows_what_was_changed(admin, now):
    operator_accounts.add(admin(), data(admin()), now)
    activate(now)
    report = account_log.verify()
    assert (report.events, report.broken) == (4, [])


def test_a_row_of_the_chain_cannot_be_changed(admin, now):
    operator_accounts.add(admin(), data(admin()), now)
    (event,) = rows(AccountEvent)
    with pytest.raises(Exception, match="append-only"), transaction():
        event.action = "nothing"


def test_messages_to_operators_are_few(admin, now):
    """Whoever may add operators could otherwise have any phone sent messages, and ask who has an account."""
    for number in range(operator_accounts.MESSAGES_PER_HOUR):
        operator_accounts.add(admin(), data(admin(), username=f"139{number:08d}"), now)
    with pytest.raises(Rejected) as error:
        operator_accounts.add(admin(), data(admin()), now)
    assert refused(error) == ["operator.busy"]
    known = next(each for each in rows(User) if each.username == "13900000000")
    with pytest.raises(Rejected):
        operator_accounts.reset(admin(), known.id, now)
    assert len([row for row in rows(Outbox) if row.topic == "sms"]) == operator_accounts.MESSAGES_PER_HOUR


def test_many_phones_from_one_address_are_too_many(db_session, now):
    for number in range(activating.ADDRESS_LIMIT):
        activating.request_code(Claim(phone=f"137{number:08d}"), "10.0.0.4", now)
    with pytest.raises(Rejected) as error:
        activating.request_code(Claim(phone=PHONE), "10.0.0.4", now)
    assert refused(error) == ["activate.address"]
    activating.request_code(Claim(phone=PHONE), "10.0.0.5", now)


def test_what_happened_to_a_shared_account_is_not_this_admins_to_read(admin, now):
    """Its network addresses and the acts of other employers' admins say nothing about this employer."""
    shown = next(each for each in rows(User) if each.username == "huaian.handler")
    with pytest.raises(Rejected):
        accounts.sign_in("huaian.handler", "wrong", "10.9.9.9", clock.real_utcnow())
    assert operator_accounts.history(admin(), shown.id) == []


def test_an_account_that_was_closed_comes_back_without_old_rights(admin, now):
    user_id = operator_accounts.add(admin(), data(admin(), roles=["admin"]), now)
    with transaction():
        operators.set_roles(user_id, "", ["admin"])
        operators.set_roles(user_id, "320500", ["admin"])
    operator_accounts.remove(admin(), user_id, now)
    assert operator_accounts.add(admin(), data(admin()), now) == user_id
    assert activate(now).actor.roles == {"handler"}
    assert not operator_accounts.get_operator(admin(), user_id).shared
