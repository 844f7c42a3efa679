"""Carrying the old base of the undeclared on for all employers of a region, as a job.

Each employer is a case and a transaction of its own; the run's row and what became of the employer are
written in that same transaction, so that a run that was killed goes on behind the last employer it filed for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic

from app import clock
from app.definitions.current import parameters
from app.domain.base import ANNUAL
from app.domain.base_year import year_of_list
from app.errors import Busy, Conflict, FieldError, Forbidden, NotFound, Rejected, ServiceFailure
from app.services import accounts, declarations, runs
from app.services.actions import refused
from app.services.actors import Actor, require, require_region
from app.services.base_years import CARRY, rules_of
from app.services.runs import RunOver
from app.services.seasons import closed_words
from app.store import runs as store
from app.store.queries.base_year import EmployerCount, count_by_employer, count_employers
from app.store.runs import FILED, REFUSED, SKIPPED, Result, ResultRow, RunRow
from app.store.session import end_read, transaction

PAGE = 200
# then the run lets the jobs behind it go first
SECONDS_AT_ONCE = 600
ONE_OPEN = "base_carry.one_open"


def start(actor: Actor, region: str, now: datetime) -> int:
    """Have the carrying-on filed for each employer where somebody is left; gives the run.

    Doing it again files for those who are left. Raises: Forbidden, NotFound, Rejected (the season is open).
    """
    require(actor, "counter.file")
    require_region(actor, region)
    rules = rules_of(region)
    if not closed_words(ANNUAL, rules, now.date()):
        words = rules.message("base_carry.season_open")
        raise Rejected([FieldError("", "base_carry.season_open", words)])
    year = year_of_list(rules, now.date())
    total = count_employers(region, rules.usual_funds()[0], year)
    return runs.begin(actor, store.CARRY, region, total, now, month=year)


def run(run_id: int, now: datetime) -> None:
    """Do a run, from the job; a second one finds what is left, or nothing."""
    runs.work(run_id, lambda found: _work(found, now), now)


def results(
    actor: Actor, run_id: int, outcome: str, after_no: str, limit: int
) -> tuple[RunRow, Sequence[Result]]:
    """A run, and a page of its results. Raises: Forbidden, NotFound."""
    found = runs.get_run(actor, run_id)
    if found.kind != store.CARRY:
        raise NotFound("run")
    return found, store.list_results(run_id, outcome, after_no, limit)


def _work(run: RunRow, now: datetime) -> RunRow:
    actor, fund = _actor(run), parameters(run.region).usual_funds()[0]
    until = monotonic() + SECONDS_AT_ONCE
    while page := count_by_employer(run.region, fund, run.month, after_no=run.after_no, limit=PAGE):
        for each in page:
            run = _one(run, actor, each, now)
        runs.keep_alone(run)
        if monotonic() > until:
            runs.let_others(run)
        end_read()
    return replace(run, total=run.done)


def _actor(run: RunRow) -> Actor:
    """Who asked for it, with the rights of today. Raises: Rejected."""
    account = None
    if run.created_by_id is not None:
        account = accounts.load_account(run.created_by_id, clock.real_utcnow())
    if account is None or not account.active or not account.actor.may("counter.file"):
        words = "发起人已没有柜面受理的权限，请由有权限的人员重新开始"
        raise Rejected([FieldError("", "base_carry.no_right", words)])
    return account.actor


def _one(run: RunRow, actor: Actor, each: EmployerCount, now: datetime) -> RunRow:
    """File for one employer where somebody is left; gives the run behind it. Raises: RunOver, Busy."""
    run = replace(run, done=run.done + 1, after_no=each.employer_no)
    if not each.left:
        # written with the next employer that is filed for, or with the page
        return replace(run, skipped=run.skipped + 1)
    token, filed = declarations.new_token(now), replace(run, filed=run.filed + 1)

    def also() -> None:
        runs.keep(filed)
        store.add_results([ResultRow(run.id, each.employer_no, each.employer_id, FILED, token)])

    try:
        declarations.file(actor, CARRY, {}, now, employer_id=each.employer_id, token=token, before=also)
    except (RunOver, Busy):
        raise
    except Rejected as error:
        return _refused(run, each, error.errors)
    except (Conflict, Forbidden, NotFound) as error:
        return _refused(run, each, [FieldError("", "conflict", refused("", error).message)])
    except ServiceFailure as error:
        return _refused(run, each, [FieldError("", "incident", error.message)])
    return filed


def _refused(run: RunRow, each: EmployerCount, errors: Sequence[FieldError]) -> RunRow:
    """Keep the words, with the case in the way; one that carries on already leaves nothing to do."""
    open_case = next((error.open_case for error in errors if error.open_case), None)
    outcome = SKIPPED if all(error.code == ONE_OPEN for error in errors) else REFUSED
    run = replace(
        run,
        skipped=run.skipped + (outcome == SKIPPED),
        refused=run.refused + (outcome == REFUSED),
    )
    with transaction():
        runs.keep(run)
        words = "；".join(error.message for error in errors)
        reference = open_case.reference if open_case else ""
        store.add_results([ResultRow(run.id, each.employer_no, each.employer_id, outcome, reference, words)])
    return run
