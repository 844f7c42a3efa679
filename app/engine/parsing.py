"""The library's parser with our own parts in it, and everything we do not support refused."""

from collections.abc import Mapping
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, IntermediateCatchEvent, StartEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask, MultiInstanceTask
from SpiffWorkflow.spiff.parser import event_parsers
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser, SpiffProcessParser
from SpiffWorkflow.spiff.parser.task_spec import BusinessRuleTaskParser, ServiceTaskParser
from SpiffWorkflow.spiff.specs.defaults import BusinessRuleTask, ServiceTask

from app.engine.decisions import DecisionTable
from app.engine.describe import NODES
from app.engine.timing import own_timer


class OwnServiceTask(ServiceTask):
    """Calls the engine's service; the result is stored under the result variable, if one is named."""

    def __init__(self, *args: Any, result_variable: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, result_variable=result_variable, **kwargs)
        self.result_variable = result_variable or None

    def _execute(self, task: Any) -> bool:
        engine = task.workflow.script_engine
        parameters = {
            name: engine.parameter(task, parameter["value"])
            for name, parameter in self.operation_params.items()
        }
        result = engine.serve(task, self.operation_name, parameters)
        if self.result_variable and result is not None:
            task.data[self.result_variable] = result
        return True


class OwnRuleTask(BusinessRuleTask):
    """Decides and puts the answers into the data; the library would merge lists with older answers."""

    def _run_hook(self, my_task: Any) -> bool:
        my_task.data.update(my_task.workflow.script_engine.decide(my_task, self.dmnEngine))
        return True


class _OwnTimers:
    def parse_timer_event(self, event: Any) -> Any:
        return own_timer(super().parse_timer_event(event))  # type: ignore[misc]


class _StartParser(_OwnTimers, event_parsers.SpiffStartEventParser):
    pass


class _CatchParser(_OwnTimers, event_parsers.SpiffIntermediateCatchEventParser):
    pass


class _BoundaryParser(_OwnTimers, event_parsers.SpiffBoundaryEventParser):
    pass


class _RuleParser(BusinessRuleTaskParser):
    def create_task(self) -> OwnRuleTask:
        decision = self.get_decision_ref(self.node)
        table = self.process_parser.parser.tables.get((decision or "").strip())
        if table is None:
            raise ValidationException(f"没有决策表 {decision}", node=self.node, file_name=self.filename)
        extensions = self.parse_extensions()
        return OwnRuleTask(
            self.spec,
            self.bpmn_id,
            dmnEngine=table,
            prescript=extensions.get("preScript"),
            postscript=extensions.get("postScript"),
            **self.bpmn_attributes,
        )


SUPPORTED = frozenset(
    [
        "task",
        "userTask",
        "manualTask",
        "scriptTask",
        "serviceTask",
        "businessRuleTask",
        "callActivity",
        "subProcess",
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
        "sendTask",
        "receiveTask",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
    ]
)
"""Elements the engine runs. Left out: ad-hoc and transaction sub-processes, compensation, event-based
and complex gateways; also sub-processes triggered by an event, which leave the main flow alive."""


class _ProcessParser(SpiffProcessParser):
    """Finds nodes of the diagram only: services and parameters of extensions have ids of their own."""

    def _index_process_nodes(self) -> None:
        super()._index_process_nodes()
        self.nodes_by_id = {
            key: node
            for node in self.xpath(".//bpmn:*[@id]")
            if str(etree.QName(node).localname) in NODES and (key := node.get("id"))
        }


class DiagramParser(SpiffBpmnParser):
    """Knows only the supported elements, our timers, services and decision tables."""

    PROCESS_PARSER_CLASS = _ProcessParser
    OVERRIDE_PARSER_CLASSES = {
        **SpiffBpmnParser.OVERRIDE_PARSER_CLASSES,
        full_tag("serviceTask"): (ServiceTaskParser, OwnServiceTask),
        full_tag("businessRuleTask"): (_RuleParser, OwnRuleTask),
        full_tag("startEvent"): (_StartParser, StartEvent),
        full_tag("intermediateCatchEvent"): (_CatchParser, IntermediateCatchEvent),
        full_tag("boundaryEvent"): (_BoundaryParser, BoundaryEvent),
    }

    def __init__(self, tables: Mapping[str, DecisionTable]) -> None:
        super().__init__()
        self.tables = tables

    def _get_parser_class(self, tag: str) -> Any:
        if str(etree.QName(tag).localname) not in SUPPORTED:
            return None, None
        return super()._get_parser_class(tag)


def prepare_loops(specs: Mapping[str, Any]) -> None:
    """Connect loops to their instances once, and bound how many instances there can be.

    The library connects when an instance is created, which a process loaded from its state has behind it.
    """
    for spec in specs.values():
        for task_spec in list(spec.task_specs.values()):
            if not isinstance(task_spec, LoopTask):
                continue
            instance = spec.task_specs[task_spec.task_spec]
            if not instance.completed_event.is_connected(task_spec.merge_child):
                instance.completed_event.connect(task_spec.merge_child)
            if isinstance(task_spec, MultiInstanceTask) and task_spec.cardinality:
                task_spec.cardinality = f"limited({task_spec.cardinality})"
