"""Figures announced late: previewed, confirmed, written once, whatever happens in between."""

from collections import Counter
from contextlib import suppress
from datetime import date, timedelta

import pytest

from app import queue
from app.domain.parameters import ParameterMissing
from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import adjusting, adjustment_runs, audits, billing, declarations, posting, runs
from app.services.actors import SYSTEM
from app.services.adjusting import Figures
from app.services.assessing import assess
from app.store.adjustment_runs import list_adjustments
from app.store.assessments import uncharged
from app.store.models import Adjustment, AdjustmentChunk, ContributionLine, Employer
from app.store.session import after_commit
from tests.services import ledger_truth
from tests.services.conftest import HUAIAN, NANTONG, SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.late_figures import announce
from tests.services.test_assessing import Year
from tests.services.test_employer_transfer import moved
from tests.services.test_ledger_races import at_once
from tests.services.test_person_merge import merge
from tests.services.test_stop import NANJING, employee, stop_form

OCTOBER, MONTH, DECEMBER = "2026-10", "2026-11", "2026-12"
BIG, SMALL = "32050000001", "32050000003"


@pytest.fixture
def supervisor(person):
    return person("suzhou.supervisor")


@pytest.fixture
def truth(in_context):
    """The ledger as it must be by what is published now."""
    cases = ledger_truth.already_charged()
    return lambda *months: ledger_truth.check(months or (MONTH,), leave_out=cases)


def look(adjustment_id):
    return adjustment_runs.get_adjustment(SYSTEM, adjustment_id)


def work(adjustment_id, now):
    """What the job of its run does."""
    adjustment_runs.run(look(adjustment_id).run_id, now)


def preview(now, *, region=SUZHOU, first=MONTH, last=MONTH, employer="", actor=SYSTEM):
    run_id = adjustment_runs.start(actor, region, first, last, employer, now)
    work(run_id, now)
    return look(run_id)


def carry_out(run, now, actor=SYSTEM):
    adjustment_runs.confirm(actor, run.id, run.digest, now)
    work(run.id, now)
    return look(run.id)


def adjust(now, **more):
    """Preview and carry out, in one; the run is finished."""
    done = carry_out(preview(now, **more), now)
    assert done.state == "finished", done.message
    return done


def shown(run, *, written=False) -> Figures:
    return adjustment_runs.figures_of(run.id, written=written)


def made(**more):
    """The lines that late figures wrote: nobody declared them."""
    found = rows(ContributionLine, declaration_id=None, **more)
    return [line for line in found if line.due_type in ("34", "35")]


def nothing_left(now, **more) -> bool:
    return shown(preview(now, **more)) == Figures()


@pytest.mark.parametrize("region", [SUZHOU, NANTONG, HUAIAN, NANJING, "320700", "610500"])
def test_where_nothing_was_announced_nothing_is_found(region, now):
    assess(MONTH, now, region=region)
    found = preview(now, region=region, first="2026-01", last="2026-12")
    assert found.state == "finished"
    assert shown(found) == Figures()
    with pytest.raises(Conflict):
        adjustment_runs.confirm(SYSTEM, found.id, found.digest, now)


