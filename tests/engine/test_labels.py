"""Diagrams in another language."""

import re
from pathlib import Path

from app.engine.describe import describe
from app.engine.labels import relabelled
from tests.engine.diagrams import journey


def test_names_are_translated_and_nothing_else() -> None:
    drawn = journey()[0]["enrol.bpmn"].replace(b'name="fill"', 'name="填写 &amp; 核对"'.encode())
    words = {"填写 & 核对": 'Fill in "<&>"'}
    shown, known = describe(relabelled(drawn, lambda name: words.get(name, name))), describe(drawn)
    assert known.elements["fill"].name == "填写 & 核对"
    assert shown.elements["fill"].name == 'Fill in "<&>"'
    assert shown.elements["fill"].properties == known.elements["fill"].properties
    assert shown.outgoing("decided") == known.outgoing("decided")


def test_labels_get_room_around_their_middle() -> None:
    drawn = (Path(__file__).parents[2] / "bpmn/processes/enrol.bpmn").read_bytes()
    shown = relabelled(drawn, lambda name: "Submitted" if name == "已提交" else name)
    before, after = _label(drawn, "submitted"), _label(shown, "submitted")
    assert after["width"] == 90 > before["width"]
    assert after["x"] + after["width"] / 2 == before["x"] + before["width"] / 2
    assert (after["y"], after["height"]) == (before["y"], before["height"])
    assert _label(shown, "approved") == _label(drawn, "approved")


def _label(bpmn: bytes, element: str) -> dict[str, float]:
    text = bpmn.decode().split(f'bpmnElement="{element}"')[1].split("BPMNLabel>")[1]
    return {name: float(value) for name, value in re.findall(r'(\w+)="([^"]+)"', text)}
