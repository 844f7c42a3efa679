"""Stops, region by region, as the manuals describe them (NT-2.3, JS-3.2, SZ-2, NJ-3.1, WN-2.2)."""

from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import select, update

from app.errors import NotFound, Rejected
from app.extensions import db
from app.services import audits, declarations
from app.store.models import ContributionLine, Declaration, Employer, Enrolment, EnrolmentChange, Person
from app.store.people import id_number
from app.store.session import transaction
from tests.services.conftest import SUZHOU, SUZHOU_FUNDS, citizen, rows, suzhou_form, task_of

NANTONG, HUAIAN, LIANYUNGANG, NANJING, WEINAN = "320600", "320800", "320700", "320100", "610500"


@dataclass(frozen=True)
class Insured:
    """An employee as a form names him."""

    person_id: int
    id_number: str
    name: str


def employee(actor, place: int = 0, person_type: str = "1101", month: str = "2026-11") -> Insured:
    """The n-th of an employer's own people who is insured and goes on."""
    people = db.session.scalars(
        select(Person)
        .where(
            Person.id.in_(
                select(Enrolment.person_id).where(
                    Enrolment.employer_id == actor.employer_id,
                    Enrolment.to_month.is_(None),
                    Enrolment.from_month <= month,
                    Enrolment.status == "active",
                    Enrolment.person_type == person_type,
                )
            ),
            Person.id_hash.in_(select(Person.id_hash).group_by(Person.id_hash).having(db.func.count() == 1)),
        )
        .order_by(Person.id)
        .offset(place)
        .limit(1)
    ).one()
    return Insured(people.id, id_number(people), people.name)


def stop_form(found, region: str, **more):
    """A stop of this month with the region's own fields."""
    own = {
        SUZHOU: {"id_type": "01", "stop_date": "2026-11-30", "stop_reason": "6301"},
        NANTONG: {"stop_reason": "10"},
        HUAIAN: {"id_type": "01", "stop_date": "2026-11-30", "stop_reason": "6301"},
        LIANYUNGANG: {"id_type": "01", "stop_date": "2026-11-30", "stop_reason": "6301"},
        NANJING: {"stop_date": "2026-11-30", "stop_reason": "6301"},
        WEINAN: {"id_type": "01", "stop_month": "2026-11", "stop_reason": "02"},
    }[region]
    return {"id_number": found.id_number, **own, **more}


def open_funds(person_id: int) -> dict[str, str]:
    """The funds that a person goes on in, with the first month."""
    return {
        row.fund: row.from_month
        for row in rows(Enrolment, person_id=person_id)
        if row.to_month is None and row.status == "active"
    }


def refusals(actor, form, now, kind="stop"):
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, kind, form, now)
    return [(error.code, error.field, error.message) for error in caught.value.errors]


