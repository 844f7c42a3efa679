"""Each fault a designer can make is found, by its code and at its element; a sound set has none."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from app.definitions.checks import Problem, check_files
from app.definitions.files import by_path, read_folders
from app.services.service_tasks import SERVICES
from tests.engine.diagrams import (
    boundary,
    end,
    flows,
    gateway,
    message,
    process,
    rule,
    script,
    service,
    table,
    timer,
    user,
)

PARAMETERS = """
region: "990100"
name: 甲市
parameters:
  draft.retention_days:
    - {from: "2001-01", value: "30", unit: days, source: demo}
"""


def apply_case(context: object, amount: int, note: str = "") -> None: ...


def anything(context: object, **more: Any) -> None: ...


TABLE = {"case.apply": apply_case, "case.any": anything}


def drawn(bpmn: bytes) -> bytes:
    """Add the drawing that a modeller would have made."""
    text = bpmn.decode()
    nodes = re.findall(r'<bpmn:(\w+) id="([\w.]+)"', text)
    shapes = "".join(
        f'<bpmndi:BPMNShape xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" bpmnElement="{name}"/>'
        for _, name in nodes
    )
    return text.replace("</bpmn:definitions>", f"{shapes}</bpmn:definitions>").encode()


FILL = {"status": "draft", "role": "handler", "formJsonSchemaFilename": "enrol.json"}


def enrol(
    *parts: str, ways: tuple[str, ...] = (), beside: str = "", fill: dict[str, str] | None = None
) -> bytes:
    """A short journey with a place for something more between `fill` and the end."""
    return drawn(
        process(
            "enrol",
            user("fill", **(FILL if fill is None else fill)),
            *parts,
            end("done", status="done"),
            flows("begin -> fill", *(ways or ("fill -> done",))),
        )
    )


def files(**changed: bytes | str) -> dict[str, bytes]:
    """A sound set of files, with some replaced."""
    sound: dict[str, bytes] = {
        "bpmn/processes/enrol.bpmn": enrol(),
        "bpmn/decisions/policy.dmn": table(
            "policy", ["region"], ["audits"], [(['"990100"'], ["1"]), (['!= "990100"'], ["0"])]
        ),
        "bpmn/parameters/990100.yaml": PARAMETERS.encode(),
        "forms/enrol.json": json.dumps(
            {"type": "object", "properties": {"name": {"type": "string", "title": "姓名"}}}
        ).encode(),
    }
    places = {
        "enrol": "bpmn/processes/enrol.bpmn",
        "policy": "bpmn/decisions/policy.dmn",
        "parameters": "bpmn/parameters/990100.yaml",
        "form": "forms/enrol.json",
    }
    for name, content in changed.items():
        sound[places[name]] = content if isinstance(content, bytes) else content.encode()
    return sound


def found(**changed: bytes | str) -> set[tuple[str, str]]:
    return {(problem.code, problem.element) for problem in check_files(files(**changed), TABLE)}


def test_a_sound_set_has_no_problem() -> None:
    assert check_files(files(), TABLE) == []


def test_the_products_own_files_have_no_problem() -> None:
    assert check_files(by_path(read_folders()), SERVICES) == []


def between(part: str, name: str) -> bytes:
    return enrol(part, ways=(f"fill -> {name}", f"{name} -> done"))


PROCESS_FAULTS: dict[str, tuple[bytes, tuple[str, str]]] = {
    "broken xml": (enrol()[:-9], ("invalid", "")),
    "document type": (b'<!DOCTYPE a [<!ENTITY x "y">]>' + enrol(), ("invalid", "")),
    "repeated id": (between(service("fill", "case.any"), "fill"), ("invalid", "fill")),
    "another process id": (enrol().replace(b'id="enrol"', b'id="other"'), ("process_id", "")),
    "not executable": (enrol().replace(b'isExecutable="true"', b'isExecutable="false"'), ("process_id", "")),
    "unsafe condition": (
        enrol(
            gateway("g", "g_done"),
            end("more", status="done"),
            ways=("fill -> g", "g -> done", "g -> more if ().__class__"),
        ),
        ("expression", "g_more"),
    ),
    "unsafe script": (between(script("s", "import os"), "s"), ("expression", "s")),
    "unsafe parameter": (between(service("s", "case.any", x="open('x')"), "s"), ("expression", "s")),
    "region in a diagram": (between(script("s", "a = region == '990100'"), "s"), ("region_literal", "s")),
    "unknown form": (enrol(fill={**FILL, "formJsonSchemaFilename": "x.json"}), ("form_missing", "fill")),
    "unknown decision": (between(rule("r", "nothing"), "r"), ("decision_missing", "r")),
    "no decision": (between('<bpmn:businessRuleTask id="r"/>', "r"), ("decision_missing", "r")),
    "unknown process": (
        between('<bpmn:callActivity id="c" calledElement="nothing"/>', "c"),
        ("process_missing", "c"),
    ),
    "unknown service": (between(service("s", "case.none"), "s"), ("service", "s")),
    "no service": (between('<bpmn:serviceTask id="s"/>', "s"), ("service", "s")),
    "missing parameter": (between(service("s", "case.apply", note="'x'"), "s"), ("service_parameter", "s")),
    "unknown parameter": (
        between(service("s", "case.apply", amount="1", other="2"), "s"),
        ("service_parameter", "s"),
    ),
    "unknown role": (enrol(fill={**FILL, "role": "nobody"}), ("role", "fill")),
    "no status": (enrol(fill={"role": "handler"}), ("status", "fill")),
    "final status on a task": (enrol(fill={**FILL, "status": "approved"}), ("status", "fill")),
    "no status at the end": (enrol().replace(b'value="done"', b'value=""'), ("status", "done")),
    "unknown due parameter": (enrol(fill={**FILL, "due_working_days": "soon"}), ("due", "fill")),
    "opinion for no decision": (
        enrol(fill={**FILL, "decisions": "approve", "opinion_required": "reject"}),
        ("decisions", "fill"),
    ),
    "no default": (
        enrol(
            gateway("g"),
            end("more", status="done"),
            ways=("fill -> g", "g -> done if batch", "g -> more if not batch"),
        ),
        ("gateway_default", "g"),
    ),
    "no condition": (
        enrol(
            gateway("g", "g_done"),
            end("more", status="done"),
            ways=("fill -> g", "g -> done", "g -> more"),
        ),
        ("gateway_condition", "g"),
    ),
    "undefined name": (
        enrol(
            gateway("g", "g_done"),
            end("more", status="done"),
            ways=("fill -> g", "g -> done", "g -> more if nothing_says_this"),
        ),
        ("undefined_name", "g_more"),
    ),
    "two ways out of a task": (
        enrol(end("more", status="done"), ways=("fill -> done", "fill -> more")),
        ("several_outgoing", "fill"),
    ),
    "condition after a task": (enrol(ways=("fill -> done if batch",)), ("condition_ignored", "fill")),
    "orphan": (enrol(service("s", "case.any"), ways=("fill -> done", "s -> done")), ("unreachable", "s")),
    "dead end": (
        enrol(
            gateway("g", "g_done"),
            service("s", "case.any"),
            ways=("fill -> g", "g -> done", "g -> s if batch"),
        ),
        ("dead_end", "s"),
    ),
    "flow to nowhere": (enrol(ways=("fill -> done", "fill -> gone")), ("flow", "fill_gone")),
    "flow into a sub-process": (
        enrol(
            '<bpmn:subProcess id="sub"><bpmn:startEvent id="b"/>'
            f"{end('e')}{flows('b -> e')}</bpmn:subProcess>",
            ways=("fill -> sub", "sub -> done", "fill -> e"),
        ),
        ("flow", "fill_e"),
    ),
    "no end": (
        drawn(process("enrol", user("fill", **FILL), flows("begin -> fill"))),
        ("end", "enrol"),
    ),
    "two starts": (
        enrol('<bpmn:startEvent id="again"/>', ways=("fill -> done", "again -> fill")),
        ("start", "enrol"),
    ),
    "unquoted duration": (
        enrol(
            boundary("late", "fill", timer("timeDuration", "P7D"), cancels=False),
            end("told", status="done"),
            ways=("fill -> done", "late -> told"),
        ),
        ("timer", "late"),
    ),
    "unquoted time of day": (
        enrol(
            boundary("late", "fill", timer("timeDuration", "PT2H"), cancels=False),
            end("told", status="done"),
            ways=("fill -> done", "late -> told"),
        ),
        ("timer", "late"),
    ),
    "unquoted date": (
        enrol(
            boundary("late", "fill", timer("timeDate", "2026-11-10"), cancels=False),
            end("told", status="done"),
            ways=("fill -> done", "late -> told"),
        ),
        ("timer", "late"),
    ),
    "unquoted cycle": (
        enrol(
            boundary("late", "fill", timer("timeCycle", "R3/P1D"), cancels=False),
            end("told", status="done"),
            ways=("fill -> done", "late -> told"),
        ),
        ("timer", "late"),
    ),
    "nonsense duration": (
        enrol(
            boundary("late", "fill", timer("timeDuration", '"7 days"'), cancels=False),
            end("told", status="done"),
            ways=("fill -> done", "late -> told"),
        ),
        ("timer", "late"),
    ),
    "message without a name": (
        enrol(
            boundary("drop", "fill", message("nothing")),
            end("dropped", status="discarded"),
            ways=("fill -> done", "drop -> dropped"),
        ),
        ("message", "drop"),
    ),
    "sequential without output": (
        between(
            service(
                "s",
                "case.any",
                inner='<bpmn:multiInstanceLoopCharacteristics isSequential="true">'
                "<bpmn:loopDataInputRef>batch</bpmn:loopDataInputRef>"
                "</bpmn:multiInstanceLoopCharacteristics>",
            ),
            "s",
        ),
        ("multi_instance", "s"),
    ),
    "loop without end": (
        between(
            service(
                "s",
                "case.any",
                inner="<bpmn:multiInstanceLoopCharacteristics></bpmn:multiInstanceLoopCharacteristics>",
            ),
            "s",
        ),
        ("multi_instance", "s"),
    ),
    "triggered sub-process": (
        enrol(
            '<bpmn:subProcess id="sub" triggeredByEvent="true"><bpmn:startEvent id="b"/>'
            f"{end('e')}{flows('b -> e')}</bpmn:subProcess>",
        ),
        ("unsupported", "sub"),
    ),
    "compensation": (
        between(
            '<bpmn:intermediateThrowEvent id="undo"><bpmn:compensateEventDefinition/>'
            "</bpmn:intermediateThrowEvent>",
            "undo",
        ),
        ("unsupported", "undo"),
    ),
    "event gateway": (between('<bpmn:eventBasedGateway id="g"/>', "g"), ("unsupported", "g")),
    "reserved id": (between(service("End", "case.any"), "End"), ("unsupported", "End")),
    "not drawn": (
        enrol().replace(b'bpmnElement="fill"', b'bpmnElement="x"'),
        ("not_drawn", "fill"),
    ),
}


@pytest.mark.parametrize("fault", PROCESS_FAULTS)
def test_a_fault_in_a_diagram_is_found(fault: str) -> None:
    content, expected = PROCESS_FAULTS[fault]
    assert expected in found(enrol=content)


def policy(rules: list[tuple[list[str], list[str]]], inputs: list[str] | None = None, **more: Any) -> bytes:
    return table("policy", inputs or ["channel"], ["audits"], rules, **more)


TABLE_FAULTS: dict[str, tuple[bytes, tuple[str, str]]] = {
    "gap": (policy([(['"01"'], ["1"]), (['"02"'], ["2"])]), ("gap", "policy")),
    "overlap": (policy([(['"01"'], ["1"]), (["-"], ["2"])]), ("overlap", "rule_2")),
    "gap between numbers": (policy([(["< 3"], ["1"]), (["> 3"], ["2"])]), ("gap", "policy")),
    "overlap of numbers": (policy([(["<= 3"], ["1"]), ([">= 3"], ["2"])]), ("overlap", "rule_2")),
    "gap of two columns": (
        policy(
            [(['"a"', "True"], ["1"]), (['!= "a"', "True"], ["1"]), (['"a"', "False"], ["1"])],
            ["channel", "batch"],
        ),
        ("gap", "policy"),
    ),
    "rule that never matches": (
        policy([(["1 < ? < 2"], ["1"]), (["<= 1"], ["1"]), ([">= 2"], ["2"])]),
        ("rule_never", "rule_1"),
    ),
    "other policy": (policy([(["-"], ["1"])], hit="FIRST"), ("invalid", "policy")),
    "unsafe cell": (policy([(["open('x')"], ["1"]), (["-"], ["1"])]), ("expression", "rule_1")),
    "unsafe output": (policy([(["-"], ["().__class__"])]), ("expression", "rule_1")),
    "unsafe column": (policy([(["-"], ["1"])], ["x.y"]), ("expression", "in_0")),
    "cell with another name": (policy([(["region"], ["1"]), (["-"], ["1"])]), ("cell", "rule_1")),
    "cell with several values": (policy([(['"a", "b"'], ["1"]), (["-"], ["1"])]), ("cell", "rule_1")),
    "amount": (policy([(["-"], ["0.08"])]), ("amount", "rule_1")),
    "no rules": (policy([]), ("no_rules", "policy")),
    "another id": (table("other", ["channel"], ["a"], [(["-"], ["1"])]), ("process_id", "other")),
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_fault_in_a_table_is_found(fault: str) -> None:
    content, expected = TABLE_FAULTS[fault]
    assert expected in found(policy=content)


@pytest.mark.parametrize(
    "rules",
    [
        [(["-"], ["1"])],
        [(['in ["a", "b"]'], ["1"]), (['not in ["a", "b"]'], ["2"])],
        [(["True"], ["1"]), (["False"], ["2"])],
        [(["< 0"], ["1"]), (["0 <= ? < 3"], ["2"]), ([">= 3"], ["3"])],
        [(["< -1"], ["1"]), ([">= -1"], ["3"])],
        [(["None"], ["1"]), (['"a"'], ["2"]), (['? != None and ? != "a"'], ["3"])],
    ],
)
def test_a_table_without_gaps_and_overlaps_passes(rules: list[tuple[list[str], list[str]]]) -> None:
    assert found(policy=policy(rules)) == set()


def test_a_collecting_table_may_have_both() -> None:
    rules = [(['"a"'], ['"x"']), (['in ["a", "b"]'], ['"y"'])]
    assert found(policy=policy(rules, hit="COLLECT")) == set()


FILE_FAULTS: dict[str, tuple[Callable[[], dict[str, bytes]], tuple[str, str, str]]] = {
    "form is no json": (lambda: files(form=b"{"), ("forms/enrol.json", "", "invalid")),
    "form is no object": (lambda: files(form=b"[]"), ("forms/enrol.json", "", "invalid")),
    "form without properties": (lambda: files(form=b"{}"), ("forms/enrol.json", "#", "form")),
    "reference to nothing": (
        lambda: files(
            form=json.dumps(
                {"type": "object", "properties": {"a": {"$ref": "shared/person.json#/$defs/none"}}}
            )
        ),
        ("forms/enrol.json", "#/properties/a", "form"),
    ),
    "pattern with look-around": (
        lambda: files(
            form=json.dumps({"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)y"}}})
        ),
        ("forms/enrol.json", "#", "form"),
    ),
    "parameters are no yaml": (
        lambda: files(parameters="a: [\n"),
        ("bpmn/parameters/990100.yaml", "", "invalid"),
    ),
    "parameters of another region": (
        lambda: files(parameters=PARAMETERS.replace("990100", "990200")),
        ("bpmn/parameters/990100.yaml", "region", "file_name"),
    ),
    "number without quotes": (
        lambda: files(parameters=PARAMETERS.replace('"30"', "30")),
        ("bpmn/parameters/990100.yaml", "draft.retention_days", "parameter"),
    ),
    "value without a source": (
        lambda: files(parameters=PARAMETERS.replace(", source: demo", "")),
        ("bpmn/parameters/990100.yaml", "draft.retention_days", "parameter"),
    ),
    "value without a unit": (
        lambda: files(parameters=PARAMETERS.replace("unit: days, ", "")),
        ("bpmn/parameters/990100.yaml", "draft.retention_days", "parameter"),
    ),
    "strange file name": (
        lambda: {**files(), "bpmn/processes/Enrol New.bpmn": enrol()},
        ("bpmn/processes/Enrol New.bpmn", "", "file_name"),
    ),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_a_fault_in_another_file_is_found(fault: str) -> None:
    build, expected = FILE_FAULTS[fault]
    assert expected in {(p.file, p.element, p.code) for p in check_files(build(), TABLE)}


def test_a_regions_own_files_are_looked_at_with_its_own_references() -> None:
    own = {
        **files(),
        "bpmn/processes/enrol.990100.bpmn": enrol(fill={**FILL, "formJsonSchemaFilename": "own.json"}),
    }
    assert [(p.file, p.code) for p in check_files(own, TABLE)] == [
        ("bpmn/processes/enrol.990100.bpmn", "form_missing")
    ]
    own["forms/own.990100.json"] = own["forms/enrol.json"]
    assert check_files(own, TABLE) == []


def test_service_names_are_only_checked_against_a_table() -> None:
    assert check_files(files(enrol=between(service("s", "case.none"), "s"))) == []


def test_problems_are_in_words_and_in_order() -> None:
    problems = check_files({**files(form=b"{"), "bpmn/x.txt": b""}, TABLE)
    assert problems == sorted(problems)
    assert all(isinstance(problem, Problem) for problem in problems)
    assert all(re.search("[一-鿿]", problem.message) for problem in problems)
