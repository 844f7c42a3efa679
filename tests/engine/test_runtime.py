"""Journeys through the house's pattern, saved and loaded between any two steps."""

from typing import Any

import pytest

from app.engine import runtime
from app.engine.errors import (
    DefinitionInvalid,
    NothingWaits,
    ProcessFailed,
    StateUnreadable,
    TaskNotOpen,
)
from app.engine.outcome import Outcome
from tests.engine.conftest import NOW, Services
from tests.engine.diagrams import end, flows, gateway, process, service, user

FACTS = {"declaration_id": 4611686018427387904, "region": "320600", "kind": "enrol", "batch": None}


def steps(outcome: Outcome) -> list[str]:
    return [f"{s.element_id}{'' if s.outcome == 'completed' else ' ' + s.outcome}" for s in outcome.steps]


def open_at(outcome: Outcome) -> list[str]:
    return [task.element_id for task in outcome.tasks]


class Case:
    """One running process that only ever lives in its stored state."""

    def __init__(self, spec: runtime.ProcessSpec, services: Services, **facts: Any) -> None:
        self.spec, self.services = spec, services
        self.now = runtime.start(spec, {**FACTS, **facts}, services, NOW)

    def complete(self, **data: Any) -> Outcome:
        self.now = runtime.complete(
            self.spec, self.now.state, self.now.tasks[0].task_id, data, self.services, NOW
        )
        return self.now

    def send(self, message: str) -> Outcome:
        self.now = runtime.send(self.spec, self.now.state, message, {}, self.services, NOW)
        return self.now


def submitted(spec: runtime.ProcessSpec, services: Services) -> Case:
    case = Case(spec, services)
    case.complete()
    case.complete()
    return case


def test_start_waits_at_the_first_task(enrol: runtime.ProcessSpec, services: Services) -> None:
    outcome = Case(enrol, services).now
    (task,) = outcome.tasks
    assert (task.element_id, task.process_id, task.role, task.form) == ("fill", "enrol", "handler", "enrol")
    assert task.properties["status"] == "draft"
    assert task.created == NOW
    assert outcome.data == FACTS
    assert steps(outcome) == ["begin", "d_begin"]
    assert not outcome.completed


