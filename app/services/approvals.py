"""Approving many cases at once: one kind and one step, each case judged by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from app.errors import Conflict, FieldError, Rejected
from app.services import audits, host
from app.services.actions import run_many
from app.services.actors import Actor, require
from app.services.audits import APPROVE, GONE
from app.services.cases import Case
from app.services.results import BulkResult, ItemResult
from app.store.queries import inbox as queries
from app.store.queries.inbox import Cursor, Scope, TaskFilter
from app.store.tasks import TaskName, name_tasks

CHUNK = 100
SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice did; `after` is where the next one goes on, None where nothing is left."""

    done: int
    failures: Sequence[ItemResult]
    after: Cursor | None


def named(actor: Actor, task_ids: Sequence[int]) -> list[TaskName]:
    """The open tasks among these, which must be of one kind and one step. Raises: Rejected, Forbidden."""
    require(actor, "task.decide")
    found = [task for task in name_tasks(task_ids) if task.region in actor.regions]
    if not found:
        raise Rejected([FieldError("", "approve.nothing", "请先勾选要通过的事项")])
    if len({(task.kind, task.element_id) for task in found}) > 1:
        words = "批量通过只能选择同一事项、同一环节，请先筛选"
        raise Rejected([FieldError("", "approve.mixed", words)])
    return found


def approve(actor: Actor, task_ids: Sequence[int], opinion: str, now: datetime) -> BulkResult:
    """Approve open tasks of one kind and step, case by case. Raises: Rejected, Forbidden."""
    tasks = {task.reference: task.id for task in named(actor, task_ids)}
    return BulkResult(_approve(actor, tasks, opinion, now))


def approve_cases(actor: Actor, references: Sequence[str], now: datetime) -> BulkResult:
    """Approve cases by their reference, whatever of them waits for this actor. Raises: Forbidden."""
    require(actor, "task.decide")
    return BulkResult(_approve(actor, dict.fromkeys(references), "", now))


def approve_slice(
    actor: Actor,
    scope: Scope,
    wanted: TaskFilter,
    opinion: str,
    after: Cursor | None,
    until_id: int,
    now: datetime,
    seconds: float = SECONDS,
) -> Slice:
    """Approve what a filter finds, in its order, until none is left or the time is used up.

    `until_id` keeps out what came after the person agreed. Raises: Rejected, Forbidden.
    """
    require(actor, "task.decide")
    if not (wanted.kind and wanted.step):
        raise Rejected([FieldError("", "approve.mixed", "请先筛选同一事项、同一环节")])
    deadline = monotonic() + seconds
    done, failures = 0, list[ItemResult]()
    while True:
        page = queries.list_tasks(scope, wanted, CHUNK, after=after)
        if not page:
            return Slice(done, failures, None)
        tasks = {row.reference: row.id for row in page if row.id <= until_id}
        items = _approve(actor, tasks, opinion, now) if tasks else []
        done += sum(item.ok for item in items)
        failures += [item for item in items if not item.ok]
        after = page[-1].cursor
        if len(page) < CHUNK:
            return Slice(done, failures, None)
        if monotonic() > deadline:
            return Slice(done, failures, after)


def _approve(actor: Actor, tasks: Mapping[str, int | None], opinion: str, now: datetime) -> list[ItemResult]:
    def step(case: Case) -> None:
        wanted = tasks[case.declaration.reference]
        task = next((each for each in case.tasks if wanted in (None, each.id)), None)
        if task is None:
            raise Conflict(GONE)
        audits.check_and_note(case, task, APPROVE, opinion, (), actor, now)
        host.complete(case, task.element_id, {"decision": APPROVE}, actor, now)

    return run_many("approve", actor, list(tasks), now, step)
