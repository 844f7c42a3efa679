"""The pages of figures announced late: who sees them, what is shown, asked, refused and written."""

import re
import sys

import pytest

from app.clock import now as clock_now
from app.extensions import db
from app.services import adjustment_runs, assessing
from app.store.models import Adjustment, ContributionLine
from tests.fixtures.database import TEST_NOW
from tests.services.late_figures import announce

MONTH, SUZHOU = "2026-11", "320500"
PAGE = "/ledger/adjustments"
SPAN = {"from_month": MONTH, "to_month": MONTH}


@pytest.fixture
def announced(app):
    """November is assessed, and a higher floor is published afterwards."""
    with app.app_context():
        assessing.assess(MONTH, TEST_NOW, region=SUZHOU)
        announce(SUZHOU, MONTH, base__floor="7000")
        db.session.remove()


def work(app) -> int:
    """What the job does; gives the newest run."""
    with app.app_context():
        run_id = db.session.scalars(db.select(Adjustment.run_id).order_by(Adjustment.id.desc())).first()
        adjustment_runs.run(run_id, clock_now())
        db.session.remove()
        return run_id


def digest_of(text: str) -> str:
    return re.search(r'name="digest" value="(\w+)"', text)[1]


def state_of(text: str) -> str:
    return re.search(r'id="adjustment" data-run="\d+" data-state="(\w+)"', text)[1]


def written(app) -> int:
    with app.app_context():
        query = db.select(db.func.count()).where(
            ContributionLine.due_type.in_(("34", "35")), ContributionLine.declaration_id.is_(None)
        )
        found = db.session.scalar(query)
        db.session.remove()
        return found


def test_from_the_form_to_the_employers_notice(app, visit, announced):
    browser = visit("suzhou.supervisor")
    page = browser.get(PAGE)
    assert "还没有补差记录" in page.text
    assert f'href="{PAGE}"' in browser.get("/ledger").text
    started = browser.post(PAGE, SPAN)
    assert started.status_code == 303
    address = started.headers["Location"]
    counting = browser.get(address).text
    assert (state_of(counting), "hx-trigger" in counting) == ("counting", True)
    assert browser.post(PAGE, SPAN).headers["Location"] == address
    work(app)

    shown = browser.get(address).text
    assert (state_of(shown), "hx-trigger" in shown) == ("ready", False)
    for words in (
        "待写入",
        "缴费基数调整补收",
        "单位缴费差额",
        "个人账户差额",
        "各单位",
        "职工基本医疗保险",
    ):
        assert words in shown
    assert re.findall(r'data-employer="(\d+)"', shown)
    assert re.findall(r'data-sum="waiting" data-fund="(\d+)" data-type="(\d+)"', shown)[0] == ("310", "34")
    digest = digest_of(shown)
    asked = browser.post(f"{address}/confirm", {"digest": digest})
    assert asked.status_code == 200
    assert "我已核对预览中的单位、险种和金额" in asked.text
    assert browser.post(f"{address}/confirm", {"digest": digest, "confirmed": "1"}).status_code == 200
    assert written(app) == 0
    agreed = {"digest": digest, "confirmed": "1", "tick": "1"}
    assert browser.post(f"{address}/confirm", agreed).status_code == 303
    assert state_of(browser.get(address).text) == "queued"
    assert browser.post(f"{address}/confirm", agreed).status_code == 409
    work(app)

    done = browser.get(address).text
    assert state_of(done) == "finished"
    assert 'data-sum="written"' in done
    assert 'data-sum="waiting"' not in done
    count = written(app)
    assert count > 0
    work(app)
    assert written(app) == count
    listed = browser.get(PAGE).text
    assert re.findall(r'data-state="(\w+)"', listed) == ["finished"]

    mine = visit("suzhou.handler").get("/payment-notices?month=2026-11").text
    number = re.findall(r'data-notice="(\d+)"', mine)
    own = [visit("suzhou.handler").get(f"/payment-notices/{each}").text for each in number]
    assert any('data-type="34"' in text and "缴费基数调整补收" in text for text in own)


