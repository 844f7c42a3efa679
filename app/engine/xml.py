"""Reading XML that comes from outside: no document type, no entities, no network, bounded size."""

import re

from lxml import etree

from app.engine.errors import DefinitionInvalid

MAX_BYTES = 2_000_000
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
NAMES = {"bpmn": BPMN, "bpmndi": BPMNDI, "spiff": SPIFF}
_VARIABLES = frozenset(["inputDataItem", "outputDataItem", "dataInput", "dataOutput"])
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


def parse_xml(content: bytes, file: str) -> etree._Element:
    """Parse bytes into an element tree without comments and processing instructions.

    Raises: DefinitionInvalid on malformed XML, a document type, an entity, or more than 2 MB.
    """
    if len(content) > MAX_BYTES:
        raise DefinitionInvalid(file, "", "文件超过 2 MB")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as failure:
        raise DefinitionInvalid(file, "", f"XML 无法解析:{failure}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise DefinitionInvalid(file, "", "不允许使用 DOCTYPE 或实体")
    if next(root.iter(etree.Entity), None) is not None:
        raise DefinitionInvalid(file, "", "不允许使用实体")
    return root


def check_ids(root: etree._Element, file: str) -> None:
    """Refuse ids that could mean something to a query language, and ids used twice.

    Raises: DefinitionInvalid.
    """
    seen: set[str] = set()
    for node in root.iter(f"{{{BPMN}}}*"):
        name = node.get("id")
        if name is None:
            continue
        if not _ID.fullmatch(name):
            raise DefinitionInvalid(file, name[:100], "编号只能由字母、数字、下划线、点和短横线组成")
        if tag(node) in _VARIABLES:
            continue
        if name in seen:
            raise DefinitionInvalid(file, name, "编号重复")
        seen.add(name)


def tag(node: etree._Element) -> str:
    """Return the tag without its namespace."""
    return str(node.tag).rpartition("}")[2]


def text_of(node: etree._Element | None) -> str:
    """Return an element's text, stripped; '' for none."""
    return (node.text or "").strip() if node is not None else ""
