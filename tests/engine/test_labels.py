"""Diagrams in another language."""

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
