"""The inbox over HTTP: rows, boxes, filters, claims, paging, the opened case and its decision."""

import re
from datetime import timedelta

import pytest

from app.extensions import db
from app.store.accounts import find_user
from app.store.models import Declaration, Event, HumanTask
from app.store.session import transaction
from tests.fixtures.database import TEST_NOW
from tests.web.agency import Agency, decide
from tests.web.conftest import PASSWORD, post

OWN_CASE = "本人填报、提交或审核过的申报须由他人审核"


@pytest.fixture
def agency(app) -> Agency:
    return Agency(app)


def references(text: str) -> list[str]:
    """The rows of a page, in order."""
    return re.findall(r'data-row data-ref="([^"]+)" data-task="\d+"', text)


def status(agency: Agency, reference: str) -> str:
    with agency.app.app_context():
        found = db.session.execute(
            db.select(Declaration.status).where(Declaration.reference == reference)
        ).scalar_one()
        db.session.remove()
        return found


def test_rows_by_deadline_with_words_and_without_whole_numbers(agency):
    late = agency.file(0, TEST_NOW - timedelta(days=9))
    fresh = agency.file(1, wage_yuan="12345")
    text = agency.browser("nantong.auditor").get("/inbox").text
    assert references(text) == [late, fresh]
    assert "已超期 2 天" in text
    assert "还剩 5 个工作日" in text
    assert "缴费工资 12,345.00" in text
    assert "初审" in text
    person = agency.citizen(1)
    assert person.name in text
    assert person.id_number not in text
    assert f"{person.id_number[:4]}*****{person.id_number[-4:]}" in text
    assert 'data-side="agency"' in text


def test_claiming_moves_between_boxes(agency):
    first, second = agency.file(0), agency.file(1)
    auditor = agency.browser("nantong.auditor")
    answer = post(auditor, "/inbox/claim", "/inbox", task=str(agency.task(first)))
    assert answer.status_code == 303
    assert references(auditor.get("/inbox?box=mine").text) == [first]
    assert references(auditor.get("/inbox?box=group").text) == [second]
    assert references(auditor.get("/inbox").text) == [first, second]
    assert status(agency, first) == "in_audit"

    agency.add_auditor("t.colleague")
    colleague = agency.app.test_client()
    assert post(colleague, "/login", username="t.colleague", password=PASSWORD).status_code == 302
    assert references(colleague.get("/inbox").text) == [second]
    post(colleague, "/inbox/claim", "/inbox", one=str(agency.task(first)))
    assert "已由" in colleague.get("/inbox").text
    post(auditor, "/inbox/release", "/inbox", one=str(agency.task(first)))
    assert references(auditor.get("/inbox?box=mine").text) == []
    assert status(agency, first) == "submitted"


def test_the_next_one_is_the_most_urgent(agency):
    agency.file(0)
    urgent = agency.file(1, TEST_NOW - timedelta(days=3))
    auditor = agency.browser("nantong.auditor")
    answer = post(auditor, "/inbox/next", "/inbox", box="group")
    assert answer.status_code == 303
    opened = auditor.get(answer.location).text
    assert f'data-case="{urgent}"' in opened
    assert references(opened) == [urgent]
    post(auditor, "/inbox/next", "/inbox")
    answer = post(auditor, "/inbox/next", "/inbox")
    assert "组待办中没有可以认领的事项" in auditor.get(answer.location).text


def test_filters_and_searches(agency):
    late, fresh = agency.file(0, TEST_NOW - timedelta(days=9)), agency.file(1)
    auditor = agency.browser("nantong.auditor")
    person = agency.citizen(1)

    def found(query: str) -> list[str]:
        return references(auditor.get(f"/inbox?{query}").text)

    assert found("due=overdue") == [late]
    assert found("due=later") == [fresh]
    assert found("due=soon") == []
    assert found(f"q={fresh.lower()}") == [fresh]
    assert found(f"q={person.name}") == [fresh]
    assert found(f"q={person.id_number}") == [fresh]
    assert found("q=没有这个人") == []
    assert found("kind=enrol") == [late, fresh]
    assert found("kind=stop") == []
    assert found("step=first_audit") == [late, fresh]
    assert found("unit=32060000001") == [late, fresh]
    assert found("unit=不存在的单位") == []
    assert "没有符合条件的事项" in auditor.get("/inbox?kind=stop").text
    # nonsense in the address is no error
    assert found("box=nothing&after=x-y&before=9-9&size=7&open=1&due=never") == []


