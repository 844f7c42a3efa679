"""Cases over HTTP: corrections, copies, steps, diagrams, messages."""

import re

from app.clock import to_utc
from app.extensions import db
from app.services import audits, declarations
from app.services.actors import Actor
from app.store.models import Declaration, Event, HumanTask
from app.store.notices import add_notice
from app.store.session import transaction
from tests.fixtures.database import TEST_NOW
from tests.web.visits import (
    HUAIAN,
    NANTONG,
    SUZHOU,
    WEINAN,
    actor,
    citizen,
    nantong_form,
    pend,
    status_of,
    suzhou_form,
)


def test_a_returned_case_is_corrected_and_a_rejected_one_copied(visit, app):
    visitor = visit("nantong.handler")
    returned, rejected = pend(visitor, app, 2)
    for reference in (returned, rejected):
        visitor.post("/pending/submit", {"one": reference, "kind": "enrol"})
    with app.app_context():
        auditor = actor("nantong.auditor")
        _decide(auditor, returned, "return", ["wage_yuan"])
        _decide(auditor, rejected, "reject", [])
        db.session.remove()

    home = visitor.get("/hall").text
    assert "退回补正" in home
    assert home.count("工资与劳动合同不符") == 2
    assert "修改补正" in visitor.get(f"/cases/{returned}").text
    page = visitor.get(f"/declare/enrol?reference={returned}").text
    assert "工资与劳动合同不符" in page
    assert 'href="#field-wage_yuan"' in page

    person = citizen(app, NANTONG)
    changed = nantong_form(person, wage_yuan="8500")
    checked = visitor.post("/declare/enrol", {**changed, "reference": returned, "action": "check"})
    assert checked.status_code == 303, checked.text
    assert "重新提交" in visitor.get(checked.location).text
    other = citizen(app, NANTONG, place=4)
    moved = visitor.post("/declare/enrol", {**nantong_form(other), "reference": returned, "action": "check"})
    assert moved.status_code == 422
    assert "退回补正不能更换证件号码" in moved.text
    filed = visitor.post("/declare/enrol", {**changed, "reference": returned, "action": "file"})
    assert filed.location == f"/cases/{returned}/receipt"
    with app.app_context():
        case = declarations.get_case(actor("nantong.auditor"), returned, TEST_NOW)
        assert (case.status, list(case.changed_fields)) == ("submitted", ["wage_yuan"])
        db.session.remove()

    opinion = visitor.get(f"/cases/{rejected}/opinion").text
    assert "不通过" in opinion
    assert f"/declare/enrol?copy={rejected}" in opinion
    copied = visitor.get(f"/declare/enrol?copy={rejected}").text
    assert f'name="copied_from" value="{rejected}"' in copied
    form = nantong_form(citizen(app, NANTONG, place=1))
    again = visitor.post("/declare/enrol", {**form, "copied_from": rejected, "action": "file"})
    assert again.status_code == 303
    assert '>审核未通过<span class="bar-count"' in visitor.get("/hall").text
    assert rejected not in visitor.get("/hall").text


def _decide(auditor: Actor, reference: str, decision: str, fields: list[str]) -> None:
    task = db.session.scalars(db.select(HumanTask.id).where(HumanTask.reference == reference)).one()
    audits.decide(auditor, task, decision, "工资与劳动合同不符", fields, TEST_NOW)


def test_a_copy_says_what_the_rules_no_longer_allow(visit, app, clock):
    visitor = visit("suzhou.handler")
    form = suzhou_form(citizen(app, SUZHOU), start_date="2026-12-01")
    filed = visitor.post("/declare/enrol", {**form, "action": "file"})
    reference = filed.location.split("/")[2]
    clock.set("2030-06-12T10:00:00")
    page = visitor.get(f"/declare/enrol?copy={reference}").text
    assert "以下内容现在不能再用，已清空" in page
    assert "本次参保时间：" in page
    assert 'value="2026-12-01"' not in page


