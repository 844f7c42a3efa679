"""The words of a drawing in another language: what readers see changes, what the engine runs does not."""

from collections.abc import Callable

from lxml import etree

from app.engine.xml import BPMN, BPMNDI, parse_xml

_BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"
# Words of an alphabet need more room than the two or three characters that a label was drawn for.
_LABEL_WIDTH = 90.0


def relabelled(bpmn: bytes, translate: Callable[[str], str], file: str = "") -> bytes:
    """Return a diagram with the name of every element passed through `translate`, for showing only.

    Shape: UTF-8 with an XML declaration; comments are left out, labels beside their element are widened
    around their middle. Raises: DefinitionInvalid.
    """
    root = parse_xml(bpmn, file)
    changed = set()
    for node in root.iter(f"{{{BPMN}}}*"):
        if (name := node.get("name")) and (words := translate(name)) != name:
            node.set("name", words)
            changed.add(node.get("id"))
    for label in root.iter(f"{{{BPMNDI}}}BPMNLabel"):
        drawn = label.getparent()
        if drawn is not None and drawn.get("bpmnElement") in changed:
            _widen(label.find(_BOUNDS))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _widen(bounds: etree._Element | None) -> None:
    if bounds is None:
        return
    left, width = float(bounds.get("x", "0")), float(bounds.get("width", "0"))
    if width < _LABEL_WIDTH:
        bounds.set("x", f"{left - (_LABEL_WIDTH - width) / 2:g}")
        bounds.set("width", f"{_LABEL_WIDTH:g}")
