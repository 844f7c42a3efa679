"""Late figures as runs: one counts and shows them, one writes them as they were shown and confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from time import monotonic

from app.clock import to_utc
from app.definitions.current import parameters
from app.domain.calendar import month_of
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.services import adjusting, billing, runs
from app.services.actors import Actor, require
from app.services.adjusting import Chunk, Figures
from app.store import adjustment_runs as store
from app.store.adjustment_runs import (
    BILLED,
    CHANGED,
    COUNTING,
    READY,
    WAITING,
    WRITING,
    WRITTEN,
    AdjustmentRow,
    ChunkRow,
    EmployerSum,
    Progress,
    Sums,
)
from app.store.assessments import EmployerRow, count_employers, hold_employer, hold_employers_shared
from app.store.employers import find_employer_by_no, get_employer
from app.store.ids import new_id
from app.store.models import Employer
from app.store.runs import ADJUST_COUNT, ADJUST_WRITE, FINISHED, RunRow
from app.store.session import after_commit, end_read, transaction

PAGE = 200
# then a run lets the jobs behind it go first
SECONDS_AT_ONCE = 600.0
CHANGED_SINCE = "预览后金额有变化，未写入的部分已重新计算，请核对新的金额后再确认"
NOTHING_LEFT = "预览后已有变化，没有需要写入的差额了"


def start(
    actor: Actor, region: str, first: str, last: str, employer_no: str, now: datetime, *, queued: bool = True
) -> int:
    """Have a preview counted of what late figures change in months of a region, or of one employer.

    One of the same scope that a run works on is that one; one that nobody confirmed is replaced. With
    `queued` false the caller does the run, now. Raises: Forbidden, NotFound, Rejected (`from_month`,
    `to_month`, `employer_no`).
    """
    runs.check_may(actor, ADJUST_COUNT, region, None)
    parameters(region)
    adjusting.check_span(first, last, now)
    employer_id = employer_of(region, employer_no.strip())
    total = count_employers(region, employer_id)
    with transaction():
        before = store.find_unfinished(region, first, last, employer_id)
        if before is not None:
            if queued:
                after_commit(lambda: runs.enqueue(before.run_id, ADJUST_COUNT))
            return before.id
        store.replace_ready(region, first, last, employer_id)
        run_id = runs.add(
            actor, ADJUST_COUNT, region, total, now, month=first, employer_id=employer_id, queued=queued
        )
        row = AdjustmentRow(
            new_id(),
            run_id,
            region,
            first,
            last,
            employer_id,
            COUNTING,
            "",
            actor.id,
            actor.name,
            to_utc(now),
        )
        store.add_adjustment(row)
    return row.id


def employer_of(region: str, employer_no: str) -> int | None:
    """The employer of a region with a number, None for all of them. Raises: Rejected (`employer_no`)."""
    if not employer_no:
        return None
    employer = find_employer_by_no(employer_no)
    if employer is None or employer.region != region:
        words = "本统筹区没有该单位编号，请核对"
        raise Rejected([FieldError("employer_no", "ledger.no_such_employer", words)])
    return employer.id


def confirm(actor: Actor, adjustment_id: int, digest: str, now: datetime, *, queued: bool = True) -> None:
    """Have what a preview shows written; `digest` names what the person has seen of it.

    Raises: Forbidden, NotFound, Conflict (the figures are others by now, or it was confirmed before).
    """
    with transaction():
        found = store.hold_adjustment(adjustment_id)
        if found is None:
            raise NotFound("adjustment")
        runs.check_may(actor, ADJUST_WRITE, found.region, None)
        if found.stage != READY:
            raise Conflict("该预览已不能确认，请按最新状态处理")
        if not digest or found.digest != digest:
            raise Conflict("预览的金额已有变化，请核对新的金额后再确认")
        run_id = runs.add(
            actor,
            ADJUST_WRITE,
            found.region,
            store.count_waiting(adjustment_id),
            now,
            month=found.first_month,
            employer_id=found.employer_id,
            queued=queued,
        )
        store.set_adjustment(
            adjustment_id,
            stage=WRITING,
            run_id=run_id,
            confirmed_by_id=actor.id,
            confirmed_by_name=actor.name,
            confirmed_at_utc=to_utc(now),
        )


def run(run_id: int, now: datetime, *, seconds: float | None = None) -> None:
    """Count or write, from the job, for some time at once; a second one finds what is left, or nothing."""
    until = monotonic() + (SECONDS_AT_ONCE if seconds is None else seconds)

    def act(found: RunRow) -> None:
        if found.kind == ADJUST_COUNT:
            _count(found, until, now)
        else:
            _write(found, until, now)

    runs.work(run_id, act, now)


def _count(run: RunRow, until: float, now: datetime) -> None:
    adjustment = store.get_of_run(run.id)
    after_id = int(run.after_no or 0)
    for employer in adjusting.employers(adjustment.region, adjustment.employer_id, after_id):
        made = []
        for chunk in adjusting.chunks_of(employer, adjustment.first_month, adjustment.last_month):
            made.append(_row(adjustment.id, new_id(), chunk))
            runs.keep_alone(run)
        run = replace(run, done=run.done + 1, after_no=str(employer.id))
        with transaction():
            store.add_chunks(made)
            runs.keep(run)
        if monotonic() > until:
            runs.let_others(run)
    with transaction():
        stage = READY if store.chunks_after(adjustment.id, 0, 1) else FINISHED
        store.set_adjustment(adjustment.id, stage=stage, digest=_digest(adjustment.id))
        runs.finish(run, now)


def _row(adjustment_id: int, chunk_id: int, chunk: Chunk, state: str = WAITING) -> ChunkRow:
    figures = chunk.figures
    return ChunkRow(
        id=chunk_id,
        adjustment_id=adjustment_id,
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


def _chunks(adjustment_id: int) -> Iterator[ChunkRow]:
    after = 0
    while True:
        page = store.chunks_after(adjustment_id, after, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def _digest(adjustment_id: int) -> str:
    """The name of what is shown and not written yet."""
    return adjusting.total_digest(each.digest for each in _chunks(adjustment_id) if each.state == WAITING)


def _write(run: RunRow, until: float, now: datetime) -> None:
    adjustment, after = store.get_of_run(run.id), 0
    while True:
        end_read()
        page = store.unfinished_employers(adjustment.id, after, PAGE)
        for employer_id in page:
            run = _write_employer(run, adjustment, employer_id, now)
            if monotonic() > until:
                runs.let_others(run)
        if len(page) < PAGE:
            break
        after = page[-1]
    _end(run, adjustment.id, now)


def _write_employer(run: RunRow, adjustment: AdjustmentRow, employer_id: int, now: datetime) -> RunRow:
    """Write and bill what was shown of an employer; gives the run behind it. Raises: RunOver."""
    for chunk in store.waiting_chunks(adjustment.id, employer_id):
        # outside the transaction: what was published meanwhile is seen
        end_read()
        parameters(adjustment.region)
        with transaction():
            _write_chunk(adjustment, chunk, now)
            runs.keep(run)
    run = replace(run, done=run.done + 1)
    with transaction():
        hold_employer(employer_id)
        if store.set_chunks(adjustment.id, WRITTEN, BILLED, employer_id):
            billing.issue(employer_id, adjustment.region, month_of(now), now)
        runs.keep(run)
    return run


def _write_chunk(adjustment: AdjustmentRow, chunk: ChunkRow, now: datetime) -> None:
    """Write what was shown, or keep what it would be now: in one transaction with the chunk's state."""
    # the employer first, as everybody who bills or takes charges back does
    hold_employers_shared([chunk.employer_id])
    present = adjusting.look_again(
        EmployerRow(chunk.employer_id, adjustment.region, ""),
        adjustment.first_month,
        adjustment.last_month,
        chunk.after_person_id,
        chunk.until_person_id,
    )
    if present.digest == chunk.digest:
        adjusting.write(present, adjustment.region, now)
        store.set_chunk(chunk.id, state=WRITTEN)
        return
    row = _row(adjustment.id, chunk.id, present, CHANGED)
    values = {name: getattr(row, name) for name in ChunkRow.__slots__ if name != "id"}
    store.set_chunk(chunk.id, **values)


