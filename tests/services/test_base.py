"""Contribution bases, region by region (NT-2.5, NT-2.6, JS-3.3)."""

from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from app.definitions.current import parameters
from app.domain.contribution import CLIP
from app.errors import Rejected
from app.extensions import db
from app.services import audits, batch_results, declarations, rosters, templates
from app.services.enrolling import tariff_of
from app.store.models import ContributionLine, Declaration, Enrolment, EnrolmentChange, HumanTask
from app.store.session import transaction
from tests.services.batch_files import FIRST_ROW, filled, saved
from tests.services.conftest import citizen, rows, task_of
from tests.services.test_imports import run  # noqa: F401 - a fixture
from tests.services.test_stop import HUAIAN, LIANYUNGANG, NANTONG, charge, employee, handlers  # noqa: F401


def form_of(found, region: str, **more):
    """A base of 8000 yuan from this month on."""
    own = {} if region == NANTONG else {"id_type": "01"}
    return {"id_number": found.id_number, "from_month": "2026-11", "wage_yuan": "8000", **own, **more}


def wages(person_id: int) -> set[tuple[int, int]]:
    """Wage and base, in fen, of the funds that a person goes on in."""
    return {
        (row.wage_fen, row.base_fen)
        for row in rows(Enrolment, person_id=person_id)
        if row.to_month is None and row.status == "active"
    }


def month_amounts(person_id: int, month: str) -> dict[tuple[str, str], int]:
    """What a month carries, all lines together, without nothing."""
    found: dict[tuple[str, str], int] = {}
    for line in rows(ContributionLine, person_id=person_id, accrual_month=month):
        key = (line.fund, line.party)
        found[key] = found.get(key, 0) + line.amount_fen
    return {key: amount for key, amount in found.items() if amount}


def model(region: str, month: str, wage: str, funds) -> dict[tuple[str, str], int]:
    """The same from the tariff alone."""
    rule = tariff_of(parameters(region), month, tuple(sorted(funds)))
    base = int(rule.base(Decimal(wage), CLIP).amount * 100)
    return {(line.fund, line.party): line.amount_fen for line in rule.fen_lines(base) if line.amount_fen}


def refused(actor, form, now) -> list[tuple[str, str]]:
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, "base", form, now)
    return [(error.code, error.field) for error in caught.value.errors]


class TestNantong:
    def test_nt_2_5_waits_for_submission_and_audit_then_changes_the_base(self, nantong, auditor, now):
        found = employee(nantong)
        before = wages(found.person_id)
        filed = declarations.file(nantong, "base", form_of(found, NANTONG), now)
        assert filed.status == "pending"
        declarations.submit(nantong, [filed.reference], now)
        assert wages(found.person_id) == before
        decided = audits.decide(auditor, task_of(filed.reference), "approve", "", [], now)
        assert (decided.status, decided.message_code) == ("approved", "base.accepted")
        assert wages(found.person_id) == {(800000, 800000)}
        (case,) = rows(Declaration, reference=filed.reference)
        history = rows(EnrolmentChange, declaration_id=case.id)
        assert {row.action for row in history} == {"base"}
        assert {(row.before["wage_fen"], row.before["base_fen"]) for row in history} == before
        assert {(row.after["from_month"], row.after["to_month"]) for row in history} == {("2026-11", None)}

    @pytest.mark.parametrize(
        ("wage", "code"),
        [("5059", "base.below_floor"), ("25301", "base.above_cap"), ("8000.5", "base.not_whole")],
    )
    def test_nt_2_5_out_of_range_or_broken_sums_are_refused(self, nantong, now, wage, code):
        codes = refused(nantong, form_of(employee(nantong), NANTONG, wage_yuan=wage), now)
        # the form itself knows what a whole sum is
        assert codes in ([(code, "wage_yuan")], [("whole_yuan", "wage_yuan")])

    def test_nt_2_5_only_own_insured_staff(self, nantong, now):
        stopped = citizen(NANTONG, "stopped")
        assert refused(nantong, form_of(stopped, NANTONG), now) == [("base.not_active", "id_number")]

    def test_nt_3_1_one_open_declaration_over_all_kinds(self, nantong, now):
        found = employee(nantong)
        declarations.file(nantong, "base", form_of(found, NANTONG), now)
        with pytest.raises(Rejected) as caught:
            declarations.file(nantong, "stop", {"id_number": found.id_number, "stop_reason": "10"}, now)
        assert [error.code for error in caught.value.errors] == ["enrol.one_open"]

    def test_months_assessed_already_get_differences(self, nantong, auditor, now):
        found = employee(nantong)
        charge(found.person_id, "2026-11")
        funds = {line.fund for line in rows(ContributionLine, person_id=found.person_id, due_month="2026-11")}
        form = form_of(found, NANTONG, from_month="2026-10")
        checked = declarations.check(nantong, "base", form, now)
        assert [each.code for each in checked.warnings] == ["base.differences"]
        assert set(checked.amounts.months) == {"2026-10", "2026-11"}
        filed = declarations.file(nantong, "base", form, now, submit_now=True)
        audits.decide(auditor, task_of(filed.reference), "approve", "", [], now)
        (case,) = rows(Declaration, reference=filed.reference)
        lines = rows(ContributionLine, declaration_id=case.id)
        assert {(line.due_type, line.due_month) for line in lines} == {("34", "2026-11")}
        assert sorted(line.amount_fen for line in lines) == sorted(
            line.amount_fen for line in checked.amounts.lines
        )
        for month in ("2026-10", "2026-11"):
            assert month_amounts(found.person_id, month) == model(NANTONG, month, "8000", funds)

    def test_nt_2_6_the_file_holds_the_roster_and_only_the_wage_is_filled_in(
        self,
        nantong,
        run,  # noqa: F811
        auditor,
        now,
    ):
        made = templates.template_of(nantong, "base", now)
        assert made.file_name == "企业(32060000001)职工批量工资申报填写表.xlsx"
        book = load_workbook(BytesIO(made.content))
        sheet = book.active
        places = {cell.value: cell.column for cell in sheet[2]}
        assert [sheet.cell(3, places[name]).value for name in ("old_wage_yuan", "wage_yuan")] == [
            "原工资", "现工资",
        ]  # fmt: skip
        insured = list(rosters.members(nantong.employer_id, "310", retired=False))
        numbers = [sheet.cell(FIRST_ROW + place, places["id_number"]).value for place in range(len(insured))]
        assert numbers == [each.id_number for each in insured]
        old = [sheet.cell(FIRST_ROW + place, places["old_wage_yuan"]).value for place in range(len(insured))]
        assert [Decimal(each) * 100 for each in old] == [each.wage_fen for each in insured]
        assert sheet.cell(FIRST_ROW, places["wage_yuan"]).value is None
        sheet.delete_rows(FIRST_ROW + 3, sheet.max_row)
        for place, wage in enumerate(("8000", "5059", "8000.5")):
            sheet.cell(FIRST_ROW + place, places["wage_yuan"]).value = wage
        batch = run(nantong, "base", saved(book))
        assert (batch.accepted_rows, batch.rejected_rows) == (1, 2), list(batch_results.errors_of(batch.id))
        assert batch.message == "成功：1行,失败：2行。"
        (case,) = rows(Declaration, batch_id=batch.id)
        assert case.status == "pending"
        (task,) = rows(HumanTask, batch_id=batch.id)
        assert task.summary["wage_yuan"] == "8000.00"
        assert task.summary["old_wage_yuan"] == f"{insured[0].wage_fen / 100:.2f}"

    def test_nt_2_6_a_file_costs_the_statements_of_one_row(self, nantong, run, statement_counter):  # noqa: F811
        costs = []
        for first, count in ((0, 1), (1, 6)):
            people = [employee(nantong, place) for place in range(first, first + count)]
            cells = [
                {"id_number": each.id_number, "name": each.name, "from_month": "202611", "wage_yuan": "8000"}
                for each in people
            ]
            book = load_workbook(BytesIO(filled(nantong, "base", cells)))
            book.active.delete_rows(FIRST_ROW + count, book.active.max_row)
            content = saved(book)
            with statement_counter() as counted:
                batch = run(nantong, "base", content)
            assert batch.accepted_rows == count, list(batch_results.errors_of(batch.id))
            costs.append(counted.total)
        assert costs[1] <= costs[0] + 1


