"""What one action of the engine leaves behind: plain values, safe to keep outside this package."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Data = dict[str, Any]
ServiceCall = Callable[[str, Data, Mapping[str, Any]], Data | None]
"""`call(name, parameters, process_data)` -> a dict for the result variable, or None."""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A user task that waits for a person.

    `role` is the property `role`, else the lane's name; `form` the form's name without `.json`;
    `properties` are the task's extension properties as written in the diagram (strings).
    `created` is naive in the region's clock.
    """

    task_id: str
    process_id: str
    element_id: str
    name: str
    role: str
    form: str
    properties: Mapping[str, str]
    created: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """An element that was executed or cancelled in this action; `process_id` says in which diagram.

    `type` is the BPMN tag (userTask, serviceTask, businessRuleTask, exclusiveGateway, endEvent, ...),
    `outcome` completed or cancelled.
    """

    process_id: str
    element_id: str
    name: str
    type: str
    outcome: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The process after one action.

    `state` is opaque; `tasks` are all open tasks now; `steps` what happened in this action, in order;
    `data` the newest process data; `end` the element id of the end event reached last (None while
    running); `end_properties` its properties; `due_at` the next timer, naive in the region's clock.
    """

    state: bytes
    tasks: list[OpenTask]
    steps: list[Step]
    data: Data
    completed: bool
    end: str | None
    end_properties: Mapping[str, str]
    due_at: datetime | None
