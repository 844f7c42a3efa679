"""Carrying the old base on for all employers of a region, as a job that may die at any line."""

import pytest

from app.errors import Conflict, FieldError, Forbidden, NotFound, OpenCase, Rejected
from app.services import carry_runs, declarations, runs
from app.store.models import Declaration
from tests.services.conftest import HUAIAN, rows
from tests.services.test_base_annual import june  # noqa: F401 - fixture
from tests.services.test_base_years import approved, found


@pytest.fixture
def counter(person):
    """A clerk at Huai'an's counter."""
    return person("huaian.counter")


@pytest.fixture
def run_id(counter, now):
    return carry_runs.start(counter, HUAIAN, now)


def test_not_before_the_season_ends(counter, june):  # noqa: F811
    with pytest.raises(Rejected) as caught:
        carry_runs.start(counter, HUAIAN, june)
    assert [error.code for error in caught.value.errors] == ["base_carry.season_open"]


def test_a_second_click_is_the_first_run(counter, run_id, now):
    assert carry_runs.start(counter, HUAIAN, now) == run_id


def test_who_may(person, now):
    for name, error in (("huaian.auditor", Forbidden), ("nantong.counter", NotFound)):
        with pytest.raises(error):
            carry_runs.start(person(name), HUAIAN, now)
    with pytest.raises(Forbidden):
        carry_runs.start(person("huaian.handler"), HUAIAN, now)


def test_nobody_left_is_counted_and_not_listed(counter, person, run_id, now):
    carry_runs.run(run_id, now)
    for case in rows(Declaration, kind="base_carry"):
        approved(person, case.reference, now)
    again_id = carry_runs.start(counter, HUAIAN, now)
    carry_runs.run(again_id, now)
    again, results = carry_runs.results(counter, again_id, "", "", 100)
    assert (again.filed, again.refused) == (0, 0)
    assert again.skipped == again.done == again.total >= 1
    assert results == []


def test_a_refusal_is_kept_with_its_words(counter, run_id, now, monkeypatch):
    def refuse(*_given, **_named):
        raise Rejected(
            [FieldError("", "base_carry.x", "该单位已注销", OpenCase("261117-AAAAAAAAAA", "注销"))]
        )

    monkeypatch.setattr(declarations, "file", refuse)
    carry_runs.run(run_id, now)
    run, results = carry_runs.results(counter, run_id, "refused", "", 100)
    assert run.state == "finished"
    assert (run.filed, run.refused) == (0, run.total)
    assert {(row.reference, row.message) for row in results} == {("261117-AAAAAAAAAA", "该单位已注销")}


@pytest.mark.parametrize("late", [False, True])
def test_killed_at_any_employer_it_goes_on(counter, run_id, now, monkeypatch, late):
    """Killed before or after an employer's transaction: nothing is lost, nothing is filed twice."""
    real, calls = declarations.file, []

    class Killed(BaseException):
        pass

    def dies(*given, **named):
        calls.append(1)
        if late:
            real(*given, **named)
        if len(calls) == 1:
            raise Killed
        return None if late else real(*given, **named)

    monkeypatch.setattr(declarations, "file", dies)
    with pytest.raises(Killed):
        carry_runs.run(run_id, now)
    monkeypatch.setattr(declarations, "file", real)
    # nobody else takes it before the silence has passed
    carry_runs.run(run_id, now)
    assert found(counter, run_id).state == "running"
    monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
    assert runs.sweep() == 1
    carry_runs.run(run_id, now)
    run = found(counter, run_id)
    assert (run.state, run.skipped, run.refused) == ("finished", 0, 0)
    assert run.filed == run.total == len(rows(Declaration, kind="base_carry"))


def test_a_worker_that_was_given_up_on_writes_nothing(counter, run_id, now, monkeypatch):
    real = declarations.file

    def slow(*given, **named):
        monkeypatch.setattr(declarations, "file", real)
        monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
        runs.sweep()
        carry_runs.run(run_id, now)
        return real(*given, **named)

    monkeypatch.setattr(declarations, "file", slow)
    carry_runs.run(run_id, now)
    run = found(counter, run_id)
    assert run.state == "finished"
    assert run.filed + run.skipped == run.total
    made = [row.employer_id for row in rows(Declaration, kind="base_carry")]
    assert len(made) == len(set(made)) == run.filed


def test_stopped_and_started_again(counter, run_id, now, monkeypatch):
    real = declarations.file

    def stopping(*given, **named):
        monkeypatch.setattr(declarations, "file", real)
        runs.stop(counter, run_id, now)
        return real(*given, **named)

    monkeypatch.setattr(declarations, "file", stopping)
    carry_runs.run(run_id, now)
    assert (found(counter, run_id).state, rows(Declaration, kind="base_carry")) == ("stopped", [])
    with pytest.raises(Conflict):
        runs.stop(counter, run_id, now)
    again = carry_runs.start(counter, HUAIAN, now)
    assert again != run_id
    carry_runs.run(again, now)
    assert found(counter, again).state == "finished"


def test_a_long_run_lets_others_through(counter, run_id, now, monkeypatch):
    enqueued = []
    monkeypatch.setattr(runs, "enqueue", lambda *given: enqueued.append(given))
    monkeypatch.setattr(carry_runs, "SECONDS_AT_ONCE", -1)
    monkeypatch.setattr(carry_runs, "PAGE", 1)
    total = found(counter, run_id).total
    for done in range(1, total + 1):
        carry_runs.run(run_id, now)
        run = found(counter, run_id)
        assert (run.state, run.done) == ("queued", done)
    assert enqueued == [(run_id, "carry")] * total
    carry_runs.run(run_id, now)
    assert found(counter, run_id).state == "finished"


def test_a_run_that_kills_its_workers_ends(counter, run_id, now, monkeypatch):
    monkeypatch.setattr(runs, "SILENT_SECONDS", -1)

    class Killed(BaseException):
        pass

    def dies(*_given, **_named):
        raise Killed

    monkeypatch.setattr(carry_runs, "count_by_employer", dies)
    for _ in range(runs.MAX_ATTEMPTS):
        with pytest.raises(Killed):
            carry_runs.run(run_id, now)
        runs.sweep()
    carry_runs.run(run_id, now)
    assert found(counter, run_id).state == "failed"
    assert runs.sweep() == 0


def test_without_the_right_any_more(counter, run_id, now, monkeypatch):
    monkeypatch.setattr("app.services.accounts.load_account", lambda *_given: None)
    carry_runs.run(run_id, now)
    assert (found(counter, run_id).state, rows(Declaration, kind="base_carry")) == ("failed", [])
