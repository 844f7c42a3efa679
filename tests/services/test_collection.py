"""Supplementary collection (JS-4.0) and its cancellation (SZ-3)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from app.domain.money import round_fen
from app.errors import NotFound, Rejected
from app.extensions import db
from app.services import audits, billing, declarations
from app.store.assessments import hold_employer
from app.store.models import ContributionLine, Declaration, HumanTask, PaymentNotice
from app.store.session import transaction
from tests.services.conftest import HUAIAN, SUZHOU, citizen, huaian_form, rows, suzhou_form, task_of
from tests.services.test_base import model, month_amounts
from tests.services.test_stop import stop_form

FUNDS = {"310", "330", "510"}


@pytest.fixture
def huaian(person):
    return person("huaian.handler")


@pytest.fixture
def approve(person, now):
    """Have the platform's auditor approve a case."""

    def go(receipt, at=None):
        return audits.decide(
            person("huaian.auditor"), task_of(receipt.reference), "approve", "", [], at or now
        )

    return go


@pytest.fixture
def enrolled(huaian, approve, now):
    """Somebody enrolled from August on, whom nobody has charged for the months since."""

    def make(start: str = "2026-08-01"):
        found = citizen(HUAIAN, "not_insured")
        made = declarations.file(huaian, "enrol", huaian_form(found, start), now)
        approve(made)
        (case,) = rows(Declaration, reference=made.reference)
        return found, case.person_id

    return make


def base_form(found, first: str, last: str, wage: str = "8000"):
    return {
        "id_type": "01", "id_number": found.id_number, "from_month": first, "to_month": last,
        "wage_yuan": wage,
    }  # fmt: skip


def form_of(found, first: str = "2026-08", last: str = "2026-10"):
    return {"id_type": "01", "id_number": found.id_number, "from_month": first, "to_month": last}


def refused(actor, kind, form, now) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, kind, form, now)
    (error,) = caught.value.errors
    return error.code, error.message


class TestPlatform:
    def test_js_4_0_the_base_first_then_the_months(self, huaian, enrolled, approve, now):
        found, person_id = enrolled()
        code, message = refused(huaian, "collection", form_of(found), now)
        assert code == "collection.base_missing"
        assert "补缴哪个月就变更哪个月的基数" in message
        approve(declarations.file(huaian, "base", base_form(found, "2026-08", "2026-09", "8000"), now))
        assert "2026-10" in refused(huaian, "collection", form_of(found), now)[1]
        approve(declarations.file(huaian, "base", base_form(found, "2026-10", "2026-10", "9000"), now))
        checked = declarations.check(huaian, "collection", form_of(found), now)
        assert checked.ok
        assert checked.amounts.months == ["2026-08", "2026-09", "2026-10"]
        assert [each.code for each in checked.warnings] == ["collection.late_fee"]
        filed = declarations.file(huaian, "collection", form_of(found), now)
        assert filed.status == "submitted"
        assert month_amounts(person_id, "2026-08") == {}
        decided = approve(filed)
        assert (decided.status, decided.message) == ("approved", "补收核定成功，共补收3个月。")
        for month, wage in (("2026-08", "8000"), ("2026-09", "8000"), ("2026-10", "9000")):
            assert month_amounts(person_id, month) == model(HUAIAN, month, wage, FUNDS)
        (case,) = rows(Declaration, reference=filed.reference)
        lines = rows(ContributionLine, declaration_id=case.id)
        assert {(line.due_type, line.due_month) for line in lines} == {("31", "2026-11")}
        # the ledger's column of the declared wage
        assert {line.wage_fen for line in lines} == {800000, 900000}
        assert sorted(line.amount_fen for line in lines) == sorted(
            line.amount_fen for line in checked.amounts.lines
        )

    def test_the_late_fee_is_told_and_kept_with_the_case(self, huaian, enrolled, approve, now):
        found, _person_id = enrolled("2026-10-01")
        approve(declarations.file(huaian, "base", base_form(found, "2026-10", "2026-10"), now))
        form = form_of(found, "2026-10", "2026-10")
        checked = declarations.check(huaian, "collection", form, now)
        owed = [line for line in checked.amounts.lines if not line.party.startswith("allocation")]
        # from the day after 25 October to 18 November
        # each line rounded by itself: what a payment of that day enters
        fee = sum(
            (round_fen(Decimal(line.amount_fen) / 100 * Decimal("0.0005") * 24) for line in owed), Decimal(0)
        )
        assert f"{fee:.2f}元" in checked.warnings[0].message
        filed = declarations.file(huaian, "collection", form, now)
        approve(filed)
        (case,) = rows(Declaration, reference=filed.reference)
        assert case.facts["late_fee_fen"] == round(fee * 100)
        # told at the window, owed on the notice: the same to the fen
        with transaction():
            hold_employer(huaian.employer_id)
            billing.issue(huaian.employer_id, HUAIAN, "2026-11", now)
        (notice,) = rows(PaymentNotice, employer_id=huaian.employer_id, due_month="2026-11", kind="backpay")
        found_rows = billing.get_notice(notice.number, now).rows
        late = [row.late_fee_fen for row in found_rows if row.accrual_month == "2026-10"]
        assert sum(late) == case.facts["late_fee_fen"]

    def test_months_without_end_are_not_calculated(self, huaian, enrolled, now):
        found, _ = enrolled("2026-10-01")
        form = form_of(found, "2026-10", "9999-12")
        assert declarations.quote(huaian, "collection", form, now) is None
        assert declarations.check(huaian, "collection", form, now).errors

    def test_js_4_0_months_charged_meanwhile_are_left_out(self, huaian, enrolled, approve, now):
        found, _person_id = enrolled()
        approve(declarations.file(huaian, "base", base_form(found, "2026-08", "2026-10"), now))
        approve(declarations.file(huaian, "collection", form_of(found, "2026-09", "2026-09"), now))
        checked = declarations.check(huaian, "collection", form_of(found), now)
        assert [each.code for each in checked.warnings] == ["collection.left_out", "collection.late_fee"]
        assert checked.amounts.months == ["2026-08", "2026-10"]
        approve(declarations.file(huaian, "collection", form_of(found), now))
        assert refused(huaian, "collection", form_of(found), now)[0] == "collection.nothing"

    def test_js_3_14_it_can_be_recalled_before_the_audit(self, huaian, enrolled, approve, now):
        found, person_id = enrolled()
        approve(declarations.file(huaian, "base", base_form(found, "2026-08", "2026-10"), now))
        filed = declarations.file(huaian, "collection", form_of(found), now)
        assert declarations.recall(huaian, filed.reference, now).status == "recalled"
        assert month_amounts(person_id, "2026-08") == {}

    def test_more_than_six_months_ask_for_material(self, huaian, enrolled, approve, now):
        found, _ = enrolled("2026-02-01")
        approve(declarations.file(huaian, "base", base_form(found, "2026-02", "2026-10"), now))
        filed = declarations.file(huaian, "collection", form_of(found, "2026-04", "2026-10"), now)
        assert filed.status == "draft"
        (task,) = rows(HumanTask, reference=filed.reference)
        assert task.form == "materials"
        (case,) = rows(Declaration, reference=filed.reference)
        assert case.facts["materials"] == [["labour_contract", True]]