def test_pages_and_their_size(agency):
    made = [agency.file(place, TEST_NOW - timedelta(days=place % 3)) for place in range(6)]
    with agency.app.app_context():
        due = dict(db.session.execute(db.select(HumanTask.reference, HumanTask.due_at_utc)).all())
        ids = dict(db.session.execute(db.select(HumanTask.reference, HumanTask.id)).all())
        db.session.remove()
    order = sorted(made, key=lambda each: (due[each], ids[each]))
    auditor = agency.browser("nantong.auditor")
    from app.web import paging

    sizes = paging.SIZES
    paging.SIZES = (2, 4)
    try:
        first = auditor.get("/inbox?size=2").text
        assert references(first) == order[:2]
        assert "共 6 条" in first
        second = auditor.get(_link(first, "next")).text
        assert references(second) == order[2:4]
        third = auditor.get(_link(second, "next")).text
        assert references(third) == order[4:]
        assert _link(third, "next") == ""
        assert references(auditor.get(_link(third, "prev")).text) == order[2:4]
        # the size stays
        assert references(auditor.get("/inbox").text) == order[:2]
    finally:
        paging.SIZES = sizes


def _link(text: str, rel: str) -> str:
    match = re.search(rf'rel="{rel}" href="([^"]+)"', text)
    return match[1].replace("&amp;", "&") if match else ""


def test_a_decision_opens_the_next_case(agency):
    first, second = agency.file(0), agency.file(1)
    auditor = agency.browser("nantong.auditor")
    task = agency.task(first)
    text = auditor.get(f"/inbox?open={task}").text
    assert f'data-case="{first}"' in text
    assert f'data-case="{first}" data-status="submitted"' in text
    cursor = re.search(r'name="at" value="([^"]+)"', text)[1]
    answer = decide(auditor, task, "approve", at=cursor)
    assert answer.status_code == 303
    page = auditor.get(answer.location).text
    assert f"申报 {first} 已审核通过。" in page
    assert f'data-case="{second}"' in page
    assert status(agency, first) == "approved"
    assert "该事项已办结或已撤销" in auditor.get(f"/inbox?open={task}").text


def test_a_refused_decision_keeps_what_was_typed(agency):
    reference = agency.file(0)
    auditor, task = agency.browser("nantong.auditor"), agency.task(reference)
    answer = decide(auditor, task, "return", opinion="请改", return_fields=[])
    assert answer.status_code == 422
    assert "请至少选择一个需要补正的项目" in answer.text
    assert 'href="#field-return_fields"' in answer.text
    assert ">请改</textarea>" in answer.text
    answer = decide(auditor, task, "reject", opinion=" ")
    assert answer.status_code == 422
    assert 'href="#field-opinion"' in answer.text
    assert f'data-case="{reference}"' in answer.text
    assert status(agency, reference) == "submitted"


def test_somebody_was_faster(agency):
    reference = agency.file(0)
    task = agency.task(reference)
    agency.add_auditor("t.colleague")
    colleague = agency.app.test_client()
    post(colleague, "/login", username="t.colleague", password=PASSWORD)
    auditor = agency.browser("nantong.auditor")
    post(colleague, "/inbox/claim", "/inbox", one=str(task))
    held = decide(auditor, task, "approve")
    assert held.status_code == 409
    assert "另一审核员" in held.text
    decide(colleague, task, "approve")
    stale = decide(auditor, task, "reject", opinion="不符合")
    assert stale.status_code == 409
    assert "该任务已由他人办结，或申报已被撤销" in stale.text
    assert status(agency, reference) == "approved"


