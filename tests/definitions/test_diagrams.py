"""Every published process can be read as a picture: laid out, named, in lanes by who acts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from app.domain.permission import AGENCY_ROLES, EMPLOYER_ROLES

FILES = sorted(Path("bpmn/processes").glob("*.bpmn"))
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
SPIFF = "{http://spiffworkflow.org/bpmn/schema/1.0/core}"
POINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
NOT_NODES = ("sequenceFlow", "documentation", "laneSet", "extensionElements", "textAnnotation", "association")
NAMED = ("userTask", "serviceTask", "businessRuleTask", "callActivity", "exclusiveGateway", "subProcess")
LANES = {"lane_employer": {"单位", "柜面"}, "lane_system": {"系统"}, "lane_agency": {"经办机构"}}
Box = tuple[float, float, float, float]


def _nodes(scope: etree._Element) -> list[etree._Element]:
    return [
        each
        for each in scope
        if isinstance(each.tag, str)
        and each.tag.startswith(BPMN)
        and each.get("id")
        and each.tag.removeprefix(BPMN) not in NOT_NODES
    ]


def _boxes(root: etree._Element) -> dict[str, Box]:
    found = {}
    for shape in root.iter(f"{DI}BPMNShape"):
        bounds = shape.find(f"{DC}Bounds")
        x, y, width, height = (float(bounds.get(name)) for name in ("x", "y", "width", "height"))
        found[shape.get("bpmnElement")] = (x, y, x + width, y + height)
    return found


def _within(inner: Box, outer: Box, slack: float = 0) -> bool:
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def _apart(one: Box, other: Box) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _lane_of(process: etree._Element) -> dict[str, str]:
    return {
        ref.text: lane.get("id")
        for lane in process.iter(f"{BPMN}lane")
        for ref in lane.findall(f"{BPMN}flowNodeRef")
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_process_is_drawn_in_lanes(path: Path) -> None:
    root = etree.parse(path).getroot()
    process = root.find(f"{BPMN}process")
    boxes, lanes = _boxes(root), _lane_of(process)
    assert root.find(f"{BPMN}collaboration/{BPMN}participant").get("processRef") == process.get("id")
    names = {lane.get("id"): lane.get("name") for lane in process.iter(f"{BPMN}lane")}
    assert all(name in LANES[lane] for lane, name in names.items())
    for node in _nodes(process):
        lane = lanes[node.get("id")]
        # what sits on a border may look out of its lane
        slack = 18 if node.tag == f"{BPMN}boundaryEvent" else 0
        assert _within(boxes[node.get("id")], boxes[lane], slack), node.get("id")
        assert _within(boxes[lane], boxes["pool"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_step_stands_in_the_lane_of_whoever_does_it(path: Path) -> None:
    process = etree.parse(path).getroot().find(f"{BPMN}process")
    lanes = _lane_of(process)
    for top in _nodes(process):
        for task in (top, *top.iter(f"{BPMN}userTask")):
            if task.tag != f"{BPMN}userTask":
                continue
            role = next(
                each.get("value") for each in task.iter(f"{SPIFF}property") if each.get("name") == "role"
            )
            lane = lanes[top.get("id")]
            if role in EMPLOYER_ROLES:
                assert lane == "lane_employer", task.get("id")
            elif role in set(AGENCY_ROLES) - {"counter"}:
                assert lane == "lane_agency", task.get("id")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_picture_shows_every_step_and_flow_apart_and_named(path: Path) -> None:
    root = etree.parse(path).getroot()
    boxes = _boxes(root)
    edges = {each.get("bpmnElement"): each for each in root.iter(f"{DI}BPMNEdge")}
    process = root.find(f"{BPMN}process")
    assert re.search("[一-鿿]", process.get("name"))
    for scope in (process, *process.iter(f"{BPMN}subProcess")):
        nodes = [each for each in _nodes(scope) if each.tag != f"{BPMN}boundaryEvent"]
        for number, node in enumerate(nodes):
            if node.tag.removeprefix(BPMN) in NAMED:
                assert re.search("[一-鿿]", node.get("name") or ""), node.get("id")
            for other in nodes[number + 1 :]:
                pair = node.get("id"), other.get("id")
                assert _apart(boxes[pair[0]], boxes[pair[1]]), pair
        for flow in scope.findall(f"{BPMN}sequenceFlow"):
            points = [
                (float(each.get("x")), float(each.get("y"))) for each in edges[flow.get("id")].findall(POINT)
            ]
            ends = ((flow.get("sourceRef"), points[0]), (flow.get("targetRef"), points[-1]))
            for name, (x, y) in ends:
                assert _within((x, y, x, y), boxes[name], 2), (flow.get("id"), name)
