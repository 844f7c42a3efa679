"""Processes inside processes: saved and loaded at depth, cancelled from above, ended by an error."""

from app.engine import runtime
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import MESSAGES, boundary, end, flows, message, process, service, timer, user


def _nested() -> runtime.ProcessSpec:
    inside = (
        '<bpmn:subProcess id="room"><bpmn:startEvent id="r_begin"/>'
        + user("sit", role="auditor")
        + boundary("late", "sit", timer("timeDuration", '"P1D"'), cancels=False)
        + service("remind", "notice.send")
        + end("reminded")
        + end("r_end")
        + flows("r_begin -> sit", "sit -> r_end", "late -> remind", "remind -> reminded")
        + "</bpmn:subProcess>"
    )
    lower = process("lower", inside, end("l_end"), flows("begin -> room", "room -> l_end"))
    middle = process(
        "middle",
        '<bpmn:callActivity id="down" calledElement="lower"/>',
        user("after", role="senior"),
        end("m_end"),
        flows("begin -> down", "down -> after", "after -> m_end"),
    )
    upper = process(
        "upper",
        '<bpmn:callActivity id="call" calledElement="middle"/>',
        boundary("recall", "call", message("m_recall")),
        end("recalled", status="recalled"),
        end("done", status="done"),
        flows("begin -> call", "call -> done", "recall -> recalled"),
        beside=MESSAGES,
    )
    return runtime.compile_process("upper", {"u": upper, "m": middle, "l": lower}, {})


def test_a_task_three_levels_down(services: Services) -> None:
    spec = _nested()
    outcome = runtime.start(spec, {"a": {"b": [1]}}, services, NOW)
    (task,) = outcome.tasks
    assert (task.element_id, task.process_id) == ("sit", "lower")
    late = runtime.wake(_nested(), outcome.state, services, NOW.replace(day=10))
    assert services.names() == ["notice.send"]
    outcome = runtime.complete(_nested(), late.state, task.task_id, {"x": 1}, services, NOW)
    assert [step.element_id for step in outcome.steps] == ["sit", "r_end", "room", "l_end", "down"]
    outcome = runtime.complete(_nested(), outcome.state, outcome.tasks[0].task_id, {}, services, NOW)
    assert outcome.end_properties == {"status": "done"}
    assert outcome.data == {"a": {"b": [1]}, "x": 1}


def test_a_message_at_the_top_cancels_everything_below(services: Services) -> None:
    spec = _nested()
    outcome = runtime.start(spec, {}, services, NOW)
    outcome = runtime.send(_nested(), outcome.state, "recall", {}, services, NOW)
    assert outcome.end == "recalled"
    cancelled = {step.element_id for step in outcome.steps if step.outcome == "cancelled"}
    assert cancelled == {"call", "down", "room", "sit"}
    assert (outcome.tasks, outcome.due_at) == ([], None)


def test_an_error_end_event_is_caught_at_the_boundary(services: Services) -> None:
    inside = (
        '<bpmn:subProcess id="try"><bpmn:startEvent id="t_begin"/>'
        + user("ask")
        + end("bad", '<bpmn:errorEventDefinition errorRef="err"/>')
        + flows("t_begin -> ask", "ask -> bad")
        + "</bpmn:subProcess>"
    )
    diagram = process(
        "p",
        inside,
        boundary("caught", "try", '<bpmn:errorEventDefinition errorRef="err"/>'),
        end("failed", status="rejected"),
        end("done", status="done"),
        flows("begin -> try", "try -> done", "caught -> failed"),
        beside='<bpmn:error id="err" name="wrong" errorCode="E1"/>',
    )
    spec = runtime.compile_process("p", {"p": diagram}, {})
    outcome = runtime.start(spec, {}, services, NOW)
    outcome = runtime.complete(spec, outcome.state, outcome.tasks[0].task_id, {}, services, NOW)
    assert outcome.completed
    assert outcome.end == "failed"


def test_a_message_brings_data_under_its_variable(services: Services) -> None:
    variable = "<spiffworkflow:messageVariable>told</spiffworkflow:messageVariable>"
    diagram = process(
        "p",
        '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m_recall">'
        f"<bpmn:extensionElements>{variable}</bpmn:extensionElements></bpmn:messageEventDefinition>"
        "</bpmn:intermediateCatchEvent>",
        end("e"),
        flows("begin -> wait", "wait -> e"),
        beside=MESSAGES,
    )
    spec = runtime.compile_process("p", {"p": diagram}, {})
    outcome = runtime.start(spec, {"a": 1}, services, NOW)
    assert not outcome.completed
    outcome = runtime.send(spec, outcome.state, "recall", {"why": "x"}, services, NOW)
    assert outcome.data == {"a": 1, "told": {"why": "x"}}
