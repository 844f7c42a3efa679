"""The agency's pages for operators and links: who opens them, what they ask, what they refuse."""

import re

import pytest

from app.services import operator_accounts
from app.store.models import AccountEvent, Employer, User
from tests.services.conftest import rows
from tests.web.agency import Agency
from tests.web.visits import token

PHONE, UNIT = "13912345678", "32080000001"
REASON = "单位来函，经办人已离职"


@pytest.fixture
def browser(app):
    return Agency(app).browser


@pytest.fixture
def clerk(browser):
    return browser("huaian.counter")


@pytest.fixture
def operator(app, now_of_tests):
    with app.app_context():
        admin = Agency(app).actor("huaian.admin")
        form = {
            "username": PHONE, "name": "周小兰", "roles": ["handler"], "employers": [admin.employer_id],
        }  # fmt: skip
        return operator_accounts.add(admin, form, now_of_tests)


@pytest.fixture
def now_of_tests():
    from tests.fixtures.database import TEST_NOW

    return TEST_NOW


def post(client, address, **form):
    return client.post(address, data={"csrf_token": token(client, address), **form})


@pytest.mark.parametrize("who", ["huaian.counter", "huaian.supervisor"])
def test_the_menu_leads_there(browser, who):
    client = browser(who)
    assert 'href="/oversight"' in client.get("/oversight").text
    assert client.get("/oversight").status_code == 200


@pytest.mark.parametrize("who", ["huaian.auditor", "huaian.senior", "huaian.admin", "huaian.handler"])
def test_nobody_else_opens_it(browser, operator, who):
    client = browser(who)
    for place in ("/oversight", f"/oversight/units/{UNIT}", f"/oversight/operators/{operator}"):
        assert client.get(place).status_code == 403
    assert 'href="/oversight"' not in client.get("/", follow_redirects=True).text


def test_another_region_finds_nothing(browser, operator):
    stranger = browser("suzhou.counter")
    assert "周小兰" not in stranger.get(f"/oversight?q={PHONE}").text
    for place in (
        f"/oversight/units/{UNIT}", f"/oversight/operators/{operator}",
        f"/oversight/operators/{operator}/disable",
    ):  # fmt: skip
        assert stranger.get(place).status_code == 404


def test_from_the_search_to_the_act(app, clerk, operator):
    page = clerk.get(f"/oversight?q={PHONE}").text
    assert f'href="/oversight/operators/{operator}"' in page
    assert f'data-unit="{UNIT}"' in clerk.get(f"/oversight?q={UNIT}").text
    assert f'data-operator="{operator}"' in clerk.get(f"/oversight/units/{UNIT}").text
    own = clerk.get(f"/oversight/operators/{operator}").text
    assert 'data-act="disable"' in own
    place = f"/oversight/operators/{operator}/disable"
    assert 'name="reason"' in clerk.get(place).text
    short = post(clerk, place, reason="好")
    assert short.status_code == 422
    assert "请填写原因" in short.text
    done = post(clerk, place, reason=REASON)
    assert (done.status_code, done.location) == (303, f"/oversight/operators/{operator}")
    after = clerk.get(f"/oversight/operators/{operator}").text
    assert 'data-state="disabled"' in after
    assert REASON in after
    assert 'data-act="enable"' in after
    with app.app_context():
        assert rows(AccountEvent)[-1].detail["reason"] == REASON


def test_a_cut_tie_leads_back_to_the_search(app, clerk, operator):
    place = f"/oversight/operators/{operator}/remove?unit={UNIT}"
    page = clerk.get(place)
    assert page.status_code == 200
    done = post(clerk, place, reason=REASON)
    assert (done.status_code, done.location) == (303, "/oversight")
    with app.app_context():
        assert rows(User, id=operator)[0].status == "removed"


@pytest.mark.parametrize("act", ["remove", "elsewhere", "reset?unit=32080000001"])
def test_an_act_that_makes_no_sense_is_not_found(clerk, operator, act):
    assert clerk.get(f"/oversight/operators/{operator}/{act}").status_code == 404


def test_a_demonstration_account_is_shown_and_left_alone(app, clerk):
    with app.app_context():
        (shared,) = rows(User, username="huaian.handler")
    page = clerk.get(f"/oversight/operators/{shared.id}").text
    assert "演示账号" in page
    assert "/remove" not in page
    assert "data-act" not in page


def test_english_pages_have_no_chinese_of_ours(app, clerk, operator):
    clerk.set_cookie("language", "en")
    with app.app_context():
        named = {each.name for each in (*rows(User), *rows(Employer))}
    for place in (
        "/oversight", f"/oversight/units/{UNIT}", f"/oversight/operators/{operator}",
        f"/oversight/operators/{operator}/disable",
    ):  # fmt: skip
        main = re.search(r"<main.*</main>", clerk.get(place).text, re.S)[0]
        assert set(re.findall(r"[一-鿿]+\d?[一-鿿]*", main)) <= named, place
