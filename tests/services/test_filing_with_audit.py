"""Nantong: pending stage, submission, audit, correction; and Huai'an's recall."""

from datetime import datetime

import pytest

from app.clock import to_utc
from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import audits, declarations, reviewing
from app.store.models import (
    ContributionLine,
    Declaration,
    Enrolment,
    Event,
    HumanTask,
    Outbox,
    ProcessInstance,
)
from tests.services.conftest import HUAIAN, NANTONG, citizen, huaian_form, nantong_form, rows, task_of


def one(reference: str) -> Declaration:
    return rows(Declaration, reference=reference)[0]


def test_the_way_to_approval(nantong, auditor, now):
    found = citizen(NANTONG, "not_insured")
    draft = declarations.save_draft(nantong, "enrol", {"id_number": found.id_number}, now)
    assert (draft.status, draft.next_step) == ("draft", "fill")
    pending = declarations.file(nantong, "enrol", nantong_form(found), now, reference=draft.reference)
    assert (pending.reference, pending.status, pending.next_step) == (draft.reference, "pending", "submit")
    case = one(draft.reference)
    assert (case.person_name, case.submitted_at_utc, case.submitted_by_id) == (found.name, None, None)
    assert case.open_key is not None

    result = declarations.submit(nantong, [draft.reference], now)
    assert (result.done, result.failed) == (1, 0)
    case = one(draft.reference)
    assert (case.status, case.submitted_by_id, case.submitted_at_utc) == (
        "submitted",
        nantong.id,
        to_utc(now),
    )
    assert rows(Enrolment, declaration_id=case.id) == []

    task = task_of(draft.reference)
    assert audits.claim(auditor, task, now).claimed_by == auditor.name
    assert one(draft.reference).status == "in_audit"
    receipt = audits.decide(auditor, task, "approve", "", [], now)
    assert receipt.status == "approved"
    case = one(draft.reference)
    assert (case.decision, case.decided_by_id, case.open_key) == ("approve", auditor.id, None)
    enrolled = rows(Enrolment, declaration_id=case.id)
    assert {(row.fund, row.from_month, row.base_fen) for row in enrolled} == {
        (fund, "2026-11", 800000) for fund in ("310", "330", "510", "410")
    }
    assert rows(HumanTask, declaration_id=case.id) == []
    assert rows(ProcessInstance, declaration_id=case.id)[0].status == "completed"


def test_the_inbox_row_shows_the_case_without_whole_numbers(submitted, now):
    receipt = submitted(1)
    found = citizen(NANTONG, "not_insured", 1)
    (task,) = rows(HumanTask, reference=receipt.reference)
    assert task.summary["person_name"] == found.name
    assert task.summary["id_masked"] == f"{found.id_number[:4]}*****{found.id_number[-4:]}"
    assert (task.summary["start_month"], task.summary["wage_yuan"]) == ("2026-11", "8000.00")
    assert found.id_number not in str(task.summary)
    # Wednesday the 18th and five working days
    assert task.due_at_utc == to_utc(datetime(2026, 11, 25, 10))
    assert (task.role, task.process_id, task.element_id) == ("auditor", "audit", "first_audit")


def test_the_history_names_who_did_what(submitted, auditor, nantong, now):
    receipt = submitted()
    audits.decide(auditor, task_of(receipt.reference), "approve", "同意", [], now)
    case = one(receipt.reference)
    history = [
        (event.element_id, event.action, event.actor_id) for event in rows(Event, declaration_id=case.id)
    ]
    assert ("fill", "completed", nantong.id) in history
    assert ("first_audit", "decided_approve", auditor.id) in history
    assert ("apply", "completed", None) in history
    assert [element for element, action, _ in history if action == "waiting"] == ["first_audit"]


