"""One diagram by itself: names, expressions, gateways, timers, loops, drawing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from app.definitions.checks.problem import Problem
from app.definitions.files import Key
from app.domain.declaration import FINAL, STATUSES
from app.domain.permission import ROLES
from app.engine.compiling import unsupported
from app.engine.describe import Element, ProcessDescription
from app.engine.language import check_expression, check_script
from app.engine.timing import check_timer

_REGION_LITERAL = re.compile(r"[\"']\d{6}[\"']")
_CHOOSING = frozenset(["exclusiveGateway", "inclusiveGateway"])
_MESSAGE_WAITERS = frozenset(["boundaryEvent", "intermediateCatchEvent", "receiveTask"])


def check_process(key: Key, process: ProcessDescription, kinds: Collection[str]) -> Iterator[Problem]:
    """List what is wrong with a diagram without looking at any other file; `kinds` are those of cases."""
    file = process.file
    executable = [entry.id for entry in process.processes if entry.executable]
    if executable != [key.name]:
        yield Problem(file, "", "process_id", f"文件应当只有一个可执行流程，编号为 {key.name}")
    for use in process.uses:
        problems = check_script(use.text) if use.script else check_expression(use.text)
        for problem in problems:
            yield Problem(file, use.element_id, "expression", f"{problem}：{use.text[:60]}")
        if _REGION_LITERAL.search(use.text):
            yield Problem(file, use.element_id, "region_literal", "统筹区代码不能写在流程图里，请用决策表")
    for element in process.elements.values():
        for code, message in _element_problems(element, process, key, kinds):
            yield Problem(file, element.id, code, message)
    for flow in process.flows:
        if flow.id not in process.drawn:
            yield Problem(file, flow.id, "not_drawn", "连线没有图形信息")


def _element_problems(
    element: Element, process: ProcessDescription, key: Key, kinds: Collection[str]
) -> Iterator[tuple[str, str]]:
    reason = unsupported(element)
    if reason:
        yield "unsupported", reason
    if element.id not in process.drawn:
        yield "not_drawn", "元素没有图形信息"
    if element.type == "userTask":
        yield from _user_task(element)
    if element.type in _CHOOSING:
        yield from _gateway(element, process)
    if element.timer:
        wrong = check_timer(*element.timer)
        if wrong:
            yield "timer", f"{wrong}：{element.timer[1][:60]}"
    if "messageEventDefinition" in element.event_definitions and not element.message:
        yield "message", "消息事件没有引用消息"
    if element.type == "receiveTask" and not element.message:
        yield "message", "接收任务没有引用消息"
    if element.loop:
        yield from _loop(element)
    ends_a_case = element.type == "endEvent" and element.scope == key.name and key.name in kinds
    if ends_a_case and element.properties.get("status") not in FINAL:
        yield "status", "申报事项的结束事件必须写明最终状态 status"


def _user_task(element: Element) -> Iterator[tuple[str, str]]:
    status = element.properties.get("status", "")
    if status not in STATUSES or status in FINAL:
        yield "status", f"人工任务必须写明办理中的状态 status：{status or '（空）'}"
    if element.role not in ROLES:
        yield "role", f"没有这个角色：{element.role or '（空）'}"
    decisions = _listed(element.properties.get("decisions", ""))
    missing = _listed(element.properties.get("opinion_required", "")) - decisions
    if missing:
        yield "decisions", f"opinion_required 中有未列入 decisions 的结论：{'、'.join(sorted(missing))}"


def _listed(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _gateway(element: Element, process: ProcessDescription) -> Iterator[tuple[str, str]]:
    outgoing = process.outgoing(element.id)
    if len(outgoing) < 2:
        return
    if element.default_flow not in [flow.id for flow in outgoing]:
        yield "gateway_default", "有多个出口的网关必须有默认出口"
    for flow in outgoing:
        if flow.id == element.default_flow and flow.condition:
            yield "gateway_condition", f"默认出口不能带条件：{flow.id}"
        if flow.id != element.default_flow and not flow.condition:
            yield "gateway_condition", f"出口没有条件：{flow.id}"


def _loop(element: Element) -> Iterator[tuple[str, str]]:
    loop = element.loop
    if loop is None or loop.kind == "loop":
        return
    if bool(loop.cardinality) == bool(loop.input_ref):
        yield "multi_instance", "多实例必须写明次数或集合，二者之一"
    if loop.kind == "sequential" and not (loop.output_ref and loop.output_item):
        yield "multi_instance", "顺序多实例必须有输出集合"
    if loop.output_ref and not loop.output_item:
        yield "multi_instance", "多实例的输出集合必须写明输出项"