class TestTheWay:
    def test_previewed_confirmed_written_and_on_a_notice(self, supervisor, now, truth):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, base__floor="7000")
        found = preview(now, actor=supervisor)
        assert (found.state, found.created_by_name) == ("ready", supervisor.name)
        assert found.done == found.total == len(rows(Employer, region=SUZHOU))
        before = shown(found)
        assert before.people > 5
        assert {due_type for _, due_type, _ in before.sums} == {"34"}
        assert not made()
        with pytest.raises(AssertionError):
            truth()

        done = carry_out(found, now, supervisor)
        assert (done.state, done.confirmed_by_name) == ("finished", supervisor.name)
        assert (shown(done), shown(done, written=True)) == (Figures(), before)
        written = made()
        assert len(written) == before.lines
        assert {line.due_month for line in written} == {MONTH}
        assert sum(line.amount_fen for line in written if line.party == "employee") == before.employee_fen
        assert truth()
        assert all(line.notice_id for line in written)
        notices = billing.notices_named(BIG, now)
        (late,) = [each for each in notices if each.kind == "backpay"]
        assert {row.due_type for row in late.rows} == {"34"}
        assert nothing_left(now)

    def test_floor_and_rate_of_two_months_at_once(self, now, truth):
        for month in (MONTH, DECEMBER):
            assess(month, now, region=SUZHOU)
        announce(SUZHOU, MONTH, base__floor="7000", contribution__active__510__employer__rate="0.01")
        adjust(now, last=DECEMBER)
        assert {line.due_type for line in made()} == {"34", "35"}
        assert {line.accrual_month for line in made()} == {MONTH, DECEMBER}
        assert {line.due_month for line in made()} == {MONTH}
        assert truth(MONTH, DECEMBER)
        assert nothing_left(now, last=DECEMBER)

    def test_in_the_employers_favour_it_lowers_the_next_normal_notice(self, now, truth):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, contribution__active__310__employer__rate="0.05")
        adjust(now)
        (notice,) = [each for each in billing.notices_named(SMALL, now) if each.kind == "normal"]
        credit = [row for row in notice.rows if row.due_type == "35"]
        assert credit
        assert all(row.employer_fen < 0 for row in credit)
        assert truth()

    def test_a_fund_that_cost_nothing_until_then(self, now, truth):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, contribution__active__410__employer__rate="0.001")
        adjust(now, employer=SMALL)
        assert {(line.fund, line.due_type) for line in made()} == {("410", "35")}
        count = len(made())
        adjust(now)
        assert len(made()) > count
        assert truth()
        assert nothing_left(now)
        # nobody who declares something later is charged for the fund as if it were missing
        people = {line.person_id for line in made()}
        assert not [each for each in uncharged(people, MONTH) if each.fund == "410"]

    def test_retirees_by_head_and_by_allocation(self, now, truth):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, contribution__retired__310__allocation_employer__rate="0.04",
                 contribution__retired__330__employee__fixed="8.00")  # fmt: skip
        adjust(now)
        assert {(line.fund, line.party, line.retired) for line in made()} == {
            ("310", "allocation_employer", True), ("330", "employee", True)
        }  # fmt: skip
        assert truth()

    def test_only_the_months_and_the_employer_that_were_asked_for(self, now):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, "2026-07", base__floor="7000")
        adjust(now, employer=SMALL)
        assert {line.accrual_month for line in made()} == {MONTH}
        assert {line.employer_id for line in made()} == {rows(Employer, employer_no=SMALL)[0].id}

    def test_a_base_declared_above_the_old_cap_counts_when_the_cap_rises(self, nantong, auditor, now, truth):
        announce(NANTONG, MONTH, base__policy="clip")
        found = employee(nantong)
        form = {"id_number": found.id_number, "from_month": MONTH, "wage_yuan": "30000"}
        done = declarations.file(nantong, "base", form, now, submit_now=True)
        audits.decide(auditor, task_of(done.reference), "approve", "", [], now)
        assess(MONTH, now, region=NANTONG)
        announce(NANTONG, MONTH, base__cap="28000")
        adjust(now, region=NANTONG)
        mine = rows(ContributionLine, person_id=found.person_id, accrual_month=MONTH, fund="310",
                    party="employee")  # fmt: skip
        assert sum(line.base_fen for line in mine) == 2_800_000
        assert truth()


