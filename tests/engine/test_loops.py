"""Multi-instance tasks and loops, saved and loaded between any two steps, by a spec parsed anew."""

import pytest

from app.engine import runtime
from app.engine.errors import ProcessFailed
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import end, flows, process, script, service, user


def loop(sequential: bool, inner: str = "", collection: str = "people", output: str = "votes") -> str:
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"<bpmn:loopDataInputRef>{collection}</bpmn:loopDataInputRef>"
        f"<bpmn:loopDataOutputRef>{output}</bpmn:loopDataOutputRef>"
        '<bpmn:inputDataItem id="person"/><bpmn:outputDataItem id="vote"/>'
        f"{inner}</bpmn:multiInstanceLoopCharacteristics>"
    )


def votes(sequential: bool, inner: str = "") -> runtime.ProcessSpec:
    diagram = process(
        "p", user("ask", loop(sequential, inner), role="r"), end("e"), flows("begin -> ask", "ask -> e")
    )
    return runtime.compile_process("p", {"p.bpmn": diagram}, {})


@pytest.mark.parametrize("sequential", [True, False])
def test_every_item_is_asked_and_collected(sequential: bool, services: Services) -> None:
    outcome = runtime.start(votes(sequential), {"people": ["a", "b", "c"]}, services, NOW)
    assert len(outcome.tasks) == (1 if sequential else 3)
    for index in range(3):
        assert not outcome.completed
        # a specification parsed anew stands for another OS process
        outcome = runtime.complete(
            votes(sequential), outcome.state, outcome.tasks[0].task_id, {"vote": index}, services, NOW
        )
        assert outcome.steps[0].element_id == "ask"
    assert outcome.completed
    assert outcome.data["votes"] == [0, 1, 2]


def test_a_parallel_loop_may_end_early(services: Services) -> None:
    def spec() -> runtime.ProcessSpec:
        return votes(False, "<bpmn:completionCondition>vote == 7</bpmn:completionCondition>")

    outcome = runtime.start(spec(), {"people": ["a", "b", "c"]}, services, NOW)
    outcome = runtime.complete(spec(), outcome.state, outcome.tasks[1].task_id, {"vote": 7}, services, NOW)
    assert outcome.completed
    assert [(s.element_id, s.outcome) for s in outcome.steps] == [
        ("ask", "completed"),
        ("ask", "cancelled"),
        ("ask", "cancelled"),
        ("e", "completed"),
    ]


@pytest.mark.parametrize("sequential", [True, False])
def test_no_item_means_no_task(sequential: bool, services: Services) -> None:
    assert runtime.start(votes(sequential), {"people": []}, services, NOW).completed


def test_services_in_a_loop(services: Services) -> None:
    services.answers["tell"] = {"ok": True}
    diagram = process(
        "p",
        service("tell", "tell", "vote", loop(True), who="person"),
        end("e"),
        flows("begin -> tell", "tell -> e"),
    )
    spec = runtime.compile_process("p", {"p.bpmn": diagram}, {})
    outcome = runtime.start(spec, {"people": ["a", "b"]}, services, NOW)
    assert services.calls == [("tell", {"who": "a"}), ("tell", {"who": "b"})]
    assert outcome.data["votes"] == [{"ok": True}, {"ok": True}]


def test_a_loop_cannot_be_made_huge(services: Services) -> None:
    counted = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>count</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )
    diagram = process("p", user("ask", counted), end("e"), flows("begin -> ask", "ask -> e"))
    spec = runtime.compile_process("p", {"p.bpmn": diagram}, {})
    assert len(runtime.start(spec, {"count": 3}, services, NOW).tasks) == 3
    for count in (10**9, -1, "3", True):
        with pytest.raises(ProcessFailed):
            runtime.start(spec, {"count": count}, services, NOW)


def test_a_standard_loop_repeats_and_is_bounded(services: Services) -> None:
    def looping(condition: str) -> runtime.ProcessSpec:
        repeat = (
            "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>"
            f"{condition}</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"
        )
        diagram = process(
            "p",
            script("set", "n = 0"),
            script("count", "n = n + 1", repeat),
            end("e"),
            flows("begin -> set", "set -> count", "count -> e"),
        )
        return runtime.compile_process("p", {"p.bpmn": diagram}, {})

    outcome = runtime.start(looping("n &lt; 4"), {}, services, NOW)
    assert outcome.completed
    assert outcome.data["n"] == 4
    with pytest.raises(ProcessFailed, match="without a wait"):
        runtime.start(looping("True"), {}, services, NOW)
