"""The yearly declaration of bases: season, pre-filled files, once a year (SZ-4, JS-3.8, WN-2.4)."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from app.clock import to_utc
from app.errors import Conflict, NotFound, Rejected
from app.services import (
    audits,
    batch_confirming,
    batch_documents,
    batch_results,
    batch_run,
    batch_steps,
    batch_submission,
    declarations,
    imports,
    rosters,
    templates,
)
from app.services.forms import setting_of
from app.store.bases import BaseRow, change_bases
from app.store.business import open_of_employer
from app.store.crypto import decrypt_json
from app.store.ids import new_id
from app.store.models import ContributionLine, Declaration, Enrolment, EnrolmentChange, Event, HumanTask
from app.store.session import transaction
from tests.documents.samples import picture
from tests.services.batch_files import FIRST_ROW, filled, saved
from tests.services.conftest import HUAIAN, SUZHOU, rows, task_of
from tests.services.test_base import model, month_amounts, wages
from tests.services.test_stop import NANJING, WEINAN, charge, employee, handlers  # noqa: F401


@pytest.fixture
def june(now):
    return now.replace(month=6)


@pytest.fixture
def run():
    """Upload a file on a day and work it through; gives the batch as it is then."""

    def go(actor, content, at, settings=None):
        made = imports.upload(actor, "base_annual", "申报.xlsx", content, settings or {}, at, queued=False)
        batch_run.run(made.batch.id)
        return imports.get_batch(actor, made.batch.id)

    return go


def sheet_of(actor, at):
    """The employer's template and the columns of its sheet."""
    book = load_workbook(BytesIO(templates.template_of(actor, "base_annual", at).content))
    return book, {cell.value: cell.column for cell in book.active[2]}


def shortened(actor, at, wages_of_rows):
    """The employer's own file with its first rows only, their wages changed; None leaves one as it is."""
    book, places = sheet_of(actor, at)
    sheet = book.active
    sheet.delete_rows(FIRST_ROW + len(wages_of_rows), sheet.max_row)
    for place, wage in enumerate(wages_of_rows):
        if wage is not None:
            sheet.cell(FIRST_ROW + place, places["wage_yuan"]).value = wage
    return saved(book)


def members(actor):
    return list(rosters.members(actor.employer_id, "310", retired=False))


