"""What a diagram refers to: forms, decisions, processes, services, parameters, names in the data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from app.definitions.checks.forms import fields_of
from app.definitions.checks.problem import Files, Problem
from app.definitions.files import DECISION, FORM, PROCESS, Key
from app.engine.describe import Element, ProcessDescription
from app.engine.language import parse_expression, parse_script

START_FACTS = frozenset(
    ["declaration_id", "region", "kind", "employer_id", "channel", "batch", "reason", "decision"]
)
"""What the host gives every process at its start, and with the answer to a task that asks for a decision."""
ALWAYS_GIVEN = "declaration_id"


def check_references(key: Key, process: ProcessDescription, known: Files) -> Iterator[Problem]:
    """List references of a diagram that lead nowhere, in any region where it holds."""
    for element in process.elements.values():
        for code, message in _element_references(key, element, known):
            yield Problem(process.file, element.id, code, message)
    names = _names_around(key, known)
    for use in process.uses:
        read = parse_script(use.text).names if use.script else parse_expression(use.text).names
        if use.place == "correlation":
            continue
        unknown = sorted(read - names)
        if unknown:
            yield Problem(
                process.file, use.element_id, "undefined_name", f"没有这个数据：{'、'.join(unknown)}"
            )


def _element_references(key: Key, element: Element, known: Files) -> Iterator[tuple[str, str]]:
    for region in known.regions_of(key):
        for kind, name, code, word in (
            (FORM, element.form, "form_missing", "表单"),
            (DECISION, element.decision, "decision_missing", "决策表"),
            (PROCESS, element.called, "process_missing", "流程"),
        ):
            if name and known.find(kind, name, region) is None:
                yield code, f"没有这个{word}：{name}"
        due = element.properties.get("due_working_days", "")
        parameters = known.parameters.get(region)
        if due and not due.isdecimal() and parameters is not None and not parameters.has(due):
            yield "due", f"没有这个期限参数：{due}"
    if element.type == "businessRuleTask" and not element.decision:
        yield "decision_missing", "规则任务没有写明决策表"
    if element.type == "callActivity" and not element.called:
        yield "process_missing", "调用活动没有写明流程"
    if element.type == "serviceTask":
        yield from _service(element, known)


def _service(element: Element, known: Files) -> Iterator[tuple[str, str]]:
    call = element.service
    if call is None or not call.name:
        yield "service", "服务任务没有写明服务"
        return
    if known.services is None:
        return
    function = known.services.get(call.name)
    if function is None:
        yield "service", f"没有这个服务：{call.name}"
        return
    required, allowed = _parameters(function)
    given = set(call.parameters) - {ALWAYS_GIVEN}
    if allowed is not None and given - allowed:
        yield "service_parameter", f"服务 {call.name} 没有参数：{'、'.join(sorted(given - allowed))}"
    if required - given:
        yield "service_parameter", f"服务 {call.name} 缺少参数：{'、'.join(sorted(required - given))}"


def _parameters(function: Callable[..., Any]) -> tuple[set[str], set[str] | None]:
    """Return the required and the allowed parameter names after the context; None allows any."""
    entries = list(inspect.signature(function).parameters.values())[1:]
    named = [p for p in entries if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    required = {p.name for p in named if p.default is p.empty and p.name != ALWAYS_GIVEN}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in entries)
    return required, None if open_ended else {p.name for p in named}


def _names_around(key: Key, known: Files) -> set[str]:
    """Name the data that can exist in a process: its own, its callers' and what it calls."""
    related = {key}
    while True:
        wider = related | {
            other
            for other, process in known.processes.items()
            if any(_calls(known.processes[one], other) or _calls(process, one) for one in related)
        }
        if wider == related:
            break
        related = wider
    names = set(START_FACTS)
    for one in related:
        names |= _names_made(one, known)
    return names


def _calls(process: ProcessDescription, other: Key) -> bool:
    return other.name in process.called


def _names_made(key: Key, known: Files) -> set[str]:
    process = known.processes[key]
    names: set[str] = set()
    for element in process.elements.values():
        if element.service and element.service.result_variable:
            names.add(element.service.result_variable)
        if element.loop:
            loop = element.loop
            names |= {loop.input_item, loop.output_item, loop.output_ref, loop.input_ref} - {""}
        names |= element.variables
    for use in process.uses:
        if use.script:
            names |= {name for name, _ in parse_script(use.text).lines}
    for region in known.regions_of(key):
        for name in process.decisions:
            table = known.decisions.get(known.find(DECISION, name, region) or key)
            names |= {output.name for output in table.outputs} if table else set()
        for name in process.forms:
            form = known.find(FORM, name, region)
            names |= fields_of(form, known) if form else set()
    return names