def test_approve_after_two_returns(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = Case(enrol, services)
    assert steps(case.complete()) == ["fill", "check", "policy", "pending_needed"]
    assert open_at(case.now) == ["confirm"]
    outcome = case.complete()
    assert steps(outcome) == ["confirm", "d_end", "drafting", "begin"]
    assert [step.process_id for step in outcome.steps] == ["enrol", "enrol", "enrol", "audit"]
    assert (outcome.tasks[0].process_id, outcome.tasks[0].role) == ("audit", "auditor")
    for _ in range(2):
        assert open_at(case.complete(decision="return")) == ["correct"]
        assert open_at(case.complete()) == ["first_audit"]
    outcome = case.complete(decision="approve")
    assert outcome.completed
    assert (outcome.end, outcome.end_properties) == ("approved", {"status": "approved"})
    assert steps(outcome) == ["first_audit", "audited", "audit_case", "decided", "apply", "approved"]
    assert services.names().count("enrolment.check") == 3
    assert services.names().count("enrolment.apply") == 1
    assert services.calls[-1] == ("enrolment.apply", {"declaration_id": FACTS["declaration_id"]})


def test_discard_cancels_the_sub_process(enrol: runtime.ProcessSpec, services: Services) -> None:
    outcome = Case(enrol, services).send("discard")
    assert outcome.end_properties == {"status": "discarded"}
    assert steps(outcome) == ["discard", "drafting cancelled", "fill cancelled", "discard_draft", "discarded"]
    assert services.names() == ["declaration.discard"]


def test_recall_after_a_return(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = submitted(enrol, services)
    case.complete(decision="return")
    case.complete()
    outcome = case.send("recall")
    assert outcome.completed
    assert outcome.end == "recalled"
    assert steps(outcome) == ["recall", "audit_case cancelled", "first_audit cancelled", "recalled"]
    assert outcome.due_at is None


def test_reject(enrol: runtime.ProcessSpec, services: Services) -> None:
    outcome = submitted(enrol, services).complete(decision="reject")
    assert outcome.end_properties == {"status": "rejected"}
    assert "enrolment.apply" not in services.names()


def test_the_decision_table_routes(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = Case(enrol, services, region="320500")
    assert open_at(case.complete()) == ["first_audit"]
    services.answers["enrolment.check"] = {"backpay_months": 3}
    case = Case(enrol, services, region="320500")
    assert open_at(case.complete()) == ["confirm"]


def test_no_matching_rule_stops_the_process(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = Case(enrol, services, region="999999")
    with pytest.raises(ProcessFailed, match="exactly one rule") as caught:
        case.complete()
    assert caught.value.element == "policy"


def test_a_message_nobody_waits_for_raises(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = Case(enrol, services)
    for message in ("recall", "unknown"):
        with pytest.raises(NothingWaits):
            case.send(message)
    case = submitted(enrol, services)
    with pytest.raises(NothingWaits):
        case.send("discard")


def test_a_task_is_completed_once(enrol: runtime.ProcessSpec, services: Services) -> None:
    first = Case(enrol, services).now
    task_id = first.tasks[0].task_id
    after = runtime.complete(enrol, first.state, task_id, {}, services, NOW)
    for wrong in (task_id, "", "no such", "f" * 32, "../x"):
        with pytest.raises(TaskNotOpen):
            runtime.complete(enrol, after.state, wrong, {}, services, NOW)


class Refused(Exception):
    """A domain error with more than a text in it."""


def test_a_service_error_comes_out_unchanged_and_nothing_changed(
    enrol: runtime.ProcessSpec, services: Services
) -> None:
    case = Case(enrol, services)
    before = case.now.state
    for failure in (Refused(42, "x"), KeyError(1), ValueError("v"), NothingWaits("from a service")):
        services.failures["enrolment.check"] = failure
        with pytest.raises(type(failure)) as caught:
            case.complete()
        assert caught.value is failure
    assert case.now.state is before
    services.failures.clear()
    assert open_at(case.complete()) == ["confirm"]


def test_a_failing_service_names_its_element(enrol: runtime.ProcessSpec, services: Services) -> None:
    services.failures["enrolment.check"] = Refused("no")
    with pytest.raises(Refused) as caught:
        Case(enrol, services).complete()
    assert caught.value.__notes__ == ["element: check"]


@pytest.mark.parametrize("answer", [{"x": object()}, {"x": {1, 2}}, {"x": float("nan")}, {1: "x"}])
def test_a_service_must_return_plain_data(
    enrol: runtime.ProcessSpec, services: Services, answer: dict[str, Any]
) -> None:
    services.answers["enrolment.check"] = answer
    with pytest.raises(ProcessFailed):
        Case(enrol, services).complete()


def test_facts_must_be_plain_data(enrol: runtime.ProcessSpec, services: Services) -> None:
    from datetime import date
    from decimal import Decimal

    for value in (Decimal("1.00"), date(2026, 1, 1), {1: 2}, b"x"):
        with pytest.raises(ProcessFailed):
            Case(enrol, services, extra=value)


def test_names_that_trouble_the_library_are_only_data(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = Case(enrol, services, typename="BpmnWorkflow", len=3, 中文="汉字")
    outcome = case.complete()
    assert outcome.data["typename"] == "BpmnWorkflow"
    assert outcome.data["len"] == 3
    assert "汉字".encode() in outcome.state


def test_a_state_is_small_and_stays_small(enrol: runtime.ProcessSpec, services: Services) -> None:
    case = submitted(enrol, services)
    sizes = []
    for _ in range(6):
        case.complete(decision="return")
        case.complete()
        sizes.append(len(case.now.state))
    assert sizes[0] < 2_500
    assert sizes[-1] - sizes[0] < 5 * 250


def test_a_state_of_something_else_is_refused(enrol: runtime.ProcessSpec, services: Services) -> None:
    state = Case(enrol, services).now.state
    broken = [
        b"",
        b"{}",
        b"[]",
        state[:-3],
        state.replace(b'"v":1', b'"v":99'),
        state.replace(b'"process":"enrol"', b'"process":"stop"'),
        state.replace(b'"fill"', b'"gone"'),
    ]
    for bytes_ in broken:
        with pytest.raises(StateUnreadable):
            runtime.wake(enrol, bytes_, services, NOW)


def test_a_diagram_that_never_waits_is_stopped(services: Services) -> None:
    spec = runtime.compile_process(
        "p",
        {
            "p.bpmn": process(
                "p",
                gateway("g", "g_again"),
                service("again", "x"),
                end("e"),
                flows("begin -> g", "g -> e if False", "g -> again", "again -> g"),
            )
        },
        {},
    )
    with pytest.raises(ProcessFailed, match="without a wait"):
        runtime.start(spec, {}, services, NOW)


def test_parallel_tasks_are_all_open(services: Services) -> None:
    spec = runtime.compile_process(
        "p",
        {
            "p.bpmn": process(
                "p",
                gateway("fork", kind="parallelGateway"),
                user("a", role="x"),
                user("b", role="y"),
                gateway("join", kind="parallelGateway"),
                end("e"),
                flows("begin -> fork", "fork -> a", "fork -> b", "a -> join", "b -> join", "join -> e"),
            )
        },
        {},
    )
    outcome = runtime.start(spec, {}, services, NOW)
    assert sorted(open_at(outcome)) == ["a", "b"]
    first, second = outcome.tasks
    outcome = runtime.complete(spec, outcome.state, first.task_id, {"one": 1}, services, NOW)
    assert [task.task_id for task in outcome.tasks] == [second.task_id]
    outcome = runtime.complete(spec, outcome.state, second.task_id, {"two": 2}, services, NOW)
    assert outcome.completed
    assert outcome.data == {"one": 1, "two": 2}


def test_an_undefined_name_in_a_condition_names_the_gateway(services: Services) -> None:
    spec = runtime.compile_process(
        "p",
        {
            "p.bpmn": process(
                "p",
                gateway("g", "g_e"),
                end("e"),
                end("f"),
                flows("begin -> g", "g -> f if missing", "g -> e"),
            )
        },
        {},
    )
    with pytest.raises(ProcessFailed, match="undefined name missing") as caught:
        runtime.start(spec, {}, services, NOW)
    assert caught.value.element == "g"


def test_compiling_names_file_and_element() -> None:
    for bpmn, element in [
        (process("p", user("a"), flows("begin -> a", "a -> nowhere")), "a"),
        (process("p", '<bpmn:transaction id="t"/>', flows("begin -> t")), "t"),
        (process("p", '<bpmn:serviceTask id="s"/>', flows("begin -> s")), "s"),
        (process("p", '<bpmn:businessRuleTask id="r"/>', flows("begin -> r")), "r"),
        (process("p", user("End"), flows("begin -> End")), "End"),
        (process("p", '<bpmn:eventBasedGateway id="g"/>', flows("begin -> g")), "g"),
    ]:
        with pytest.raises(DefinitionInvalid) as caught:
            runtime.compile_process("p", {"p.bpmn": bpmn}, {})
        assert caught.value.file == "p.bpmn"
        assert caught.value.element == element
    with pytest.raises(DefinitionInvalid):
        runtime.compile_process("other", {"p.bpmn": process("p", end("e"), flows("begin -> e"))}, {})
