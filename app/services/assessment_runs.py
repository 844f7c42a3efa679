"""The assessment of a region as a job: asked for on a page, with its progress in rows of our own."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from app import clock, queue
from app.clock import to_utc
from app.errors import FieldError, NotFound, Rejected, WangtingError
from app.services import assessing
from app.services.actors import Actor, require, require_region
from app.services.assessing import Assessed
from app.store import assessment_runs as store
from app.store.assessment_runs import FAILED, FINISHED, QUEUED, RUNNING, RunRow
from app.store.employers import find_employer_by_no
from app.store.ids import new_id
from app.store.session import after_commit, transaction

JOB = "jobs.billing.assess"
JOB_SECONDS = 3600
SILENT_SECONDS = 120
SWEEP_LIMIT = 20
BROKE = "核定中断：系统故障，已核定的人员不受影响，可以重新核定"
log = logging.getLogger(__name__)


def start(actor: Actor, region: str, month: str, employer_no: str, now: datetime) -> int:
    """Have a month assessed for a region, or for one of its employers; gives the run.

    A run of the same scope that has not ended is that run. Raises: Forbidden, NotFound, Rejected.
    """
    require(actor, "ledger.assess")
    require_region(actor, region)
    assessing.check_month_open(month, now)
    employer_id = _employer(region, employer_no.strip())
    with transaction():
        before = store.find_unfinished(region, month, employer_id)
        run_id = before.id if before else new_id()
        if before is None:
            store.add_run(_new(run_id, region, month, employer_id, actor, now))
        after_commit(lambda: _enqueue(run_id))
    return run_id


def _employer(region: str, employer_no: str) -> int | None:
    if not employer_no:
        return None
    employer = find_employer_by_no(employer_no)
    if employer is None or employer.region != region:
        words = "本统筹区没有该单位编号，请核对后再核定"
        raise Rejected([FieldError("employer_no", "ledger.no_employer", words)])
    return employer.id


def _new(
    run_id: int, region: str, month: str, employer_id: int | None, actor: Actor, now: datetime
) -> RunRow:
    return RunRow(
        id=run_id,
        region=region,
        month=month,
        employer_id=employer_id,
        state=QUEUED,
        total_employers=assessing.count_employers(region, employer_id),
        done_employers=0,
        people=0,
        lines=0,
        message="",
        created_by_id=actor.id,
        created_by_name=actor.name,
        created_at_utc=to_utc(now),
        finished_at_utc=None,
        beat_at_utc=clock.real_utcnow(),
    )


def _enqueue(run_id: int) -> None:
    try:
        queue.enqueue(JOB, timeout_seconds=JOB_SECONDS, run_id=run_id)
    except queue.QueueError as error:
        log.warning("assessment %s waits for the sweeper: %s", run_id, error)


def run(run_id: int, now: datetime) -> None:
    """Do a run, from the job; a second one finds what is left, or nothing."""
    found = store.find_run(run_id)
    if found is None or found.state not in store.UNFINISHED:
        return

    def progress(done: Assessed) -> None:
        _note(
            run_id,
            state=RUNNING,
            done_employers=done.employers,
            people=done.people,
            lines=done.lines,
        )

    try:
        done = assessing.assess(
            found.month, now, employer_id=found.employer_id, region=found.region, progress=progress
        )
    except Rejected as refused:
        _note(run_id, state=FAILED, message="；".join(each.message for each in refused.errors)[:300])
    except Exception as error:
        log.exception("assessment %s failed", run_id)
        words = str(error) if isinstance(error, (WangtingError, LookupError)) else BROKE
        _note(run_id, state=FAILED, message=words[:300] or BROKE)
        raise
    else:
        _note(run_id, state=FINISHED, total_employers=done.employers, finished_at_utc=to_utc(now))


def _note(run_id: int, **values: object) -> None:
    with transaction():
        store.set_run(run_id, beat_at_utc=clock.real_utcnow(), **values)


def sweep() -> int:
    """Enqueue again runs that nobody works on: Redis was away, or a worker died. Gives how many."""
    now = clock.real_utcnow()
    with transaction():
        silent = store.take_silent(now - timedelta(seconds=SILENT_SECONDS), now, SWEEP_LIMIT)
    for run_id in silent:
        _enqueue(run_id)
    return len(silent)


def get_run(actor: Actor, run_id: int) -> RunRow:
    """One run. Raises: Forbidden, NotFound."""
    require(actor, "ledger.assess")
    found = store.find_run(run_id)
    if found is None:
        raise NotFound("run")
    require_region(actor, found.region)
    return found


def list_runs(actor: Actor, before_id: int | None, limit: int) -> list[RunRow]:
    """The runs of the actor's regions, newest first. Raises: Forbidden."""
    require(actor, "ledger.assess")
    return store.list_runs(sorted(actor.regions), before_id, limit)
