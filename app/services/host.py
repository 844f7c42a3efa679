"""The process host: the one place that runs the engine, and takes over what a run left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_region, to_utc
from app.definitions.current import Bundle
from app.domain.calendar import add_working_days
from app.domain.declaration import DRAFT, FINAL, check_move
from app.domain.identity import mask, mask_phone
from app.domain.parameters import ParameterMissing, ParameterSet
from app.engine import runtime
from app.engine.errors import NothingWaits, TaskNotOpen
from app.engine.outcome import Data, OpenTask, Outcome, ServiceCall, Step
from app.errors import Conflict, FieldError, Rejected, WangtingError
from app.services.actors import Actor
from app.services.cases import Case
from app.services.objects import open_key
from app.services.registry import Registry
from app.store.crypto import encrypt_json
from app.store.declarations import DeclarationRow
from app.store.events import EventRow
from app.store.facts import EmployerRecord
from app.store.ids import new_id
from app.store.instances import COMPLETED, INCIDENT, RUNNING, InstanceRow
from app.store.tasks import TaskRow

NEVER_DUE = datetime(9999, 1, 1)
STALE = "该事项已被处理或已变化，请刷新页面后再操作"


class ServiceBroke(WangtingError):
    """A service task failed for a reason that is nobody's input; the cause is chained."""

    def __init__(self, service: str, message: str) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service


@dataclass(frozen=True, slots=True)
class Context:
    """What a service task may use: the case (it gathers all writes), who acts and when."""

    case: Case
    actor: Actor
    now: datetime

    @property
    def parameters(self) -> ParameterSet:
        return self.case.parameters


def new_case(
    actor: Actor,
    kind: str,
    employer: EmployerRecord,
    data: Mapping[str, Any],
    now: datetime,
    **given: Any,
) -> Case:
    """Make a case (as `blank_case`) and run its process to the first wait: the form that is to be filled."""
    case = blank_case(actor, kind, employer, data, now, **given)
    facts = {"declaration_id": case.declaration.id, **routing_facts(case)}
    absorb(case, runtime.start(case.bundle.spec, facts, _caller(case, actor, now), now), actor, now)
    return case


def blank_case(
    actor: Actor,
    kind: str,
    employer: EmployerRecord,
    data: Mapping[str, Any],
    now: datetime,
    *,
    reference: str,
    channel: str,
    bundle: Bundle,
    parameters: ParameterSet,
    registry: Registry,
    batch_id: int | None = None,
    copied_from_id: int | None = None,
) -> Case:
    """Make a case whose process has not started."""
    if actor.id is None:
        raise ValueError("a case is made by somebody")
    moment = to_utc(now)
    declaration = DeclarationRow(
        id=new_id(),
        reference=reference,
        region=employer.region,
        employer_id=employer.id,
        kind=kind,
        status=DRAFT,
        channel=channel,
        data_cipher=b"",
        created_by_id=actor.id,
        created_at_utc=moment,
        updated_at_utc=moment,
        batch_id=batch_id,
        copied_from_id=copied_from_id,
    )
    case = Case(
        declaration=declaration,
        instance=InstanceRow(new_id(), declaration.id, bundle.id, b""),
        tasks=[],
        data=dict(data),
        bundle=bundle,
        parameters=parameters,
        registry=registry,
        is_new=True,
    )
    take_data(case, data)
    return case


def routing_facts(case: Case) -> dict[str, Any]:
    """What a process starts with beside the case's own id; cases with equal facts take the same way."""
    row = case.declaration
    return {
        "region": row.region,
        "kind": row.kind,
        "employer_id": row.employer_id,
        "channel": row.channel,
        "batch": row.batch_id is not None,
        "reason": "",
    }


def take_data(case: Case, data: Mapping[str, Any]) -> None:
    """Put a form into the case: encrypted, with the person's name and masked number for lists."""
    case.data = dict(data)
    row = case.declaration
    row.data_cipher = encrypt_json(case.data)
    row.person_name = str(case.data.get("name") or "")[:64]
    number = str(case.data.get("id_number") or "")
    row.id_masked = mask(number) if number else ""


