"""Timers stand on the `now` of each action, never on the machine's clock."""

from datetime import datetime, timedelta

import pytest

from app.engine import runtime
from app.engine.errors import ProcessFailed
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import boundary, end, flows, process, service, timer, user


def with_timer(kind: str, text: str, cancels: bool = False) -> runtime.ProcessSpec:
    inner = process(
        "inner",
        user("wait", role="auditor"),
        boundary("late", "wait", timer(kind, text), cancels),
        service("remind", "notice.send"),
        end("reminded", status="reminded"),
        end("done", status="done"),
        flows("begin -> wait", "wait -> done", "late -> remind", "remind -> reminded"),
    )
    outer = process(
        "outer",
        '<bpmn:callActivity id="call" calledElement="inner"/>',
        end("e"),
        flows("begin -> call", "call -> e"),
    )
    return runtime.compile_process("outer", {"o": outer, "i": inner}, {})


def test_a_timer_fires_in_a_call_activity_after_a_reload(services: Services) -> None:
    spec = with_timer("timeDuration", '"P7D"')
    outcome = runtime.start(spec, {}, services, NOW)
    assert outcome.due_at == NOW + timedelta(days=7)
    early = runtime.wake(spec, outcome.state, services, NOW + timedelta(days=6, hours=23))
    assert (services.calls, early.steps, early.due_at) == ([], [], outcome.due_at)
    late = runtime.wake(spec, early.state, services, NOW + timedelta(days=7))
    assert services.names() == ["notice.send"]
    assert [task.element_id for task in late.tasks] == ["wait"]
    assert late.tasks[0].task_id == outcome.tasks[0].task_id
    assert late.tasks[0].created == NOW
    assert [step.element_id for step in late.steps] == ["late", "remind", "reminded"]
    assert late.due_at is None
    again = runtime.wake(spec, late.state, services, NOW + timedelta(days=30))
    assert (services.names(), again.steps) == (["notice.send"], [])
    done = runtime.complete(spec, again.state, late.tasks[0].task_id, {}, services, NOW)
    assert done.completed


def test_an_interrupting_timer_ends_the_task(services: Services) -> None:
    spec = with_timer("timeDuration", '"PT2H"', cancels=True)
    outcome = runtime.start(spec, {}, services, NOW)
    late = runtime.wake(spec, outcome.state, services, NOW + timedelta(hours=2))
    assert late.completed
    assert [(s.element_id, s.outcome) for s in late.steps] == [
        ("late", "completed"),
        ("wait", "cancelled"),
        ("remind", "completed"),
        ("reminded", "completed"),
        ("call", "completed"),
        ("e", "completed"),
    ]


def test_a_date_on_the_regions_clock(services: Services) -> None:
    spec = with_timer("timeDate", "deadline")
    outcome = runtime.start(spec, {"deadline": "2026-11-10T00:00:00"}, services, NOW)
    assert outcome.due_at == datetime(2026, 11, 10)
    assert runtime.wake(spec, outcome.state, services, datetime(2026, 11, 9, 23, 59)).steps == []
    assert runtime.wake(spec, outcome.state, services, datetime(2026, 11, 10)).steps != []


def test_a_timer_already_due_when_reached_fires_at_once(services: Services) -> None:
    spec = with_timer("timeDate", '"2020-01-01"')
    outcome = runtime.start(spec, {}, services, NOW)
    assert services.names() == ["notice.send"]
    assert [task.element_id for task in outcome.tasks] == ["wait"]


def test_a_repeating_timer(services: Services) -> None:
    spec = with_timer("timeCycle", '"R2/P1D"')
    outcome = runtime.start(spec, {}, services, NOW)
    for day in (1, 2, 3, 4):
        outcome = runtime.wake(spec, outcome.state, services, NOW + timedelta(days=day))
        assert len(services.calls) == min(day, 2)
    assert outcome.due_at is None
    assert runtime.complete(spec, outcome.state, outcome.tasks[0].task_id, {}, services, NOW).completed


def test_a_repeating_timer_catches_up(services: Services) -> None:
    spec = with_timer("timeCycle", '"R3/P1D"')
    outcome = runtime.start(spec, {}, services, NOW)
    outcome = runtime.wake(spec, outcome.state, services, NOW + timedelta(days=30))
    assert len(services.calls) == 3


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("timeDuration", '"P99999999999Y"'),
        ("timeDuration", '"P"'),
        ("timeDuration", '"7 days"'),
        ("timeDuration", "7"),
        ("timeDate", '"tomorrow"'),
        ("timeDate", "20261110"),
        ("timeCycle", '"R9/PT0S"'),
        ("timeCycle", '"R99999999/P1D"'),
    ],
)
def test_nonsense_is_refused(kind: str, text: str, services: Services) -> None:
    spec = with_timer(kind, text)
    with pytest.raises(ProcessFailed):
        runtime.start(spec, {}, services, NOW)