def test_a_late_approval_reaches_the_months_settled_meanwhile(nantong, auditor, now):
    found = citizen(NANTONG, "not_insured", 2)
    receipt = declarations.file(nantong, "enrol", nantong_form(found, "2026-09"), now, submit_now=True)
    later = datetime(2027, 1, 25, 9)
    shown = reviewing.review(auditor, receipt.reference, later).amounts
    audits.decide(auditor, task_of(receipt.reference), "approve", "", [], later)
    assert shown is not None
    charged = rows(ContributionLine, declaration_id=one(receipt.reference).id)
    # the auditor saw what the approval then charged
    assert sorted(
        (line.fund, line.party, line.accrual_month, line.due_month) for line in shown.lines
    ) == sorted((line.fund, line.party, line.accrual_month, line.due_month) for line in charged)
    lines = rows(ContributionLine, declaration_id=one(receipt.reference).id)
    # the start stays; on the 25th of January the months up to January are settled, without this person
    assert sorted({line.accrual_month for line in lines}) == [
        "2026-09", "2026-10", "2026-11", "2026-12", "2027-01",
    ]  # fmt: skip
    assert {(line.due_month, line.due_type) for line in lines} == {("2027-01", "31")}


def test_a_return_names_fields_and_comes_back(returned, nantong, auditor, now):
    receipt = returned()
    assert (receipt.status, receipt.next_step) == ("returned", "correct")
    case = one(receipt.reference)
    assert (case.return_fields, case.opinion) == (["wage_yuan"], "工资与劳动合同不符")
    assert [row.payload["template"] for row in rows(Outbox)] == ["returned"]

    form = nantong_form(citizen(NANTONG, "not_insured"), wage="9000")
    again = declarations.file(nantong, "enrol", form, now, reference=receipt.reference)
    assert again.status == "submitted"
    view = declarations.get_case(auditor, receipt.reference, now)
    assert list(view.changed_fields) == ["wage_yuan"]
    assert view.data["wage_yuan"] == "9000.00"
    audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now)
    assert {row.wage_fen for row in rows(Enrolment, declaration_id=case.id)} == {900000}


def test_a_correction_is_about_the_same_person(returned, nantong, now):
    receipt = returned()
    form = nantong_form(citizen(NANTONG, "not_insured", 5))
    with pytest.raises(Rejected) as caught:
        declarations.file(nantong, "enrol", form, now, reference=receipt.reference)
    assert [error.code for error in caught.value.errors] == ["correct.other_person"]


def test_a_returned_case_can_be_dropped(returned, nantong, now):
    receipt = returned()
    assert declarations.discard(nantong, [receipt.reference], now).done == 1
    assert one(receipt.reference).status == "discarded"


def test_a_rejection_can_be_filed_again(submitted, nantong, auditor, now):
    first = submitted()
    receipt = audits.decide(auditor, task_of(first.reference), "reject", "材料与实际不符", [], now)
    assert receipt.status == "rejected"
    case = one(first.reference)
    assert rows(Enrolment, declaration_id=case.id) == []
    assert case.open_key is None
    data = declarations.copy(nantong, first.reference, now)
    again = declarations.file(nantong, "enrol", data, now, copied_from=first.reference)
    assert again.status == "pending"
    assert one(again.reference).copied_from_id == case.id
    assert declarations.get_case(nantong, again.reference, now).copied_from == first.reference


def test_refusing_and_returning_need_a_reason(submitted, auditor, now):
    task = task_of(submitted().reference)
    for decision in ("reject", "return"):
        with pytest.raises(Rejected) as caught:
            audits.decide(auditor, task, decision, "  ", ["wage_yuan"], now)
        assert [error.field for error in caught.value.errors] == ["opinion"]
    with pytest.raises(Rejected) as caught:
        audits.decide(auditor, task, "shred", "好", [], now)
    assert [error.field for error in caught.value.errors] == ["decision"]
    with pytest.raises(Rejected) as caught:
        audits.decide(auditor, task, "return", "请改", ["no_such_field"], now)
    assert [error.field for error in caught.value.errors] == ["return_fields"]


