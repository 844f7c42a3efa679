"""Long work as a job: its row is the truth about who works on it and how far it is.

Each change is made by the worker that holds the run (its fence), so that one that was given up on, or whose
run was stopped, writes nothing any more. A run that nobody works on is found by the sweeper.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app import clock, queue
from app.clock import to_utc
from app.domain.parameters import ParameterMissing
from app.errors import Busy, Conflict, NotFound, Rejected, WangtingError
from app.services.actors import SYSTEM, Actor, require, require_row
from app.store import runs as store
from app.store.constraints import is_passing
from app.store.ids import new_id
from app.store.runs import (
    ADJUST_COUNT,
    ADJUST_WRITE,
    ASSESS,
    CARRY,
    FAILED,
    FINISHED,
    QUEUED,
    RUNNING,
    STOPPED,
    SUBMIT,
    UNFINISHED,
    RunRow,
)
from app.store.session import after_commit, transaction


@dataclass(frozen=True, slots=True)
class Kind:
    """What a run of a kind is: its job, who may ask for it and see it, the words when a fault ends it."""

    job: str
    permission: str
    broke: str


_ADJUSTED = "处理中断：系统故障，已写入的明细不受影响，请重新预览"
# the only jobs that a run may start
KINDS: Mapping[str, Kind] = {
    ASSESS: Kind(
        "jobs.billing.assess", "ledger.assess", "核定中断：系统故障，已核定的人员不受影响，可以重新核定"
    ),
    CARRY: Kind(
        "jobs.base_years.carry", "counter.file", "结转中断：系统故障，已提交的申报不受影响，可以重新结转"
    ),
    SUBMIT: Kind(
        "jobs.imports.submit", "declaration.submit", "提交中断：系统故障，本批没有提交，可以重新提交"
    ),
    ADJUST_COUNT: Kind("jobs.billing.adjust", "ledger.assess", _ADJUSTED),
    ADJUST_WRITE: Kind("jobs.billing.adjust", "ledger.assess", _ADJUSTED),
}
JOB_SECONDS = 3600
SILENT_SECONDS = 120
SWEEP_LIMIT = 20
MAX_ATTEMPTS = 3
STOPPED_WORDS = "已停止，已完成的部分不受影响，可以重新开始"
log = logging.getLogger(__name__)


class RunOver(Conflict):
    """The run was stopped, or another worker has it: this one writes nothing more."""


def begin(
    actor: Actor,
    kind: str,
    region: str,
    total: int,
    now: datetime,
    *,
    month: str = "",
    employer_id: int | None = None,
    batch_id: int | None = None,
    queued: bool = True,
) -> int:
    """Have a run done; one of the same scope that has not ended is that run.

    With `queued` false the caller does it itself, now. Raises: Forbidden, NotFound.
    """
    check_may(actor, kind, region, employer_id)
    with transaction():
        before = store.find_unfinished(kind, region, month, employer_id, batch_id)
        if before is None:
            return add(
                actor, kind, region, total, now,
                month=month, employer_id=employer_id, batch_id=batch_id, queued=queued,
            )  # fmt: skip
        if queued:
            after_commit(lambda: enqueue(before.id, kind))
    return before.id


def add(
    actor: Actor,
    kind: str,
    region: str,
    total: int,
    now: datetime,
    *,
    month: str = "",
    employer_id: int | None = None,
    batch_id: int | None = None,
    queued: bool = True,
) -> int:
    """Add a run inside the transaction of a caller who knows that there is none and that the actor may."""
    run_id = new_id()
    store.add_run(
        RunRow(
            run_id, kind, region, month, employer_id, batch_id, QUEUED, total, actor.id, actor.name,
            to_utc(now), clock.real_utcnow(),
        )
    )  # fmt: skip
    if queued:
        after_commit(lambda: enqueue(run_id, kind))
    return run_id


def check_may(actor: Actor, kind: str, region: str, employer_id: int | None) -> None:
    """Refuse an actor who may not ask for a run of a kind; a command may. Raises: Forbidden, NotFound."""
    if actor is not SYSTEM:
        require(actor, KINDS[kind].permission)
        require_row(actor, region, employer_id)


def enqueue(run_id: int, kind: str) -> None:
    """Put the job of a run into the queue; without Redis the sweeper does it later."""
    try:
        queue.enqueue(KINDS[kind].job, timeout_seconds=JOB_SECONDS, run_id=run_id)
    except queue.QueueError as error:
        log.warning("run %s waits for the sweeper: %s", run_id, error)


def work(run_id: int, act: Callable[[RunRow], RunRow | None], now: datetime) -> None:
    """Do a run, from its job, by `act`, which gives the run as it ended; None where it went by `finish`.

    Harmless where it is done, stopped or in other hands. What may pass by itself is left to the sweeper.
    """
    run = _claim(run_id)
    if run is None:
        return
    try:
        done = act(run)
        if done is not None:
            with transaction():
                finish(done, now)
    except RunOver:
        log.warning("run %s was stopped or taken over", run_id)
    except Rejected as refused:
        _fail(run, "；".join(each.message for each in refused.errors))
    except Exception as error:
        if is_passing(error) or isinstance(error, Busy):
            log.warning("run %s waits for the sweeper: %s", run_id, type(error).__name__)
            return
        log.exception("run %s failed", run_id)
        _fail(run, _why(error))
        raise


def _why(error: Exception) -> str:
    if isinstance(error, ParameterMissing):
        return f"参数 {error.name} 没有 {error.month} 的数值，请先公布后再重新办理"
    return str(error) if isinstance(error, (WangtingError, LookupError)) else ""


def _claim(run_id: int) -> RunRow | None:
    with transaction():
        run = store.hold_run(run_id)
        if run is None or not _is_free(run):
            return None
        spent = run.attempts >= MAX_ATTEMPTS
        run = replace(run, state=RUNNING, fence=run.fence + 1, attempts=run.attempts + 1)
        store.set_run(
            run_id,
            state=FAILED if spent else RUNNING,
            fence=run.fence,
            attempts=0 if spent else run.attempts,
            message=KINDS[run.kind].broke if spent else "",
            beat_at_utc=clock.real_utcnow(),
        )
    return None if spent else run


def _is_free(run: RunRow) -> bool:
    """Whether nobody works on a run: a silent one need not wait for the sweeper, a command has none."""
    return run.state == QUEUED or (run.state == RUNNING and run.beat_at_utc < _silent_since())


def _silent_since() -> datetime:
    return clock.real_utcnow() - timedelta(seconds=SILENT_SECONDS)


def keep(run: RunRow) -> None:
    """Write how far a run is, inside the caller's transaction. Raises: RunOver."""
    names = (
        "state", "total", "done", "people", "lines", "filed", "skipped", "refused",
        "after_no", "message", "finished_at_utc",
    )  # fmt: skip
    values: dict[str, Any] = {name: getattr(run, name) for name in names}
    if not store.set_running(run.id, run.fence, **values, attempts=0, beat_at_utc=clock.real_utcnow()):
        raise RunOver("the run was stopped or taken over")


