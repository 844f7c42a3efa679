"""The agency looks after operators and links of its region's units: with a reason, and on record."""

from dataclasses import replace

import pytest

from app import clock
from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import account_log, accounts, declarations, throttle, unit_accounts, unit_linking
from app.services import operator_accounts as own
from app.services import operator_oversight as oversight
from app.services.unit_registration import register
from app.store import operators, units
from app.store.models import AccountEvent, Employer, Event, Outbox, User, UserRole
from app.store.session import transaction
from tests.services.conftest import HUAIAN, citizen, huaian_form, rows
from tests.services.test_operators import activate, data
from tests.services.test_unit_links import form as link_form
from tests.services.test_unit_links import last_code
from tests.services.test_unit_registration import activate as finish

REASON = "单位来函，经办人已离职，核对介绍信"
PHONE = "13912345678"
CITY = "huaian"


@pytest.fixture(autouse=True)
def fresh_counters():
    throttle._local.clear()
    yield
    throttle._local.clear()


@pytest.fixture
def admin(db_session):
    user = next(each for each in rows(User) if each.username == f"{CITY}.admin")
    return accounts.load_account(user.id, clock.real_utcnow()).actor


@pytest.fixture(params=["counter", "supervisor"])
def agent(person, request):
    return person(f"{CITY}.{request.param}")


@pytest.fixture
def clerk(person):
    return person(f"{CITY}.counter")


@pytest.fixture
def operator(admin, now):
    """An operator of one unit, activated: the account's id."""
    user_id = own.add(admin, data(admin), now)
    activate(now)
    return user_id


def unit_no(employer_id):
    return rows(Employer, id=employer_id)[0].employer_no


def newest():
    return rows(AccountEvent)[-1]


def test_operators_are_found_by_phone_name_and_unit(agent, admin, operator):
    for text in (PHONE, PHONE[:5], "周小兰"):
        assert operator in {each.row.id for each in oversight.find_operators(agent, text, 20)}
    assert oversight.find_operators(agent, "139", 20) == []
    assert oversight.find_operators(agent, "", 20) == []
    number = unit_no(admin.employer_id)
    assert [each.employer_no for each in oversight.find_units(agent, number, 20)] == [number]
    found = next(each for each in oversight.access_of(agent, number).operators if each.row.id == operator)
    assert (list(found.roles), [each.employer_no for each in found.units]) == (["handler"], [number])
    assert found.allowed == ("reset", "disable")


@pytest.mark.parametrize("who", ["suzhou.counter", "nantong.supervisor"])
def test_another_region_finds_nothing(person, admin, operator, now, who):
    stranger = person(who)
    assert oversight.find_operators(stranger, PHONE, 20) == []
    number = unit_no(admin.employer_id)
    assert oversight.find_units(stranger, number, 20) == []
    for act in (
        lambda: oversight.get_operator(stranger, operator),
        lambda: oversight.history(stranger, operator),
        lambda: oversight.access_of(stranger, number),
        lambda: oversight.reset(stranger, operator, REASON, now),
        lambda: oversight.disable(stranger, operator, REASON, now),
        lambda: oversight.remove(stranger, operator, number, REASON, now),
        lambda: oversight.unlink(stranger, number, number, REASON),
    ):
        with pytest.raises(NotFound):
            act()


@pytest.mark.parametrize("who", [f"{CITY}.auditor", f"{CITY}.admin", f"{CITY}.handler"])
def test_others_may_not(person, operator, who, now):
    for act in (
        lambda: oversight.find_units(person(who), "3208", 20),
        lambda: oversight.find_operators(person(who), PHONE, 20),
        lambda: oversight.disable(person(who), operator, REASON, now),
    ):
        with pytest.raises(Forbidden):
            act()


def test_disabled_and_let_in_again(agent, operator, now):
    before = rows(User, id=operator)[0].session_version
    oversight.disable(agent, operator, REASON, now, "10.0.0.3")
    (user,) = rows(User, id=operator)
    assert (user.status, user.session_version) == ("disabled", before + 1)
    event = newest()
    assert (event.action, event.user_id, event.actor_id) == ("agency.disabled", operator, agent.id)
    assert (event.detail["reason"], event.address) == (REASON, "10.0.0.3")
    with pytest.raises(Conflict):
        oversight.disable(agent, operator, REASON, now)
    with pytest.raises(Conflict):
        oversight.reset(agent, operator, REASON, now)
    oversight.enable(agent, operator, REASON, now)
    assert rows(User, id=operator)[0].status == "invited"
    assert account_log.verify().broken == []
    assert {each.action for each in oversight.history(agent, operator)} >= {
        "agency.disabled",
        "agency.enabled",
    }


def test_a_reset_takes_the_password_and_tells_the_owner(agent, operator, now):
    before, sent = rows(User, id=operator)[0].password_hash, len(rows(Outbox))
    oversight.reset(agent, operator, REASON, now)
    (user,) = rows(User, id=operator)
    assert user.status == "invited"
    assert user.password_hash != before
    assert len(rows(Outbox)) == sent + 1
    assert newest().action == "agency.reset"


