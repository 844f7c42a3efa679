"""From published files to a specification that many instances share."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.exceptions import SpiffWorkflowException

from app.engine.decisions import DecisionTable, decision_uses, describe_decision
from app.engine.describe import Element, ProcessDescription, describe_tree
from app.engine.errors import DefinitionInvalid
from app.engine.language import check_expression, check_script
from app.engine.parsing import SUPPORTED, DiagramParser, prepare_loops
from app.engine.xml import parse_xml

EVENT_DEFINITIONS = frozenset(
    f"{kind}EventDefinition"
    for kind in ["message", "timer", "signal", "error", "escalation", "terminate", "conditional"]
)
RESERVED_IDS = frozenset(["Start", "End", "Root"])


@dataclass(frozen=True, eq=False)
class ProcessSpec:
    """A parsed process with everything it calls; opaque, hashable, shared inside one OS process."""

    process_id: str
    top: Any = field(repr=False)
    called: Mapping[str, Any] = field(repr=False)
    elements: Mapping[str, Mapping[str, Element]] = field(repr=False)
    has_timers: bool
    fingerprint: str

    def element(self, task: Any) -> Element | None:
        """Return the diagram's element behind a task of the library, None for its own inner tasks."""
        name: str = task.task_spec.name
        return self.elements.get(task.workflow.spec.name, {}).get(name.removesuffix(" [child]"))


def compile_process(
    process_id: str, bpmn: Mapping[str, bytes], decisions: Mapping[str, bytes]
) -> ProcessSpec:
    """Parse a process with its call activities and decision tables.

    Shape: file name -> content. Raises: DefinitionInvalid (file, element, message).
    """
    tables = _tables(decisions)
    parser = DiagramParser(tables)
    descriptions = []
    for file, content in sorted(bpmn.items()):
        root = parse_xml(content, file)
        description = describe_tree(root, file)
        check_supported(description)
        _check_uses(description)
        descriptions.append(description)
        with _DefinitionErrors(file):
            parser.add_bpmn_xml(root, file)
    with _DefinitionErrors(next(iter(bpmn), process_id)):
        top = parser.get_spec(process_id)
        called = parser.get_subprocess_specs(process_id)
    prepare_loops({process_id: top, **called})
    elements: dict[str, dict[str, Element]] = {}
    for description in descriptions:
        for element in description.elements.values():
            elements.setdefault(element.scope, {})[element.id] = element
    timers = any(element.timer for description in descriptions for element in description.elements.values())
    digest = hashlib.sha256()
    for file, content in sorted([*bpmn.items(), *decisions.items()]):
        digest.update(file.encode() + b"\0" + content + b"\0")
    return ProcessSpec(process_id, top, called, elements, timers, digest.hexdigest())


def _tables(decisions: Mapping[str, bytes]) -> dict[str, DecisionTable]:
    tables: dict[str, DecisionTable] = {}
    for file, content in sorted(decisions.items()):
        description = describe_decision(content, file)
        for element, _, text in decision_uses(description):
            _refuse(file, element, text, check_expression(text))
        if description.id in tables:
            raise DefinitionInvalid(file, description.id, "决策编号重复")
        tables[description.id] = DecisionTable(description)
    return tables


def check_supported(description: ProcessDescription) -> None:
    """Refuse elements and events that the engine does not run. Raises: DefinitionInvalid."""
    for element in description.elements.values():
        problem = unsupported(element)
        if problem:
            raise DefinitionInvalid(description.file, element.id, problem)


def unsupported(element: Element) -> str:
    """Say why the engine does not run an element, '' where it does."""
    if element.type not in SUPPORTED:
        return f"不支持的元素:{element.type}"
    if element.triggered_by_event:
        return "不支持由事件触发的子流程"
    if element.id in RESERVED_IDS or element.id.endswith((".BoundaryEventSplit", ".BoundaryEventJoin")):
        return "编号为引擎保留"
    foreign = [kind for kind in element.event_definitions if kind not in EVENT_DEFINITIONS]
    if foreign:
        return f"不支持的事件:{foreign[0]}"
    if len(element.event_definitions) > 1:
        return "一个事件只能有一个定义"
    return ""


def _check_uses(description: ProcessDescription) -> None:
    for use in description.uses:
        problems = check_script(use.text) if use.script else check_expression(use.text)
        _refuse(description.file, use.element_id, use.text, problems)


def _refuse(file: str, element: str, text: str, problems: list[str]) -> None:
    if problems:
        raise DefinitionInvalid(file, element, f"{text[:100]}: {'; '.join(problems)}")


class _DefinitionErrors:
    """Turns the library's refusals into DefinitionInvalid."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: object
    ) -> None:
        if isinstance(failure, ValidationException):
            file = failure.file_name or self._file
            raise DefinitionInvalid(file, str(failure.id or ""), str(failure)) from failure
        if isinstance(failure, (SpiffWorkflowException, AttributeError, KeyError, TypeError, ValueError)):
            raise DefinitionInvalid(self._file, "", f"{type(failure).__name__}: {failure}") from failure