class TestSuzhou:
    def test_sz_2_1_a_stop_ends_all_funds_at_the_month_end(self, suzhou, now):
        found = employee(suzhou)
        funds = open_funds(found.person_id)
        receipt = declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now)
        assert (receipt.status, receipt.message_code) == ("done", "stop.accepted")
        assert receipt.message == "处理成功! 后续请到“已审核数据查询”中查询信息!"
        ended = [row for row in rows(Enrolment, person_id=found.person_id) if row.fund in funds]
        assert {(row.to_month, row.status, row.reason) for row in ended} == {("2026-11", "active", "6301")}
        (case,) = rows(Declaration, reference=receipt.reference)
        changes = rows(EnrolmentChange, declaration_id=case.id)
        assert {change.enrolment_id for change in changes} == {row.id for row in ended}
        assert {(change.before["to_month"], change.after["to_month"]) for change in changes} == {
            (None, "2026-11")
        }

    def test_sz_2_4_message_1_not_insured_here(self, suzhou, now):
        for found in (citizen(SUZHOU, "active_elsewhere_employer"), citizen(SUZHOU, "stopped")):
            assert refusals(suzhou, stop_form(found, SUZHOU), now) == [
                ("stop.not_active", "id_number", "职工未在本单位下正常参保，无法办理！")
            ]

    def test_sz_2_4_message_1_stopped_already(self, suzhou, now):
        found = employee(suzhou)
        declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now)
        assert refusals(suzhou, stop_form(found, SUZHOU), now)[0][0] == "stop.not_active"

    def test_sz_2_4_message_2_unknown(self, suzhou, now):
        assert refusals(suzhou, stop_form(citizen(SUZHOU, "unknown"), SUZHOU), now) == [
            ("stop.unknown", "id_number", "未获取到人员基础信息，无法办理！")
        ]

    @pytest.mark.parametrize("day", ["2026-12-31", "2026-09-30", "2026-11-15", "2026-11-18"])
    def test_sz_2_4_message_3_only_last_or_this_month_end(self, suzhou, now, day):
        found = employee(suzhou)
        assert refusals(suzhou, stop_form(found, SUZHOU, stop_date=day), now) == [
            ("stop.month_range", "stop_date", "减员时间范围是：上月末或本月末！")
        ]

    def test_sz_2_4_message_4_two_records(self, suzhou, now):
        assert refusals(suzhou, stop_form(citizen(SUZHOU, "double_record"), SUZHOU), now) == [
            ("person.duplicate", "id_number", "该人员存在多条基础信息，请到柜台做人员合并")
        ]

    def test_sz_2_4_message_5_retirees(self, suzhou, now):
        assert refusals(suzhou, stop_form(citizen(SUZHOU, "retired"), SUZHOU), now) == [
            ("stop.retiree", "id_number", "处理失败！退休人员不允许停保。")
        ]

    def test_sz_2_3_2_a_stop_after_back_pay_leaves_the_back_pay(self, suzhou, now):
        found = citizen(SUZHOU, "unknown")
        first = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-10-01"), now)
        (enrolled,) = rows(Declaration, reference=first.reference)
        before = [(line.id, line.reversed_by_id) for line in rows(ContributionLine)]
        receipt = declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now)
        assert receipt.message_code == "stop.accepted_with_backpay"
        assert "2026-10、2026-11" in receipt.message
        assert "单位补收核定撤销" in receipt.message
        assert [(line.id, line.reversed_by_id) for line in rows(ContributionLine)] == before
        assert open_funds(enrolled.person_id) == {}

    def test_an_upcoming_enrolment_is_cancelled(self, suzhou, now):
        found = citizen(SUZHOU, "unknown")
        first = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-12-01"), now)
        form = stop_form(found, SUZHOU)
        assert [each.code for each in declarations.check(suzhou, "stop", form, now).warnings] == [
            "stop.cancels"
        ]
        receipt = declarations.file(suzhou, "stop", form, now)
        assert receipt.message_code == "stop.cancelled"
        (enrolled,) = rows(Declaration, reference=first.reference)
        made = rows(Enrolment, declaration_id=enrolled.id)
        assert sorted(row.fund for row in made) == sorted(SUZHOU_FUNDS)
        assert {(row.status, row.to_month) for row in made} == {("ended", "2026-11")}
        # nothing is left of it: the same start is free again
        again = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-12-01"), now)
        assert again.status == "done"

    def test_stop_then_enrol_is_free_from_the_next_month(self, suzhou, now):
        found = employee(suzhou)
        declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now)
        with pytest.raises(Rejected) as caught:
            declarations.file(suzhou, "enrol", suzhou_form(found, "2026-11-01"), now)
        assert "enrol.active_at_employer" in [error.code for error in caught.value.errors]
        receipt = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-12-01"), now)
        assert receipt.status == "done"
        assert set(open_funds(found.person_id).values()) == {"2026-12"}


def charge(person_id: int, month: str, *, received: date | None = None) -> list[ContributionLine]:
    """Have a month assessed, as copies of the person's latest normal lines."""
    lines = [line for line in rows(ContributionLine, person_id=person_id) if line.due_type == "10"]
    latest = max(line.accrual_month for line in lines)
    names = [column.name for column in ContributionLine.__table__.columns]
    from app.store.ids import new_id

    made = [
        {**{name: getattr(line, name) for name in names}, "id": new_id(), "accrual_month": month,
         "due_month": month, "received_on": received}
        for line in lines
        if line.accrual_month == latest
    ]  # fmt: skip
    with transaction():
        db.session.execute(ContributionLine.__table__.insert(), made)
    return [line for line in rows(ContributionLine, person_id=person_id) if line.accrual_month == month]


