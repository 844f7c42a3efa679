"""The lists of the undeclared for employer and agency, and carrying their base on (SZ-4, JS-3.8)."""

import re

import pytest

from app.clock import now as clock_now
from app.config import DEMO_PASSWORD
from app.extensions import db
from app.services import carry_runs
from app.store.models import Declaration
from tests.web.agency import Agency, decide
from tests.web.conftest import post


@pytest.fixture
def agency(app) -> Agency:
    return Agency(app)


def test_the_employers_own_list(agency):
    page = agency.browser("huaian.handler").get("/base-year")
    assert page.status_code == 200
    assert "基数未申报人员" in page.text
    assert "2026-07 起的基数年度" in page.text
    assert page.text.count("data-person=") > 0
    assert agency.browser("nantong.handler").get("/base-year").status_code == 404
    assert agency.browser("huaian.handler").get("/base-years").status_code == 403


def test_the_counter_carries_on_and_another_decides(app, agency):
    clerk = agency.browser("huaian.counter")
    page = clerk.get("/base-years").text
    number = re.search(r'data-employer="([^"]+)"', page)[1]
    assert "全部结转" in page
    employer = re.search(r'href="(/base-years/\d+)"', page)[1]
    assert "未申报" in clerk.get(employer).text
    form = clerk.get(f"/declare/base_carry?unit={number}")
    assert form.status_code == 200
    assert "按原缴费基数的100%执行" in form.text
    asked = post(clerk, "/base-years/carry", "/base-years", region="320800")
    assert asked.status_code == 200
    assert 'name="confirmed"' in asked.text
    done = post(clerk, "/base-years/carry", "/base-years", region="320800", confirmed="1")
    assert done.status_code == 303
    run_page = done.location
    assert 'data-state="queued"' in clerk.get(run_page).text
    with app.app_context():
        carry_runs.run(int(run_page.rpartition("/")[2]), clock_now())
        db.session.remove()
    page = clerk.get(run_page).text
    assert 'data-state="finished"' in page
    assert 'data-outcome="filed"' in page
    assert 'data-outcome="filed"' not in clerk.get(f"{run_page}?outcome=refused").text
    assert run_page in clerk.get("/base-years/runs").text
    assert post(clerk, f"{run_page}/stop", run_page).status_code == 303
    assert "已经结束" in clerk.get(run_page).text
    with app.app_context():
        reference = db.session.scalars(
            db.select(Declaration.reference).where(Declaration.kind == "base_carry")
        ).first()
    auditor = agency.browser("huaian.auditor")
    case = auditor.get(f"/cases/{reference}").text
    assert "将结转" in case
    # auditors see the list and carry nothing on themselves
    assert "全部结转" not in auditor.get("/base-years").text
    assert post(auditor, "/base-years/carry", "/base-years", region="320800").status_code == 403
    assert auditor.get(run_page).status_code == 403
    assert agency.browser("nantong.counter").get(run_page).status_code == 404
    decide(auditor, agency.task(reference), "approve")
    assert "结转成功" in clerk.get(f"/cases/{reference}").text
    assert agency.browser("nantong.auditor").get("/base-years").status_code == 404


def test_wn_2_4_the_form_leads_to_the_file(sign_in, clock):
    """Weinan takes yearly bases by file alone; the season is June and July."""
    clock.set("2026-06-16T10:00:00")
    client = sign_in("weinan.handler", DEMO_PASSWORD)
    answer = client.get("/declare/base_annual")
    assert (answer.status_code, answer.location) == (302, "/imports/base_annual")
    page = client.get("/imports/base_annual")
    assert page.status_code == 200
    assert "逐人申报" not in page.text
    assert "逐人申报" in sign_in("huaian.handler", DEMO_PASSWORD).get("/imports/base_annual").text
