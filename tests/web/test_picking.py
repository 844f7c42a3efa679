"""The pages of a stop: the roster to pick from, what is fixed, the check page and the receipt."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from app.clock import to_utc
from app.config import DEMO_PASSWORD
from app.extensions import db
from app.services import accounts
from app.services.demo import demo_people
from app.store.models import User
from tests.fixtures.database import TEST_NOW
from tests.services.test_stop import charge, employee
from tests.web.conftest import post, token


@pytest.fixture
def handler(app, sign_in):
    return lambda city: sign_in(f"{city}.handler", DEMO_PASSWORD)


@pytest.fixture
def insured(app):
    """An employee of a city's first employer."""

    def find(city: str, place: int = 0):
        with app.app_context():
            user_id = db.session.scalars(select(User.id).where(User.username == f"{city}.handler")).one()
            actor = accounts.load_account(user_id, to_utc(TEST_NOW)).actor
            found = employee(actor, place)
            db.session.remove()
        return found

    return find


def file(client, kind: str, **form):
    """Check the form, confirm it, and give the receipt's page."""
    page = f"/declare/{kind}"
    checked = client.post(page, data={"csrf_token": token(client, page), "action": "check", **form})
    assert checked.status_code == 303, re.findall(r'role="alert".*?</ul>', checked.text, re.S)
    address = checked.headers["Location"]
    shown = client.get(address)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown.text))
    answer = client.post(page, data={**hidden, "action": "file", "confirmed": "1"})
    assert answer.status_code == 303, answer.text[:2000]
    return shown.text, client.get(answer.headers["Location"]).text


def test_nt_2_3_a_person_is_found_by_name_and_picked(handler, insured):
    client, found = handler("nantong"), insured("nantong")
    page = client.get("/declare/stop").text
    assert 'action="/declare/stop/people"' in page
    people = client.get("/declare/stop/people", query_string={"q": found.name}).text
    assert found.id_number not in people
    link = f"/declare/stop?person={found.person_id}"
    assert link in people
    assert "减员申报" in people
    form = client.get(link).text
    assert f'value="{found.id_number}"' in form
    assert f'value="{found.name}"' in form
    # the month is shown and cannot be changed, the usual reason is chosen
    assert re.search(r'value="2026-11"[^>]*id="field-stop_month"[^>]*readonly', form)
    assert re.search(r'<option value="10" selected', form)


def test_a_whole_number_finds_one_person(handler, insured):
    client, found = handler("nantong"), insured("nantong", 1)
    people = client.get("/declare/stop/people", query_string={"q": found.id_number}).text
    assert re.findall(r'data-person="(\d+)"', people) == [str(found.person_id)]


def test_nobody_elses_people_are_picked(handler, insured):
    stranger = insured("suzhou")
    answer = handler("nantong").get(f"/declare/stop?person={stranger.person_id}")
    assert answer.status_code == 404


def test_kinds_without_a_roster_have_no_such_page(handler):
    assert handler("nantong").get("/declare/enrol/people").status_code == 404


def test_sz_2_1_filled_in_checked_and_done(handler, insured):
    client, found = handler("suzhou"), insured("suzhou")
    form = client.get(f"/declare/stop?person={found.person_id}").text
    assert re.search(r'value="2026-11-30"[^>]*id="field-stop_date"', form)
    checked, receipt = file(
        client, "stop", id_type="01", id_number=found.id_number, stop_reason="6301", stop_date="2026-11-30"
    )
    assert found.name in checked
    assert "处理成功! 后续请到“已审核数据查询”中查询信息!" in receipt.replace("&#34;", '"')
    assert 'data-status="done"' in receipt