class TestSuzhou:
    """Back-pay comes with the enrolment there; it can be taken back."""

    @pytest.fixture
    def backpaid(self, suzhou, now):
        """Somebody whose enrolment paid two months back, on a day of November."""

        def make(day: int = 18, start: str = "2026-10-01"):
            found = citizen(SUZHOU, "unknown")
            at = now.replace(day=day)
            made = declarations.file(suzhou, "enrol", suzhou_form(found, start), at)
            (case,) = rows(Declaration, reference=made.reference)
            return found, case

        return make

    def form(self, found, **more):
        return {"id_type": "01", "id_number": found.id_number, **more}

    def test_sz_3_this_periods_back_pay_is_taken_back(self, suzhou, backpaid, now):
        found, enrolled = backpaid()
        lines = rows(ContributionLine, declaration_id=enrolled.id)
        checked = declarations.check(suzhou, "collection_cancel", self.form(found), now)
        assert checked.data["backpay_months"] == "2026-10、2026-11"
        assert sorted(-line.amount_fen for line in checked.amounts.lines) == sorted(
            line.amount_fen for line in lines
        )
        done = declarations.file(suzhou, "collection_cancel", self.form(found), now)
        assert (done.status, done.message_code) == ("done", "collection_cancel.accepted")
        assert "2026-10、2026-11" in done.message
        for month in ("2026-10", "2026-11"):
            assert month_amounts(enrolled.person_id, month) == {}
        # nothing is deleted: each line and the one against it
        (case,) = rows(Declaration, reference=done.reference)
        against = rows(ContributionLine, declaration_id=case.id)
        assert {line.reversal_of_id for line in against} == {line.id for line in lines}
        assert refused(suzhou, "collection_cancel", self.form(found), now)[0] == "collection_cancel.nothing"

    def test_sz_3_one_of_the_months(self, suzhou, backpaid, now):
        found, enrolled = backpaid()
        form = self.form(found, from_month="2026-10", to_month="2026-10")
        declarations.file(suzhou, "collection_cancel", form, now)
        assert month_amounts(enrolled.person_id, "2026-10") == {}
        assert month_amounts(enrolled.person_id, "2026-11") != {}

    def test_sz_2_3_2_after_a_stop(self, suzhou, backpaid, now):
        found, _enrolled = backpaid()
        assert declarations.file(suzhou, "stop", stop_form(found, SUZHOU), now).message_code == (
            "stop.accepted_with_backpay"
        )
        assert declarations.file(suzhou, "collection_cancel", self.form(found), now).status == "done"

    def test_sz_3_only_of_this_declaration_period(self, suzhou, backpaid, now):
        found, _ = backpaid(day=6, start="2026-09-01")
        assert refused(suzhou, "collection_cancel", self.form(found), now)[0] == (
            "collection_cancel.other_period"
        )
        early = now.replace(day=6) + timedelta(hours=1)
        assert declarations.file(suzhou, "collection_cancel", self.form(found), early).status == "done"

    def test_sz_3_not_what_is_paid(self, suzhou, backpaid, now):
        found, enrolled = backpaid()
        with transaction():
            db.session.execute(
                update(ContributionLine)
                .where(ContributionLine.declaration_id == enrolled.id)
                .values(received_on=date(2026, 11, 18))
            )
        assert refused(suzhou, "collection_cancel", self.form(found), now)[0] == "collection_cancel.paid"

    def test_sz_3_only_under_this_employer(self, suzhou, backpaid, now):
        found, _ = backpaid()
        other = next(iter(suzhou.employer_ids - {suzhou.employer_id}))
        with pytest.raises(Rejected) as caught:
            declarations.file(suzhou, "collection_cancel", self.form(found), now, employer_id=other)
        assert [error.code for error in caught.value.errors] == ["collection_cancel.nothing"]

    def test_collection_itself_is_not_filed_online(self, suzhou, backpaid, now):
        found, _ = backpaid()
        with pytest.raises(NotFound):
            declarations.file(suzhou, "collection", form_of(found), now)
