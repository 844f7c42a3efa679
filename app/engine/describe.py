"""What a diagram asks for, read from its XML without running anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree

from app.engine.xml import BPMN, NAMES, SPIFF, check_ids, parse_xml, tag, text_of

ACTIVITIES = frozenset(
    [
        "task",
        "userTask",
        "manualTask",
        "scriptTask",
        "serviceTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
        "subProcess",
        "transaction",
        "adHocSubProcess",
    ]
)
EVENTS = frozenset(
    ["startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"]
)
GATEWAYS = frozenset(
    ["exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"]
)
NODES = ACTIVITIES | EVENTS | GATEWAYS


@dataclass(frozen=True, slots=True)
class Use:
    """One expression or script and where it stands; `place` is one of the names in PLACES."""

    element_id: str
    place: str
    text: str
    script: bool = False


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """A service task's call: parameter name -> expression."""

    name: str
    parameters: dict[str, str]
    result_variable: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A multi-instance or standard loop: kind is parallel, sequential or loop."""

    kind: str
    cardinality: str
    input_ref: str
    input_item: str
    output_ref: str
    output_item: str


@dataclass(frozen=True, slots=True)
class Element:
    """A node of the diagram. `scope` is the id of the process or sub-process it stands in."""

    id: str
    name: str
    type: str
    process_id: str
    scope: str
    lane: str
    properties: dict[str, str]
    form: str
    role: str
    service: ServiceUse | None
    decision: str
    called: str
    attached_to: str
    cancels: bool
    message: str
    timer: tuple[str, str] | None
    loop: Loop | None
    default_flow: str
    event_definitions: tuple[str, ...]
    triggered_by_event: bool
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow with its condition ('' where it has none)."""

    id: str
    name: str
    source: str
    target: str
    condition: str


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the file."""

    id: str
    name: str
    executable: bool


@dataclass(frozen=True, slots=True)
class ProcessDescription:
    """Everything a diagram contains and refers to, in document order."""

    file: str
    processes: list[Process]
    elements: dict[str, Element]
    flows: list[Flow]
    uses: list[Use]
    messages: list[str]
    drawn: frozenset[str] = field(default_factory=frozenset)

    @property
    def forms(self) -> set[str]:
        """Names of the forms that user tasks ask for."""
        return {element.form for element in self.elements.values() if element.form}

    @property
    def roles(self) -> set[str]:
        """Roles that user tasks are given to."""
        return {
            element.role for element in self.elements.values() if element.type == "userTask" and element.role
        }

    @property
    def services(self) -> list[ServiceUse]:
        """Service calls, one per service task."""
        return [element.service for element in self.elements.values() if element.service]

    @property
    def decisions(self) -> set[str]:
        """Ids of the decisions that business rule tasks call."""
        return {element.decision for element in self.elements.values() if element.decision}

    @property
    def called(self) -> set[str]:
        """Ids of the processes that call activities call."""
        return {element.called for element in self.elements.values() if element.called}

    def outgoing(self, element_id: str) -> list[Flow]:
        """List the sequence flows that leave an element."""
        return [flow for flow in self.flows if flow.source == element_id]

    def boundary_events(self, element_id: str) -> list[Element]:
        """List the boundary events attached to an activity."""
        return [element for element in self.elements.values() if element.attached_to == element_id]


@lru_cache(maxsize=512)
def describe(bpmn: bytes, file: str = "") -> ProcessDescription:
    """Describe one BPMN file. Raises: DefinitionInvalid where it is no readable BPMN."""
    return describe_tree(parse_xml(bpmn, file), file)


def describe_tree(root: etree._Element, file: str) -> ProcessDescription:
    """Describe an already parsed BPMN file. Raises: DefinitionInvalid on bad or repeated ids."""
    check_ids(root, file)
    messages = {node.get("id"): node.get("name", "") for node in root.iter(f"{{{BPMN}}}message")}
    lanes = {
        text_of(ref): lane.get("name", "")
        for lane in root.iter(f"{{{BPMN}}}lane")
        for ref in lane.findall("bpmn:flowNodeRef", NAMES)
    }
    elements: dict[str, Element] = {}
    flows: list[Flow] = []
    uses: list[Use] = []
    processes = []
    for process in root.iter(f"{{{BPMN}}}process"):
        process_id = process.get("id", "")
        processes.append(Process(process_id, process.get("name", ""), process.get("isExecutable") == "true"))
        for node in process.iter(f"{{{BPMN}}}*"):
            if tag(node) == "sequenceFlow":
                flows.append(_flow(node))
            elif tag(node) in NODES:
                element = _element(node, process_id, lanes, messages)
                elements[element.id] = element
    for node in root.iter(f"{{{BPMN}}}*"):
        uses.extend(_uses(node))
    drawn = frozenset(
        node.get("bpmnElement", "")
        for node in root.iter(f"{{{NAMES['bpmndi']}}}*")
        if node.get("bpmnElement")
    )
    return ProcessDescription(
        file, processes, elements, flows, uses, [name for name in messages.values() if name], drawn
    )


def _flow(node: etree._Element) -> Flow:
    condition = text_of(node.find("bpmn:conditionExpression", NAMES))
    return Flow(
        node.get("id", ""),
        node.get("name", ""),
        node.get("sourceRef", ""),
        node.get("targetRef", ""),
        condition,
    )


def _element(
    node: etree._Element, process_id: str, lanes: dict[str, str], messages: dict[str | None, str]
) -> Element:
    element_id = node.get("id", "")
    parent = node.getparent()
    properties = {
        entry.get("name", ""): entry.get("value", "")
        for entry in node.findall("bpmn:extensionElements/spiff:properties/spiff:property", NAMES)
    }
    lane = lanes.get(element_id, "")
    definitions = tuple(tag(child) for child in node if tag(child).endswith("EventDefinition"))
    return Element(
        id=element_id,
        name=node.get("name", ""),
        type=tag(node),
        process_id=process_id,
        scope=parent.get("id", "") if parent is not None else "",
        lane=lane,
        properties=properties,
        form=properties.get("formJsonSchemaFilename", "").removesuffix(".json"),
        role=properties.get("role") or lane,
        service=_service(node),
        decision=text_of(node.find("bpmn:extensionElements/spiff:calledDecisionId", NAMES)),
        called=node.get("calledElement", ""),
        attached_to=node.get("attachedToRef", ""),
        cancels=node.get("cancelActivity", "true").lower() == "true",
        message=_message(node, messages),
        timer=_timer(node),
        loop=_loop(node),
        default_flow=node.get("default", ""),
        event_definitions=definitions,
        triggered_by_event=node.get("triggeredByEvent", "false").lower() == "true",
        variables=_variables(node),
    )


def _variables(node: etree._Element) -> frozenset[str]:
    """Name the variables that a form or a message is stored under."""
    own = [child for child in node if tag(child) == "extensionElements" or tag(child).endswith("Definition")]
    names = ("variableName", "messageVariable")
    return frozenset(
        text_of(entry) for child in own for name in names for entry in child.iter(f"{{{SPIFF}}}{name}")
    )


def _service(node: etree._Element) -> ServiceUse | None:
    operator = node.find("bpmn:extensionElements/spiff:serviceTaskOperator", NAMES)
    if operator is None:
        return None
    parameters = {
        entry.get("id", ""): entry.get("value", "") for entry in operator.iter(f"{{{SPIFF}}}parameter")
    }
    return ServiceUse(operator.get("id", ""), parameters, operator.get("resultVariable") or "")


def _message(node: etree._Element, messages: dict[str | None, str]) -> str:
    definition = node.find("bpmn:messageEventDefinition", NAMES)
    if definition is None:
        definition = node if tag(node) in ("sendTask", "receiveTask") else None
    return messages.get(definition.get("messageRef"), "") if definition is not None else ""


def _timer(node: etree._Element) -> tuple[str, str] | None:
    for kind in ("timeDate", "timeDuration", "timeCycle"):
        found = node.find(f"bpmn:timerEventDefinition/bpmn:{kind}", NAMES)
        if found is not None:
            return kind, text_of(found)
    return None


def _loop(node: etree._Element) -> Loop | None:
    if node.find("bpmn:standardLoopCharacteristics", NAMES) is not None:
        return Loop("loop", "", "", "", "", "")
    loop = node.find("bpmn:multiInstanceLoopCharacteristics", NAMES)
    if loop is None:
        return None

    def item(name: str) -> str:
        found = loop.find(f"bpmn:{name}", NAMES)
        return found.get("id", "") if found is not None else ""

    return Loop(
        "sequential" if loop.get("isSequential") == "true" else "parallel",
        text_of(loop.find("bpmn:loopCardinality", NAMES)),
        text_of(loop.find("bpmn:loopDataInputRef", NAMES)),
        item("inputDataItem"),
        text_of(loop.find("bpmn:loopDataOutputRef", NAMES)),
        item("outputDataItem"),
    )


_BPMN_PLACES = {
    "conditionExpression": "condition",
    "condition": "condition",
    "loopCardinality": "multi_instance",
    "loopCondition": "multi_instance",
    "completionCondition": "multi_instance",
    "timeDate": "timer",
    "timeDuration": "timer",
    "timeCycle": "timer",
    "script": "script",
}
_SPIFF_PLACES = {
    "preScript": "prescript",
    "postScript": "postscript",
    "messagePayload": "payload",
    "payloadExpression": "payload",
    "expression": "correlation",
}
PLACES = frozenset([*_BPMN_PLACES.values(), *_SPIFF_PLACES.values(), "service_parameter"])
_SCRIPTS = frozenset(["script", "prescript", "postscript"])


def _uses(node: etree._Element) -> Iterator[Use]:
    """Yield the expressions that `node` itself and its extensions hold."""
    place = _BPMN_PLACES.get(tag(node))
    if place:
        yield Use(_owner(node), place, text_of(node), place in _SCRIPTS)
    elif tag(node) == "correlationPropertyRetrievalExpression":
        for child in node:
            yield Use(_owner(node), "correlation", text_of(child))
    elif tag(node) == "extensionElements":
        for child in node.iter(f"{{{SPIFF}}}*"):
            place = _SPIFF_PLACES.get(tag(child))
            if place:
                yield Use(_owner(node), place, text_of(child), place in _SCRIPTS)
            elif tag(child) == "parameter":
                yield Use(_owner(node), "service_parameter", child.get("value", ""))
    elif tag(node) in ("messageEventDefinition", "message"):
        # the library also reads these as direct children
        for child in node.iterchildren(f"{{{SPIFF}}}messagePayload"):
            yield Use(_owner(node), "payload", text_of(child))


def _owner(node: etree._Element) -> str:
    """Return the id of the nearest diagram element: flow, node, message or property."""
    for ancestor in [node, *node.iterancestors()]:
        if ancestor.get("id") and (
            tag(ancestor) in NODES or tag(ancestor) in ("sequenceFlow", "message", "correlationProperty")
        ):
            return str(ancestor.get("id"))
    return ""