def test_what_is_taken_back_is_shown_before_confirming(app, handler, insured):
    client, found = handler("suzhou"), insured("suzhou")
    with app.app_context():
        owed = sum(
            line.amount_fen
            for line in charge(found.person_id, "2026-11", received=date(2026, 11, 5))
            if not line.party.startswith("allocation")
        )
        db.session.remove()
    checked, receipt = file(
        client, "stop", id_type="01", id_number=found.id_number, stop_reason="6301", stop_date="2026-10-31"
    )
    amount = f"-{owed / 100:,.2f}"
    assert "将冲销或退费的金额" in checked
    assert amount in checked
    assert amount in receipt


def test_a_refusal_keeps_what_was_typed(app, handler):
    with app.app_context():
        (found,) = demo_people("320500", "retired", 1)
        db.session.remove()
    client = handler("suzhou")
    answer = post(
        client, "/declare/stop", "/declare/stop", action="check", id_type="01", id_number=found.id_number,
        stop_reason="6301", stop_date="2026-11-30",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "处理失败！退休人员不允许停保。" in answer.text
    assert f'value="{found.id_number}"' in answer.text


def test_nj_3_1_reminds_of_retirement(handler):
    client = handler("nanjing")
    for address in ("/declare/stop", "/declare/stop/people"):
        assert "重要提醒:办理医保退休, 不要办理停保!!!" in client.get(address).text


def test_nj_3_3_a_stop_is_reverted(handler, insured):
    client, found = handler("nanjing"), insured("nanjing")
    file(client, "stop", id_number=found.id_number, stop_reason="6301", stop_date="2026-11-30")
    checked, receipt = file(client, "revert", revert_type="stop", id_number=found.id_number)
    assert "2026-11-18" in checked
    assert "回退成功" in receipt


@pytest.mark.parametrize("city", ["weinan", "huaian", "lianyungang"])
def test_every_region_shows_its_form(handler, city):
    client = handler(city)
    assert client.get("/declare/stop").status_code == 200
    assert client.get("/declare/stop/people").status_code == 200


def test_wn_2_2_retirees_are_a_kind_of_their_own(handler):
    client = handler("weinan")
    people = client.get("/declare/stop_retiree/people").text
    retired = set(re.findall(r'data-person="(\d+)"', people))
    active = set(re.findall(r'data-person="(\d+)"', client.get("/declare/stop/people").text))
    assert retired
    assert not retired & active


def test_the_auditor_sees_what_was_checked_and_what_is_taken_back(app, handler, insured, sign_in):
    client, found = handler("nantong"), insured("nantong")
    with app.app_context():
        charge(found.person_id, "2026-12")
        db.session.remove()
    _, receipt = file(client, "stop", id_number=found.id_number, stop_reason="10")
    reference = re.search(r'data-ref="([^"]+)"', receipt)[1]
    page = "/pending?kind=stop"
    handed = client.post(
        "/pending/submit", data={"csrf_token": token(client, page), "ref": reference, "one": reference}
    )
    assert handed.status_code in (302, 303), handed.text
    case = sign_in("nantong.auditor", DEMO_PASSWORD).get(f"/cases/{reference}").text
    for words in (
        "停保时间",
        "变更原因",
        "已核定的费用",
        "合同期满终止",
        "2026-12",
        "试算：通过后将冲销或退费以下月份",
    ):
        assert words in case
    # the phrases for an opinion speak of every kind
    shown = re.sub(r"<option.*?</option>", "", case)
    for words in ("缴费工资", "参保后每月"):
        assert words not in shown


def test_wn_2_2_the_steps_are_those_of_the_diagram(handler, insured):
    client, found = handler("weinan"), insured("weinan")
    page = "/declare/stop"
    filed = client.post(
        page,
        data={
            "csrf_token": token(client, page), "action": "file", "id_type": "01",
            "id_number": found.id_number, "stop_month": "202611", "stop_reason": "02",
        },
    )  # fmt: skip
    case = client.get(filed.headers["Location"], follow_redirects=True).text
    steps = re.search(r'<ol class="steps.*?</ol>', case, re.S)[0]
    assert re.findall(r"填写|确认|上传材料|核对提交", steps) == ["填写", "上传材料", "核对提交"]
    assert "批量离退休减员" in case