def test_published_again_meanwhile_the_new_amounts_are_shown(app, visit, announced):
    browser = visit("suzhou.supervisor")
    address = browser.post(PAGE, SPAN).headers["Location"]
    work(app)
    seen = digest_of(browser.get(address).text)
    with app.app_context():
        announce(SUZHOU, MONTH, base__floor="7300")
        db.session.remove()
    browser.post(f"{address}/confirm", {"digest": seen, "confirmed": "1", "tick": "1"})
    work(app)
    changed = browser.get(address).text
    assert state_of(changed) == "ready"
    assert "预览后金额有变化" in changed
    assert written(app) == 0
    refused = browser.post(f"{address}/confirm", {"digest": seen, "confirmed": "1", "tick": "1"})
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert "预览的金额已有变化" in refused.text
    assert digest_of(refused.text) != seen
    agreed = {"digest": digest_of(refused.text), "confirmed": "1", "tick": "1"}
    assert browser.post(f"{address}/confirm", agreed).status_code == 303
    work(app)
    assert state_of(browser.get(address).text) == "finished"


def test_without_differences_the_page_says_so(app, visit):
    browser = visit("suzhou.supervisor")
    address = browser.post(PAGE, SPAN).headers["Location"]
    work(app)
    page = browser.get(address).text
    assert state_of(page) == "finished"
    assert "没有差额" in page
    assert "digest" not in page


def test_what_is_refused_stands_at_its_field(visit):
    browser = visit("suzhou.supervisor")
    for wrong, field in (
        ({"from_month": "x"}, "from_month"),
        ({"to_month": "2026-13"}, "to_month"),
        ({"to_month": "2026-10"}, "to_month"),
        ({"to_month": "2027-05"}, "to_month"),
        ({"employer_no": "32010000001"}, "employer_no"),
        ({"employer_no": "x' OR 1=1"}, "employer_no"),
    ):
        refused = browser.post(PAGE, SPAN | wrong)
        assert refused.status_code == 422
        assert f'id="error-{field}"' in refused.text
    assert browser.post(PAGE, SPAN | {"region": "320100"}).status_code == 404


def test_who_may(app, visit, announced):
    browser = visit("suzhou.supervisor")
    address = browser.post(PAGE, SPAN).headers["Location"]
    work(app)
    for name, status in (
        ("suzhou.auditor", 403), ("suzhou.counter", 403), ("suzhou.handler", 403), ("nanjing.supervisor", 404)
    ):  # fmt: skip
        other = visit(name)
        assert other.get(address).status_code == status
        assert other.post(f"{address}/confirm", {"digest": "x"}).status_code == status
        if status == 403:
            assert other.get(PAGE).status_code == other.post(PAGE, SPAN).status_code == 403
    assert "data-run" not in visit("nanjing.supervisor").get(PAGE).text
    assert browser.get(f"{PAGE}/1").status_code == 404
    for odd in ("?after=x", "?after=99999999999999999999", "?before=x"):
        assert browser.get(address + odd).status_code == 200
        assert browser.get(PAGE + odd).status_code == 200


def test_a_run_that_failed_says_why_and_offers_another_preview(app, visit, announced):
    browser = visit("suzhou.supervisor")
    address = browser.post(PAGE, SPAN).headers["Location"]
    with app.app_context():
        from app.store.runs import set_run
        from app.store.session import transaction

        run_id = db.session.scalar(db.select(Adjustment.run_id))
        with transaction():
            words = "参数 base.floor 没有 2026-11 的数值，请先公布后再重新办理"
            set_run(run_id, state="failed", message=words)
        db.session.remove()
    page = browser.get(address).text
    assert (state_of(page), words in page, "重新预览" in page) == ("failed", True, True)
    browser.client.set_cookie("language", "en")
    assert "Parameter base.floor has no value for 2026-11" in browser.get(address).text


def test_stopped_and_previewed_again(app, visit, announced):
    browser = visit("suzhou.supervisor")
    address = browser.post(PAGE, SPAN).headers["Location"]
    assert f'action="{address}/stop"' in browser.get(address).text
    assert visit("nanjing.supervisor").post(f"{address}/stop").status_code == 404
    assert browser.post(f"{address}/stop").headers["Location"] == address
    work(app)
    page = browser.get(address).text
    assert (state_of(page), "重新预览" in page, "hx-trigger" in page) == ("stopped", True, False)
    assert browser.post(PAGE, SPAN).headers["Location"] != address
    work(app)
    again = browser.get(PAGE).text
    assert re.findall(r'data-state="(\w+)"', again) == ["ready", "stopped"]


def test_more_employers_than_a_page_holds(app, visit, announced, monkeypatch):
    monkeypatch.setattr(sys.modules["app.web.adjustments"], "EMPLOYERS", 1)
    browser = visit("suzhou.supervisor")
    address = browser.post(PAGE, SPAN).headers["Location"]
    work(app)
    first = browser.get(address).text
    (one,) = re.findall(r'data-employer="(\d+)"', first)
    following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    (other,) = re.findall(r'data-employer="(\d+)"', browser.get(following).text)
    assert one != other