def _end(run: RunRow, adjustment_id: int, now: datetime) -> None:
    """Finish, or show anew what was not written because it had changed."""
    with transaction():
        gone = store.drop_empty(adjustment_id, CHANGED)
        if store.set_chunks(adjustment_id, CHANGED, WAITING):
            store.set_adjustment(adjustment_id, stage=READY, digest=_digest(adjustment_id))
            runs.finish(run, now, CHANGED_SINCE)
        else:
            store.set_adjustment(adjustment_id, stage=FINISHED)
            runs.finish(run, now, NOTHING_LEFT if gone else "")


def get_adjustment(actor: Actor, adjustment_id: int) -> Progress:
    """One preview, with how far it is. Raises: Forbidden, NotFound."""
    found = store.find_adjustment(adjustment_id)
    if found is None:
        raise NotFound("adjustment")
    runs.check_may(actor, ADJUST_COUNT, found.region, None)
    return found


def employer_named(found: AdjustmentRow) -> Employer | None:
    """The one employer that a preview is about; None for all of the region."""
    return None if found.employer_id is None else get_employer(found.employer_id)


def list_adjustments(actor: Actor, before_id: int | None, limit: int) -> list[Progress]:
    """The previews of the actor's regions, newest first. Raises: Forbidden."""
    require(actor, runs.KINDS[ADJUST_COUNT].permission)
    return store.list_adjustments(sorted(actor.regions), before_id, limit)


def figures_of(adjustment_id: int, *, written: bool) -> Figures:
    """What a preview has had written, or shows and has not written."""
    states = (WRITTEN, BILLED) if written else (WAITING, CHANGED)
    found = Figures()
    for chunk in _chunks(adjustment_id):
        if chunk.state in states:
            found.add(chunk.people, chunk.lines, _summed(chunk.sums))
    return found


def employers_of(adjustment_id: int, after_id: int, limit: int) -> list[tuple[EmployerSum, Figures]]:
    """What a preview shows of each employer, with the sums by fund, due type and party; in pages by id."""
    rows = store.employer_sums(adjustment_id, after_id, limit)
    sums = store.sums_of_employers(adjustment_id, [row.employer_id for row in rows])
    found = []
    for row in rows:
        figures = Figures()
        for each in sums[row.employer_id]:
            figures.add(0, 0, _summed(each))
        found.append((row, figures))
    return found


def _summed(sums: Sums) -> Iterable[tuple[tuple[str, str, str], int]]:
    return [((fund, due_type, party), int(fen)) for fund, due_type, party, fen in sums]