def test_one_open_declaration_per_person(nantong, now):
    found = citizen(NANTONG, "not_insured")
    declarations.file(nantong, "enrol", nantong_form(found), now)
    for act in (declarations.file, declarations.check):
        try:
            result = act(nantong, "enrol", nantong_form(found), now)
            errors = result.errors
        except Rejected as refused:
            errors = refused.errors
        assert [error.message for error in errors] == [
            "同一申报对象如有未审核完毕的申报信息，不允许对其进行新的业务申报"
        ]
    # a draft blocks nobody, nor is it blocked
    assert declarations.save_draft(nantong, "enrol", nantong_form(found), now).status == "draft"


def test_discarding_frees_the_person(nantong, now):
    found = citizen(NANTONG, "not_insured")
    first = declarations.file(nantong, "enrol", nantong_form(found), now)
    assert declarations.discard(nantong, [first.reference], now).done == 1
    assert one(first.reference).status == "discarded"
    assert declarations.file(nantong, "enrol", nantong_form(found), now).status == "pending"


def test_the_whole_kind_at_once(nantong, now):
    for place in range(4):
        form = nantong_form(citizen(NANTONG, "not_insured", place))
        declarations.file(nantong, "enrol", form, now)
    gone = declarations.submit(nantong, [rows(Declaration)[0].reference, "261118-AAAAAAAAAA"], now)
    assert [item.ok for item in gone.items] == [True, False]
    assert gone.items[1].code == "stale"
    result = declarations.submit_all(nantong, "enrol", now)
    assert (result.done, result.failed) == (3, 0)
    assert {row.status for row in rows(Declaration)} == {"submitted"}
    assert declarations.submit_all(nantong, "enrol", now).items == []
    assert declarations.discard_all(nantong, "enrol", now).items == []


def test_one_bad_record_stops_no_other(nantong, auditor, now):
    references = [
        declarations.file(
            nantong, "enrol", nantong_form(citizen(NANTONG, "not_insured", place)), now
        ).reference
        for place in range(3)
    ]
    # since it was put aside, the second start month has become too early
    much_later = datetime(2029, 12, 3, 9)
    result = declarations.submit(nantong, references, much_later)
    assert {item.code for item in result.items} == {"enrol.start_too_early"}
    assert all(item.message for item in result.items)
    result = declarations.submit(nantong, references, now)
    assert result.done == 3


def test_nobody_decides_his_own_case(nantong, submitted, auditor, now):
    from dataclasses import replace

    receipt = submitted()
    both = replace(auditor, id=nantong.id)
    with pytest.raises(Forbidden):
        audits.decide(both, task_of(receipt.reference), "approve", "", [], now)
    with pytest.raises(Forbidden):
        audits.claim(both, task_of(receipt.reference), now)
    assert audits.claim_next(both, now) is None


def test_only_the_own_rows(person, submitted, nantong, suzhou, now):
    receipt = submitted()
    with pytest.raises(NotFound):
        declarations.get_case(suzhou, receipt.reference, now)
    assert [item.code for item in declarations.submit(suzhou, [receipt.reference], now).items] == [
        "not_found"
    ]
    with pytest.raises(NotFound):
        declarations.file(nantong, "enrol", {}, now, employer_id=suzhou.employer_id)
    with pytest.raises(NotFound):
        audits.claim(person("suzhou.auditor"), task_of(receipt.reference), now)
    with pytest.raises(Forbidden):
        audits.claim(nantong, task_of(receipt.reference), now)
    with pytest.raises(Forbidden):
        declarations.file(person("nantong.auditor"), "enrol", {}, now)


def test_claims(submitted, auditor, second_auditor, now):
    receipt = submitted()
    task = task_of(receipt.reference)
    audits.claim(auditor, task, now)
    for act in (
        lambda: audits.claim(second_auditor, task, now),
        lambda: audits.decide(second_auditor, task, "approve", "", [], now),
    ):
        with pytest.raises(Conflict) as caught:
            act()
        assert auditor.name in str(caught.value)
    with pytest.raises(Conflict):
        audits.release(second_auditor, task, now)
    audits.release(auditor, task, now)
    assert one(receipt.reference).status == "submitted"
    assert audits.claim_next(second_auditor, now).id == task
    assert audits.claim_next(auditor, now) is None


