"""Who is left after the season, and carrying the old base on (SZ-4, JS-3.8)."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import audits, base_years, carry_runs, declarations, runs
from app.store.models import ContributionLine, Declaration, Enrolment, EnrolmentChange
from tests.services.conftest import HUAIAN, SUZHOU, citizen, huaian_form, rows, task_of
from tests.services.test_base import model, month_amounts, wages
from tests.services.test_base_annual import june, members, run, shortened  # noqa: F401 - fixtures
from tests.services.test_stop import handlers  # noqa: F401

YEAR = "2026-07"


@pytest.fixture
def counter(person):
    """A clerk at Huai'an's counter."""
    return person("huaian.counter")


@pytest.fixture
def huaian(handlers):  # noqa: F811
    return handlers[HUAIAN]


def left(actor, at):
    return [each.person_id for each in base_years.undeclared(actor, at, limit=1000).rows]


def found(actor, run_id):
    return runs.get_run(actor, run_id)


def approved(person, reference, at):
    return audits.decide(person("huaian.auditor"), task_of(reference), "approve", "", [], at)


class TestList:
    def test_sz_4_everybody_until_declared(self, suzhou, run, june):  # noqa: F811
        everybody = [each.person_id for each in members(suzhou)]
        found = base_years.undeclared(suzhou, june, limit=1000)
        assert (found.year, found.closed) == (YEAR, "")
        assert set(left(suzhou, june)) == set(everybody)
        run(suzhou, shortened(suzhou, june, ["9000", "9000"]), june)
        assert set(left(suzhou, june)) == set(everybody[2:])
        counts = base_years.undeclared(suzhou, june).counts
        assert (counts.insured, counts.undeclared) == (len(everybody), len(everybody) - 2)

    def test_js_3_8_waits_for_the_audit_and_is_named(self, huaian, person, run, june):  # noqa: F811
        run(huaian, shortened(huaian, june, ["9000"]), june)
        first = members(huaian)[0].person_id
        (case,) = rows(Declaration, kind="base_annual", employer_id=huaian.employer_id)
        row = next(each for each in base_years.undeclared(huaian, june).rows if each.person_id == first)
        assert row.open_reference == case.reference
        approved(person, case.reference, june)
        assert first not in left(huaian, june)

    def test_enrolled_since_the_download_is_listed(self, huaian, person, run, june):  # noqa: F811
        content = shortened(huaian, june, ["9000"])
        form = huaian_form(citizen(HUAIAN, "not_insured"), "2026-06-01")
        filed = declarations.file(huaian, "enrol", form, june)
        approved(person, filed.reference, june)
        (case,) = rows(Declaration, reference=filed.reference)
        batch = run(huaian, content, june)
        assert (batch.accepted_rows, batch.rejected_rows) == (1, 0)
        assert case.person_id in left(huaian, june)

    def test_only_the_own_employer_and_region(self, suzhou, huaian, counter, person, june):  # noqa: F811
        with pytest.raises(NotFound):
            base_years.undeclared(suzhou, june, huaian.employer_id)
        with pytest.raises(NotFound):
            base_years.employers(counter, SUZHOU, june)
        # a region without the yearly declaration
        with pytest.raises(NotFound):
            base_years.undeclared(person("nantong.handler"), june)


class TestCarry:
    def test_js_3_8_the_old_base_goes_on(self, huaian, counter, person, now):
        first = members(huaian)[0]
        before = wages(first.person_id)
        filed = declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        assert filed.status == "submitted"
        done = approved(person, filed.reference, now)
        assert (done.status, done.message_code) == ("approved", "base_carry.accepted")
        # within the bounds nothing but the history changes
        assert wages(first.person_id) == before
        history = rows(EnrolmentChange, action="base_carry")
        assert {(row.after["from_month"], row.after["to_month"]) for row in history} == {(YEAR, None)}
        (case,) = rows(Declaration, reference=filed.reference)
        assert rows(ContributionLine, declaration_id=case.id) == []
        found = base_years.undeclared(huaian, now, limit=1000)
        assert found.rows
        assert all(row.carried for row in found.rows)
        assert found.counts.left == 0

    def test_110_percent_makes_differences_in_charged_months(self, huaian, counter, person, now, monkeypatch):
        monkeypatch.setattr(
            "app.services.base_carrying.carried_wage",
            lambda _params, _year, _begun, _wage, base: base * Decimal("1.1"),
        )
        first = members(huaian)[0]
        ((_, old),) = wages(first.person_id)
        funds = {row.fund for row in rows(Enrolment, person_id=first.person_id) if row.to_month is None}
        check = declarations.check(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        assert check.ok
        assert [warning.code for warning in check.warnings] == ["base_carry.tells"]
        assert check.amounts is not None
        filed = declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        approved(person, filed.reference, now)
        (case,) = rows(Declaration, reference=filed.reference)
        lines = rows(ContributionLine, declaration_id=case.id)
        assert {line.due_type for line in lines} == {"34"}
        assert min(line.accrual_month for line in lines) >= YEAR
        assert sum(line.amount_fen for line in lines) == sum(line.amount_fen for line in check.amounts.lines)
        wage = Decimal(old) * Decimal("1.1") / 100
        month = lines[0].accrual_month
        assert month_amounts(first.person_id, month) == model(HUAIAN, month, str(wage), funds)

    def test_a_second_time_finds_nobody(self, huaian, counter, person, now):
        filed = declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        with pytest.raises((Conflict, Rejected)):
            declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        approved(person, filed.reference, now)
        with pytest.raises(Rejected) as caught:
            declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        assert [error.code for error in caught.value.errors] == ["base_carry.nobody"]

    def test_not_before_the_season_ends(self, huaian, counter, june):  # noqa: F811
        with pytest.raises(Rejected) as caught:
            declarations.file(counter, "base_carry", {}, june, employer_id=huaian.employer_id)
        assert [error.code for error in caught.value.errors] == ["base_carry.season_open"]

    def test_who_was_declared_or_waits_is_left_alone(self, huaian, counter, person, run, june, now):  # noqa: F811
        run(huaian, shortened(huaian, june, ["9000", "9100"]), june)
        declared, waiting = rows(Declaration, kind="base_annual", employer_id=huaian.employer_id)
        approved(person, declared.reference, june)
        filed = declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        approved(person, filed.reference, now)
        assert wages(declared.person_id) == {(900000, 900000)}
        touched = {row.enrolment_id for row in rows(EnrolmentChange, action="base_carry")}
        spared = {
            row.id for row in rows(Enrolment) if row.person_id in (declared.person_id, waiting.person_id)
        }
        assert touched
        assert not touched & spared

    def test_who_had_a_wage_declared_within_the_year_keeps_it(self, huaian, counter, person, now):
        found = members(huaian)[0]
        form = {"id_type": "01", "id_number": found.id_number, "from_month": "2026-09", "wage_yuan": "9300"}
        approved(person, declarations.file(huaian, "base", form, now).reference, now)
        before = base_years.undeclared(huaian, now).counts
        assert before.left == before.undeclared - 1
        filed = declarations.file(counter, "base_carry", {}, now, employer_id=huaian.employer_id)
        approved(person, filed.reference, now)
        own = {row.id for row in rows(Enrolment, person_id=found.person_id)}
        carried = {row.enrolment_id for row in rows(EnrolmentChange, action="base_carry")}
        assert not own & carried
        assert base_years.undeclared(huaian, now).counts.left == 0

    def test_all_employers_at_once_and_only_by_the_counter(self, huaian, counter, person, now):
        run_id = carry_runs.start(counter, HUAIAN, now)
        carry_runs.run(run_id, now)
        first = found(counter, run_id)
        assert (first.state, first.refused, first.skipped) == ("finished", 0, 0)
        assert first.filed == first.done == first.total >= 1
        made = rows(Declaration, kind="base_carry")
        assert len(made) == first.filed
        _run, results = carry_runs.results(counter, run_id, "filed", "", 100)
        assert {row.reference for row in results} == {row.reference for row in made}
        again_id = carry_runs.start(counter, HUAIAN, now)
        carry_runs.run(again_id, now)
        again, results = carry_runs.results(counter, again_id, "", "", 100)
        # what waits for a decision is named, and nothing is filed twice
        assert (again.filed, again.skipped, again.refused) == (0, first.filed, 0)
        assert {row.reference for row in results} == {row.reference for row in made}
        with pytest.raises(NotFound):
            declarations.file(huaian, "base_carry", {}, now)
        own = replace(counter, roles=counter.roles | {"auditor"})
        with pytest.raises((Conflict, Forbidden)):
            audits.decide(own, task_of(made[0].reference), "approve", "", [], now)


def test_the_counter_may_declare_after_the_season(huaian, counter, person, now):
    found = members(huaian)[0]
    form = {"id_type": "01", "id_number": found.id_number, "staff_group": "active", "wage_yuan": "9000"}
    filed = declarations.file(counter, "base_annual", form, now, employer_id=huaian.employer_id)
    approved(person, filed.reference, now)
    assert wages(found.person_id) == {(900000, 900000)}
    assert found.person_id not in left(huaian, now)


def test_sz_4_the_file_is_of_those_insured_at_download(suzhou, june):  # noqa: F811
    book = load_workbook(BytesIO(shortened(suzhou, june, [None] * len(members(suzhou)))))
    assert book.active.max_row - 3 >= len(members(suzhou)) - 1
