"""The pages of bases and of supplementary collections: menu, form, trial card, check page and receipt."""

import re
from io import BytesIO

import pytest

from app.extensions import db
from app.services import declarations
from tests.fixtures.database import TEST_NOW
from tests.services.conftest import SUZHOU, suzhou_form
from tests.web.test_picking import file, handler, insured  # noqa: F401 - fixtures
from tests.web.visits import actor, citizen, token


def menu(client) -> set[str]:
    page = client.get("/", follow_redirects=True).text
    return set(re.findall(r'href="(/(?:declare|imports)/[a-z_]+)"', page))


def test_every_city_finds_what_it_offers(handler):  # noqa: F811
    found = {city: menu(handler(city)) for city in ("nantong", "huaian", "suzhou", "weinan", "nanjing")}
    assert {"/declare/base", "/imports/base"} <= found["nantong"]
    assert {"/declare/base", "/declare/collection"} <= found["huaian"]
    assert "/imports/base" not in found["huaian"]
    assert "/declare/collection_cancel" in found["suzhou"]
    assert not {"/declare/base", "/declare/collection"} & found["suzhou"]
    for city in ("weinan", "nanjing"):
        assert not {"/declare/base", "/declare/collection", "/declare/collection_cancel"} & found[city]


def test_nt_2_5_a_base_goes_to_the_pending_records(handler, insured):  # noqa: F811
    client, found = handler("nantong"), insured("nantong")
    form = client.get(f"/declare/base?person={found.person_id}").text
    assert f'value="{found.id_number}"' in form
    assert re.search(r'value="2026-11"[^>]*id="field-from_month"', form) or 'value="202611"' in form
    checked, receipt = file(client, "base", id_number=found.id_number, from_month="202611", wage_yuan="8000")
    assert "8,000.00" in checked
    assert "待提交" in receipt


def test_the_trial_card_follows_the_wage(handler, insured):  # noqa: F811
    client, found = handler("huaian"), insured("huaian")
    posted = {
        "csrf_token": token(client, "/declare/base"), "id_type": "01", "id_number": found.id_number,
        "from_month": "2026-12", "wage_yuan": "30000",
    }  # fmt: skip
    card = client.post("/declare/base/quote", data=posted).text
    assert re.search(r"data-trial-base>25,300\.00<", card)
    assert "按封顶线计算" in card


def test_sz_3_the_months_and_the_amount_are_shown_before_they_are_taken_back(app, handler):  # noqa: F811
    client, person = handler("suzhou"), citizen(app, SUZHOU, "unknown")
    with app.app_context():
        declarations.file(actor("suzhou.handler"), "enrol", suzhou_form(person, "2026-10-01"), TEST_NOW)
        db.session.remove()
    checked, receipt = file(client, "collection_cancel", id_type="01", id_number=person.id_number)
    assert "2026-10、2026-11" in checked
    assert "将冲销" in checked
    assert "补收核定撤销成功" in receipt


CITIES = ("huaian", "suzhou", "weinan", "nanjing")


@pytest.mark.parametrize("city", CITIES)
def test_sz_4_js_3_8_wn_2_4_the_module_is_there_in_its_season_only(handler, city, monkeypatch):  # noqa: F811
    client = handler(city)
    assert "/imports/base_annual" not in menu(client)
    monkeypatch.setattr("app.clock.now", lambda: TEST_NOW.replace(month=6))
    monkeypatch.setattr("app.clock.today", lambda: TEST_NOW.replace(month=6).date())
    assert "/imports/base_annual" in menu(client)
    page = client.get("/imports/base_annual").text
    assert "data-upload" in page
    assert "/base-year" in page


def test_sz_4_the_closed_module_says_when_it_opens(handler):  # noqa: F811
    client = handler("suzhou")
    page = client.get("/imports/base_annual")
    assert page.status_code == 200
    assert "开放时间为每年5月至6月" in page.text
    assert "data-upload" not in page.text
    form = client.get("/declare/base_annual")
    assert form.status_code == 200
    assert "开放时间为每年5月至6月" in form.text
    assert 'name="wage_yuan"' not in form.text
    posted = {"csrf_token": token(client, "/declare/collection_cancel")}
    posted["file"] = (BytesIO(b"x"), "申报.xlsx")
    answer = client.post("/imports/base_annual", data=posted, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "开放时间为每年5月至6月" in answer.text