def complete(case: Case, element_id: str, values: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Complete an open user task by its element and run on. Raises: Conflict where it is not open."""
    task = task_of(case, element_id)
    try:
        outcome = runtime.complete(
            case.bundle.spec, case.instance.state, task.task_uid, values, _caller(case, actor, now), now
        )
    except TaskNotOpen as error:
        raise Conflict(STALE) from error
    absorb(case, outcome, actor, now)


def send(case: Case, message: str, actor: Actor, now: datetime) -> None:
    """Send the process a message (discard, recall). Raises: Conflict where nothing waits for it."""
    try:
        outcome = runtime.send(
            case.bundle.spec, case.instance.state, message, {}, _caller(case, actor, now), now
        )
    except NothingWaits as error:
        raise Conflict(STALE) from error
    absorb(case, outcome, actor, now)


def wake(case: Case, actor: Actor, now: datetime) -> None:
    """Fire the timers that are due."""
    outcome = runtime.wake(case.bundle.spec, case.instance.state, _caller(case, actor, now), now)
    absorb(case, outcome, actor, now)


def task_of(case: Case, element_id: str) -> TaskRow:
    """The open task of an element. Raises: Conflict."""
    for task in case.tasks:
        if task.element_id == element_id:
            return task
    raise Conflict(STALE)


def due_at(parameters: ParameterSet, words: str, now: datetime) -> datetime:
    """When a task is due: working days as a number or as a parameter's name; never where none are named."""
    if not words:
        return NEVER_DUE
    days = int(words) if words.isdecimal() else parameters.integer(words, now)
    return add_working_days(now, days, parameters.holidays, parameters.workdays)


def _caller(case: Case, actor: Actor, now: datetime) -> ServiceCall:
    context = Context(case, actor, now)

    def call(name: str, given: Data, process_data: Mapping[str, Any]) -> Data | None:
        return serve(context, name, given)

    return call


def missing_parameter(error: ParameterMissing, rules: ParameterSet) -> FieldError:
    """A month that nobody has published values for, as a refusal in words."""
    words = rules.message("parameter.missing").format(month=error.month, name=error.name)
    return FieldError("", "parameter.missing", words)


def serve(context: Context, name: str, given: Mapping[str, Any]) -> Data | None:
    """Call a service for a case as its diagram asks. Raises: what the service refuses, ServiceBroke."""
    from app.services.service_tasks import SERVICES

    declaration_id = context.case.declaration.id
    try:
        if given.get("declaration_id", declaration_id) != declaration_id:
            raise ValueError("the process belongs to another declaration")
        arguments = {key: value for key, value in given.items() if key != "declaration_id"}
        return SERVICES[name](context, **arguments)
    except WangtingError:
        raise
    except ParameterMissing as error:
        raise Rejected([missing_parameter(error, context.parameters)]) from error
    except Exception as error:
        raise ServiceBroke(name, f"{type(error).__name__}: {error}") from error


def absorb(case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """Take over state, tasks, status and steps of a run of the engine."""
    case.ran = True
    case.recovered = case.recovered or case.instance.status == INCIDENT
    row, moment = case.declaration, to_utc(now)
    case.instance.state = outcome.state
    case.instance.status = COMPLETED if outcome.completed else RUNNING
    case.instance.next_due_at_utc = to_utc(outcome.due_at) if outcome.due_at else None
    case.instance.lock_version += not case.is_new
    case.events += [_step_row(case, step, actor, now) for step in outcome.steps]
    _take_tasks(case, outcome.tasks, now)
    if "recall" in outcome.data:
        # what the policy said, for the pages: nobody opens the process to show a button
        row.facts = {**row.facts, "recall": bool(outcome.data["recall"])}
    if "material_items" in outcome.data:
        items, required = outcome.data["material_items"], outcome.data["material_required"]
        row.facts = {**row.facts, "materials": [list(pair) for pair in zip(items, required, strict=True)]}
    _move(case, _status(outcome, row.status), actor, moment)
    row.updated_at_utc = moment
    row.lock_version += not case.is_new


def _status(outcome: Outcome, before: str) -> str:
    if outcome.completed:
        return outcome.end_properties.get("status", before)
    for task in outcome.tasks:
        if "status" in task.properties:
            return task.properties["status"]
    return before


def _move(case: Case, status: str, actor: Actor, moment: datetime) -> None:
    row = case.declaration
    before, row.status = row.status, status
    if not (case.is_new and before == status):
        check_move(before, status)
    if before in ("draft", "pending", "returned") and status in ("submitted", "done", "approved"):
        if row.submitted_by_id not in (None, actor.id):
            # somebody else corrects it: whoever submitted it before still may not decide it
            row.facts = {**row.facts, "filers": [*row.facts.get("filers", []), row.submitted_by_id]}
        if row.channel == "02" and row.submitted_by_id is None:
            payload = {"declaration_id": row.id, "template": "counter_filed"}
            case.send_out("notice", payload, to_region(moment))
        row.submitted_by_id, row.submitted_at_utc = actor.id, moment
    row.open_key = None if status in FINAL or status == DRAFT else open_key(case)


def _take_tasks(case: Case, now_open: list[OpenTask], now: datetime) -> None:
    known = {task.task_uid: task for task in case.tasks}
    wanted = {task.task_id: task for task in now_open}
    for uid, task in known.items():
        if uid not in wanted:
            # a task that this very action opened was never written
            (case.opened.remove if task in case.opened else case.ended.append)(task)
    fresh = [_task_row(case, task, now) for uid, task in wanted.items() if uid not in known]
    case.opened += fresh
    case.tasks = [task for uid, task in known.items() if uid in wanted] + fresh


def _task_row(case: Case, task: OpenTask, now: datetime) -> TaskRow:
    row, settings = case.declaration, dict(task.properties)
    due = due_at(case.parameters, settings.get("due_working_days", ""), now)
    return TaskRow(
        id=new_id(),
        task_uid=task.task_id,
        instance_id=case.instance.id,
        declaration_id=row.id,
        reference=row.reference,
        process_id=task.process_id,
        element_id=task.element_id,
        kind=row.kind,
        title=settings.get("title") or task.name,
        region=row.region,
        employer_id=row.employer_id,
        role=task.role,
        form=task.form,
        due_at_utc=to_utc(due),
        created_at_utc=to_utc(now),
        summary=summary(case, settings.get("summary", "")),
        settings=settings,
        batch_id=row.batch_id,
    )


def summary(case: Case, names: str) -> dict[str, Any]:
    """What lists show of a case: the person, and the fields that the diagram names, numbers masked."""
    row = case.declaration
    shown: dict[str, Any] = {"person_name": row.person_name, "id_masked": row.id_masked}
    for name in filter(None, (part.strip() for part in names.split(","))):
        value = case.data.get(name)
        if value not in (None, "", []):
            shown[name] = _masked(name, value)
    return shown


def _masked(name: str, value: Any) -> Any:
    if name.endswith("phone"):
        return mask_phone(str(value))
    if name.endswith(("id_number", "account")):
        return mask(str(value))
    return value


def _step_row(case: Case, step: Step, actor: Actor, now: datetime) -> EventRow:
    by_person = step.type in ("userTask", "manualTask") and step.outcome == "completed"
    return EventRow(
        new_id(),
        case.declaration.id,
        step.outcome,
        to_utc(now),
        process_id=step.process_id,
        element_id=step.element_id,
        element_name=step.name[:64],
        actor_id=actor.id if by_person else None,
        actor_name=actor.name if by_person else "",
        detail={"type": step.type},
    )


def submission_day(case: Case, now: datetime) -> date:
    """The day by which months are judged: that of the submission, today where it happens now."""
    submitted = case.declaration.submitted_at_utc
    if submitted is None or case.declaration.status in ("draft", "pending", "returned"):
        return now.date()
    return to_region(submitted).date()
