"""The agency's acts on tasks: claim, release, decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.clock import to_utc
from app.domain.declaration import IN_AUDIT, RETURNED, SUBMITTED
from app.domain.permission import four_eyes
from app.errors import Conflict, FieldError, Forbidden, OwnCase, Rejected
from app.services import host
from app.services.actions import attempt_on, in_words, run
from app.services.actors import Actor, require, require_row
from app.services.cases import Case, loaded_case, write
from app.services.filing import receipt
from app.services.incidents import Attempt
from app.services.notices import tell
from app.services.registry import Registry
from app.services.results import Receipt, TaskView
from app.services.views import task_view
from app.store import declarations as store
from app.store import tasks as task_store
from app.store.constraints import Duplicate
from app.store.events import add_events
from app.store.session import transaction
from app.store.tasks import TaskRow

APPROVE, REJECT, RETURN = "approve", "reject", "return"
GONE = "该任务已由他人办结，或申报已被撤销，请刷新待办列表"
_TRIES = 5


def claim(actor: Actor, task_id: int, now: datetime) -> TaskView:
    """Take a task. Raises: Conflict (somebody was faster), Forbidden (own case, role), NotFound."""
    require(actor, "task.claim")
    with transaction():
        case, task = _load(actor, task_id)
        _take(case, task, actor, now)
    return task_view(task, {actor.id or 0: actor.name})


def release(actor: Actor, task_id: int, now: datetime) -> None:
    """Put a claimed task back. Raises: Conflict, NotFound, Forbidden."""
    require(actor, "task.release")
    with transaction():
        case, task = _load(actor, task_id)
        if actor.id is None or not task_store.release_task(task.id, actor.id):
            raise Conflict("该任务不在您名下，请刷新待办列表")
        store.set_statuses([case.declaration.id], task.settings.get("status", SUBMITTED), to_utc(now))
        _note_only(case, "released", task, actor, now)


def claim_next(actor: Actor, now: datetime, filters: Mapping[str, Any] | None = None) -> TaskView | None:
    """Take the most urgent unclaimed task in scope; None where there is none.

    Shape: filters may hold `kind` and `employer_id`. Raises: Forbidden.
    """
    require(actor, "task.claim")
    wanted = dict(filters or {})
    passed: list[int] = []
    for _ in range(_TRIES):
        with transaction():
            found = task_store.find_next(
                sorted(actor.regions),
                sorted(actor.roles),
                actor.id or 0,
                wanted.get("kind"),
                wanted.get("employer_id"),
                passed,
            )
            if found is None:
                return None
            loaded = store.load_by_task(found)
            if loaded is not None:
                case = loaded_case(loaded, Registry())
                task = next(each for each in loaded.tasks if each.id == found)
                try:
                    _check_case(actor, case, task)
                    _take(case, task, actor, now)
                    return task_view(task, {actor.id or 0: actor.name})
                except (Conflict, Forbidden):
                    pass
        passed.append(found)
    return None


def decide(
    actor: Actor,
    task_id: int,
    decision: str,
    opinion: str,
    return_fields: Sequence[str],
    now: datetime,
    before: Callable[[], None] | None = None,
) -> Receipt:
    """Approve, reject or return a case (`decision` approve, reject, return).

    An unclaimed task is taken and decided at once. Raises: Rejected (`opinion`, `return_fields`,
    `decision`, or what the rules say now), Conflict, Forbidden (own case), NotFound, ServiceFailure.
    """
    require(actor, "task.decide")
    opinion = opinion.strip()
    tried: list[Case] = []

    def body() -> Receipt:
        tried.clear()
        case, task = _load(actor, task_id)
        tried.append(case)
        check_and_note(case, task, decision, opinion, return_fields, actor, now)
        host.complete(case, task.element_id, {"decision": decision}, actor, now)
        if case.declaration.status == RETURNED:
            tell(case, "returned", now)
        write([case])
        return receipt(case)

    def attempt() -> Attempt:
        given = {
            "task_id": task_id,
            "decision": decision,
            "opinion": opinion,
            "return_fields": list(return_fields),
        }
        if not tried:
            return Attempt("decide", given, actor)
        plain = attempt_on("decide", actor, tried[0])
        return Attempt("decide", given, actor, plain.region, plain.declaration_id, plain.batch_id)

    try:
        return run(attempt, now, body, before)
    except Duplicate as error:
        raise in_words(error, tried) from error


def check_and_note(
    case: Case,
    task: TaskRow,
    decision: str,
    opinion: str,
    return_fields: Sequence[str],
    actor: Actor,
    now: datetime,
) -> None:
    """Refuse a decision that this actor may not make here, else put it into the case and its history.

    Raises: Rejected, Conflict (somebody else has claimed it), Forbidden (role, own case).
    """
    _check_case(actor, case, task)
    if task.claimed_by_id not in (None, actor.id):
        raise _taken(task)
    _check_decision(case, task, decision, opinion, return_fields)
    _note_decision(case, task, decision, opinion, return_fields, actor, now)


def _load(actor: Actor, task_id: int) -> tuple[Case, TaskRow]:
    """Load and hold the case of a task that this actor may work on. Raises: NotFound, Conflict, Forbidden."""
    loaded = store.load_by_task(task_id)
    if loaded is None:
        raise Conflict(GONE)
    case = loaded_case(loaded, Registry())
    task = next(each for each in loaded.tasks if each.id == task_id)
    _check_case(actor, case, task)
    return case, task


def _check_case(actor: Actor, case: Case, task: TaskRow) -> None:
    row = case.declaration
    require_row(actor, row.region, row.employer_id)
    if task.role not in actor.roles:
        raise Forbidden("该任务由其他岗位办理")
    earlier = [row.created_by_id, row.submitted_by_id, *row.facts.get("filers", [])]
    earlier += row.facts.get("approvals", [])
    if actor.id is None or not four_eyes(actor.id, earlier):
        raise OwnCase("本人填报、提交或审核过的申报须由他人审核")


def _take(case: Case, task: TaskRow, actor: Actor, now: datetime) -> None:
    moment = to_utc(now)
    if actor.id is None or not task_store.claim_task(task.id, actor.id, moment):
        raise _taken(task)
    task.claimed_by_id, task.claimed_at_utc = actor.id, moment
    store.set_statuses([case.declaration.id], IN_AUDIT, moment)
    _note_only(case, "claimed", task, actor, now)


def _taken(task: TaskRow) -> Conflict:
    name = task_store.names_of([task.claimed_by_id]).get(task.claimed_by_id or 0, "其他审核人员")
    return Conflict(f"该任务已由{name}认领，请选择其他任务")


def _note_only(case: Case, action: str, task: TaskRow, actor: Actor, now: datetime) -> None:
    case.note(action, actor, now)
    event = case.events[-1]
    event.process_id, event.element_id, event.element_name = task.process_id, task.element_id, task.title
    add_events([event])


def _check_decision(
    case: Case, task: TaskRow, decision: str, opinion: str, return_fields: Sequence[str]
) -> None:
    errors = []
    if decision not in _words(task, "decisions"):
        errors.append(FieldError("decision", "audit.decision", "请选择审核结论"))
    if not opinion and decision in _words(task, "opinion_required"):
        errors.append(FieldError("opinion", "audit.opinion_required", "请填写审批意见"))
    if len(opinion) > 500:
        errors.append(FieldError("opinion", "audit.opinion_long", "审批意见最多 500 个字"))
    form = case.bundle.form(case.declaration.kind)
    if decision == RETURN and any(name not in form.by_name for name in return_fields):
        errors.append(FieldError("return_fields", "audit.return_fields", "请从申报内容中选择需要补正的项目"))
    if decision == RETURN and not return_fields:
        errors.append(FieldError("return_fields", "audit.return_fields", "请至少选择一个需要补正的项目"))
    if errors:
        raise Rejected(errors)


def _note_decision(
    case: Case,
    task: TaskRow,
    decision: str,
    opinion: str,
    return_fields: Sequence[str],
    actor: Actor,
    now: datetime,
) -> None:
    row = case.declaration
    row.decision, row.opinion = decision, opinion
    row.return_fields = list(return_fields) if decision == RETURN else []
    row.decided_by_id, row.decided_at_utc = actor.id, to_utc(now)
    if decision == APPROVE:
        row.facts = {**row.facts, "approvals": [*row.facts.get("approvals", []), actor.id]}
    else:
        row.facts = {**row.facts, "approvals": []}
    # the opinion's words stay in the case's row and in its history, where only its readers see them
    case.note(f"decided_{decision}", actor, now, {"opinion": opinion, "return_fields": row.return_fields})
    event = case.events[-1]
    event.process_id, event.element_id, event.element_name = task.process_id, task.element_id, task.title


def _words(task: TaskRow, name: str) -> list[str]:
    return [word.strip() for word in task.settings.get(name, "").split(",") if word.strip()]
