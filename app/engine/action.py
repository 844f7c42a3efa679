"""One action on one workflow: run the engine's own steps, watch what happens, tell the outcome."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask, MultiInstanceTask
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from app.engine.calls import Engine
from app.engine.compiling import ProcessSpec
from app.engine.describe import ACTIVITIES, Element
from app.engine.errors import ProcessFailed
from app.engine.outcome import Data, OpenTask, Outcome, Step
from app.engine.state import encode
from app.engine.timing import to_region

MAX_STEPS = 2_500
MAX_ROUNDS = 100
_OPEN = TaskState.READY | TaskState.STARTED | TaskState.WAITING

# Below this level the library puts task data into log records, and spends time on it.
for _name in ("spiff", "spiff.task", "spiff.workflow", "spiff.data", "spiff.dmn"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Action:
    """Runs a workflow to its next wait and remembers the steps."""

    def __init__(self, spec: ProcessSpec, workflow: BpmnWorkflow, engine: Engine) -> None:
        self.workflow = workflow
        self.engine = engine
        self.element_id = ""
        self._spec = spec
        self._steps: list[Step] = []
        self._count = 0
        self._rounds: dict[str, int] = {}
        self._watched = self._activities()
        self._known = {task.id for task in self._open_tasks()}

    def before(self, task: Any) -> None:
        """Remember which element runs now, so that a failure can name it."""
        element = self._spec.element(task)
        if element is not None:
            self.element_id = element.id

    def after(self, task: Any) -> None:
        """Write down a finished element, and what its completion cancelled."""
        element = self._spec.element(task)
        self._check_progress(task, element)
        if element is not None and task.has_state(TaskState.COMPLETED) and not _is_loop(task):
            self._steps.append(_step(element, "completed"))
        self._note_cancelled()

    def _check_progress(self, task: Any, element: Element | None) -> None:
        """Stop a diagram that goes round and round without ever waiting."""
        self._count += 1
        rounds = 0
        if element is not None and not (task.parent and isinstance(task.parent.task_spec, MultiInstanceTask)):
            rounds = self._rounds[element.id] = self._rounds.get(element.id, 0) + 1
        if self._count > MAX_STEPS or rounds > MAX_ROUNDS:
            raise ProcessFailed(self.element_id, "too many steps without a wait")

    def finish(self) -> Outcome:
        """Run to the next wait and return the outcome."""
        self._advance()
        self._note_cancelled()
        workflow = self.workflow
        # Nobody outside this process listens to what it throws.
        workflow.bpmn_events = []
        completed = not any(task.has_state(TaskState.NOT_FINISHED_MASK) for task in workflow.tasks.values())
        open_tasks = list(self._open_tasks())
        if not completed and not open_tasks and not workflow.event_manager.tasks:
            # The library does not look deeper than 1,000 tasks and would call this completed.
            raise ProcessFailed(self.element_id, "the process stands still without a wait")
        for task in open_tasks:
            if task.id not in self._known:
                task.last_state_change = self.engine.now.timestamp()
        end = self._end() if completed else None
        return Outcome(
            state=encode(workflow, self._spec.process_id),
            tasks=[self._open_task(task) for task in open_tasks],
            steps=self._steps,
            data=self._data(open_tasks, completed),
            completed=completed,
            end=end.element_id if end else None,
            end_properties=end.properties if end else {},
            due_at=self._due_at(),
        )

    def _advance(self) -> None:
        self.workflow.do_engine_steps(will_complete_task=self.before, did_complete_task=self.after)
        while self._spec.has_timers and any(
            task.has_state(TaskState.READY) and not task.task_spec.manual for task in self._tasks()
        ):
            # A timer found due at the end of a round only runs in the next one.
            self.workflow.do_engine_steps(will_complete_task=self.before, did_complete_task=self.after)

    def _tasks(self) -> Iterator[Any]:
        yield from self.workflow.tasks.values()
        for key, flow in self.workflow.subprocesses.items():
            parent = self.workflow.get_task_from_id(key)
            if not parent.has_state(TaskState.FINISHED_MASK):
                yield from flow.tasks.values()

    def _open_tasks(self) -> Iterator[Any]:
        return (task for task in self._tasks() if task.has_state(TaskState.READY) and task.task_spec.manual)

    def _activities(self) -> list[tuple[Any, Element]]:
        found = []
        for task in self._tasks():
            element = self._spec.element(task) if task.has_state(_OPEN) and not _is_loop(task) else None
            if element is not None and (
                element.type in ACTIVITIES or element.type == "intermediateCatchEvent"
            ):
                found.append((task, element))
        return found

    def _note_cancelled(self) -> None:
        left = []
        for task, element in self._watched:
            if task.has_state(TaskState.CANCELLED) or task.id not in task.workflow.tasks:
                self._steps.append(_step(element, "cancelled"))
            elif task.has_state(_OPEN):
                left.append((task, element))
        self._watched = left

    def _open_task(self, task: Any) -> OpenTask:
        element = self._spec.element(task)
        if element is None:
            raise ProcessFailed(task.task_spec.name, "an open task that is not in the diagram")
        return OpenTask(
            task_id=task.id.hex,
            process_id=element.process_id,
            element_id=element.id,
            name=element.name,
            role=element.role,
            form=element.form,
            properties=element.properties,
            created=to_region(datetime.fromtimestamp(task.last_state_change, UTC)),
        )

    def _end(self) -> Step | None:
        """Return the end event that says how the process ended: the last that carries properties."""
        ends = [
            step
            for step in self._steps
            if step.type == "endEvent"
            and step.element_id in self._spec.elements[self._spec.process_id]
            and step.process_id == self._spec.process_id
        ]
        return next((step for step in reversed(ends) if step.properties), ends[-1] if ends else None)

    def _data(self, open_tasks: list[Any], completed: bool) -> Data:
        if completed:
            data = dict(self.workflow.data)
            data.pop("data_objects", None)
            return data
        if open_tasks:
            return dict(open_tasks[0].data)
        return dict(self.workflow.last_task.data) if self.workflow.last_task is not None else {}

    def _due_at(self) -> datetime | None:
        due = [
            task.internal_data["due"]
            for task in self.workflow.event_manager.tasks.values()
            if task.has_state(TaskState.WAITING)
            and "due" in task.internal_data
            and task.internal_data.get("left") != 0
        ]
        return to_region(min(datetime.fromisoformat(moment) for moment in due)) if due else None


def _is_loop(task: Any) -> bool:
    """Tell the element around the instances of a loop from the instances themselves."""
    return isinstance(task.task_spec, LoopTask)


def _step(element: Element, outcome: str) -> Step:
    return Step(element.process_id, element.id, element.name, element.type, outcome, element.properties)
