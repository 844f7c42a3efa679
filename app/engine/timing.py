"""Timers against a clock that is an argument.

The library compares with the machine's clock; here every comparison is with the `now` of the action,
so that a test, a demonstration or a replay can stand on any day. Times are kept in UTC inside the
state and shown naive in the region's zone outside.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from SpiffWorkflow.bpmn.specs.event_definitions import timer as library
from SpiffWorkflow.util.task import TaskState

from app.engine.errors import ExpressionFailed
from app.engine.language import parse_expression

REGION_ZONE = ZoneInfo("Asia/Shanghai")
_DURATION = re.compile(r"P(?=.)(\d{1,4}[YMWD]){0,4}(T(?=\d)(\d{1,5}H)?(\d{1,5}M)?(\d{1,6}S)?)?")
_UNQUOTED = re.compile(r"P(\d+[YMWD])*(T(\d+[HMS])+)?|R\d*")
_CYCLE = re.compile(r"R(\d{0,4})/(.+)")


def to_utc(moment: datetime) -> datetime:
    """Return an aware UTC time; a naive one is read on the region's clock."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=REGION_ZONE)
    return aware.astimezone(UTC)


def to_region(moment: datetime) -> datetime:
    """Return a naive time on the region's clock."""
    return to_utc(moment).astimezone(REGION_ZONE).replace(tzinfo=None)


def parse_duration(text: Any, start: datetime) -> timedelta:
    """Return the length of an ISO 8601 duration counted from `start`. Raises: ExpressionFailed."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text.upper()):
        raise ExpressionFailed(f"not an ISO 8601 duration: {text!r}")
    parts = library.TimerEventDefinition.parse_iso_duration(text)
    length: timedelta = library.TimerEventDefinition.get_timedelta_from_start(parts, start)
    return length


def parse_moment(text: Any) -> datetime:
    """Return the UTC time of an ISO 8601 date or date-time. Raises: ExpressionFailed."""
    try:
        return to_utc(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        raise ExpressionFailed(f"not an ISO 8601 time: {text!r}") from None


class _AtMoment:
    """Fires when the stored moment has come; subclasses say how it is found the first time."""

    expression: str

    def _moment(self, value: Any, now: datetime) -> datetime:
        raise NotImplementedError

    def has_fired(self, my_task: Any) -> bool:
        engine = my_task.workflow.script_engine
        due = my_task.internal_data.get("due")
        if due is None:
            due = self._moment(engine.evaluate(my_task, self.expression), engine.now).isoformat()
            my_task.internal_data["due"] = due
        if datetime.fromisoformat(due) <= engine.now:
            my_task.internal_data["event_fired"] = True
        return bool(my_task.internal_data.get("event_fired", False))


class DateTimer(_AtMoment, library.TimeDateEventDefinition):
    """A timer for a date; a timer date may also be written as a duration from now."""

    def _moment(self, value: Any, now: datetime) -> datetime:
        if isinstance(value, str) and value[:1].upper() == "P":
            return now + parse_duration(value, now)
        return parse_moment(value)


class DurationTimer(_AtMoment, library.DurationTimerEventDefinition):
    """A timer for a length of time from the moment its element is reached."""

    def _moment(self, value: Any, now: datetime) -> datetime:
        return now + parse_duration(value, now)


class CycleTimer(library.CycleTimerEventDefinition):
    """A repeating timer: `R3/P1D`, or `R/P1D` without an end."""

    def update_task(self, my_task: Any) -> None:
        """Start one branch of what follows each time the timer is due."""
        engine = my_task.workflow.script_engine
        internal = my_task.internal_data
        if "due" not in internal:
            count, length = self._cycle(engine.evaluate(my_task, self.expression), engine.now)
            internal["left"], internal["every"] = count, length.total_seconds()
            internal["due"] = (engine.now + length).isoformat()
        if internal["left"] == 0:
            internal["event_fired"] = True
            return
        due = datetime.fromisoformat(internal["due"])
        if due > engine.now:
            return
        internal["left"] -= 1
        internal["due"] = (due + timedelta(seconds=internal["every"])).isoformat()
        for output in my_task.task_spec.outputs:
            child = my_task._add_child(output, TaskState.FUTURE)
            child.task_spec._predict(child, mask=TaskState.NOT_FINISHED_MASK)
            child.task_spec._update(child)

    @staticmethod
    def _cycle(value: Any, now: datetime) -> tuple[int, timedelta]:
        found = _CYCLE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ExpressionFailed(f"not an ISO 8601 repeating interval: {value!r}")
        length = parse_duration(found.group(2), now)
        if length < timedelta(minutes=1):
            raise ExpressionFailed("a repeating timer needs at least a minute")
        return (int(found.group(1)) if found.group(1) else -1), length


def own_timer(definition: Any) -> Any:
    """Return our timer in place of the library's."""
    for theirs, ours in (
        (library.TimeDateEventDefinition, DateTimer),
        (library.DurationTimerEventDefinition, DurationTimer),
        (library.CycleTimerEventDefinition, CycleTimer),
    ):
        if type(definition) is theirs:
            return ours(definition.name, definition.expression, description=definition.description)
    return definition


def check_timer(kind: str, text: str) -> str:
    """Say what is wrong with a timer's expression as far as it can be known without data, else ''.

    Shape: kind is timeDate, timeDuration or timeCycle. A duration without quotes reads as names and
    numbers: that is the usual mistake.
    """
    expression = parse_expression(text)
    if expression.problems:
        return expression.problems[0]
    if any(_UNQUOTED.fullmatch(name) for name in expression.names):
        return "时间必须加引号"
    if expression.names:
        return ""
    now = datetime(2026, 1, 31, tzinfo=UTC)
    try:
        value = expression.run({})
        if kind == "timeCycle":
            CycleTimer._cycle(value, now)
        elif kind == "timeDuration" or (isinstance(value, str) and value[:1].upper() == "P"):
            parse_duration(value, now)
        else:
            parse_moment(value)
    except (ExpressionFailed, ArithmeticError, TypeError, ValueError):
        return "不是 ISO 8601 时间" if isinstance(text, str) and text[:1] in "\"'" else "时间必须加引号"
    return ""