class TestWhoAndWhat:
    def test_only_a_supervisor_of_the_region(self, person, supervisor, now):
        with pytest.raises(Forbidden):
            adjustment_runs.start(person("suzhou.auditor"), SUZHOU, MONTH, MONTH, "", now)
        with pytest.raises(NotFound):
            adjustment_runs.start(supervisor, NANJING, MONTH, MONTH, "", now)
        announce(SUZHOU, OCTOBER, base__floor="7000")
        found = preview(now, first=OCTOBER)
        other = person("nanjing.supervisor")
        with pytest.raises(NotFound):
            adjustment_runs.get_adjustment(other, found.id)
        with pytest.raises(NotFound):
            adjustment_runs.confirm(other, found.id, found.digest, now)
        with pytest.raises(Forbidden):
            adjustment_runs.confirm(person("suzhou.auditor"), found.id, found.digest, now)
        assert adjustment_runs.list_adjustments(other, None, 10) == []
        assert [each.id for each in adjustment_runs.list_adjustments(supervisor, None, 10)] == [found.id]

    @pytest.mark.parametrize(
        ("first", "last", "employer", "field"),
        [
            ("x", MONTH, "", "from_month"),
            (MONTH, "2026-13", "", "to_month"),
            (MONTH, OCTOBER, "", "to_month"),
            (MONTH, "2027-01", "", "to_month"),
            (MONTH, MONTH, "32010000001", "employer_no"),
            (MONTH, MONTH, "no", "employer_no"),
        ],
    )
    def test_what_is_refused(self, supervisor, now, first, last, employer, field):
        with pytest.raises(Rejected) as caught:
            adjustment_runs.start(supervisor, SUZHOU, first, last, employer, now)
        assert [error.field for error in caught.value.errors] == [field]
        assert not rows(Adjustment)

    def test_a_month_without_a_value_says_which(self, now):
        assess(MONTH, now, region=SUZHOU)
        run_id = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(adjusting, "charges", _no_value)
            with pytest.raises(ParameterMissing):
                work(run_id, now)
        found = look(run_id)
        assert found.state == "failed"
        assert found.message == f"参数 base.floor 没有 {MONTH} 的数值，请先公布后再重新办理"


def _no_value(*_given):
    raise ParameterMissing("base.floor", SUZHOU, MONTH)


