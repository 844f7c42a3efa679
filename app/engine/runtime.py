"""Start, complete, send and wake a process over an opaque state.

Nothing is kept between two calls but the parsed specification: the caller stores `Outcome.state` and
hands it back. A call that raises leaves the caller's old state as it was.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.specs.event_definitions import MessageEventDefinition
from SpiffWorkflow.util.task import TaskState

from app.engine.action import Action
from app.engine.calls import Engine
from app.engine.compiling import ProcessSpec, compile_process
from app.engine.errors import EngineError, ExpressionFailed, NothingWaits, ProcessFailed, TaskNotOpen
from app.engine.language import plain
from app.engine.outcome import Outcome, ServiceCall
from app.engine.state import decode
from app.engine.timing import to_utc

__all__ = ["ProcessSpec", "compile_process", "complete", "send", "start", "wake"]

_Result = TypeVar("_Result")


def start(spec: ProcessSpec, data: Mapping[str, Any], call: ServiceCall, now: datetime) -> Outcome:
    """Start a process with routing facts (plain JSON) and run it to its first wait.

    Raises: ProcessFailed (the diagram cannot go on), and what `call` raises, unchanged.
    """
    engine = Engine(call, to_utc(now))
    workflow = BpmnWorkflow(spec.top, spec.called, script_engine=engine)
    action = Action(spec, workflow, engine)

    def run() -> Outcome:
        workflow.task_tree.data.update(plain(data))
        return action.finish()

    return guarded(action, run)


def complete(
    spec: ProcessSpec, state: bytes, task_id: str, data: Mapping[str, Any], call: ServiceCall, now: datetime
) -> Outcome:
    """Complete an open user task with its form's routing facts and run on to the next wait.

    Raises: TaskNotOpen, StateUnreadable, ProcessFailed, and what `call` raises, unchanged.
    """
    return complete_open(_resume(spec, state, call, now), task_id, data)


def complete_open(action: Action, task_id: str, data: Mapping[str, Any]) -> Outcome:
    """Complete an open user task of a workflow in memory; `complete` does it on a stored one."""
    task = _open_task(action.workflow, task_id)

    def run() -> Outcome:
        answers = plain(data)
        variable = getattr(task.task_spec, "variable", None)
        task.data.update({variable: answers} if variable else answers)
        action.before(task)
        task.run()
        action.after(task)
        return action.finish()

    return guarded(action, run)


def send(
    spec: ProcessSpec, state: bytes, message: str, data: Mapping[str, Any], call: ServiceCall, now: datetime
) -> Outcome:
    """Deliver a message and run on; `data` arrive under the event's messageVariable, if it names one.

    Raises: NothingWaits when nothing waits for it now, else as `complete`.
    """
    action = _resume(spec, state, call, now)
    waiting = [
        task.task_spec.event_definition
        for task in action.workflow.event_manager.tasks.values()
        if isinstance(task.task_spec.event_definition, MessageEventDefinition)
        and task.task_spec.event_definition.name == message
    ]
    if not waiting:
        raise NothingWaits(message)

    def run() -> Outcome:
        payload = plain(data)
        correlations: dict[str, Any] = {}
        for definition in waiting:
            correlations.update(
                definition.calculate_correlations(action.engine, definition.correlation_properties, payload)
            )
        event = BpmnEvent(MessageEventDefinition(message), payload=payload, correlations=correlations)
        if action.workflow.event_manager.catch(event, internal=False) == 0:
            raise NothingWaits(message)
        return action.finish()

    return guarded(action, run)


def wake(spec: ProcessSpec, state: bytes, call: ServiceCall, now: datetime) -> Outcome:
    """Fire the timers that are due at `now` and run on; harmless where none is. Raises: as `complete`."""
    action = _resume(spec, state, call, now)

    def run() -> Outcome:
        action.workflow.refresh_timers()
        return action.finish()

    return guarded(action, run)


def _resume(spec: ProcessSpec, state: bytes, call: ServiceCall, now: datetime) -> Action:
    engine = Engine(call, to_utc(now))
    workflow = decode(state, spec.top, spec.called, spec.process_id)
    workflow.script_engine = engine
    return Action(spec, workflow, engine)


def _open_task(workflow: BpmnWorkflow, task_id: str) -> Any:
    try:
        key = UUID(hex=task_id)
    except (ValueError, AttributeError, TypeError):
        raise TaskNotOpen(str(task_id)[:40]) from None
    for flow in [workflow, *workflow.subprocesses.values()]:
        task = flow.tasks.get(key)
        if task is not None and task.has_state(TaskState.READY) and task.task_spec.manual:
            return task
    raise TaskNotOpen(task_id)


def guarded(action: Action, run: Callable[[], _Result]) -> _Result:
    """Let a service's own error out as it is, and name the element for everything else."""
    try:
        return run()
    except ExpressionFailed as failure:
        if failure is action.engine.failure:
            raise
        raise ProcessFailed(action.element_id, str(failure)) from failure
    except EngineError:
        raise
    except Exception as failure:
        if failure is action.engine.failure:
            failure.add_note(f"element: {action.element_id}")
            raise
        raise ProcessFailed(action.element_id, f"{type(failure).__name__}: {failure}") from failure