def test_the_last_tie_closes_the_account(agent, admin, operator, now):
    number = unit_no(admin.employer_id)
    oversight.remove(agent, operator, number, REASON, now)
    (user,) = rows(User, id=operator)
    assert user.status == "removed"
    assert rows(UserRole, user_id=operator) == []
    assert newest().detail["employer"] == admin.employer_id
    with pytest.raises(NotFound):
        oversight.get_operator(agent, operator)


def test_one_tie_of_two_leaves_the_account(clerk, admin, operator, now):
    other = next(each for each in admin.employer_ids if each != admin.employer_id)
    both = {"name": "周小兰", "roles": ["handler"], "employers": [admin.employer_id, other]}
    own.change(admin, operator, both)
    oversight.remove(clerk, operator, unit_no(other), REASON, now)
    found = oversight.get_operator(clerk, operator)
    assert found.row.status == "active"
    assert [each.id for each in found.units] == [admin.employer_id]
    with pytest.raises(NotFound):
        oversight.remove(clerk, operator, unit_no(other), REASON, now)


def test_unfinished_cases_are_handed_over(clerk, admin, operator, now):
    actor = replace(accounts.load_account(operator, clock.real_utcnow()).actor, employer_id=admin.employer_id)
    made = declarations.save_draft(actor, "enrol", huaian_form(citizen(HUAIAN, "unknown")), now)
    assert oversight.disable(clerk, operator, REASON, now) == 1
    (event,) = [row for row in rows(Event) if row.action == "handed_over"]
    assert event.actor_id == clerk.id
    assert made.reference


@pytest.mark.parametrize("reason", ["", "   ", "好", "x" * 201])
def test_no_act_without_a_reason(clerk, operator, now, reason):
    events = len(rows(AccountEvent))
    for act in (oversight.reset, oversight.disable, oversight.enable):
        with pytest.raises(Rejected) as refused:
            act(clerk, operator, reason, now)
        assert refused.value.errors[0].field == "reason"
    assert len(rows(AccountEvent)) == events


def test_who_acts_in_other_regions_too_keeps_the_account(clerk, admin, operator, now):
    elsewhere = units.find_unit("320500", employer_no="32050000001")
    with transaction():
        operators.link([operator], [elsewhere.id])
    found = oversight.get_operator(clerk, operator)
    assert found.elsewhere
    assert found.allowed == ()
    assert [each.id for each in found.units] == [admin.employer_id]
    for act in (oversight.reset, oversight.disable):
        with pytest.raises(Rejected) as refused:
            act(clerk, operator, REASON, now)
        assert refused.value.errors[0].code == "oversight.elsewhere"
    oversight.remove(clerk, operator, unit_no(admin.employer_id), REASON, now)
    assert rows(User, id=operator)[0].status == "active"
    assert operators.find_operator(operator).employer_ids == [elsewhere.id]
    assert rows(UserRole, user_id=operator, region=HUAIAN) == []


def test_shared_demonstration_accounts_stay(clerk, admin, now):
    for act in (
        lambda: oversight.reset(clerk, admin.id, REASON, now),
        lambda: oversight.remove(clerk, admin.id, unit_no(admin.employer_id), REASON, now),
    ):
        with pytest.raises(Rejected) as refused:
            act()
        assert refused.value.errors[0].code == "operator.demo"


def test_the_last_admin_is_told_and_the_unit_may_register_again(clerk, now):
    unit = units.find_unit(HUAIAN, employer_no=f"{HUAIAN}00004")
    stated = {"employer_no": [unit.employer_no], "credit_code": [unit.credit_code]}
    started = register(HUAIAN, stated, "10.0.0.1", now)
    finish(started, now)
    left = oversight.left_without_admin(clerk, started.user_id)
    assert [each.id for each in left] == [unit.id]
    oversight.remove(clerk, started.user_id, unit.employer_no, REASON, now)
    assert not unit_accounts.facts_of(unit, "", "2026-11").has_account


def test_a_link_is_taken_away_by_the_agency(person, now):
    """WN-1.3: the unit's admin could; now the agency can as well."""
    boss = person("weinan.admin")
    reference = unit_linking.start(boss, link_form(), now)
    unit_linking.verify(boss, reference, last_code(now), now)
    linked = link_form()["employer_no"][0]
    clerk = person("weinan.supervisor")
    mine = unit_no(boss.employer_id)
    access = oversight.access_of(clerk, mine)
    assert [each.employer_no for each in access.linked] == [linked]
    assert [each.employer_no for each in oversight.access_of(clerk, linked).linked_by] == [mine]
    oversight.unlink(clerk, mine, linked, REASON)
    again = accounts.load_account(boss.id, clock.real_utcnow())
    assert linked not in {each.employer_no for each in again.employers}
    assert unit_linking.linked_units(again.actor) == set()
    event = newest()
    assert (event.action, event.detail["reason"]) == ("agency.unlinked", REASON)
    with pytest.raises(Rejected):
        oversight.unlink(clerk, mine, linked, REASON)
    assert account_log.verify().broken == []