class TestConfirmed:
    @pytest.fixture(autouse=True)
    def _announced(self, now):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, base__floor="7000")

    def test_without_having_seen_it_nobody_confirms(self, now):
        found = preview(now)
        for digest in ("", "0" * 64):
            with pytest.raises(Conflict, match="核对"):
                adjustment_runs.confirm(SYSTEM, found.id, digest, now)
        adjustment_runs.confirm(SYSTEM, found.id, found.digest, now)
        with pytest.raises(Conflict):
            adjustment_runs.confirm(SYSTEM, found.id, found.digest, now)

    def test_published_again_since_nothing_is_written_and_the_new_figures_are_shown(self, now, truth):
        found = preview(now)
        announce(SUZHOU, MONTH, base__floor="7200")
        again = carry_out(found, now)
        assert again.state == "ready"
        assert "有变化" in again.message
        assert again.digest != found.digest
        assert not made()
        assert shown(again).employer_fen == shown(preview(now)).employer_fen > 0
        # the older preview gave way to the newer one
        (left,) = [each for each in list_adjustments([SUZHOU], None, 9) if each.state == "ready"]
        done = carry_out(left, now)
        assert (done.state, done.message) == ("finished", "")
        assert truth()

    def test_the_value_was_taken_back_since(self, now):
        found = preview(now)
        announce(SUZHOU, MONTH, base__floor="5060")
        done = carry_out(found, now)
        assert (done.state, bool(done.message)) == ("finished", True)
        assert not made()
        assert not rows(AdjustmentChunk)

    def test_somebody_left_since_the_others_are_written(self, suzhou, now, truth, monkeypatch):
        monkeypatch.setattr(adjusting, "PEOPLE_AT_ONCE", 5)
        found = preview(now)
        (leaving,) = {line.person_id for line in _low_paid(suzhou)[:1]}
        everybody = [employee(suzhou, place) for place in range(20)]
        one = next(each for each in everybody if each.person_id == leaving)
        declarations.file(suzhou, "stop", stop_form(one, SUZHOU, stop_date="2026-10-31"), now)
        half = carry_out(found, now)
        assert half.state == "ready"
        assert shown(half, written=True).people > 0
        assert shown(half).people > 0
        assert not [line for line in made() if line.person_id == leaving]
        done = carry_out(half, now)
        assert done.state == "finished"
        assert truth()

    def test_killed_in_the_middle_it_goes_on(self, now, truth, monkeypatch):
        monkeypatch.setattr(adjusting, "PEOPLE_AT_ONCE", 5)
        found = preview(now)
        real, calls = adjusting.write, []

        def dies(*given):
            calls.append(given)
            real(*given)
            if len(calls) == 3:
                raise KeyboardInterrupt

        monkeypatch.setattr(adjusting, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            carry_out(found, now)
        half = len(made())
        assert half
        assert look(found.id).state == "running"
        monkeypatch.setattr(adjusting, "write", real)
        # nobody else takes it before the silence has passed
        work(found.id, now)
        assert look(found.id).state == "running"
        monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
        assert runs.sweep() == 1
        work(found.id, now)
        done = look(found.id)
        assert done.state == "finished"
        assert half < len(made()) == shown(done, written=True).lines
        assert all(line.notice_id for line in made())
        work(found.id, now)
        assert len(made()) == shown(done, written=True).lines
        assert truth()

    def test_killed_before_the_notices_they_are_made_by_the_next_job(self, now, monkeypatch):
        found = preview(now)
        real = billing.issue
        monkeypatch.setattr(billing, "issue", _dies)
        with pytest.raises(KeyboardInterrupt):
            carry_out(found, now)
        assert made()
        assert not all(line.notice_id for line in made())
        monkeypatch.setattr(billing, "issue", real)
        monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
        work(found.id, now)
        assert all(line.notice_id for line in made())

    def test_killed_while_it_is_counted(self, now, monkeypatch):
        run_id = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now)
        real, calls = adjusting.chunks_of, []

        def dies(*given):
            calls.append(given)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return real(*given)

        monkeypatch.setattr(adjusting, "chunks_of", dies)
        with pytest.raises(KeyboardInterrupt):
            work(run_id, now)
        monkeypatch.setattr(adjusting, "chunks_of", real)
        monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
        assert runs.sweep() == 1
        work(run_id, now)
        found = look(run_id)
        assert (found.state, found.done) == ("ready", found.total)
        once = shown(found)
        assert shown(preview(now)) == once

    def test_two_jobs_at_once_write_once(self, app, now, truth):
        found = preview(now)
        adjustment_runs.confirm(SYSTEM, found.id, found.digest, now)
        job = lambda: work(found.id, now)  # noqa: E731
        assert not at_once(app, job, job)
        assert len(made()) == shown(found, written=True).lines > 0
        assert truth()

    def test_two_runs_of_one_scope_at_once_write_once(self, app, now, truth):
        one, other = preview(now), preview(now, employer=BIG)
        for each in (one, other):
            adjustment_runs.confirm(SYSTEM, each.id, each.digest, now)
        jobs = [lambda each=each: work(each.id, now) for each in (one, other)]
        assert not at_once(app, *jobs)
        ends = [look(each.id) for each in (one, other)]
        assert [each.state for each in ends] == ["finished", "finished"]
        assert truth()

    def test_a_stop_meanwhile(self, app, suzhou, now):
        found = preview(now)
        adjustment_runs.confirm(SYSTEM, found.id, found.digest, now)
        leaving = employee(suzhou, 2)
        form = stop_form(leaving, SUZHOU, stop_date="2026-10-31")
        failed = at_once(
            app,
            lambda: work(found.id, now),
            lambda: declarations.file(suzhou, "stop", form, now),
        )
        assert not failed
        mine = rows(ContributionLine, person_id=leaving.person_id, accrual_month=MONTH, reversed_by_id=None)
        assert not mine

    def test_asked_twice_it_is_one_run(self, supervisor, now):
        first = adjustment_runs.start(supervisor, SUZHOU, MONTH, MONTH, "", now)
        assert adjustment_runs.start(supervisor, SUZHOU, MONTH, MONTH, "", now) == first
        other = adjustment_runs.start(supervisor, SUZHOU, OCTOBER, MONTH, "", now)
        assert other != first

    def test_the_sweeper_takes_up_what_nobody_works_on(self, now, monkeypatch):
        found = look(adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now))
        asked = []
        monkeypatch.setattr(queue, "enqueue", lambda job, **ids: asked.append((job, ids["run_id"])))
        assert runs.sweep() == 0
        later = runs.clock.real_utcnow() + timedelta(seconds=130)
        monkeypatch.setattr(runs.clock, "real_utcnow", lambda: later)
        assert (runs.sweep(), asked) == (1, [("jobs.billing.adjust", found.run_id)])
        assert runs.sweep() == 0

    @pytest.mark.parametrize("step", ["chunks_of", "waiting_chunks"])
    def test_a_worker_that_was_given_up_on_writes_nothing(self, now, truth, monkeypatch, step):
        """Another one took the run over, while it counted or while it wrote."""
        owner = adjusting if step == "chunks_of" else adjustment_runs.store
        real = getattr(owner, step)
        found = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now)
        if step == "waiting_chunks":
            work(found, now)
            adjustment_runs.confirm(SYSTEM, found, look(found).digest, now)

        def slow(*given):
            seen = list(real(*given))
            monkeypatch.setattr(owner, step, real)
            monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
            work(found, now)
            return seen

        monkeypatch.setattr(owner, step, slow)
        work(found, now)
        monkeypatch.setattr(runs, "SILENT_SECONDS", 120)
        ended = look(found)
        assert ended.done == ended.total
        if step == "chunks_of":
            assert ended.state == "ready"
            assert shown(ended) == shown(preview(now))
        else:
            assert ended.state == "finished"
            assert len(made()) == shown(ended, written=True).lines > 0
            assert truth()

    def test_stopped_it_writes_no_more_and_a_new_preview_shows_the_rest(
        self, supervisor, now, truth, monkeypatch
    ):
        found = preview(now)
        adjustment_runs.confirm(supervisor, found.id, found.digest, now)
        real = billing.issue

        def stopping(*given):
            real(*given)
            monkeypatch.setattr(billing, "issue", real)
            after_commit(lambda: runs.stop(supervisor, look(found.id).run_id, now))

        monkeypatch.setattr(billing, "issue", stopping)
        work(found.id, now)
        half = look(found.id)
        assert (half.state, half.done) == ("stopped", 1)
        assert 0 < len(made()) < shown(found).lines + shown(half, written=True).lines
        with pytest.raises(Conflict):
            adjustment_runs.confirm(supervisor, found.id, found.digest, now)
        adjust(now)
        assert truth()

    def test_a_long_run_lets_others_through_and_a_command_does_not(self, now, truth, monkeypatch):
        monkeypatch.setattr(adjustment_runs, "SECONDS_AT_ONCE", -1)
        found = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now)
        total = look(found).total
        for done in range(1, total + 1):
            work(found, now)
            assert (look(found).state, look(found).done) == ("counting", done)
        work(found, now)
        assert look(found).state == "ready"
        adjustment_runs.confirm(SYSTEM, found, look(found).digest, now)
        total = look(found).total
        assert total > 1
        for done in range(1, total + 1):
            work(found, now)
            assert (look(found).state, look(found).done) == ("queued", done)
        work(found, now)
        assert look(found).state == "finished"
        assert truth()
        announce(SUZHOU, MONTH, base__floor="7100")
        at_once_id = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now, queued=False)
        adjustment_runs.run(look(at_once_id).run_id, now, seconds=60)
        assert look(at_once_id).state == "ready"

    def test_few_statements_for_many_people(self, now, statement_counter):
        run_id = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, BIG, now)
        with statement_counter() as counting:
            work(run_id, now)
        assert counting.total + len(counting.reads) <= 20
        found = look(run_id)
        adjustment_runs.confirm(SYSTEM, run_id, found.digest, now)
        with statement_counter() as writing:
            work(run_id, now)
        assert shown(found, written=True).lines > 20
        assert len(writing.writes) == 4
        assert writing.total + len(writing.reads) <= 45


