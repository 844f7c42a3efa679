"""A unit gets its account: JS-2.1a, WN-1.3a to WN-1.3c, NJ-1; at the counter NT-1.1."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest

from app import clock
from app.errors import NotFound, Rejected
from app.services import accounts, activating, audits, declarations, sms, throttle, timers, unit_registration
from app.services.activating import Claim
from app.store import units
from app.store.models import AccountEvent, Declaration, HumanTask, OneTimeCode, Outbox, User, UserEmployer
from app.store.session import transaction
from tests.services.conftest import rows

PASSWORD = "Quiet-river-42"
NANTONG, HUAIAN, LIANYUNGANG = "320600", "320800", "320700"
SUZHOU, NANJING, WEINAN = "320500", "320100", "610500"


@pytest.fixture(autouse=True)
def fresh_counters():
    throttle._local.clear()
    yield
    throttle._local.clear()


def unit_of(region, place=4):
    return units.find_unit(region, employer_no=f"{region}{place:05d}")


def form(region, place=4):
    """What a unit of the demonstration states in its region."""
    unit = unit_of(region, place)
    if region == NANJING:
        return {"credit_code": [unit.credit_code]}
    if region == WEINAN:
        return {"employer_no": [unit.employer_no], "funds": ["310", "330", "510"]}
    return {"employer_no": [unit.employer_no], "credit_code": [unit.credit_code]}


def register(region, now, data=None, address="10.0.0.1"):
    return unit_registration.register(region, data or form(region), address, now)


def last_code(now) -> str:
    for row in rows(Outbox):
        if row.topic == "sms":
            sms.deliver(row.id, now)
    return re.search(r"验证码(\d{6})", sms.kept_messages()[0].text)[1]


def activate(started, now, password=PASSWORD):
    claim = Claim(user_id=started.user_id)
    ticket = activating.confirm_code(claim, last_code(now), "10.0.0.1")
    return activating.set_password(
        ticket, password, password, now, "10.0.0.1", then=unit_registration.complete
    )


def refused(error) -> list[str]:
    return [each.code for each in error.value.errors]


@pytest.mark.parametrize("region", [HUAIAN, LIANYUNGANG, SUZHOU, NANJING, WEINAN])
def test_a_unit_registers_activates_and_signs_in_as_its_admin(db_session, now, region):
    started = register(region, now)
    unit = unit_of(region)
    assert started.phone_masked == f"139****{unit.details['contact_mobile'][-4:]}"
    (case,) = rows(Declaration, kind="employer_registration")
    assert (case.status, case.employer_id, case.created_by_id) == ("submitted", unit.id, started.user_id)
    account = activate(started, now)
    assert (account.actor.roles, account.actor.employer_ids) == ({"admin"}, {unit.id})
    (case,) = rows(Declaration, kind="employer_registration")
    assert (case.status, case.result_code) == ("approved", "employer_registration.accepted")
    again = accounts.sign_in(unit.details["contact_mobile"], PASSWORD, "10.0.0.1", clock.real_utcnow())
    assert again.actor.employer_id == unit.id
    assert [row.action for row in rows(AccountEvent)] == [
        "registration.started", "code.tried", "employer.registered", "activated", "sign_in",
    ]  # fmt: skip


def test_nobody_gets_in_before_the_code(db_session, now):
    started = register(WEINAN, now)
    (user,) = rows(User, id=started.user_id)
    assert user.status == "invited"
    for guess in ("888888", "123456", ""):
        with pytest.raises(Rejected):
            accounts.sign_in(user.username, guess, "10.0.0.1", clock.real_utcnow())
    assert rows(UserEmployer, user_id=user.id) == []


@pytest.mark.parametrize(
    ("region", "change"),
    [
        (HUAIAN, {"credit_code": ["91320800MA1WRONG00"]}),
        (HUAIAN, {"employer_no": ["32080099999"]}),
        (HUAIAN, {"employer_no": ["32050000004"]}),
        (WEINAN, {"funds": ["310"]}),
        (NANJING, {"credit_code": ["91320100MA1WRONG00"]}),
    ],
)
def test_everything_wrong_is_answered_alike(db_session, now, region, change):
    with pytest.raises(Rejected) as error:
        register(region, now, {**form(region), **change})
    assert refused(error) == ["employer_registration.no_match"]
    assert rows(Declaration) == []
    assert rows(OneTimeCode) == []


def test_a_registered_unit_is_told_so_only_where_all_agrees(db_session, now):
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now, form(HUAIAN, place=1))
    assert refused(error) == ["employer_registration.registered"]
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now, {**form(HUAIAN, place=1), "credit_code": ["91320800MA1WRONG00"]})
    assert refused(error) == ["employer_registration.no_match"]


def test_a_second_attempt_goes_on_with_the_first(db_session, now):
    first = register(HUAIAN, now)
    second = register(HUAIAN, now)
    assert second == first
    assert len(rows(Declaration)) == 1
    assert len(rows(OneTimeCode)) == 1
    assert activate(second, now).active
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now)
    assert refused(error) == ["employer_registration.registered"]


def test_two_registrations_at_once_are_one(app, db_session, now):
    data = form(HUAIAN)

    def go(_):
        with app.app_context():
            return register(HUAIAN, now, data)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(go, range(2))
    assert first == second
    assert len(rows(Declaration, kind="employer_registration")) == 1
    assert len(rows(User, id=first.user_id)) == 1


def test_a_unit_is_tried_a_few_times_an_hour(db_session, now):
    wrong = {**form(HUAIAN), "credit_code": ["91320800MA1WRONG00"]}
    for number in range(unit_registration.UNIT_LIMIT):
        with pytest.raises(Rejected):
            register(HUAIAN, now, wrong, address=f"10.0.0.{number}")
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now, address="10.0.1.1")
    assert refused(error) == ["employer_registration.busy"]


def test_an_address_that_guesses_is_stopped(db_session, now):
    for number in range(activating.ADDRESS_LIMIT):
        with pytest.raises(Rejected):
            register(HUAIAN, now, {**form(HUAIAN), "employer_no": [f"3208001{number:04d}"]})
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now)
    assert refused(error) == ["activate.address"]


def test_a_registration_that_nobody_finishes_is_closed(db_session, now):
    started = register(HUAIAN, now)
    late = now + timedelta(days=1, minutes=1)
    timers.wake_due(late)
    (case,) = rows(Declaration)
    assert (case.status, case.result_code) == ("recalled", "employer_registration.expired")
    # the unit begins again with the same account
    with transaction():
        for code in rows(OneTimeCode):
            code.created_at_utc -= timedelta(minutes=2)
    again = register(HUAIAN, late)
    assert (again.user_id, again.reference != started.reference) == (started.user_id, True)


def test_a_phone_that_is_a_handlers_elsewhere_does_not_become_an_admin(db_session, now):
    (other,) = rows(User, username="huaian.handler")
    with transaction():
        user = rows(User, id=other.id)[0]
        user.username, user.demo = unit_of(HUAIAN).details["contact_mobile"], False
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now)
    assert refused(error) == ["employer_registration.no_phone"]


def test_a_unit_without_a_phone_goes_to_the_agency(db_session, now):
    with transaction():
        unit = unit_of(HUAIAN)
        units.set_unit(unit.id, {"details": {"contact_phone": "0517-8888888"}})
    with pytest.raises(Rejected) as error:
        register(HUAIAN, now)
    assert refused(error) == ["employer_registration.no_phone"]


def test_nantong_opens_accounts_at_the_counter(db_session, now, person):
    with pytest.raises(Rejected) as error:
        register(NANTONG, now, form(HUAIAN))
    assert refused(error) == ["employer_registration.not_here"]
    unit = unit_of(NANTONG)
    data = {"credit_code": [unit.credit_code], "contact_name": ["陈静"], "contact_mobile": ["13700000044"]}
    clerk, auditor = person("nantong.counter"), person("nantong.auditor")
    receipt = declarations.file(clerk, "employer_registration", data, now, employer_id=unit.id)
    assert receipt.status == "submitted"
    (task,) = rows(HumanTask, reference=receipt.reference)
    answer = audits.decide(auditor, task.id, "approve", "", (), now)
    assert answer.status == "approved"
    (user,) = rows(User, username="13700000044")
    assert user.status == "invited"
    assert rows(UserEmployer, user_id=user.id)[0].employer_id == unit.id
    for row in rows(Outbox):
        if row.topic == "sms":
            sms.deliver(row.id, now)
    assert "网厅账号已开通" in sms.kept_messages()[0].text
    activating.request_code(Claim(phone="13700000044"), "10.0.0.1", now)
    account = activate(SimpleNamespace(user_id=user.id), now)
    assert account.actor.roles == {"admin"}


def test_an_operator_does_not_register(db_session, now, person):
    with pytest.raises(NotFound):
        declarations.file(person("nantong.admin"), "employer_registration", {}, now)
