"""What a diagram and a table ask for, read without running them."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.engine.decisions import DecisionTable, cell_expression, decision_uses, describe_decision
from app.engine.describe import describe
from app.engine.errors import DefinitionInvalid, ExpressionFailed
from app.engine.language import evaluate
from tests.engine.diagrams import boundary, end, flows, journey, message, process, script, table, timer, user


def test_the_journey_as_it_is_drawn() -> None:
    bpmn, _ = journey()
    enrol = describe(bpmn["enrol.bpmn"], "enrol.bpmn")
    assert [(p.id, p.executable) for p in enrol.processes] == [("enrol", True)]
    assert enrol.forms == {"enrol"}
    assert enrol.roles == {"handler"}
    assert enrol.decisions == {"policy"}
    assert enrol.called == {"audit"}
    assert {service.name for service in enrol.services} == {
        "enrolment.check",
        "enrolment.apply",
        "declaration.discard",
    }
    assert enrol.messages == ["discard", "recall"]
    fill = enrol.elements["fill"]
    assert (fill.type, fill.scope, fill.process_id, fill.properties["status"]) == (
        "userTask", "drafting", "enrol", "draft",
    )  # fmt: skip
    check = enrol.elements["check"].service
    assert check is not None
    assert (check.parameters, check.result_variable) == ({"declaration_id": "declaration_id"}, "checked")
    assert [event.id for event in enrol.boundary_events("audit_case")] == ["recall"]
    assert enrol.elements["recall"].message == "recall"
    assert [(flow.target, flow.condition) for flow in enrol.outgoing("decided")] == [
        ("apply", 'decision == "approve"'),
        ("rejected", 'decision == "reject"'),
        ("correct", ""),
    ]
    assert enrol.elements["decided"].default_flow == "decided_correct"
    assert {(use.element_id, use.place) for use in enrol.uses} >= {
        ("check", "service_parameter"),
        ("decided_apply", "condition"),
    }
    audit = describe(bpmn["audit.bpmn"])
    assert audit.elements["overdue"].timer == ("timeDuration", '"P7D"')
    assert not audit.elements["overdue"].cancels


def test_lanes_name_roles_and_the_property_wins() -> None:
    lanes = (
        '<bpmn:laneSet id="lanes"><bpmn:lane id="l" name="auditor"><bpmn:flowNodeRef>a</bpmn:flowNodeRef>'
        "<bpmn:flowNodeRef>b</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    found = describe(process("p", lanes, user("a"), user("b", role="senior"), end("e")))
    assert (found.elements["a"].lane, found.elements["a"].role) == ("auditor", "auditor")
    assert (found.elements["b"].lane, found.elements["b"].role) == ("auditor", "senior")


def test_every_place_is_listed() -> None:
    extensions = (
        "<spiffworkflow:preScript>a = 1</spiffworkflow:preScript>"
        "<spiffworkflow:postScript>b = 1</spiffworkflow:postScript>"
        "<spiffworkflow:variableName>form</spiffworkflow:variableName>"
    )
    found = describe(
        process(
            "p",
            user("u", extensions=extensions),
            boundary("late", "u", timer("timeDate", '"2030-01-01"')),
            boundary("drop", "u", message("m")),
            script("s", "c = 1"),
            end("e"),
            flows("begin -> u", "u -> s", "s -> e"),
            beside='<bpmn:message id="m" name="go"/>',
        )
    )
    assert [(use.element_id, use.place, use.script) for use in found.uses] == [
        ("u", "prescript", True),
        ("u", "postscript", True),
        ("late", "timer", False),
        ("s", "script", True),
    ]
    assert found.elements["u"].variables == {"form"}


@pytest.mark.parametrize("name", ["a b", "é", "1a", "a" * 101, "a'b", "a]b", ""])
def test_ids_that_could_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(DefinitionInvalid):
        describe(process("p", f'<bpmn:userTask id="{name}"/>'))


@pytest.mark.parametrize(
    ("cell", "value", "holds"),
    [
        ("", "anything", True),
        ("-", None, True),
        ('"a"', "a", True),
        ('"a"', "b", False),
        ("3", 3, True),
        ("-3", -3, True),
        ("None", None, True),
        (">= 3", 3, True),
        ("!= 3", 3, False),
        ('in ["a", "b"]', "b", True),
        ('not in ["a"]', "a", False),
        ("1 < ? < 6", 5, True),
        ("1 < ? < 6", 6, False),
        ('? == "?"', "?", True),
        ('"?"', "?", True),
        ('? != "a" and ? != "b"', "c", True),
        ("True", True, True),
        ("inside", "x", None),
    ],
)
def test_three_ways_to_write_a_cell(cell: str, value: object, holds: bool | None) -> None:
    decision = DecisionTable(describe_decision(table("d", ["x"], ["y"], [([cell], ["1"])], hit="COLLECT")))
    if holds is None:
        with pytest.raises(ExpressionFailed):
            decision.decide({"x": value})
    else:
        assert decision.decide({"x": value}) == {"y": [1] if holds else []}


def test_collected_columns_stay_side_by_side() -> None:
    rules = [(["-"], ['"a"', "True"]), (["-"], ['"b"', ""]), (["-"], ['"c"', "False"])]
    decision = DecisionTable(describe_decision(table("d", ["1"], ["item", "must"], rules, hit="COLLECT")))
    assert decision.decide({}) == {"item": ["a", "b", "c"], "must": [True, None, False]}


def test_a_unique_table_answers_only_when_one_rule_matches() -> None:
    decision = DecisionTable(
        describe_decision(table("d", ["x"], ["y"], [(["> 1"], ["x + 1"]), (["> 5"], ["0"])]))
    )
    assert decision.decide({"x": 3}) == {"y": 4}
    for value in (1, 6):
        with pytest.raises(ExpressionFailed, match="exactly one rule"):
            decision.decide({"x": value})


def test_equal_facts_are_decided_once_and_answers_are_not_shared() -> None:
    rules = [([""], ["str(x)"]), ([""], ['"always"'])]
    decision = DecisionTable(describe_decision(table("d", ["x"], ["y"], rules, hit="COLLECT")))
    asked: list[str] = []

    def counting(expression: str, data: Mapping[str, Any]) -> Any:
        asked.append(expression)
        return evaluate(expression, data)

    first = decision.decide({"x": 1, "unread": 1}, counting)
    first["y"].append("changed outside")
    tries = len(asked)
    assert decision.decide({"x": 1, "unread": 2}, counting) == {"y": ["1", "always"]}
    assert len(asked) == tries
    # equal numbers of another type are other facts
    assert decision.decide({"x": True}, counting) == {"y": ["True", "always"]}
    assert decision.decide({"x": 1.0}, counting) == {"y": ["1.0", "always"]}


def test_uses_are_what_will_be_evaluated() -> None:
    description = describe_decision(table("d", ["x"], ["y"], [(["? > 1"], ["2"]), (["-"], [""])]))
    assert [text for _, _, text in decision_uses(description)] == ["x", "dmninputexpr > 1", "2"]
    assert cell_expression("  ") is None


@pytest.mark.parametrize(
    "broken",
    [
        table("d", ["x"], ["y"], [(["1"], ["1", "2"])]),
        table("d", ["x"], ["y"], [(["1", "2"], ["1"])]),
        table("d", [""], ["y"], [(["1"], ["1"])]),
        table("d", ["x"], ["not a name"], [(["1"], ["1"])]),
        table("d", ["x"], [""], [(["1"], ["1"])]),
        table("", ["x"], ["y"], [(["1"], ["1"])]),
        table("d", ["x"], ["y"], [(["1"], ["1"])], hit="RULE ORDER"),
        b"<definitions/>",
    ],
)
def test_a_table_of_the_wrong_shape_is_refused(broken: bytes) -> None:
    with pytest.raises(DefinitionInvalid):
        describe_decision(broken, "d.dmn")
