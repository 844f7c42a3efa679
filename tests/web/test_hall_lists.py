"""Drafts, pending and submitted records over HTTP."""

import re

from app.web import records
from tests.web.visits import (
    NANTONG,
    citizen,
    hidden,
    nantong_form,
    pend,
    status_of,
)


def test_drafts_are_kept_continued_and_dropped(visit, app):
    visitor = visit("nantong.handler")
    person = citizen(app, NANTONG)
    answer = visitor.post(
        "/declare/enrol/autosave", {"id_number": person.id_number, "token": "261118-0123456789"}
    )
    assert answer.json["reference"] == "261118-0123456789"
    assert "自动保存" in answer.json["message"]
    page = visitor.get("/declare/enrol?reference=261118-0123456789").text
    assert f'value="{person.id_number}"' in page
    assert f'value="{person.name}"' in page
    assert "261118-0123456789" in visitor.get("/drafts").text
    assert ">待提交<span" in visitor.get("/drafts").text

    asked = visitor.post("/pending/discard", {"one": "261118-0123456789", "from": "drafts"})
    assert "删除 1 条" in asked.text
    gone = visitor.post("/pending/discard", {"ref": "261118-0123456789", "from": "drafts", "confirmed": "1"})
    assert gone.location == "/drafts"
    assert status_of(app, "261118-0123456789") == "discarded"


def test_all_are_submitted_slice_by_slice(visit, app, monkeypatch):
    visitor = visit("nantong.handler")
    references = pend(visitor, app, 5)
    monkeypatch.setattr("app.services.bulk.CHUNK", 2)
    monkeypatch.setattr(records, "run_slice", _hurried(records.run_slice))

    asked = visitor.post("/pending/all/submit", {"kind": "enrol"}, headers={"X-Dialog": "1"})
    assert "将提交 5 条职工增加申报" in asked.text
    form = {
        "kind": "enrol",
        "until": hidden(asked.text, "until"),
        "total": hidden(asked.text, "total"),
        "confirmed": "1",
    }
    # somebody files one more meanwhile: nobody has agreed to that one
    late = visitor.post(
        "/declare/enrol", {**nantong_form(citizen(app, NANTONG, place=5)), "action": "file"}
    ).location.split("/")[2]
    pages = 0
    answer = visitor.post("/pending/all/submit", form)
    while answer.status_code == 200:
        pages += 1
        assert 'data-state="running"' in answer.text
        form |= {name: hidden(answer.text, name) for name in ("after", "done", "failed")}
        answer = visitor.post("/pending/all/submit", form)
    assert pages == 2
    assert answer.location.startswith("/pending")
    assert "已提交 5 条申报。" in visitor.get(answer.location).text
    assert {status_of(app, each) for each in references} == {"submitted"}
    assert status_of(app, late) == "pending"


def _hurried(run):
    return lambda *given: run(*given, seconds=-1.0)


def test_what_cannot_be_submitted_stays_and_is_named(visit, app, clock):
    visitor = visit("nantong.handler")
    # the start was allowed on the day of filing; by the day of submission the person is insured elsewhere
    (reference,) = pend(visitor, app, 1)
    clock.set("2030-01-10T10:00:00")
    answer = visitor.post("/pending/submit", {"one": reference, "kind": "enrol"})
    page = visitor.get(answer.location).text
    assert f"申报 {reference} 未能办理" in page
    assert status_of(app, reference) == "pending"


def test_nothing_is_chosen(visit):
    answer = visit("nantong.handler").post("/pending/submit", {"kind": "enrol"})
    assert answer.status_code == 422
    assert "请先勾选要办理的记录。" in answer.text


def test_a_reviewer_may_submit_and_not_file(visit, app):
    (reference,) = pend(visit("nantong.handler"), app, 1)
    reviewer = visit("nantong.reviewer")
    assert reviewer.get("/declare/enrol").status_code == 403
    page = reviewer.get("/pending").text
    assert "全部提交" in page
    assert "删除申报" not in page
    answer = reviewer.post(f"/cases/{reference}/submit")
    assert answer.location == f"/cases/{reference}/receipt"
    assert status_of(app, reference) == "submitted"


def test_lists_are_paged_by_position_and_filtered_by_address(visit, app, monkeypatch):
    visitor = visit("nantong.handler")
    references = pend(visitor, app, 5)
    monkeypatch.setattr(records, "PAGE", 2)
    seen, address = [], "/pending?kind=enrol"
    while address:
        page = visitor.get(address).text
        seen.append(re.findall(r'<tr data-row data-ref="([^"]+)"', page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == [references[:2:-1], references[2:0:-1], references[:1]]
    back = re.search(r'rel="prev" href="([^"]+)"', page)[1].replace("&amp;", "&")
    page = visitor.get(back).text
    assert re.findall(r'<tr data-row data-ref="([^"]+)"', page) == references[2:0:-1]

    for reference in references:
        visitor.post("/pending/submit", {"one": reference, "kind": "enrol"})
    person = citizen(app, NANTONG, place=3)
    for query in (person.id_number, person.name, references[3]):
        page = visitor.get("/submitted", query_string={"q": query}).text
        assert re.findall(r'<tr data-row data-ref="([^"]+)"', page) == [references[3]], query
    assert "没有符合条件的申报" in visitor.get("/submitted?month=2026-10").text
    assert references[4] in visitor.get("/submitted?month=202611&status=submitted").text
    assert "没有符合条件的申报" in visitor.get("/submitted?status=rejected").text