class TestSuzhou:
    def test_sz_4_the_file_brings_the_old_wage_twice(self, suzhou, june):
        book, places = sheet_of(suzhou, june)
        for place, member in enumerate(members(suzhou)):
            old, new = (
                book.active.cell(FIRST_ROW + place, places[name]).value
                for name in ("old_wage_yuan", "wage_yuan")
            )
            assert old == new
            assert Decimal(old) * 100 == member.wage_fen
        titles = [book.active.cell(3, places[name]).value for name in ("old_wage_yuan", "wage_yuan")]
        assert titles == ["原工资", "工资(若有变动请修改)"]

    def test_sz_4_takes_effect_with_the_base_year_held_to_its_bounds(self, suzhou, run, june):
        found = members(suzhou)
        batch = run(suzhou, shortened(suzhou, june, ["9000", "100", None]), june)
        assert (batch.accepted_rows, batch.rejected_rows) == (3, 0), list(batch_results.errors_of(batch.id))
        cases = rows(Declaration, batch_id=batch.id)
        assert {case.status for case in cases} == {"done"}
        assert wages(found[0].person_id) == {(900000, 900000)}
        assert wages(found[1].person_id) == {(10000, 506000)}
        (history, *_) = rows(EnrolmentChange, declaration_id=cases[0].id)
        assert (history.action, history.after["from_month"], history.after["to_month"]) == (
            "base_annual", "2026-07", None,
        )  # fmt: skip

    def test_months_of_the_base_year_that_are_charged_get_differences(self, suzhou, run, june):
        # months of the new base year are charged already when the file comes
        found = employee(suzhou)
        charge(found.person_id, "2026-11")
        place = [each.person_id for each in members(suzhou)].index(found.person_id)
        content = shortened(suzhou, june, [None] * place + ["9000"])
        batch = run(suzhou, content, june)
        (case,) = (row for row in rows(Declaration, batch_id=batch.id) if row.person_id == found.person_id)
        lines = rows(ContributionLine, declaration_id=case.id)
        assert {line.due_type for line in lines} == {"34"}
        assert min(line.accrual_month for line in lines) >= "2026-07"
        funds = {row.fund for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None}
        assert month_amounts(found.person_id, "2026-11") == model(SUZHOU, "2026-11", "9000", funds)

    def test_sz_4_closed_outside_the_season(self, suzhou, run, june, now):
        content = shortened(suzhou, june, ["9000"])
        words = "年度缴费基数申报未开放，开放时间为每年5月至6月。"
        for at in (now, june.replace(month=7, day=1), june.replace(month=4, day=30)):
            with pytest.raises(Rejected) as caught:
                run(suzhou, content, at)
            assert [(error.field, error.message) for error in caught.value.errors] == [("file", words)]
        form = {"id_type": "01", "id_number": members(suzhou)[0].id_number, "wage_yuan": "9000"}
        with pytest.raises(Rejected) as caught:
            declarations.file(suzhou, "base_annual", form, now)
        assert [error.code for error in caught.value.errors] == ["base_annual.closed"]

    def test_sz_4_the_last_one_of_the_season_counts(self, suzhou, run, june):
        found = members(suzhou)[0]
        run(suzhou, shortened(suzhou, june, ["9000"]), june)
        run(suzhou, shortened(suzhou, june, ["9500"]), june)
        assert wages(found.person_id) == {(950000, 950000)}

    def test_stopped_since_the_download_is_a_row_error(self, suzhou, run, june):
        content = shortened(suzhou, june, ["9000"])
        found = members(suzhou)[0]
        stop = {"id_type": "01", "id_number": found.id_number, "stop_date": "2026-06-30"}
        reason = setting_of(suzhou, "stop", june).form.by_name["stop_reason"].options[0].value
        declarations.file(suzhou, "stop", {**stop, "stop_reason": reason}, june)
        batch = run(suzhou, content, june)
        assert [error["code"] for _, error in batch_results.errors_of(batch.id)] == ["base.not_active"]

    def test_a_file_costs_the_statements_of_one_row(self, suzhou, run, june, statement_counter):
        costs = []
        for count in (1, 6):
            content = shortened(suzhou, june, ["9100"] * count)
            with statement_counter() as counted:
                batch = run(suzhou, content, june)
            assert batch.accepted_rows == count, list(batch_results.errors_of(batch.id))
            costs.append(counted.total)
        assert costs[1] <= costs[0] + 1


class TestPlatform:
    def test_js_3_8_number_state_and_wage_are_filled_in(self, handlers, june):  # noqa: F811
        actor = handlers[HUAIAN]
        book, places = sheet_of(actor, june)
        assert list(places)[:6] == [
            "person_no", "id_type", "id_number", "name", "staff_group", "wage_yuan",
        ]  # fmt: skip
        member = members(actor)[0]
        cells = {name: book.active.cell(FIRST_ROW, place).value for name, place in places.items()}
        assert (cells["person_no"], cells["staff_group"]) == (member.person_no, "在职")
        assert Decimal(cells["wage_yuan"]) * 100 == member.wage_fen

    def test_js_3_8_waits_for_the_audit(self, handlers, person, run, june):  # noqa: F811
        actor = handlers[HUAIAN]
        before = wages(members(actor)[0].person_id)
        batch = run(actor, shortened(actor, june, ["9000"]), june)
        (case,) = rows(Declaration, batch_id=batch.id)
        assert case.status == "submitted"
        assert wages(case.person_id) == before
        audits.decide(person("huaian.auditor"), task_of(case.reference), "approve", "", [], june)
        assert wages(case.person_id) == {(900000, 900000)}


def test_nanjing_has_a_file_too(handlers, run, june):  # noqa: F811
    actor = handlers[NANJING]
    batch = run(actor, shortened(actor, june, ["9000", None]), june)
    assert (batch.accepted_rows, batch.rejected_rows) == (2, 0), list(batch_results.errors_of(batch.id))