def test_a_case_belongs_to_its_employer(visit, app):
    (reference,) = pend(visit("nantong.handler"), app, 1)
    stranger = visit("suzhou.handler")
    for address in ("", "/receipt", "/opinion", "/diagram"):
        assert stranger.get(f"/cases/{reference}{address}").status_code == 404
    assert stranger.get(f"/declare/enrol?reference={reference}").status_code == 404
    assert stranger.post(f"/cases/{reference}/discard", {"confirmed": "1"}).status_code == 404
    stranger.post("/pending/discard", {"ref": reference, "confirmed": "1"})
    assert status_of(app, reference) == "pending"


def test_a_submitted_case_is_recalled_where_the_region_allows_it(visit, app):
    visitor = visit("huaian.handler")
    person = citizen(app, HUAIAN)
    form = suzhou_form(
        person, funds=["310", "330", "510"], bank_name="示例银行", bank_account_name=person.name,
        bank_account="6222000011112222", action="file",
    )  # fmt: skip
    reference = visitor.post("/declare/enrol", form).location.split("/")[2]
    assert "待审核数据查询" in visitor.get("/submitted").text
    assert reference in visitor.get("/submitted?view=waiting").text
    assert "撤销" in visitor.post(f"/cases/{reference}/recall").text
    visitor.post(f"/cases/{reference}/recall", {"confirmed": "1"})
    assert status_of(app, reference) == "recalled"
    assert reference in visitor.get("/submitted?view=recalled").text
    assert reference not in visitor.get("/submitted?view=waiting").text


def test_a_wizard_goes_on_and_back(visit, app):
    visitor = visit("weinan.handler")
    person = citizen(app, WEINAN)
    form = {
        "id_type": "01", "id_number": person.id_number, "name": person.name, "ethnicity": "01",
        "phone": person.phone, "first_work_date": "2020-01-01", "person_type": "1101",
        "start_month": "202611", "wage_yuan": "7000", "funds": ["310", "330", "510"], "action": "file",
    }  # fmt: skip
    answer = visitor.post("/declare/enrol", form)
    reference = answer.location.split("/")[2]
    page = visitor.get(answer.location).text
    for words in ("上一步", "下一步", "废弃"):
        assert words in page
    back = visitor.post(f"/cases/{reference}/proceed", {"decision": "back"})
    assert back.location == f"/declare/enrol?reference={reference}"
    visitor.post("/declare/enrol", {**form, "reference": reference})
    on = visitor.post(f"/cases/{reference}/proceed", {"decision": "next"})
    assert "上传材料" in visitor.get(on.location).text


def test_marks_come_from_the_history_alone(visit, app):
    visitor = visit("nantong.handler")
    (reference,) = pend(visitor, app, 1)
    found = visitor.get(f"/cases/{reference}/diagram").json["processes"]
    assert [process["id"] for process in found] == ["enrol", "audit", "materials"]
    marks = found[0]["marks"]
    assert (marks["fill"], marks["confirm"], marks["drafting"]) == ("done", "current", "current")
    assert found[0]["xml"].startswith("<?xml")
    with app.app_context():
        with transaction() as session:
            for event in session.scalars(db.select(Event).where(Event.element_id == "confirm")):
                event.element_id = "confirm_renamed"
        db.session.remove()
    marks = visitor.get(f"/cases/{reference}/diagram").json["processes"][0]["marks"]
    assert marks["confirm_renamed"] == "current"
    assert "confirm" not in marks


def test_drawings_speak_the_language_of_the_page(visit, app):
    visitor = visit("nantong.handler")
    (reference,) = pend(visitor, app, 1)
    drawn = visitor.get(f"/cases/{reference}/diagram").json["processes"][0]
    assert (drawn["name"], 'name="填写增员申报"' in drawn["xml"]) == ("参保登记", True)
    visitor.client.set_cookie("language", "en")
    drawn = visitor.get(f"/cases/{reference}/diagram").json["processes"][0]
    assert drawn["name"] == "Enrolment"
    assert '<bpmn:userTask id="fill" name="Fill in the enrolment">' in drawn["xml"]
    assert not re.search('<bpmn:[^>]* name="[^"]*[\u4e00-\u9fff]', drawn["xml"])


