"""Late figures as jobs: counted and shown first, written only as they were shown and confirmed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from app import clock, queue
from app.clock import to_utc
from app.definitions.current import parameters
from app.domain.calendar import month_of
from app.domain.parameters import ParameterMissing
from app.errors import Conflict, FieldError, NotFound, Rejected, WangtingError
from app.services import adjusting, billing
from app.services.actors import SYSTEM, Actor, require, require_region
from app.services.adjusting import Chunk, Figures
from app.store import adjustment_runs as store
from app.store.adjustment_runs import (
    BILLED,
    CHANGED,
    COUNTING,
    FAILED,
    FINISHED,
    QUEUED,
    READY,
    RUNNING,
    UNFINISHED,
    WAITING,
    WRITTEN,
    ChunkRow,
    EmployerSum,
    RunRow,
    Sums,
)
from app.store.assessments import EmployerRow, count_employers, hold_employer, hold_employers_shared
from app.store.constraints import is_passing
from app.store.employers import find_employer_by_no, get_employer
from app.store.ids import new_id
from app.store.models import Employer
from app.store.session import after_commit, end_read, transaction

JOB = "jobs.billing.adjust"
JOB_SECONDS = 3600
SILENT_SECONDS = 120
SWEEP_LIMIT = 20
PAGE = 200
PERMISSION = "ledger.assess"
BROKE = "处理中断：系统故障，已写入的明细不受影响，请重新预览"
CHANGED_SINCE = "预览后金额有变化，未写入的部分已重新计算，请核对新的金额后再确认"
NOTHING_LEFT = "预览后已有变化，没有需要写入的差额了"
log = logging.getLogger(__name__)


def start(
    actor: Actor, region: str, first: str, last: str, employer_no: str, now: datetime, *, by_job: bool = True
) -> int:
    """Have a preview counted of what late figures change in months of a region, or of one employer.

    A run of the same scope that a job works on is that run; a preview that nobody confirmed is replaced.
    Raises: Forbidden, NotFound, Rejected (`from_month`, `to_month`, `employer_no`).
    """
    _check_actor(actor, region)
    parameters(region)
    adjusting.check_span(first, last, now)
    employer_id = employer_of(region, employer_no.strip())
    with transaction():
        before = store.find_unfinished(region, first, last, employer_id)
        run_id = before.id if before else new_id()
        if before is None:
            store.replace_ready(region, first, last, employer_id)
            store.add_run(_new(run_id, region, first, last, employer_id, actor, now))
        if by_job:
            after_commit(lambda: _enqueue(run_id))
    return run_id


def _check_actor(actor: Actor, region: str) -> None:
    if actor is not SYSTEM:
        require(actor, PERMISSION)
        require_region(actor, region)


def employer_of(region: str, employer_no: str) -> int | None:
    """The employer of a region with a number, None for all of them. Raises: Rejected (`employer_no`)."""
    if not employer_no:
        return None
    employer = find_employer_by_no(employer_no)
    if employer is None or employer.region != region:
        words = "本统筹区没有该单位编号，请核对"
        raise Rejected([FieldError("employer_no", "ledger.no_such_employer", words)])
    return employer.id


def _new(
    run_id: int, region: str, first: str, last: str, employer_id: int | None, actor: Actor, now: datetime
) -> RunRow:
    return RunRow(
        id=run_id,
        region=region,
        first_month=first,
        last_month=last,
        employer_id=employer_id,
        state=COUNTING,
        total_employers=count_employers(region, employer_id),
        done_employers=0,
        position=0,
        digest="",
        message="",
        created_by_id=actor.id,
        created_by_name=actor.name,
        created_at_utc=to_utc(now),
        confirmed_by_id=None,
        confirmed_by_name="",
        confirmed_at_utc=None,
        finished_at_utc=None,
        beat_at_utc=clock.real_utcnow(),
    )


def _enqueue(run_id: int) -> None:
    try:
        queue.enqueue(JOB, timeout_seconds=JOB_SECONDS, run_id=run_id)
    except queue.QueueError as error:
        log.warning("adjustment %s waits for the sweeper: %s", run_id, error)


def confirm(actor: Actor, run_id: int, digest: str, now: datetime, *, by_job: bool = True) -> None:
    """Have what a preview shows written; `digest` names what the person has seen of it.

    Raises: Forbidden, NotFound, Conflict (the figures are others by now, or it was confirmed before).
    """
    with transaction():
        found = store.find_run(run_id, held=True)
        if found is None:
            raise NotFound("run")
        _check_actor(actor, found.region)
        if found.state != READY:
            raise Conflict("该预览已不能确认，请按最新状态处理")
        if not digest or found.digest != digest:
            raise Conflict("预览的金额已有变化，请核对新的金额后再确认")
        store.set_run(
            run_id,
            (READY,),
            state=QUEUED,
            message="",
            confirmed_by_id=actor.id,
            confirmed_by_name=actor.name,
            confirmed_at_utc=to_utc(now),
            beat_at_utc=clock.real_utcnow(),
        )
        if by_job:
            after_commit(lambda: _enqueue(run_id))


def run(run_id: int, now: datetime) -> None:
    """Do what a run waits for, from the job: count it, or write it. A second job finds what is left."""
    end_read()
    found = store.find_run(run_id)
    if found is None or found.state not in UNFINISHED:
        return
    try:
        if found.state == COUNTING:
            _count(found, now)
        else:
            _carry_out(found, now)
    except Exception as error:
        log.exception("adjustment %s failed", run_id)
        if is_passing(error):
            # the run stays as it is: the sweeper takes it up again
            raise
        with transaction():
            store.set_run(run_id, UNFINISHED, state=FAILED, message=_why(error)[:300])
        raise


def _why(error: Exception) -> str:
    if isinstance(error, ParameterMissing):
        return f"参数 {error.name} 没有 {error.month} 的数值，请先公布后再预览"
    return str(error) or BROKE if isinstance(error, WangtingError) else BROKE


def _count(found: RunRow, now: datetime) -> None:
    position = found.position
    for employer in adjusting.employers(found.region, found.employer_id, position):
        made = []
        for chunk in adjusting.chunks_of(employer, found.first_month, found.last_month):
            made.append(_row(found.id, new_id(), chunk))
            _beat(found.id)
        with transaction():
            if not store.advance(found.id, position, employer.id, clock.real_utcnow()):
                # another job counts this run, and is further
                return
            store.add_chunks(made)
        position = employer.id
    with transaction():
        digest = _digest(found.id)
        if store.chunks_after(found.id, 0, 1):
            store.set_run(found.id, (COUNTING,), state=READY, digest=digest)
        else:
            ended = to_utc(now)
            store.set_run(found.id, (COUNTING,), state=FINISHED, digest=digest, finished_at_utc=ended)


def _beat(run_id: int) -> None:
    with transaction():
        store.set_run(run_id, UNFINISHED, beat_at_utc=clock.real_utcnow())


def _row(run_id: int, chunk_id: int, chunk: Chunk, state: str = WAITING) -> ChunkRow:
    figures = chunk.figures
    return ChunkRow(
        id=chunk_id,
        run_id=run_id,
        employer_id=chunk.employer_id,
        after_person_id=chunk.after_id,
        until_person_id=chunk.until_id,
        state=state,
        people=figures.people,
        lines=figures.lines,
        employer_fen=figures.employer_fen,
        employee_fen=figures.employee_fen,
        allocation_fen=figures.allocation_fen,
        sums=[[*key, fen] for key, fen in sorted(figures.sums.items())],
        digest=chunk.digest,
    )


def _chunks(run_id: int) -> Iterator[ChunkRow]:
    after = 0
    while True:
        page = store.chunks_after(run_id, after, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def _digest(run_id: int) -> str:
    """The name of what is shown and not written yet."""
    return adjusting.total_digest(each.digest for each in _chunks(run_id) if each.state == WAITING)


def _carry_out(found: RunRow, now: datetime) -> None:
    with transaction():
        store.set_run(found.id, (QUEUED,), state=RUNNING, beat_at_utc=clock.real_utcnow())
    after = 0
    while True:
        end_read()
        page = store.unfinished_employers(found.id, after, PAGE)
        for employer_id in page:
            _write_employer(found, employer_id, now)
        if len(page) < PAGE:
            break
        after = page[-1]
    _end(found.id, now)


def _write_employer(found: RunRow, employer_id: int, now: datetime) -> None:
    employer = EmployerRow(employer_id, found.region, "")
    for chunk_id in store.waiting_chunks(found.id, employer_id):
        # outside the transaction: what was published meanwhile is seen
        end_read()
        parameters(found.region)
        with transaction():
            _write_chunk(found, employer, chunk_id, now)
            store.set_run(found.id, (RUNNING,), beat_at_utc=clock.real_utcnow())
    with transaction():
        hold_employer(employer_id)
        if store.set_chunks(found.id, WRITTEN, BILLED, employer_id):
            billing.issue(employer_id, found.region, month_of(now), now)
        store.set_run(found.id, (RUNNING,), beat_at_utc=clock.real_utcnow())


def _write_chunk(found: RunRow, employer: EmployerRow, chunk_id: int, now: datetime) -> None:
    """Write what was shown, or keep what it would be now: in one transaction with the chunk's state."""
    # the employer first, as everybody who bills or takes charges back does
    hold_employers_shared([employer.id])
    chunk = store.get_chunk_held(chunk_id)
    if chunk.state != WAITING:
        # another job was here
        return
    present = adjusting.look_again(
        employer, found.first_month, found.last_month, chunk.after_person_id, chunk.until_person_id
    )
    if present.digest == chunk.digest:
        adjusting.write(present, found.region, now)
        store.set_chunk(chunk_id, state=WRITTEN)
        return
    row = _row(found.id, chunk_id, present, CHANGED)
    values = {name: getattr(row, name) for name in ChunkRow.__slots__ if name != "id"}
    store.set_chunk(chunk_id, **values)


