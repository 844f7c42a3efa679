"""The flow of a diagram: every node is reached, every node reaches an end, flows stay in their scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from app.definitions.checks.problem import Problem
from app.definitions.files import Key
from app.engine.describe import Element, Flow, ProcessDescription

_SPLITTING = frozenset(["exclusiveGateway", "inclusiveGateway", "parallelGateway"])
_CONDITIONAL = frozenset(["exclusiveGateway", "inclusiveGateway"])


def check_graph(key: Key, process: ProcessDescription) -> Iterator[Problem]:
    """List broken flows and nodes that are not on a way from a start to an end."""
    file = process.file
    for flow in process.flows:
        message = _flow_problem(flow, process)
        if message:
            yield Problem(file, flow.id, "flow", message)
    scopes: dict[str, list[Element]] = {}
    for element in process.elements.values():
        scopes.setdefault(element.scope, []).append(element)
        outgoing = process.outgoing(element.id)
        if len(outgoing) > 1 and element.type not in _SPLITTING:
            yield Problem(file, element.id, "several_outgoing", "只有网关可以有多个出口")
        if element.type not in _CONDITIONAL and any(flow.condition for flow in outgoing):
            yield Problem(file, element.id, "condition_ignored", "只有网关的出口可以带条件")
    for scope, nodes in scopes.items():
        yield from _scope_problems(file, scope, nodes, process)


def _flow_problem(flow: Flow, process: ProcessDescription) -> str:
    source, target = process.elements.get(flow.source), process.elements.get(flow.target)
    if source is None or target is None:
        return "连线的起点或终点不存在"
    if source.scope != target.scope:
        return "连线不能跨越子流程边界"
    if source.type == "endEvent" or target.type in ("startEvent", "boundaryEvent"):
        return "连线不能从结束事件出发，也不能进入开始事件或边界事件"
    return ""


def _scope_problems(
    file: str, scope: str, nodes: list[Element], process: ProcessDescription
) -> Iterator[Problem]:
    starts = [node.id for node in nodes if node.type == "startEvent"]
    ends = [node.id for node in nodes if node.type == "endEvent"]
    if len(starts) != 1:
        yield Problem(file, scope, "start", f"应当有且只有一个开始事件，现有 {len(starts)} 个")
    if not ends:
        yield Problem(file, scope, "end", "没有结束事件")
    forward: dict[str, set[str]] = {}
    backward: dict[str, set[str]] = {}
    pairs = [(flow.source, flow.target) for flow in process.flows]
    pairs += [(node.attached_to, node.id) for node in nodes if node.attached_to]
    for source, target in pairs:
        forward.setdefault(source, set()).add(target)
        backward.setdefault(target, set()).add(source)
    reached, ending = _closure(starts, forward), _closure(ends, backward)
    for node in nodes:
        if node.id not in reached:
            yield Problem(file, node.id, "unreachable", "从开始事件走不到这里")
        elif node.id not in ending:
            yield Problem(file, node.id, "dead_end", "从这里走不到结束事件")


def _closure(first: Iterable[str], ways: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(ways.get(node, ()))
    return found