def keep_alone(run: RunRow) -> None:
    """Write how far a run is, in a transaction of its own. Raises: RunOver."""
    with transaction():
        keep(run)


def finish(run: RunRow, now: datetime, message: str = "") -> None:
    """End a run that is done, inside the transaction of what ends it. Raises: RunOver."""
    keep(replace(run, state=FINISHED, finished_at_utc=to_utc(now), message=message))


def let_others(run: RunRow) -> None:
    """Go to the end of the queue, so that a long run does not hold a worker for hours. Raises: RunOver."""
    keep_alone(replace(run, state=QUEUED))
    enqueue(run.id, run.kind)
    raise RunOver("the run goes on behind other jobs")


def _fail(run: RunRow, words: str) -> None:
    """End a run that cannot go on."""
    with transaction():
        store.set_running(
            run.id,
            run.fence,
            state=FAILED,
            message=words[:300] or KINDS[run.kind].broke,
            beat_at_utc=clock.real_utcnow(),
        )


def stop(actor: Actor, run_id: int, now: datetime) -> None:
    """Stop a run after what it is doing now; what is done stays. Raises: Forbidden, NotFound, Conflict."""
    get_run(actor, run_id)
    with transaction():
        run = store.hold_run(run_id)
        if run is None or run.state not in UNFINISHED:
            raise Conflict("本次办理已经结束，请刷新页面")
        store.set_run(run_id, state=STOPPED, finished_at_utc=to_utc(now), message=STOPPED_WORDS)


def sweep() -> int:
    """Enqueue again runs that nobody works on: Redis was away, or a worker died. Gives how many."""
    with transaction():
        silent = store.take_silent(_silent_since(), clock.real_utcnow(), SWEEP_LIMIT)
    for run_id, kind in silent:
        enqueue(run_id, kind)
    return len(silent)


def get_run(actor: Actor, run_id: int) -> RunRow:
    """One run. Raises: Forbidden, NotFound."""
    found = store.find_run(run_id)
    if found is None:
        raise NotFound("run")
    check_may(actor, found.kind, found.region, found.employer_id)
    return found


def list_runs(actor: Actor, kind: str, before_id: int | None, limit: int) -> list[RunRow]:
    """The runs of a kind in the actor's regions, newest first. Raises: Forbidden."""
    require(actor, KINDS[kind].permission)
    return store.list_runs(kind, sorted(actor.regions), before_id, limit)
