"""Pages of payment notices for both sides, and of assessments, payments and orders for the agency."""

import re
from datetime import date

import pytest

from app.clock import now as clock_now
from app.extensions import db
from app.services import assessing, assessment_runs, posting, runs
from app.store.models import ContributionLine, Employer, PaymentNotice, PaymentOrder, Run
from tests.fixtures.database import TEST_NOW
from tests.services.test_posting import refund_half

MONTH = "2026-11"


@pytest.fixture
def number(app) -> str:
    """The notice of Suzhou's smallest employer."""
    with app.app_context():
        employer = db.session.execute(db.select(Employer).filter_by(employer_no="32050000003")).scalar_one()
        done = assessing.assess(MONTH, TEST_NOW, employer_id=employer.id)
        db.session.remove()
    return done.notices[0]


def received(app, number: str) -> set:
    with app.app_context():
        found = db.session.scalars(
            db.select(ContributionLine.received_on)
            .join(PaymentNotice, PaymentNotice.id == ContributionLine.notice_id)
            .where(PaymentNotice.number == number)
        )
        answer = set(found)
        db.session.remove()
        return answer


def test_the_employer_reads_his_own_notices(visit, number):
    browser = visit("suzhou.handler")
    page = browser.get("/payment-notices").text
    assert 'data-notice="32052610' in page
    assert number not in page
    # one of his other employers: the address is his to read
    own = browser.get(f"/payment-notices/{number}")
    assert own.status_code == 200
    assert "登记到账" not in own.text
    assert browser.get("/ledger").status_code == 403
    assert browser.post(f"/payment-notices/{number}/payments").status_code == 403
    assert visit("nanjing.handler").get(f"/payment-notices/{number}").status_code == 404
    assert browser.get("/payment-notices/32059999").status_code == 404


def test_sz_7_3_the_notice_has_the_manuals_columns(visit, number):
    text = visit("suzhou.handler").get(f"/payment-notices/{number}").text
    for word in ("征集缴费通知单", "险种类型", "缴费类型", "个人缴费金额", "单位缴费金额", "利息", "滞纳金",
                 "其他缴费金额", "小计", "核定征集总额", "大写", "制表日期", "正常应缴", "圆"):  # fmt: skip
        assert word in text
    rows = re.findall(r'data-line data-fund="(\d+)"', text)
    assert rows[:3] == ["310", "320", "37001"]


def test_filters_and_paging_of_the_agency(visit, number):
    browser = visit("suzhou.supervisor")
    assert f'data-notice="{number}"' in browser.get("/payment-notices").text
    assert f'data-notice="{number}"' not in browser.get("/payment-notices?state=settled").text
    found = browser.get(f"/payment-notices?q={number}").text
    assert re.findall(r'data-notice="(\d+)"', found) == [number]
    assert number in browser.get("/payment-notices?month=2026-11&q=32050000003&state=open").text
    assert "没有符合条件的通知单" in browser.get("/payment-notices?month=2020-01").text
    for odd in ("after=x", "after=2026-11.x", "before=2026-13.1", "month=x", "state=x", "size=7"):
        assert browser.get(f"/payment-notices?{odd}").status_code == 200
    every = re.findall(r'data-notice="(\d+)"', browser.get("/payment-notices?size=100").text)
    with_cursor = browser.get("/payment-notices?after=2026-11.1")
    assert number not in with_cursor.text
    assert set(re.findall(r'data-notice="(\d+)"', with_cursor.text)) < set(every)
    assert number not in visit("nanjing.supervisor").get("/payment-notices").text


def test_a_payment_is_entered_and_shown(app, visit, number):
    browser = visit("suzhou.supervisor")
    address = f"/payment-notices/{number}"
    typed = re.search(r'name="amount_yuan" value="([\d.]+)"', browser.get(address).text)[1]
    for wrong in (
        {"received_on": "", "amount_yuan": typed},
        {"received_on": "2026-11-30", "amount_yuan": typed},
        {"received_on": "2026-11-17", "amount_yuan": "x"},
        {"received_on": "2026-11-17", "amount_yuan": "1.234"},
        {"received_on": "2026-11-17", "amount_yuan": "99999999"},
        {"received_on": "2026-11-17", "amount_yuan": "1e30"},
        {"received_on": "2026-11-17", "amount_yuan": "NaN"},
        {"received_on": "2026-11-17", "amount_yuan": "-Infinity"},
        {"received_on": "2026-11-17", "amount_yuan": "-5"},
        {"received_on": "0001-01-01", "amount_yuan": typed + "1"},
    ):
        refused = browser.post(f"{address}/payments", wrong)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
        assert f'value="{wrong["amount_yuan"]}"' in refused.text
    assert received(app, number) == {None}
    values = {"received_on": "2026-11-17", "amount_yuan": typed, "voucher": "8812"}
    assert browser.post(f"{address}/payments", values).status_code == 303
    page = browser.get(address).text
    assert 'data-state="paid"' in page
    assert "8812" in page
    assert None not in received(app, number)
    assert browser.post(f"{address}/payments", values).status_code == 303
    assert len(re.findall("data-posting", browser.get(address).text)) == 1
    assert number in browser.get("/payment-notices?state=settled").text


