"""The pages before the first sign-in: a unit registers, a phone is proved, a password is set."""

import re

import pytest

from app import clock
from app.services import sms, throttle
from app.store.models import Outbox
from tests.services.conftest import rows
from tests.web.visits import token

HUAIAN, NANTONG, WEINAN = "320800", "320600", "610500"
PASSWORD = "Quiet-river-42"


@pytest.fixture(autouse=True)
def _slow(app):
    app.config["SIGN_IN_DELAY_SECONDS"] = 0


def post(client, address, page=None, **form):
    return client.post(address, data={"csrf_token": token(client, page or address), **form})


def unit_form(client, region) -> dict[str, str]:
    """The unit that the page of a demonstration names."""
    text = client.get(f"/register/{region}").text
    number = re.search(rf"单位编号 ({region}00004)", text)[1]
    return {"employer_no": number, "credit_code": re.search(r"代码 ([0-9A-Z]{18})", text)[1]}


def newest_code(app) -> str:
    with app.app_context():
        for row in rows(Outbox):
            if row.topic == "sms":
                sms.deliver(row.id, clock.now())
        text = sms.kept_messages()[0].text
    return re.search(r"验证码(\d{6})", text)[1]


def test_the_whole_way(app):
    client = app.test_client()
    assert 'href="/register"' in client.get("/login").text
    assert "淮安" in client.get("/register").text
    answer = post(client, f"/register/{HUAIAN}", **unit_form(client, HUAIAN))
    assert (answer.status_code, answer.location) == (303, "/activate/code")
    page = client.get("/activate/code").text
    assert "139****" in page
    assert 'autocomplete="one-time-code"' in page
    assert "/messages/sms?last4=" in page
    assert post(client, "/activate/code", code="000000").status_code == 422
    assert client.get("/activate/password").status_code == 302
    answer = post(client, "/activate/code", code=newest_code(app))
    assert answer.location == "/activate/password"
    weak = post(client, "/activate/password", new_password="888888", new_password_2="888888")
    assert weak.status_code == 422
    assert 'href="#field-new_password"' in weak.text
    answer = post(client, "/activate/password", new_password=PASSWORD, new_password_2=PASSWORD)
    assert answer.location == "/hall"
    assert "示例新办企业4" in client.get("/hall").text
    # the proof is spent
    assert client.get("/activate/password").status_code == 302


def test_wrong_data_are_refused_and_kept(app):
    client = app.test_client()
    answer = post(client, f"/register/{HUAIAN}", employer_no="32080000004", credit_code="91320800MA1WRONG00")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="32080000004"' in answer.text
    assert "与登记信息不一致" in answer.text
    assert "示例新办企业4有限公司已" not in answer.text


def test_a_region_that_opens_accounts_at_the_counter_says_so(app):
    client = app.test_client()
    page = client.get(f"/register/{NANTONG}")
    assert page.status_code == 200
    assert "由经办机构为单位开通账号" in page.text
    assert "employer_no" not in page.text
    assert post(client, f"/register/{NANTONG}", f"/register/{HUAIAN}", credit_code="x").status_code == 422
    assert client.get("/register/999999").status_code == 404


def test_weinan_asks_for_the_funds(app):
    text = app.test_client().get(f"/register/{WEINAN}").text
    assert 'name="funds"' in text
    assert "生育保险" in text


def test_the_address_is_stopped(app, monkeypatch):
    client = app.test_client()
    monkeypatch.setattr(throttle, "count", lambda key: 999)
    answer = post(client, f"/register/{HUAIAN}", **unit_form(client, HUAIAN))
    assert answer.status_code == 422
    assert "15 分钟后再试" in answer.text


def test_a_phone_without_an_account_gets_the_same_page(app):
    client = app.test_client()
    answer = post(client, "/activate", username="13700000001", why="reset")
    assert answer.location == "/activate/code"
    assert "137****0001" in client.get("/activate/code").text
    assert post(client, "/activate/code", code="123456").status_code == 422
    again = post(client, "/activate/resend", "/activate/code")
    assert again.status_code == 422
    assert "60 秒" in again.text


def test_what_is_no_phone_is_refused_at_its_field(app):
    answer = post(app.test_client(), "/activate", username="12345")
    assert answer.status_code == 422
    assert 'href="#field-username"' in answer.text


def test_whoever_asks_twice_can_type_the_code_that_came(app):
    """Too soon for another code: the first one is still good, and its page says so."""
    for number in range(2):
        client = app.test_client()
        answer = post(client, "/activate", username="13700000002")
        assert answer.location == "/activate/code"
        assert ("间隔 60 秒" in client.get("/activate/code").text) is (number == 1)


@pytest.mark.parametrize("page", ["/activate/code", "/activate/password"])
def test_later_steps_need_the_earlier_ones(app, page):
    client = app.test_client()
    assert client.get(page).location == "/activate"
    assert post(client, page, "/activate").location == "/activate"
