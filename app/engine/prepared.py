"""One run for many cases: cases with equal routing facts reach the same first wait with the same state.

The engine runs once, with marks in the place of each case's own values; the state is then stamped per
case with its own values and fresh ids. That is only true while nothing but a service's parameter
reads an own value: whatever else asks for one makes the preparation fail, and the caller starts the
cases one by one.
"""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Any

import orjson
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from app.engine.action import Action
from app.engine.calls import Engine, SafeEnvironment
from app.engine.compiling import ProcessSpec
from app.engine.errors import EngineError
from app.engine.language import parse_expression, parse_script, plain
from app.engine.outcome import Data, OpenTask, Outcome, ServiceCall, Step
from app.engine.runtime import complete_open, guarded
from app.engine.timing import to_utc

_PRIMITIVES = frozenset([str, int, bool, float, type(None)])


class NotPreparable(EngineError):
    """Something in the diagram looks at a case's own value: the cases cannot share a run."""


@dataclass(frozen=True, slots=True)
class ServiceCalled:
    """A service call of the shared run, with the case's own values in it."""

    name: str
    parameters: Data


@dataclass(frozen=True, slots=True)
class PreparedCase:
    """A case as if it had been started and filled by itself; `calls` are to be replayed by the caller."""

    outcome: Outcome
    calls: list[ServiceCalled]


class _Guard(SafeEnvironment):
    """Refuses every expression and script that reads an own value."""

    def __init__(self, own: Collection[str]) -> None:
        super().__init__()
        self._own = frozenset(own)

    def evaluate(
        self, expression: str, context: Mapping[str, Any], external_context: Mapping[str, Any] | None = None
    ) -> Any:
        self._check(parse_expression(expression).names, expression)
        return super().evaluate(expression, context, external_context)

    def execute(self, script: str, context: Data, external_context: Mapping[str, Any] | None = None) -> bool:
        parsed = parse_script(script)
        self._check(parsed.names | {name for name, _ in parsed.lines}, script)
        return super().execute(script, context, external_context)

    def _check(self, names: Collection[str], text: str) -> None:
        read = self._own.intersection(names)
        if read:
            raise NotPreparable(f"{text[:100]!r} uses {', '.join(sorted(read))}")


class _Recorder(Engine):
    """Runs with marks for own values and writes down the service calls."""

    def __init__(self, call: ServiceCall, now: datetime, marks: Mapping[str, str]) -> None:
        super().__init__(call, now, _Guard(marks))
        self.calls: list[tuple[str, Data]] = []
        self._marks = marks

    def parameter(self, task: Any, expression: str) -> Any:
        name = parse_expression(expression).only_name
        if name is not None and name in self._marks and task.data.get(name) == self._marks[name]:
            return self._marks[name]
        return super().parameter(task, expression)

    def serve(self, task: Any, name: str, parameters: Data) -> Data | None:
        self.calls.append((name, parameters))
        result = super().serve(task, name, parameters)
        if result is not None and any(mark in orjson.dumps(result).decode() for mark in self._marks.values()):
            raise NotPreparable(f"service {name} returns a value of the case")
        return result


class PreparedStart:
    """The shared run, ready to be stamped. What does not differ between cases is the same object."""

    def __init__(
        self, outcome: Outcome, steps: list[Step], calls: list[tuple[str, Data]], marks: Mapping[str, str]
    ) -> None:
        self.own = tuple(marks)
        self._outcome = outcome
        self._steps = steps
        self._ids = _ids(outcome.state)
        self._tasks = [(self._ids.index(task.task_id), task) for task in outcome.tasks]
        self._shared = {key: value for key, value in outcome.data.items() if key not in marks}
        by_mark = {mark: name for name, mark in marks.items()}
        self._calls = [
            (name, given, {key: by_mark[value] for key, value in given.items() if _is_mark(value, by_mark)})
            for name, given in calls
        ]
        self._pieces, self._slots = _split(outcome.state, self._ids, by_mark)

    def stamp(self, own: Mapping[str, Any]) -> PreparedCase:
        """Return the case with these own values, exactly the names it was prepared for.

        Raises: KeyError for a missing name, ExpressionFailed for a value that is not plain data.
        """
        given = {name: own[name] for name in self.own}
        values = {name: v if type(v) in _PRIMITIVES else plain(v) for name, v in given.items()}
        random = os.urandom(16 * len(self._ids)).hex()
        ids = [random[start : start + 32] for start in range(0, len(random), 32)]
        texts = {name: orjson.dumps(value) for name, value in values.items()}
        parts = self._pieces.copy()
        for place, slot in self._slots:
            parts[place] = texts[slot] if isinstance(slot, str) else ids[slot].encode()
        outcome = _stamped(
            self._outcome,
            b"".join(parts),
            [_with_id(task, ids[index]) for index, task in self._tasks],
            self._steps,
            {**self._shared, **values},
        )
        calls = [
            ServiceCalled(name, {**parameters, **{key: values[own_name] for key, own_name in marked.items()}})
            for name, parameters, marked in self._calls
        ]
        return PreparedCase(outcome, calls)


