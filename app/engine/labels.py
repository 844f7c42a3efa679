"""The words of a drawing in another language: what readers see changes, what the engine runs does not."""

from collections.abc import Callable

from lxml import etree

from app.engine.xml import BPMN, parse_xml


def relabelled(bpmn: bytes, translate: Callable[[str], str], file: str = "") -> bytes:
    """Return a diagram with the name of every element passed through `translate`, for showing only.

    Shape: UTF-8 with an XML declaration; comments are left out. Raises: DefinitionInvalid.
    """
    root = parse_xml(bpmn, file)
    for node in root.iter(f"{{{BPMN}}}*"):
        if name := node.get("name"):
            node.set("name", translate(name))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