def _end(run_id: int, now: datetime) -> None:
    """Finish, or show anew what was not written because it had changed."""
    with transaction():
        found = store.find_run(run_id, held=True)
        if found is None or found.state != RUNNING:
            return
        gone = store.drop_empty(run_id, CHANGED)
        if store.set_chunks(run_id, CHANGED, WAITING):
            store.set_run(run_id, (RUNNING,), state=READY, digest=_digest(run_id), message=CHANGED_SINCE)
        else:
            message = NOTHING_LEFT if gone else ""
            store.set_run(run_id, (RUNNING,), state=FINISHED, message=message, finished_at_utc=to_utc(now))


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
    if actor is not SYSTEM:
        require(actor, PERMISSION)
    found = store.find_run(run_id)
    if found is None:
        raise NotFound("run")
    _check_actor(actor, found.region)
    return found


def employer_named(found: RunRow) -> Employer | None:
    """The one employer that a run is about; None for all of the region."""
    return None if found.employer_id is None else get_employer(found.employer_id)


def list_runs(actor: Actor, before_id: int | None, limit: int) -> list[RunRow]:
    """The runs of the actor's regions, newest first. Raises: Forbidden."""
    require(actor, PERMISSION)
    return store.list_runs(sorted(actor.regions), before_id, limit)


def figures_of(run_id: int, *, written: bool) -> Figures:
    """What a run has written, or shows and has not written."""
    states = (WRITTEN, BILLED) if written else (WAITING, CHANGED)
    found = Figures()
    for chunk in _chunks(run_id):
        if chunk.state in states:
            found.add(chunk.people, chunk.lines, _summed(chunk.sums))
    return found


def employers_of(run_id: int, after_id: int, limit: int) -> list[tuple[EmployerSum, Figures]]:
    """What a run changes for each employer, with the sums by fund, due type and party; in pages by id."""
    rows = store.employer_sums(run_id, after_id, limit)
    sums = store.sums_of_employers(run_id, [row.employer_id for row in rows])
    found = []
    for row in rows:
        figures = Figures()
        for each in sums[row.employer_id]:
            figures.add(0, 0, _summed(each))
        found.append((row, figures))
    return found


def _summed(sums: Sums) -> Iterable[tuple[tuple[str, str, str], int]]:
    return [((fund, due_type, party), int(fen)) for fund, due_type, party, fen in sums]