def prepare(
    spec: ProcessSpec,
    facts: Mapping[str, Any],
    own: Collection[str],
    answers: Sequence[tuple[str, Mapping[str, Any]]],
    call: ServiceCall,
    now: datetime,
) -> PreparedStart:
    """Start a process once for many cases and complete its first tasks.

    Shape: `facts` are equal for all cases, `own` names each case's own values, `answers` lists
    (element id, form data) of the tasks to complete, one after the other. `call` answers with what is
    equal for all cases; it sees marks in place of own values. All cases carry the time `now`.
    Raises: NotPreparable, and as `runtime.start` and `runtime.complete`.
    """
    nonce = token_hex(8)
    marks = {name: f"own:{nonce}:{number}:" for number, name in enumerate(sorted(own))}
    _check_loops(spec, own)
    engine = _Recorder(call, to_utc(now), marks)
    workflow = BpmnWorkflow(spec.top, spec.called, script_engine=engine)
    workflow.task_tree.data.update(plain({**facts, **marks}))
    action = Action(spec, workflow, engine)
    outcome = guarded(action, action.finish)
    steps = list(outcome.steps)
    for element_id, data in answers:
        task_id = next((task.task_id for task in outcome.tasks if task.element_id == element_id), None)
        if task_id is None:
            raise NotPreparable(f"{element_id} is not open")
        if marks.keys() & data.keys():
            raise NotPreparable(f"{element_id}: an answer would replace a value of the case")
        outcome = complete_open(Action(spec, workflow, engine), task_id, data)
        steps += outcome.steps
    if b'"merged":["' in outcome.state:
        raise NotPreparable("a loop has begun")
    if any(outcome.data.get(name) != mark for name, mark in marks.items()):
        raise NotPreparable("the process replaces a value of the case")
    return PreparedStart(outcome, steps, engine.calls, marks)


def _check_loops(spec: ProcessSpec, own: Collection[str]) -> None:
    for elements in spec.elements.values():
        for element in elements.values():
            loop = element.loop
            if loop and {loop.input_ref, loop.output_ref, loop.input_item, loop.output_item} & set(own):
                raise NotPreparable(f"{element.id} loops over a value of the case")


def _ids(state: bytes) -> list[str]:
    """List the task ids that a state keeps."""
    rows = [row for flow in orjson.loads(state)["flows"] for row in flow["tasks"]]
    return [row[3]["id"] for row in rows if len(row) > 3 and "id" in row[3]]


def _is_mark(value: Any, by_mark: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value in by_mark


def _split(
    state: bytes, ids: list[str], by_mark: Mapping[str, str]
) -> tuple[list[bytes], list[tuple[int, int | str]]]:
    """Cut the state at every id and every mark: the pieces, and which place takes what."""
    wanted = [re.escape(text.encode()) for text in ids] + [b'"' + mark.encode() + b'"' for mark in by_mark]
    pieces: list[bytes] = []
    slots: list[tuple[int, int | str]] = []
    if not wanted:
        return [state], []
    for piece in re.split(b"(" + b"|".join(wanted) + b")", state):
        text = piece.decode().strip('"') if len(piece) < 100 else ""
        if text in by_mark:
            slots.append((len(pieces), by_mark[text]))
        elif text in ids:
            slots.append((len(pieces), ids.index(text)))
        pieces.append(piece)
    return pieces, slots


def _with_id(task: OpenTask, task_id: str) -> OpenTask:
    return replace(task, task_id=task_id)


def _stamped(outcome: Outcome, state: bytes, tasks: list[OpenTask], steps: list[Step], data: Data) -> Outcome:
    """Return an outcome of the shared run with one case's own parts."""
    return Outcome(
        state,
        tasks,
        steps,
        data,
        outcome.completed,
        outcome.end,
        outcome.end_properties,
        outcome.due_at,
    )
