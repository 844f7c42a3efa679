"""The stored form of a running process: a compact JSON without the specification.

Each task is a row [name, parent, state] with a fourth part only where there is something to say;
data are stored as the difference to the parent's. Finished sub-processes are left out: their
results are in their parent's data and their history is kept as events by the host.
"""

from collections.abc import Mapping
from copy import copy
from typing import Any
from uuid import UUID

import orjson
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.specs.Join import Join
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from app.engine.errors import ProcessFailed, StateUnreadable

FORMAT = 1
_OPEN = TaskState.READY | TaskState.STARTED | TaskState.WAITING


def encode(workflow: BpmnWorkflow, process_id: str) -> bytes:
    """Return the state of a workflow as bytes. Raises: ProcessFailed where data are not plain JSON."""
    names: dict[str, int] = {}
    numbers: dict[Any, int] = {}
    flows = [_flow(workflow, names, numbers, {})]
    pending = _children_of(workflow, workflow)
    while pending:
        task, child = pending.pop(0)
        flows.append({"p": numbers[task.id], **_flow(child, names, numbers, task.data)})
        pending.extend(_children_of(workflow, child))
    document = {"v": FORMAT, "process": process_id, "names": list(names), "flows": flows}
    try:
        return orjson.dumps(document)
    except (TypeError, ValueError) as failure:
        raise ProcessFailed("", f"the process data cannot be stored: {failure}") from None


def _children_of(top: BpmnWorkflow, flow: Any) -> list[tuple[Task, BpmnSubWorkflow]]:
    """List the sub-processes of one flow whose activity is still unfinished."""
    if not top.subprocesses:
        return []
    return [
        (task, top.subprocesses[task.id])
        for task in flow.tasks.values()
        if task.id in top.subprocesses and not task.has_state(TaskState.FINISHED_MASK)
    ]


def _flow(
    flow: Any, names: dict[str, int], numbers: dict[Any, int], outer: Mapping[str, Any]
) -> dict[str, Any]:
    rows: list[list[Any]] = []
    first = len(numbers)
    stack: list[tuple[Task, int, Mapping[str, Any]]] = [(flow.task_tree, -1, outer)]
    while stack:
        task, parent, inherited = stack.pop()
        position = len(rows)
        numbers[task.id] = first + position
        name = names.setdefault(task.task_spec.name, len(names))
        row: list[Any] = [name, parent, task._state]
        extra = _extra(task, inherited)
        if extra:
            row.append(extra)
        rows.append(row)
        stack.extend((child, position, task.data) for child in reversed(task.children))
    document: dict[str, Any] = {"tasks": rows}
    if flow.data:
        document["data"] = flow.data
    if flow.correlations:
        document["correlations"] = flow.correlations
    if flow.last_task is not None and flow.last_task.id in numbers:
        document["last"] = numbers[flow.last_task.id] - first
    if flow.completed:
        document["done"] = 1
    if not flow.success:
        document["failed"] = 1
    return document


def _extra(task: Task, inherited: Mapping[str, Any]) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    data = task.data
    if data:
        changed = {key: data[key] for key in data if key not in inherited or inherited[key] != data[key]}
        dropped = [key for key in inherited if key not in data]
        if changed:
            extra["d"] = changed
        if dropped:
            extra["x"] = dropped
    elif inherited and task.has_state(_OPEN | TaskState.FINISHED_MASK):
        extra["x"] = list(inherited)
    if task.internal_data:
        extra["i"] = task.internal_data
    if task.triggered:
        extra["t"] = 1
    parent = task.parent
    if task.has_state(_OPEN) or (parent is not None and isinstance(parent.task_spec, LoopTask)):
        extra["id"] = task.id.hex
    joined = isinstance(task.task_spec, Join) and task.has_state(TaskState.FINISHED_MASK)
    if joined or task.has_state(TaskState.READY):
        extra["c"] = round(task.last_state_change, 6)
    return extra


def decode(state: bytes, spec: Any, subprocess_specs: Mapping[str, Any], process_id: str) -> BpmnWorkflow:
    """Return the workflow that `encode` stored, on the given specifications.

    Raises: StateUnreadable where the format, the process or an element is not known.
    """
    try:
        document = orjson.loads(state)
        if document["v"] != FORMAT or document["process"] != process_id:
            raise StateUnreadable(f"format {document['v']} of process {document['process']}")
        names, flows = document["names"], document["flows"]
        workflow = BpmnWorkflow(spec, subprocess_specs, deserializing=True)
        tasks = _fill(workflow, flows[0], names, {}, workflow, 0)
        for entry in flows[1:]:
            task = tasks[entry["p"]]
            sub_spec = subprocess_specs[task.task_spec.spec]
            flow = BpmnSubWorkflow(sub_spec, task.id, workflow, deserializing=True)
            workflow.subprocesses[task.id] = flow
            flow.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
            tasks.extend(_fill(flow, entry, names, task.data, workflow, len(tasks)))
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError, AttributeError) as failure:
        raise StateUnreadable(f"{type(failure).__name__}: {failure}") from failure
    return workflow


def _fill(
    flow: Any,
    entry: dict[str, Any],
    names: list[str],
    outer: Mapping[str, Any],
    top: BpmnWorkflow,
    first: int,
) -> list[Task]:
    specs = flow.spec.task_specs
    tasks: list[Task] = []
    for number, row in enumerate(entry["tasks"], start=first + 1):
        extra = row[3] if len(row) > 3 else {}
        parent = tasks[row[1]] if row[1] >= 0 else None
        state = row[2]
        key: Any = UUID(hex=extra["id"]) if "id" in extra else None
        if key is None and state & TaskState.FINISHED_MASK:
            key = number  # nobody asks for it from outside: any key of its own will do
        task = Task(flow, specs[names[row[0]]], parent, state, key)
        tasks.append(task)
        _restore(task, extra, parent.data if parent is not None else outer)
        if state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
            top.event_manager.add_task(task)
    flow.task_tree = tasks[0]
    flow.data = entry.get("data", {})
    flow.correlations = entry.get("correlations", {})
    flow.completed = "done" in entry
    flow.success = "failed" not in entry
    flow.last_task = tasks[entry["last"]] if "last" in entry else None
    return tasks


def _restore(task: Task, extra: dict[str, Any], inherited: Mapping[str, Any]) -> None:
    if task.has_state(_OPEN | TaskState.FINISHED_MASK):
        # nested values are copied one level, as the library does when a task inherits
        data = {k: copy(v) if isinstance(v, (dict, list)) else v for k, v in inherited.items()}
        for key in extra.get("x", ()):
            data.pop(key, None)
        data.update(extra.get("d", {}))
        task.data = data
    elif "d" in extra:
        task.data = extra["d"]
    task.internal_data = extra.get("i", {})
    task.triggered = "t" in extra
    task.last_state_change = extra.get("c", 0.0)
