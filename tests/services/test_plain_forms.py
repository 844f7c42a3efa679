"""Kinds made of files alone (NT-8, JS-nav): judged by their own table, accepted once, kept as they are."""

import pytest
from sqlalchemy import update

from app.errors import Rejected
from app.extensions import db
from app.services import audits, declarations, forms, materials, reviewing, trials
from app.services.kinds import HANDLINGS
from app.store.models import Employer, Enrolment, Outbox, Person
from app.store.session import transaction
from tests.documents.samples import picture
from tests.services.conftest import rows, task_of
from tests.services.test_materials import work
from tests.services.test_stop import employee

MADE_OF_FILES = ("nursing_allowance", "maternity_bank", "feedback")


def a_man(actor, sex="1"):
    found = employee(actor)
    with transaction() as session:
        session.execute(update(Person).where(Person.id == found.person_id).values(sex=sex))
    return found


def allowance(found, **more):
    return {
        "id_number": found.id_number, "phone": "13900000000", "spouse_name": "示例配偶",
        "spouse_id_number": "P1234567", "child_birth_date": "2026-10-08",
        "leave_start_date": "2026-10-10", "leave_end_date": "2026-10-24", **more,
    }  # fmt: skip


def account(actor, **more):
    (employer,) = rows(Employer, id=actor.employer_id)
    return {
        "account_use": "corporate", "bank_name": "示例银行", "bank_account_name": employer.name,
        "bank_account": "6222000011112222", **more,
    }  # fmt: skip


def refusals(actor, kind, form, now):
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, kind, form, now)
    return {(error.code, error.field): error.message for error in caught.value.errors}


@pytest.fixture
def nanjing(person):
    return person("nanjing.handler")


def with_materials(actor, kind, form, items, now):
    made = declarations.file(actor, kind, form, now).reference
    for item in items:
        materials.upload(actor, made, item, "a.jpg", picture(), now)
    work(now)
    return declarations.proceed(actor, made, "next", now)


def test_no_module_treats_them():
    assert not {*MADE_OF_FILES} & {*HANDLINGS}


class TestNursingAllowance:
    def test_nt_8_is_kept_pending_then_audited_and_keeps_the_form(self, nantong, auditor, now):
        found = a_man(nantong)
        before = [row.to_month for row in rows(Enrolment, person_id=found.person_id)]
        both = ("marriage_certificate", "birth_certificate")
        pending = with_materials(nantong, "nursing_allowance", allowance(found), both, now)
        assert pending.status == "pending"
        assert declarations.submit(nantong, [pending.reference], now).done == 1
        done = audits.decide(auditor, task_of(pending.reference), "approve", "", [], now)
        assert (done.status, done.message_code) == ("approved", "nursing_allowance.accepted")
        assert done.message == "审核通过，护理假津贴申报已受理。"
        assert [row.to_month for row in rows(Enrolment, person_id=found.person_id)] == before
        notices = [row.payload["template"] for row in rows(Outbox, topic="notice")]
        assert "approved" in notices

    def test_nanjing_has_one_audit_and_no_pending_stage(self, nanjing, now):
        found = a_man(nanjing)
        both = ("marriage_certificate", "birth_certificate")
        sent = with_materials(nanjing, "nursing_allowance", allowance(found), both, now)
        assert (sent.status, sent.message) == ("submitted", "申报已提交，等待经办机构审核。")

    def test_needs_an_active_male_employee_of_this_employer(self, nantong, nanjing, now):
        found = a_man(nantong, sex="2")
        assert ("nursing_allowance.not_male", "id_number") in refusals(
            nantong, "nursing_allowance", allowance(found), now
        )
        with transaction() as session:
            session.execute(update(Person).where(Person.id == found.person_id).values(sex="1"))
            session.execute(
                update(Enrolment).where(Enrolment.person_id == found.person_id).values(person_type="1201")
            )
        assert list(refusals(nantong, "nursing_allowance", allowance(found), now)) == [
            ("nursing_allowance.not_active", "id_number")
        ]
        elsewhere = a_man(nanjing)
        assert list(refusals(nantong, "nursing_allowance", allowance(elsewhere), now)) == [
            ("nursing_allowance.unknown", "id_number")
        ]

    def test_dates_must_agree_and_the_words_carry_facts(self, nantong, now):
        found = a_man(nantong)
        late = refusals(
            nantong,
            "nursing_allowance",
            allowance(found, child_birth_date="2027-01-01", leave_end_date="2026-10-09"),
            now,
        )
        assert set(late) == {
            ("nursing_allowance.birth_future", "child_birth_date"),
            ("nursing_allowance.leave_order", "leave_end_date"),
        }
        assert now.date().isoformat() in late["nursing_allowance.birth_future", "child_birth_date"]
        own = allowance(found, spouse_id_number=found.id_number)
        assert list(refusals(nantong, "nursing_allowance", own, now)) == [
            ("nursing_allowance.spouse_is_self", "spouse_id_number")
        ]

    def test_a_warning_reaches_the_auditor(self, nantong, auditor, now):
        found = a_man(nantong)
        form = allowance(found, leave_start_date="2026-10-01")
        tried = trials.check(nantong, "nursing_allowance", form, now)
        assert tried.ok
        assert [each.message for each in tried.warnings] == [
            "护理假开始日期早于子女出生日期（2026-10-08），请核对。"
        ]
        both = ("marriage_certificate", "birth_certificate")
        pending = with_materials(nantong, "nursing_allowance", form, both, now)
        declarations.submit(nantong, [pending.reference], now)
        review = reviewing.review(auditor, pending.reference, now)
        assert any("早于子女出生日期" in word for each in review.findings for word in each.messages)


class TestMaternityBank:
    def test_nt_8_needs_an_account_in_the_employers_name(self, nantong, auditor, now):
        refused = refusals(nantong, "maternity_bank", account(nantong, bank_account_name="某某"), now)
        assert list(refused) == [("maternity_bank.not_employer", "bank_account_name")]
        pending = with_materials(nantong, "maternity_bank", account(nantong), ["account_proof"], now)
        declarations.submit(nantong, [pending.reference], now)
        done = audits.decide(auditor, task_of(pending.reference), "reject", "账户证明不清晰", [], now)
        assert (done.status, done.message) == ("rejected", "银行信息审核未通过，原登记内容不变。")

    def test_the_form_shows_the_employer_and_only_one_may_be_open(self, nantong, now):
        shown = forms.setting_of(nantong, "maternity_bank", now).defaults(now)
        (employer,) = rows(Employer, id=nantong.employer_id)
        assert shown["employer_name"] == employer.name
        first = with_materials(nantong, "maternity_bank", account(nantong), ["account_proof"], now)
        assert first.status == "pending"
        second = refusals(nantong, "maternity_bank", account(nantong), now)
        assert [code for code, _ in second] == ["form.one_open"]


class TestFeedback:
    def test_js_nav_is_answered_by_the_agency_and_may_be_sent_twice(self, person, now):
        huaian, agency = person("huaian.handler"), person("huaian.auditor")
        form = {"category": "advice", "content": "希望列表可以按日期排序"}
        sent = [declarations.file(huaian, "feedback", form, now) for _ in range(2)]
        assert {each.status for each in sent} == {"submitted"}
        done = audits.decide(agency, task_of(sent[0].reference), "approve", "已记录，谢谢", [], now)
        assert (done.status, done.message) == ("approved", "经办机构已答复您的反馈。")
        db.session.rollback()