def test_a_part_is_entered(visit, number):
    browser = visit("suzhou.supervisor")
    address = f"/payment-notices/{number}"
    typed = re.search(r'name="amount_yuan" value="([\d.]+)"', browser.get(address).text)[1]
    half = str(int(float(typed)) // 2)
    browser.post(f"{address}/payments", {"received_on": "2026-11-17", "amount_yuan": half})
    assert 'data-state="partly"' in browser.get(address).text


def test_auditors_read_and_do_not_enter(visit, number):
    browser = visit("suzhou.auditor")
    assert browser.get(f"/payment-notices/{number}").status_code == 200
    assert browser.post(f"/payment-notices/{number}/payments").status_code == 403
    assert browser.get("/ledger").status_code == 403
    assert browser.get("/payment-orders").status_code == 403
    other = visit("nanjing.supervisor")
    assert other.post(f"/payment-notices/{number}/payments", {"received_on": "2026-11-17"}).status_code == 404


def test_an_assessment_is_asked_for_and_done_by_the_job(app, visit):
    browser = visit("suzhou.supervisor")
    assert "还没有核定记录" in browser.get("/ledger").text
    for wrong in ({"month": "x"}, {"month": "2027-05"}, {"month": MONTH, "employer_no": "32010000001"}):
        refused = browser.post("/ledger/assessments", wrong)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert browser.post("/ledger/assessments", {"month": MONTH}).status_code == 303
    assert browser.post("/ledger/assessments", {"month": MONTH}).status_code == 303
    page = browser.get("/ledger").text
    assert re.findall(r'data-state="(\w+)"', page) == ["queued"]
    with app.app_context():
        (run_id,) = db.session.scalars(db.select(Run.id))
        assessment_runs.run(run_id, clock_now())
        assessment_runs.run(run_id, clock_now())
        db.session.remove()
    page = browser.get("/ledger").text
    assert re.findall(r'data-state="(\w+)"', page) == ["finished"]
    assert not re.findall(r"data-run", visit("nanjing.supervisor").get("/ledger").text)
    assert "32052611" in browser.get("/payment-notices?month=2026-11").text


def test_a_run_that_died_is_taken_up_again(app, visit, monkeypatch):
    browser = visit("suzhou.supervisor")
    browser.post("/ledger/assessments", {"month": MONTH})
    enqueued = []
    monkeypatch.setattr(runs, "enqueue", lambda run_id, _kind: enqueued.append(run_id))
    with app.app_context():
        (run_id,) = db.session.scalars(db.select(Run.id))
        db.session.remove()
        assert runs.sweep() == 0
        monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
        assert runs.sweep() == 1
        assert enqueued == [run_id]

        def breaks(*_given, **_named):
            raise RuntimeError("broken")

        monkeypatch.setattr(assessment_runs.assessing, "assess", breaks)
        with pytest.raises(RuntimeError):
            assessment_runs.run(run_id, clock_now())
        db.session.remove()
    page = browser.get("/ledger").text
    assert 'data-state="failed"' in page
    assert "可以重新核定" in page
    browser.post("/ledger/assessments", {"month": MONTH})
    assert re.findall(r'data-state="(\w+)"', browser.get("/ledger").text) == ["queued", "failed"]


def test_orders_that_wait(visit):
    browser = visit("suzhou.supervisor")
    assert "没有待支付的支付单" in browser.get("/payment-orders").text
    assert browser.post("/payment-orders/1/paid", {"paid_on": "2026-11-17"}).status_code == 404
    assert browser.post("/payment-orders/1/paid", {"paid_on": "x"}).status_code == 303


@pytest.fixture
def due_back(app, number) -> str:
    """Half of a paid notice was taken back: the employer's number."""
    with app.app_context():
        posting.post(number, date(2026, 11, 17), TEST_NOW)
        refund_half(number)
        db.session.remove()
    return "32050000003"


def order_number(app) -> str:
    with app.app_context():
        found = db.session.scalars(db.select(PaymentOrder.number)).one()
        db.session.remove()
    return found


def test_what_is_due_back_is_seen_ordered_and_paid_by_two(app, visit, due_back):
    supervisor, senior = visit("suzhou.supervisor"), visit("suzhou.senior")
    assert f'data-employer="{due_back}"' in supervisor.get("/refunds").text
    page = supervisor.get(f"/refunds/{due_back}").text
    amount = re.search(r'name="amount_fen" value="(\d+)"', page)[1]
    assert f"{int(amount) / 100:,.2f}" in page
    assert "**** **** 0003" in page
    for seen in ("1", "", "x"):
        refused = supervisor.post(f"/refunds/{due_back}/orders", {"amount_fen": seen})
        assert refused.headers["Location"].endswith(f"/refunds/{due_back}")
    made = supervisor.post(f"/refunds/{due_back}/orders", {"amount_fen": amount})
    number = order_number(app)
    assert made.headers["Location"].endswith(f"/payment-orders/{number}")
    page = supervisor.get(f"/payment-orders/{number}").text
    for word in (
        "退费支付单",
        "收款人",
        "开户银行",
        "**** **** 0003",
        "大写",
        "圆",
        "小计",
        "待支付",
        number,
    ):
        assert word in page
    assert "6222" not in page
    paying = re.compile(r"/payment-orders/(\d+)/paid")
    # whoever ordered is not asked to pay
    assert not paying.search(page)
    listed = supervisor.get("/payment-orders").text
    assert number in listed
    assert not paying.search(listed)
    order_id = paying.search(senior.get("/payment-orders").text)[1]
    assert paying.search(senior.get(f"/payment-orders/{number}").text)[1] == order_id
    address = f"/payment-orders/{order_id}/paid"
    assert supervisor.post(address, {"paid_on": "2026-11-18"}).status_code == 303
    assert 'data-state="issued"' in senior.get(f"/payment-orders/{number}").text
    for day in ("2026-11-17", "2026-11-19", "x"):
        senior.post(address, {"paid_on": day})
        assert 'data-state="issued"' in senior.get(f"/payment-orders/{number}").text
    assert senior.post(address, {"paid_on": "2026-11-18"}).status_code == 303
    assert 'data-state="paid"' in senior.get(f"/payment-orders/{number}").text
    supervisor.post(f"/payment-orders/{order_id}/cancelled")
    assert 'data-state="paid"' in senior.get(f"/payment-orders/{number}").text
    assert number not in senior.get("/payment-orders").text
    assert "没有待退费用" in supervisor.get("/refunds").text


def test_an_order_is_made_void(app, visit, due_back):
    browser = visit("suzhou.supervisor")
    amount = re.search(r'name="amount_fen" value="(\d+)"', browser.get(f"/refunds/{due_back}").text)[1]
    browser.post(f"/refunds/{due_back}/orders", {"amount_fen": amount})
    number = order_number(app)
    voiding = re.search(r"/payment-orders/\d+/cancelled", browser.get(f"/payment-orders/{number}").text)[0]
    assert visit("suzhou.senior").post(voiding).status_code == 403
    assert browser.post(voiding).status_code == 303
    assert browser.post(voiding).status_code == 303
    assert 'data-state="cancelled"' in browser.get(f"/payment-orders/{number}").text
    assert f'data-employer="{due_back}"' in browser.get("/refunds").text


def test_who_sees_what_is_due_back(app, visit, due_back):
    handler, auditor = visit("suzhou.handler"), visit("suzhou.auditor")
    assert "没有待退费用" in handler.get("/refunds").text
    own = handler.get(f"/refunds/{due_back}").text
    assert "data-line" in own
    assert "开具退费支付单" not in own
    assert handler.post(f"/refunds/{due_back}/orders", {"amount_fen": "1"}).status_code == 403
    assert auditor.get(f"/refunds/{due_back}").status_code == 200
    assert auditor.post(f"/refunds/{due_back}/orders", {"amount_fen": "1"}).status_code == 403
    for stranger in (visit("nanjing.handler"), visit("nanjing.supervisor")):
        assert stranger.get(f"/refunds/{due_back}").status_code == 404
        assert stranger.get("/payment-orders/T320526110001").status_code == 404
    assert visit("nanjing.supervisor").post(f"/refunds/{due_back}/orders").status_code == 404
    assert handler.get("/payment-orders/no").status_code == 404
    supervisor = visit("suzhou.supervisor")
    amount = re.search(r'name="amount_fen" value="(\d+)"', supervisor.get(f"/refunds/{due_back}").text)[1]
    supervisor.post(f"/refunds/{due_back}/orders", {"amount_fen": amount})
    page = handler.get(f"/payment-orders/{order_number(app)}").text
    assert "退费支付单" in page
    assert "/cancelled" not in page
    # whose work it was at the agency is not the employer's business
    assert "开具人" not in page