def test_four_eyes_and_other_regions(agency):
    reference = agency.file(0)
    task = agency.task(reference)
    auditor = agency.browser("nantong.auditor")
    stranger = agency.browser("suzhou.auditor")
    assert references(stranger.get("/inbox").text) == []
    assert f'data-case="{reference}"' not in stranger.get(f"/inbox?open={task}").text
    assert stranger.get(f"/cases/{reference}").status_code == 404
    assert stranger.get(f"/cases/{reference}/reveal").status_code == 404
    assert decide(stranger, task, "approve").status_code == 404

    with agency.app.app_context(), transaction():
        me = find_user("nantong.auditor").id
        db.session.execute(
            db.update(Declaration).where(Declaration.reference == reference).values(submitted_by_id=me)
        )
    answer = decide(auditor, task, "approve")
    assert answer.status_code == 403
    assert OWN_CASE in answer.text
    post(auditor, "/inbox/claim", "/inbox", one=str(task))
    assert OWN_CASE in auditor.get("/inbox").text
    post(auditor, "/inbox/approve", "/inbox", task=str(task), confirmed="1")
    assert OWN_CASE in auditor.get("/inbox").text
    assert status(agency, reference) == "submitted"


def test_what_i_decided(agency):
    good, bad = agency.file(0), agency.file(1)
    auditor = agency.browser("nantong.auditor")
    decide(auditor, agency.task(good), "approve", opinion="同意")
    decide(auditor, agency.task(bad), "reject", opinion="不符合条件")
    text = auditor.get("/audited").text
    assert set(re.findall(r'data-row data-ref="([^"]+)"', text)) == {good, bad}
    assert "不符合条件" in text
    for query, expected in (
        ("result=reject", {bad}),
        ("result=approve", {good}),
        ("month=2026-11", {good, bad}),
        ("month=2026-10", set()),
        ("kind=stop", set()),
        ("month=nonsense", {good, bad}),
    ):
        page = auditor.get(f"/audited?{query}").text
        assert set(re.findall(r'data-row data-ref="([^"]+)"', page)) == expected, query
    assert "还没有办结的事项" in agency.browser("nantong.senior").get("/audited").text


def test_a_supervisor_sees_the_region(agency):
    late, fresh = agency.file(0, TEST_NOW - timedelta(days=9)), agency.file(1)
    decided = agency.file(2)
    auditor = agency.browser("nantong.auditor")
    decide(auditor, agency.task(decided), "approve")
    post(auditor, "/inbox/claim", "/inbox", one=str(agency.task(fresh)))
    supervisor = agency.browser("nantong.supervisor")
    text = supervisor.get("/inbox").text
    assert references(text) == [late, fresh]
    figures = re.findall(r'class="card figure"><dt>([^<]+)</dt><dd>(?:<a[^>]*>)?(\d+)', text)
    assert figures == [("在办", "2"), ("超期", "1"), ("今日办结", "1")]
    page = supervisor.get(f"/cases/{fresh}").text
    assert 'name="decision"' not in page
    assert "已由" in page
    assert supervisor.get(f"/cases/{decided}").text.count('data-status="approved"') == 1


def test_whole_numbers_for_a_reason(agency):
    reference = agency.file(0)
    auditor = agency.browser("nantong.auditor")
    number = agency.citizen(0).id_number
    assert number not in auditor.get(f"/cases/{reference}").text
    address = f"/cases/{reference}/reveal"
    assert number not in auditor.get(address).text
    refused = post(auditor, address, "/inbox", reason="看")
    assert refused.status_code == 422
    assert number not in refused.text
    assert number in post(auditor, address, "/inbox", reason="核对身份证复印件").text
    with agency.app.app_context():
        event = db.session.execute(db.select(Event).where(Event.action == "revealed")).scalar_one()
        assert event.detail == {"reason": "核对身份证复印件", "fields": ["id_number"]}
        assert event.actor_id == agency.actor("nantong.auditor").id
        db.session.remove()


def test_one_decision_costs_few_statements(agency, statement_counter):
    first, second = agency.file(0), agency.file(1)
    auditor = agency.browser("nantong.auditor")
    decide(auditor, agency.task(first), "approve")
    token = re.search(r'name="csrf-token" content="([^"]+)"', auditor.get("/inbox").text)[1]
    task = agency.task(second)
    with statement_counter() as seen:
        answer = auditor.post(f"/inbox/{task}/decide", data={"csrf_token": token, "decision": "approve"})
    assert answer.status_code == 303
    assert len(seen.reads) <= 2
    assert seen.commits == 1
    assert seen.total <= 20