class TestTakingBack:
    """Suzhou: a stop at last month's end when this month is assessed already."""

    @pytest.mark.parametrize("paid", [False, True])
    def test_lines_beyond_the_stop_are_reversed_or_refunded(self, suzhou, now, paid):
        found = employee(suzhou)
        charged = charge(found.person_id, "2026-11", received=date(2026, 11, 10) if paid else None)
        form = stop_form(found, SUZHOU, stop_date="2026-10-31")
        checked = declarations.check(suzhou, "stop", form, now)
        assert [each.code for each in checked.warnings] == ["stop.takes_back"]
        assert sorted(-line.amount_fen for line in checked.amounts.lines) == sorted(
            line.amount_fen for line in charged
        )
        owed = sum(line.amount_fen for line in charged if not line.party.startswith("allocation"))
        assert f"{owed / 100:.2f}元（2026-11）" in checked.warnings[0].message
        assert len(rows(ContributionLine, accrual_month="2026-11", person_id=found.person_id)) == len(charged)

        receipt = declarations.file(suzhou, "stop", form, now)
        (case,) = rows(Declaration, reference=receipt.reference)
        back = rows(ContributionLine, declaration_id=case.id)
        assert {line.due_type for line in back} == {"20" if paid else "10"}
        assert {line.due_month for line in back} == {"2026-11"}
        month = rows(ContributionLine, accrual_month="2026-11", person_id=found.person_id)
        assert sum(line.amount_fen for line in month) == 0
        assert {line.reversal_of_id: line.id for line in back} == {
            line.id: line.reversed_by_id for line in month if line.reversal_of_id is None
        }
        # the month can be charged again
        assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-10"}

    def test_a_month_within_the_stop_stays(self, suzhou, now):
        found = employee(suzhou)
        charge(found.person_id, "2026-11")
        receipt = declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now)
        (case,) = rows(Declaration, reference=receipt.reference)
        assert rows(ContributionLine, declaration_id=case.id) == []


class TestNantong:
    def test_nt_2_3_this_month_end_is_fixed_and_the_reason_is_filled_in(self, nantong, auditor, now):
        found = employee(nantong)
        receipt = declarations.file(nantong, "stop", stop_form(found, NANTONG), now)
        assert receipt.status == "pending"
        assert open_funds(found.person_id) != {}
        assert declarations.submit(nantong, [receipt.reference], now).done == 1
        done = audits.decide(auditor, task_of(receipt.reference), "approve", "同意", [], now)
        assert (done.status, done.message_code) == ("approved", "stop.accepted")
        assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-11"}
        case = declarations.get_case(nantong, receipt.reference, now)
        assert case.data["stop_month"] == "2026-11"
        assert case.data["name"] == found.name

    def test_the_client_cannot_choose_another_month(self, nantong, now):
        form = stop_form(employee(nantong), NANTONG, stop_month="2026-10")
        receipt = declarations.file(nantong, "stop", form, now)
        assert declarations.get_case(nantong, receipt.reference, now).data["stop_month"] == "2026-11"

    def test_the_month_is_that_of_the_submission(self, nantong, auditor, now):
        found = employee(nantong)
        receipt = declarations.file(nantong, "stop", stop_form(found, NANTONG), now)
        later = now.replace(month=12, day=2)
        declarations.submit(nantong, [receipt.reference], later)
        audits.decide(
            auditor, task_of(receipt.reference), "approve", "同意", [], later.replace(year=2027, month=1)
        )
        assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-12"}

    def test_what_was_assessed_before_a_later_approval_is_taken_back(self, nantong, auditor, now):
        found = employee(nantong)
        receipt = declarations.file(nantong, "stop", stop_form(found, NANTONG), now, submit_now=True)
        charge(found.person_id, "2026-11")
        charged = charge(found.person_id, "2026-12")
        audits.decide(
            auditor, task_of(receipt.reference), "approve", "同意", [], now.replace(month=12, day=28)
        )
        (case,) = rows(Declaration, reference=receipt.reference)
        back = rows(ContributionLine, declaration_id=case.id)
        assert {line.reversal_of_id for line in back} == {line.id for line in charged}
        assert {(line.accrual_month, line.due_month) for line in back} == {("2026-12", "2026-12")}
        assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-11"}

    def test_nt_3_1_one_open_declaration_over_all_kinds(self, nantong, now):
        found = employee(nantong)
        declarations.file(nantong, "stop", stop_form(found, NANTONG), now)
        assert refusals(nantong, stop_form(found, NANTONG), now)[0][:2] == ("enrol.one_open", "id_number")


