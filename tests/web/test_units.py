"""The page on which an admin links other unit numbers (WN-1.3d)."""

import re

from app import clock
from app.services import sms
from app.store import units
from app.store.models import Outbox
from tests.services.conftest import rows
from tests.web.test_operators import enter, post

WEINAN = "610500"


def form(app):
    with app.app_context():
        unit = units.find_unit(WEINAN, employer_no=f"{WEINAN}00004")
        return {"employer_no": unit.employer_no, "credit_code": unit.credit_code}


def newest_code(app) -> str:
    with app.app_context():
        for row in rows(Outbox):
            if row.topic == "sms":
                sms.deliver(row.id, clock.now())
        return re.search(r"验证码(\d{6})", sms.kept_messages()[0].text)[1]


def test_a_unit_is_linked_chosen_and_taken_away(app):
    client = enter(app, "weinan.admin")
    assert 'name="credit_code"' in client.get("/units").text
    wrong = post(client, "/units/link", "/units", **{**form(app), "credit_code": "91610500MA1WRONG00"})
    assert wrong.status_code == 422
    assert 'value="61050000004"' in wrong.text
    assert post(client, "/units/link", "/units", **form(app)).location == "/units"
    page = client.get("/units").text
    assert "139****0004" in page
    reference = re.search(r'action="/units/link/([^"]+)"', page)[1]
    case = client.get(f"/cases/{reference}")
    assert case.status_code == 200
    assert 'data-status="submitted"' in case.text
    assert post(client, f"/units/link/{reference}", "/units", code="000000").status_code == 422
    done = post(client, f"/units/link/{reference}", "/units", code=newest_code(app))
    assert done.location == "/units"
    page = client.get("/units").text
    assert "已关联" in page
    number = re.search(r'action="/units/(\d+)/unlink"', page)[1]
    assert 'name="confirmed" value="1"' in post(client, f"/units/{number}/unlink", "/units").text
    post(client, f"/units/{number}/unlink", "/units", confirmed="1")
    assert "61050000004" not in client.get("/units").text


def test_a_link_is_dropped(app):
    client = enter(app, "weinan.admin")
    post(client, "/units/link", "/units", **form(app))
    reference = re.search(r'action="/units/link/([^"]+)"', client.get("/units").text)[1]
    soon = post(client, f"/units/link/{reference}", "/units", act="resend")
    assert soon.status_code == 422
    assert post(client, f"/units/link/{reference}", "/units", act="drop").location == "/units"
    assert 'name="credit_code"' in client.get("/units").text


def test_where_a_region_links_nothing_the_page_only_lists(app):
    client = enter(app, "huaian.admin")
    assert 'name="credit_code"' not in client.get("/units").text
    assert post(client, "/units/link", "/units", employer_no="1", credit_code="2").status_code == 404
    assert post(client, "/units/1/unlink", "/units", confirmed="1").status_code == 404
    assert enter(app, "huaian.handler").get("/units").status_code == 403
