"""`flask ledger adjust`: the preview, the writing, and how it ends."""

import json

import pytest

from app import clock
from app.extensions import db
from app.services import adjustment_runs, assessing, runs
from app.services.actors import SYSTEM
from app.store.runs import set_run
from app.store.session import transaction
from tests.fixtures.database import TEST_NOW
from tests.services.late_figures import announce

MONTH, SUZHOU, SMALL = "2026-11", "320500", "32050000003"
SPAN = ("--region", SUZHOU, "--from", MONTH, "--to", MONTH)


@pytest.fixture
def run(app):
    def call(*words, code=0):
        answer = app.test_cli_runner().invoke(args=["ledger", "adjust", *words])
        assert answer.exit_code == code, answer.output
        return answer

    return call


@pytest.fixture
def announced(app):
    with app.app_context():
        assessing.assess(MONTH, TEST_NOW, region=SUZHOU)
        announce(SUZHOU, MONTH, contribution__active__510__employer__rate="0.01")
        db.session.remove()


def test_shown_then_written_then_nothing(run, announced):
    shown = json.loads(run(*SPAN, "--json").stdout)
    assert shown["state"] == "ready"
    assert (shown["waiting"]["lines"] > 0, shown["written"]["lines"]) == (True, 0)
    assert {each["due_type_name"] for each in shown["waiting"]["sums"]} == {"缴费比例调整补收"}
    assert shown["waiting"]["people"] == sum(each["people"] for each in shown["employers"])
    assert "0 lines" in run(*SPAN).stdout
    assert run(*SPAN, "--confirm", "--expect", "0" * 64, code=1).stderr

    one = json.loads(run(*SPAN, "--employer", SMALL, "--confirm", "--json").stdout)
    assert (one["state"], one["waiting"]["lines"]) == ("finished", 0)
    assert [each["employer_no"] for each in one["employers"]] == [SMALL]

    rest = json.loads(run(*SPAN, "--json").stdout)
    assert SMALL not in [each["employer_no"] for each in rest["employers"]]
    done = json.loads(run(*SPAN, "--confirm", "--expect", rest["digest"], "--json").stdout)
    assert done["state"] == "finished"
    assert done["written"] == rest["waiting"]
    again = json.loads(run(*SPAN, "--confirm", "--json").stdout)
    assert (again["state"], again["waiting"]["lines"], again["written"]["lines"]) == ("finished", 0, 0)


def test_what_another_process_works_on_is_taken_over_once_that_is_silent(run, app, announced, monkeypatch):
    with app.app_context():
        now = clock.now()
        started = adjustment_runs.start(SYSTEM, SUZHOU, MONTH, MONTH, "", now, queued=False)
        run_id = adjustment_runs.get_adjustment(SYSTEM, started).run_id
        with transaction():
            set_run(run_id, state="running")
        db.session.remove()
    assert "another process" in run(*SPAN, code=1).stderr
    monkeypatch.setattr(runs, "SILENT_SECONDS", -1)
    shown = json.loads(run(*SPAN, "--json").stdout)
    assert (shown["run"], shown["state"]) == (str(started), "ready")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--region", SUZHOU, "--from", "x", "--to", MONTH), 1),
        (("--region", SUZHOU, "--from", MONTH, "--to", "2026-10"), 1),
        (("--region", SUZHOU, "--from", MONTH, "--to", "2027-05"), 1),
        ((*SPAN, "--employer", "no"), 1),
        (("--region", "999999", "--from", MONTH, "--to", MONTH), 1),
        (("--region", SUZHOU, "--from", MONTH), 2),
        ((), 2),
    ],
)
def test_how_it_ends(run, words, code):
    assert run(*words, code=code).stderr