@pytest.fixture
def handlers(person):
    names = {
        SUZHOU: "suzhou", NANTONG: "nantong", HUAIAN: "huaian", LIANYUNGANG: "lianyungang",
        NANJING: "nanjing", WEINAN: "weinan",
    }  # fmt: skip
    return {region: person(f"{name}.handler") for region, name in names.items()}


class TestChosenDates:
    @pytest.mark.parametrize("region", [HUAIAN, LIANYUNGANG])
    def test_js_3_2_the_date_is_chosen(self, handlers, region, now):
        found = employee(handlers[region])
        receipt = declarations.file(
            handlers[region], "stop", stop_form(found, region, stop_date="2026-10-12"), now
        )
        assert receipt.status == "submitted"
        assert declarations.recall(handlers[region], receipt.reference, now).status == "recalled"
        assert open_funds(found.person_id) != {}

    def test_a_date_before_the_start_is_refused(self, handlers, now):
        actor = handlers[HUAIAN]
        found = employee(actor)
        first = max(open_funds(found.person_id).values())
        with transaction():
            db.session.execute(
                update(Enrolment).where(Enrolment.person_id == found.person_id).values(from_month="2026-11")
            )
        assert first
        form = stop_form(found, HUAIAN, stop_date="2026-10-31")
        assert [code for code, _, _ in refusals(actor, form, now)] == ["stop.before_start"]

    def test_too_far_away_is_refused(self, handlers, now):
        form = stop_form(employee(handlers[HUAIAN]), HUAIAN, stop_date="2027-06-30")
        assert refusals(handlers[HUAIAN], form, now)[0][:2] == ("stop.month_limits", "stop_date")


class TestNanjing:
    def test_nj_3_1_all_funds_stop_together_at_once(self, handlers, now):
        found = employee(handlers[NANJING])
        receipt = declarations.file(handlers[NANJING], "stop", stop_form(found, NANJING), now)
        assert receipt.status == "done"
        assert open_funds(found.person_id) == {}

    def test_nj_3_1_reason_6308_waits_for_the_statutory_month(self, handlers, now):
        form = stop_form(employee(handlers[NANJING]), NANJING, stop_reason="6308")
        code, field, message = refusals(handlers[NANJING], form, now)[0]
        assert (code, field) == ("stop.reason_too_early", "stop_reason")
        assert "法定退休年月：" in message

    def test_nj_3_1_other_reasons_are_not_in_the_list(self, handlers, now):
        form = stop_form(employee(handlers[NANJING]), NANJING, stop_reason="10")
        assert refusals(handlers[NANJING], form, now)[0][1] == "stop_reason"


def test_the_demonstration_has_employers_everywhere(handlers):
    assert len(rows(Employer)) >= len(handlers)


class TestAtTheCounter:
    """Where a stop of retirees is offered at the counter only, a clerk files it and somebody else decides."""

    @pytest.mark.parametrize("region", [SUZHOU, NANTONG, HUAIAN, NANJING])
    def test_a_retiree_is_stopped_by_a_clerk(self, handlers, person, region, now):
        slug = handlers[region].username.partition(".")[0]
        clerk, auditor = person(f"{slug}.counter"), person(f"{slug}.auditor")
        with pytest.raises(NotFound):
            declarations.file(handlers[region], "stop_retiree", {}, now)
        found = employee(handlers[region], person_type="1201")
        form = {"id_type": "01", "id_number": found.id_number, "stop_month": "2026-11", "stop_reason": "6401"}
        employer = handlers[region].employer_id
        receipt = declarations.file(clerk, "stop_retiree", form, now, employer_id=employer)
        assert receipt.status == "submitted"
        done = audits.decide(auditor, task_of(receipt.reference), "approve", "同意", [], now)
        assert done.status == "approved"
        assert open_funds(found.person_id) == {}

    def test_the_regions_bounds_do_not_bind_the_counter_where_any_month_may_be_chosen(
        self, handlers, person, now
    ):
        found = employee(handlers[HUAIAN])
        form = stop_form(found, HUAIAN, stop_date="2025-01-31")
        first = {"from_month": "2020-01"}
        with transaction():
            db.session.execute(update(Enrolment).where(Enrolment.person_id == found.person_id).values(first))
        assert refusals(handlers[HUAIAN], form, now)[0][0] == "stop.month_limits"
        receipt = declarations.file(
            person("huaian.counter"), "stop", form, now, employer_id=handlers[HUAIAN].employer_id
        )
        assert receipt.status == "submitted"