class TestPlatform:
    @pytest.mark.parametrize("region", [HUAIAN, LIANYUNGANG])
    def test_js_3_3_a_period_that_can_be_recalled(self, handlers, region, now):  # noqa: F811
        actor = handlers[region]
        form = form_of(employee(actor), region, from_month="2026-08", to_month="2026-10")
        filed = declarations.file(actor, "base", form, now)
        assert filed.status == "submitted"
        assert declarations.recall(actor, filed.reference, now).status == "recalled"

    def test_js_3_3_held_between_the_bounds_and_shown(self, handlers, person, now):  # noqa: F811
        actor = handlers[HUAIAN]
        found = employee(actor)
        checked = declarations.check(actor, "base", form_of(found, HUAIAN, wage_yuan="30000"), now)
        assert [each.code for each in checked.warnings if each.code != "base.differences"] == [
            "base.clipped_cap"
        ]
        assert checked.amounts.base_fen == checked.amounts.cap_fen == 2530000
        filed = declarations.file(actor, "base", form_of(found, HUAIAN, wage_yuan="30000"), now)
        audits.decide(person("huaian.auditor"), task_of(filed.reference), "approve", "", [], now)
        assert wages(found.person_id) == {(3000000, 2530000)}

    def test_js_3_3_a_past_period_leaves_the_present_wage(self, handlers, person, now):  # noqa: F811
        actor = handlers[HUAIAN]
        found = employee(actor)
        before = wages(found.person_id)
        form = form_of(found, HUAIAN, from_month="2026-09", to_month="2026-09", wage_yuan="9000")
        filed = declarations.file(actor, "base", form, now)
        audits.decide(person("huaian.auditor"), task_of(filed.reference), "approve", "", [], now)
        assert wages(found.person_id) == before
        (case,) = rows(Declaration, reference=filed.reference)
        assert {(row.after["from_month"], row.after["to_month"], row.after["wage_fen"])
                for row in rows(EnrolmentChange, declaration_id=case.id)} == {
            ("2026-09", "2026-09", 900000)
        }  # fmt: skip
        lines = rows(ContributionLine, declaration_id=case.id)
        assert {line.accrual_month for line in lines} <= {"2026-09"}

    def test_a_base_that_somebody_else_changed_meanwhile_is_not_overwritten(self, handlers, now):  # noqa: F811
        from app.store.bases import BaseRow, change_bases
        from app.store.constraints import Duplicate

        found = employee(handlers[HUAIAN])
        (row, *_) = rows(Enrolment, person_id=found.person_id)
        change = BaseRow(
            id=1, enrolment_id=row.id, declaration_id=0, action="base", from_month="2026-11", to_month=None,
            wage_fen=1, base_fen=1, before_wage_fen=row.wage_fen, before_base_fen=row.base_fen, at_utc=now,
        )  # fmt: skip
        with transaction():
            db.session.execute(update(Enrolment).where(Enrolment.id == row.id).values(wage_fen=2))
        with pytest.raises(Duplicate), transaction():
            change_bases([change])