def test_messages_are_read(visit, app):
    visitor = visit("nantong.handler")
    (reference,) = pend(visitor, app, 1)
    with app.app_context():
        row = db.session.scalars(db.select(Declaration).where(Declaration.reference == reference)).one()
        given = {"employer_id": row.employer_id, "declaration_id": row.id}
        with transaction():
            add_notice(
                **given, outbox_id=1, title="申报需要补正", body="已退回补正", now_utc=to_utc(TEST_NOW)
            )
        db.session.remove()
    page = visitor.get("/messages").text
    assert "申报需要补正" in page
    assert f"/cases/{reference}" in page
    assert "全部标为已读" in page
    visitor.post("/messages/read")
    assert "全部标为已读" not in visitor.get("/messages").text


def test_nt_3_2_an_approved_enrolment_does_not_wait_for_approval(visit, app):
    visitor = visit("nantong.handler")
    (reference,) = pend(visitor, app, 1)
    assert "待审核" not in visitor.get(f"/cases/{reference}/receipt").text
    visitor.post("/pending/submit", {"one": reference, "kind": "enrol"})
    with app.app_context():
        _decide(actor("nantong.auditor"), reference, "approve", [])
        db.session.remove()
    page = visitor.get(f"/cases/{reference}/receipt").text
    assert "审核通过，职工增加申报已办结。" in page
    assert "审核通过后生效" not in page


def test_an_employers_own_case_names_no_person(visit, app):
    visitor = visit("nantong.handler")
    contact = {"contact_name": "张敏", "contact_phone": "051388888888", "address": "崇川区新路1号"}
    filed = visitor.post("/declare/employer_update", {**contact, "action": "file"})
    assert "证件号码" not in visitor.get(filed.location).text
    visitor.post("/pending/submit", {"one": filed.location.split("/")[2], "kind": "employer_update"})
    assert "未填写" not in visitor.get("/submitted").text


def test_no_act_reaches_another_employers_case(visit, app):
    """A reference that is not one's own is as unknown as one that nobody has, for every act."""
    (reference,) = pend(visit("nantong.handler"), app, 1)
    stranger = visit("huaian.handler")
    for act in ("submit", "discard", "recall", "proceed"):
        for unknown in (reference, "261112-NOSUCHCASE"):
            answer = stranger.post(f"/cases/{unknown}/{act}", {"confirmed": "1"})
            assert answer.status_code == 404, (act, answer.status_code)
    assert status_of(app, reference) == "pending"


def test_what_an_employer_has_not_handed_over_is_not_the_agencys(visit, app):
    visitor, auditor = visit("nantong.handler"), visit("nantong.auditor")
    reference, thrown_away = pend(visitor, app, 2)
    visitor.post(f"/cases/{thrown_away}/discard", {"confirmed": "1"})
    for page in ("", "/diagram", "/materials", "/receipt", "/reveal"):
        for each in (reference, thrown_away):
            answer = auditor.get(f"/cases/{each}{page}")
            assert answer.status_code == 404, (page, answer.text)
    asked = auditor.post(f"/cases/{reference}/reveal", {"reason": "核对身份证"})
    assert asked.status_code == 404
    visitor.post(f"/cases/{reference}/submit")
    assert auditor.get(f"/cases/{reference}").status_code == 200


def test_a_receipt_names_the_list_as_the_citys_menu_does(visit, app):
    person = citizen(app, SUZHOU, "double_record")
    visitor = visit("suzhou.handler")
    filed = visitor.post("/declare/person_merge", {"id_number": person.id_number, "action": "file"})
    page = visitor.get(filed.location).text
    assert "结果可在“申报数据查询”查看，并有消息通知。" in page