def test_the_most_urgent_task_comes_first(submitted, auditor, nantong, now):
    early = submitted(0)
    form = nantong_form(citizen(NANTONG, "not_insured", 1))
    declarations.file(nantong, "enrol", form, datetime(2026, 11, 17, 9), submit_now=True)
    assert audits.claim_next(auditor, now).due_at == datetime(2026, 11, 24, 9)
    assert audits.claim_next(auditor, now).id == task_of(early.reference)


def test_a_stale_page_says_so(submitted, auditor, nantong, now):
    receipt = submitted()
    task = task_of(receipt.reference)
    audits.decide(auditor, task, "approve", "", [], now)
    with pytest.raises(Conflict):
        audits.decide(auditor, task, "reject", "晚了", [], now)
    with pytest.raises(Conflict):
        declarations.file(nantong, "enrol", {}, now, reference=receipt.reference)
    with pytest.raises(Conflict):
        declarations.recall(nantong, receipt.reference, now)


def test_what_changed_since_the_submission_is_told_to_the_auditor(submitted, person, auditor, now):
    from app.store.enrolments import add_enrolments, enrolment_values
    from app.store.ids import new_id
    from app.store.session import transaction

    receipt = submitted()
    case = one(receipt.reference)
    with transaction():
        add_enrolments(
            [
                enrolment_values(
                    id=new_id(), region=NANTONG, person_id=case.person_id, employer_id=case.employer_id,
                    fund="310", person_type="1101", from_month="2026-10",
                )
            ]
        )  # fmt: skip
    with pytest.raises(Rejected) as caught:
        audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now)
    assert [error.code for error in caught.value.errors] == ["enrol.active_at_employer"]
    assert one(receipt.reference).status == "submitted"


def test_recall_where_the_region_has_it(person, now):
    handler, auditor = person("huaian.handler"), person("huaian.auditor")
    found = citizen(HUAIAN, "unknown")
    receipt = declarations.file(handler, "enrol", huaian_form(found), now)
    assert receipt.status == "submitted"
    view = declarations.get_case(handler, receipt.reference, now)
    assert "recall" in view.allowed
    task = task_of(receipt.reference)
    recalled = declarations.recall(handler, receipt.reference, now)
    assert recalled.status == "recalled"
    assert rows(HumanTask, reference=receipt.reference) == []
    with pytest.raises(Conflict):
        audits.decide(auditor, task, "approve", "", [], now)
    again = declarations.file(handler, "enrol", huaian_form(found), now)
    assert again.status == "submitted"


def test_no_recall_where_the_region_has_none(submitted, nantong, now):
    receipt = submitted()
    with pytest.raises(Conflict) as caught:
        declarations.recall(nantong, receipt.reference, now)
    assert "不能撤销" in str(caught.value)
    assert one(receipt.reference).status == "submitted"


def test_a_counter_clerk_files_and_somebody_else_decides(person, auditor, now):
    from dataclasses import replace

    clerk = person("nantong.counter")
    employer = person("nantong.handler").employer_id
    found = citizen(NANTONG, "unknown")
    form = nantong_form(found)
    with pytest.raises(NotFound):
        declarations.file(clerk, "enrol", form, now)
    receipt = declarations.file(
        clerk, "enrol", nantong_form(citizen(NANTONG, "not_insured")), now, employer_id=employer
    )
    assert receipt.status == "submitted"
    assert one(receipt.reference).channel == "02"
    with pytest.raises(Forbidden):
        audits.decide(replace(auditor, id=clerk.id), task_of(receipt.reference), "approve", "", [], now)
    assert audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now).status == "approved"