def _dies(*_given):
    raise KeyboardInterrupt


def _low_paid(actor):
    found = rows(ContributionLine, employer_id=actor.employer_id, accrual_month=MONTH, fund="310",
                 party="employee", due_type="10")  # fmt: skip
    return [line for line in found if line.base_fen < 700_000 and not line.retired]


class TestWithEverythingElse:
    """What was refunded, taken back, merged, moved or paid back comes out right, before and after."""

    def test_paid_refunded_and_not_charged_again(self, suzhou, now):
        assess(MONTH, now, region=SUZHOU)
        number = next(each.number for each in billing.notices_named(BIG, now) if each.kind == "normal")
        posting.post(number, date(2026, 11, 17), now)
        leaving = employee(suzhou, 2)
        declarations.file(suzhou, "stop", stop_form(leaving, SUZHOU, stop_date="2026-10-31"), now)
        announce(SUZHOU, MONTH, base__floor="7000", contribution__active__510__employer__rate="0.01")
        adjust(now)
        assert not made(person_id=leaving.person_id)

    def test_adjusted_paid_and_refunded_with_its_differences(self, suzhou, now, truth):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, contribution__active__510__employer__rate="0.01")
        adjust(now)
        for each in billing.notices_named(BIG, now):
            if each.state != "paid" and each.due_month == MONTH:
                posting.post(each.number, date(2026, 11, 17), now)
        leaving = employee(suzhou, 2)
        assert made(person_id=leaving.person_id)
        declarations.file(suzhou, "stop", stop_form(leaving, SUZHOU, stop_date="2026-10-31"), now)
        mine = rows(ContributionLine, person_id=leaving.person_id, accrual_month=MONTH)
        assert sum(line.amount_fen for line in mine) == 0
        assert {line.due_type for line in mine} == {"10", "20", "35"}
        assert nothing_left(now)
        assert truth()

    def test_a_stop_that_was_reverted(self, person, now, truth):
        handler = person("nanjing.handler")
        found = employee(handler)
        assess(MONTH, now, region=NANJING)
        announce(NANJING, MONTH, contribution__active__510__employer__rate="0.011")
        adjust(now, region=NANJING)
        stop = stop_form(found, NANJING, stop_date="2026-10-31")
        declarations.file(handler, "stop", stop, now)
        announce(NANJING, MONTH, contribution__active__510__employer__rate="0.012")
        adjust(now, region=NANJING)
        declarations.file(handler, "revert", {"id_number": found.id_number, "revert_type": "stop"}, now)
        adjust(now, region=NANJING)
        assert truth()

    def test_months_that_moved_to_another_employer(self, person, now, truth):
        handler, decider = person("nanjing.handler"), person("nanjing.auditor")
        found = employee(handler)
        for month in (MONTH, DECEMBER):
            assess(month, now, region=NANJING)
        announce(NANJING, MONTH, base__floor="7000", contribution__active__510__employer__rate="0.011")
        adjust(now, region=NANJING, last=DECEMBER)
        moved(handler, decider, now, found)
        assert nothing_left(now, region=NANJING, last=DECEMBER)
        there = rows(ContributionLine, person_id=found.person_id, accrual_month=DECEMBER,
                     reversed_by_id=None, due_type="31")  # fmt: skip
        assert [line.rate for line in there if line.fund == "510"] == ["0.011"]
        announce(NANJING, MONTH, base__floor="7100", contribution__active__510__employer__rate="0.012")
        adjust(now, region=NANJING, last=DECEMBER)
        assert truth(MONTH, DECEMBER)

    def test_two_records_that_became_one(self, person, suzhou, now):
        assess(MONTH, now, region=SUZHOU)
        announce(SUZHOU, MONTH, contribution__active__310__employer__rate="0.065")
        adjust(now)
        found = citizen(SUZHOU, "double_record")
        merge(suzhou, person("suzhou.auditor"), found, now)
        assert nothing_left(now)
        announce(SUZHOU, MONTH, contribution__active__310__employer__rate="0.07")
        adjust(now)
        lines = rows(ContributionLine, region=SUZHOU, accrual_month=MONTH, fund="310", party="employer",
                     reversed_by_id=None)  # fmt: skip
        sums, due = Counter(), {}
        for line in lines:
            sums[line.person_id] += line.amount_fen
            if line.due_type in ("10", "31"):
                due[line.person_id] = (line.base_fen * 7 + 50) // 100
        assert due
        assert sums == due

    def test_back_pay_is_corrected_and_cancelled_with_its_correction(self, suzhou, now):
        found = citizen(SUZHOU, "not_insured")
        done = declarations.file(suzhou, "enrol", suzhou_form(found, "2026-09-01", wage="6000"), now)
        person_id = declarations.get_case(suzhou, done.reference, now).person_id
        announce(SUZHOU, "2026-09", base__floor="7000")
        adjust(now, first="2026-09")
        mine = made(person_id=person_id)
        assert {line.accrual_month for line in mine} == {"2026-09", OCTOBER, MONTH}
        form = {"id_number": found.id_number, "id_type": "01"}
        declarations.file(suzhou, "collection_cancel", form, now)
        left = rows(ContributionLine, person_id=person_id, reversed_by_id=None)
        assert left == []
        assert nothing_left(now, first="2026-09")

    def test_a_new_base_in_between_leaves_nothing_over(self, nantong, auditor, now, truth):
        found = employee(nantong, 1)
        assess(MONTH, now, region=NANTONG)
        announce(NANTONG, MONTH, base__floor="7000", contribution__active__510__employer__rate="0.011")
        form = {"id_number": found.id_number, "from_month": MONTH, "wage_yuan": "9000"}
        done = declarations.file(nantong, "base", form, now, submit_now=True)
        audits.decide(auditor, task_of(done.reference), "approve", "", [], now)
        adjust(now, region=NANTONG)
        assert nothing_left(now, region=NANTONG)
        assert truth()


class LateYear(Year):
    """The same year, with values announced late and carried out, in any order."""

    ACTS = (*Year.ACTS, "announce", "adjust")

    def announce(self):
        floor = str(self.random.randrange(5000, 8000))
        rate = self.random.choice(["0.006", "0.008", "0.01"])
        announce(NANTONG, MONTH, base__floor=floor, contribution__active__510__employer__rate=rate)

    def adjust(self):
        adjust_all(self.moment)


def adjust_all(moment):
    found = preview(moment, region=NANTONG, last=DECEMBER)
    if found.state == "ready":
        assert carry_out(found, moment).state == "finished"


@pytest.mark.parametrize("seed", range(2))
def test_at_random_every_month_carries_what_is_published(nantong, auditor, truth, seed):
    year = LateYear(nantong, auditor, seed)
    for _ in range(40):
        year.step()
    while year.waiting:
        with suppress(Rejected, Conflict):
            year.approve()
    year.announce()
    year.charge()
    adjust_all(year.moment)
    assert year.done.keys() >= {"announce", "adjust", "approve", "charge"}
    assert truth(MONTH, DECEMBER)
    assert nothing_left(year.moment, region=NANTONG, last=DECEMBER)