class TestWeinan:
    SETTINGS = {"staff_group": ["active"], "declared_month": ["202606"]}

    def cells(self, found, wage="8000"):
        return {"id_number": found.id_number, "name": found.name, "wage_yuan": wage}

    def test_wn_2_4_each_person_waits_for_the_payroll(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        found = [employee(actor, place) for place in range(2)]
        content = filled(actor, "base_annual", [self.cells(each) for each in found])
        batch = run(actor, content, june, self.SETTINGS)
        assert (batch.accepted_rows, batch.rejected_rows) == (2, 0), list(batch_results.errors_of(batch.id))
        assert {task.form for task in rows(HumanTask, batch_id=batch.id)} == {"materials"}
        assert {
            tuple(map(tuple, case.facts["materials"])) for case in rows(Declaration, batch_id=batch.id)
        } == {(("payroll", True),)}

    def test_wn_2_4_out_of_the_bounds_keeps_the_file_out(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        cells = [self.cells(employee(actor)), self.cells(employee(actor, 1), wage="100")]
        batch = run(actor, filled(actor, "base_annual", cells), june, self.SETTINGS)
        assert (batch.accepted_rows, batch.rejected_rows) == (0, 2)
        codes = {error["code"] for _, error in batch_results.errors_of(batch.id)}
        assert codes == {"base.below_floor", "import.other_rows_bad"}

    def test_wn_2_4_once_a_year(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        found = employee(actor)
        other = filled(actor, "base_annual", [self.cells(employee(actor, 1))])
        run(actor, other, june, self.SETTINGS)
        declared(found.person_id, "2026-07", june)
        content = filled(actor, "base_annual", [self.cells(found)])
        batch = run(actor, content, june, self.SETTINGS)
        ((_, error),) = batch_results.errors_of(batch.id)
        assert (error["code"], error["message"]) == ("base_annual.once", "基数申报工作只允许申报一次")

    def test_wn_2_4_the_month_is_this_one(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        content = filled(actor, "base_annual", [self.cells(employee(actor))])
        batch = run(actor, content, june, {**self.SETTINGS, "declared_month": ["202605"]})
        ((_, error),) = batch_results.errors_of(batch.id)
        assert error["code"] == "base_annual.declared_month"
        assert "2026-06" in error["message"]

    def proposed(self, actor, run, june, count=2):
        """A file whose month nobody has said: it is proposed and confirmed after the import."""
        found = [employee(actor, place) for place in range(count)]
        content = filled(actor, "base_annual", [self.cells(each) for each in found])
        return run(actor, content, june, {"staff_group": ["active"]})

    def months(self, batch):
        cases = rows(Declaration, batch_id=batch.id)
        return {decrypt_json(case.data_cipher)["declared_month"] for case in cases}

    def test_wn_2_4_the_month_is_proposed_and_confirmed_after_the_import(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        batch = self.proposed(actor, run, june)
        assert batch.accepted_rows == 2, list(batch_results.errors_of(batch.id))
        asked = batch_confirming.confirmation(actor, batch.id)
        assert ([field.title for field in asked.fields], asked.waiting, asked.changeable) == (
            ["申请年月"], True, True,
        )  # fmt: skip
        assert asked.values["declared_month"] == "2026-06"
        with pytest.raises(Rejected) as caught:
            batch_steps.check_ready(actor, batch.id)
        assert caught.value.errors[0].message == "请先确认申请年月"
        batch_confirming.confirm(actor, batch.id, {"declared_month": ["202606"]}, june)
        assert not batch_confirming.confirmation(actor, batch.id).waiting
        # nothing was changed, so no form was written
        assert rows(Event, action="saved") == []
        with pytest.raises(Rejected) as caught:
            batch_steps.check_ready(actor, batch.id)
        assert {error.code for error in caught.value.errors} == {"material.missing"}

    def test_wn_2_4_another_month_goes_into_everybodys_form(self, handlers, run, june, monkeypatch):  # noqa: F811
        actor = handlers[WEINAN]
        batch = self.proposed(actor, run, june)
        for wrong, code in (("202605", "base_annual.declared_month"), ("", "required"), ("x", "pattern")):
            with pytest.raises(Rejected) as caught:
                batch_confirming.confirm(actor, batch.id, {"declared_month": [wrong]}, june)
            (error,) = caught.value.errors
            assert error.field == "declared_month", code
        assert self.months(batch) == {"2026-06"}
        # confirmed in the next month, still in the season
        monkeypatch.setattr(batch_confirming, "CHUNK", 1)
        july = june + timedelta(days=20)
        batch_confirming.confirm(actor, batch.id, {"declared_month": ["202607"]}, july)
        assert self.months(batch) == {"2026-07"}
        assert len(rows(Event, action="saved")) == 2
        assert batch_confirming.confirmation(actor, batch.id).values["declared_month"] == "2026-07"

    def test_wn_2_4_not_changeable_once_somebody_is_submitted(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        batch = self.proposed(actor, run, june)
        first, _second = rows(Declaration, batch_id=batch.id)
        declarations.discard(actor, [first.reference], june)
        assert batch_confirming.confirmation(actor, batch.id).changeable
        batch_confirming.confirm(actor, batch.id, {"declared_month": ["202606"]}, june)
        batch_documents.take_files(
            actor, batch.id, [("工资表.jpg", picture())], june, "payroll", everybody=True
        )
        assert batch_submission.start(actor, batch.id, june).state == "finished"
        assert not batch_confirming.confirmation(actor, batch.id).changeable
        with pytest.raises(Conflict):
            batch_confirming.confirm(actor, batch.id, {"declared_month": ["202606"]}, june)
        assert [row.status for row in rows(Declaration, batch_id=batch.id)] == ["discarded", "submitted"]

    def test_wn_2_4_nobody_elses(self, handlers, run, june, nantong):  # noqa: F811
        actor = handlers[WEINAN]
        batch = self.proposed(actor, run, june)
        for call in (
            lambda: batch_confirming.confirmation(nantong, batch.id),
            lambda: batch_confirming.confirm(nantong, batch.id, {"declared_month": ["202606"]}, june),
        ):
            with pytest.raises(NotFound):
                call()

    def test_wn_2_4_after_the_months_additions_and_stops(self, handlers, run, june, monkeypatch):  # noqa: F811
        actor = handlers[WEINAN]
        content = filled(actor, "base_annual", [self.cells(employee(actor))])
        waiting = "610500-0000000001"
        monkeypatch.setattr("app.services.registry.open_of_employer", lambda _employer, _kinds: [waiting])
        batch = run(actor, content, june, self.SETTINGS)
        ((_, error),) = batch_results.errors_of(batch.id)
        assert error["code"] == "base_annual.after_changes"
        assert waiting in error["message"]

    def test_wn_2_4_what_waits_is_the_employers_own(self, handlers, nantong, now):  # noqa: F811
        assert open_of_employer(nantong.employer_id, ("enrol", "stop")) == []
        found = employee(nantong)
        stop = {"id_number": found.id_number, "stop_reason": "10"}
        filed = declarations.file(nantong, "stop", stop, now)
        assert open_of_employer(nantong.employer_id, ("enrol", "stop")) == [filed.reference]
        assert open_of_employer(nantong.employer_id, ("enrol",)) == []
        assert open_of_employer(handlers[WEINAN].employer_id, ("enrol", "stop")) == []

    def test_wn_2_4_retirees_apart(self, handlers, run, june):  # noqa: F811
        actor = handlers[WEINAN]
        content = filled(actor, "base_annual", [self.cells(employee(actor, person_type="1201"), "2500")])
        batch = run(actor, content, june, self.SETTINGS)
        assert [error["code"] for _, error in batch_results.errors_of(batch.id)] == ["base.retiree"]
        content = filled(actor, "base_annual", [self.cells(employee(actor, person_type="1201"), "2600")])
        batch = run(actor, content, june, {**self.SETTINGS, "staff_group": ["retired"]})
        assert batch.accepted_rows == 1, list(batch_results.errors_of(batch.id))


def declared(person_id: int, first: str, at) -> None:
    """Have a yearly base on record."""
    stretches = [row for row in rows(Enrolment, person_id=person_id) if row.to_month is None]
    (any_case, *_) = rows(Declaration)
    with transaction():
        change_bases(
            [
                BaseRow(
                    id=new_id(), enrolment_id=row.id, declaration_id=any_case.id, action="base_annual",
                    from_month=first, to_month=None, wage_fen=700000, base_fen=700000,
                    before_wage_fen=row.wage_fen, before_base_fen=row.base_fen, at_utc=to_utc(at),
                )
                for row in stretches
            ]
        )  # fmt: skip

    def test_wn_2_4_employers_declare_by_file_alone(self, handlers, june):  # noqa: F811
        actor = handlers[WEINAN]
        found = employee(actor)
        form = {**self.cells(found), "staff_group": "active", "declared_month": "2026-06"}
        with pytest.raises(Conflict, match="只能批量办理"):
            declarations.file(actor, "base_annual", form, june)
        assert not rows(Declaration, kind="base_annual", employer_id=actor.employer_id)
