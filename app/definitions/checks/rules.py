"""The table by which a form without rules in Python is judged: facts that exist, rows that can speak."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from app.definitions.bundle import RegionCodes
from app.definitions.checks.forms import shared_of
from app.definitions.checks.problem import Files, Problem
from app.definitions.files import FORM, PROCESS, RULES, Key
from app.definitions.words import MESSAGES, speaks
from app.domain.declaration import KINDS
from app.domain.form_facts import REFUSE, WARN, Fact, names_for
from app.domain.parameters import ParameterSet
from app.engine.decisions import DecisionDescription, cell_expression
from app.engine.language import parse_expression
from app.formspec.form import Form, FormDocumentError

OUTPUTS = ("code", "field", "severity")
ACCEPT = "form.accept"
# what the receipt of a kind without a module of its own says
_RECEIPTS = ("submitted", "accepted", "rejected")
_PENDING = "pending"
_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", re.ASCII)


def check_rules(known: Files) -> Iterator[Problem]:
    """List what is wrong with the rule tables and the words that forms bring along."""
    for key, table in known.decisions.items():
        if key.name.endswith(RULES):
            yield from _table(key, table, known)
    for key, document in known.documents.items():
        if speaks(key.name):
            yield from _messages(key, document)
    for key, process in known.processes.items():
        services = {element.service.name for element in process.elements.values() if element.service}
        if ACCEPT in services and (key.name not in KINDS or _of_files_alone(key.name, known)):
            yield from _receipts(key, known)


def _of_files_alone(kind: str, known: Files) -> bool:
    return any(key.name == kind + RULES for key in known.decisions)


def _table(key: Key, table: DecisionDescription, known: Files) -> Iterator[Problem]:
    kind = key.name.removesuffix(RULES)
    if table.hit_policy != "COLLECT":
        yield Problem(table.file, table.id, "rules_policy", "规则表的命中策略应当是 COLLECT")
    if tuple(output.name for output in table.outputs) != OUTPUTS:
        yield Problem(table.file, table.id, "rules_outputs", f"规则表的输出列应当依次是 {'、'.join(OUTPUTS)}")
        return
    for region in known.regions_of(key):
        form_key = known.find(FORM, kind, region)
        if known.find(PROCESS, kind, region) is None or form_key is None:
            yield Problem(table.file, table.id, "rules_kind", f"没有规则表所属的流程或表单：{kind}")
            return
        fields = _kinds_of_fields(form_key, known, region)
        facts = names_for(fields, [name for name, kind in fields.items() if kind == "date"])
        yield from _facts(table, facts)
        parameters = known.parameters.get(region)
        for rule in table.rules:
            for code, message in _row(rule.outputs, set(fields), facts, parameters):
                yield Problem(table.file, rule.id, code, message)


def _facts(table: DecisionDescription, facts: Mapping[str, tuple[Fact, ...]]) -> Iterator[Problem]:
    for index, column in enumerate(table.inputs):
        unknown = sorted(parse_expression(column.expression).names - set(facts))
        if unknown:
            yield Problem(table.file, column.id, "fact_unknown", f"没有这个事实：{'、'.join(unknown)}")
        allowed = facts.get(column.expression, ())
        if not allowed:
            continue
        for rule in table.rules:
            test = cell_expression(rule.inputs[index])
            strange = [value for value in _literals(test or "") if value not in allowed]
            if strange:
                words = f"{column.expression} 不会是 {'、'.join(map(str, strange))}"
                yield Problem(table.file, rule.id, "fact_value", words)


def _row(
    cells: tuple[str, ...],
    fields: set[str],
    facts: Mapping[str, tuple[Fact, ...]],
    parameters: ParameterSet | None,
) -> Iterator[tuple[str, str]]:
    code, field, severity = (_text(cell) for cell in cells)
    if severity not in (REFUSE, WARN):
        yield "rules_severity", f"severity 只能是 {REFUSE} 或 {WARN}：{cells[2]}"
    if field is None or (field and field not in fields):
        yield "rules_field", f"表单没有这一栏：{cells[1]}"
    if code is None or not _CODE.fullmatch(code):
        yield "rules_code", f"code 应当是固定的提示编号：{cells[0]}"
    elif parameters is not None and code not in parameters.messages:
        yield "text_missing", f"统筹区 {parameters.region} 没有这条提示的文字：{code}"
    elif parameters is not None:
        unknown = sorted(_places(parameters.messages[code]) - set(facts))
        if unknown:
            yield "fact_unknown", f"提示 {code} 中没有这个事实：{'、'.join(unknown)}"


def _messages(key: Key, document: Mapping[str, Any]) -> Iterator[Problem]:
    messages = document.get(MESSAGES) or {}
    if not isinstance(messages, Mapping) or not all(isinstance(text, str) for text in messages.values()):
        yield Problem(key.path, MESSAGES, "form", f"{MESSAGES} 应当是提示编号与文字")
        return
    for code in messages:
        if not str(code).startswith(f"{key.name}."):
            yield Problem(key.path, MESSAGES, "text_code", f"提示编号应当以 {key.name}. 开头：{code}")


def _receipts(key: Key, known: Files) -> Iterator[Problem]:
    for region in known.regions_of(key):
        parameters = known.parameters.get(region)
        if parameters is None or key.name not in parameters.kinds:
            continue
        wanted = [*_RECEIPTS, _PENDING] if _has_pending(key, known) else list(_RECEIPTS)
        for status in wanted:
            if f"{key.name}.{status}" not in parameters.messages:
                message = f"统筹区 {region} 没有这条提示的文字：{key.name}.{status}"
                yield Problem(key.path, key.name, "text_missing", message)


def _has_pending(key: Key, known: Files) -> bool:
    elements = known.processes[key].elements.values()
    return any(element.properties.get("status") == _PENDING for element in elements)


def _kinds_of_fields(key: Key, known: Files, region: str) -> dict[str, str]:
    """The fields of a form and their kinds; what is wrong with a form is said of the form."""
    parameters = known.parameters.get(region)
    codes = RegionCodes(parameters) if parameters is not None else {}
    try:
        form = Form.from_documents(key.name, known.documents[key], shared_of(known, region), codes)
    except (FormDocumentError, KeyError, TypeError, ValueError, AttributeError):
        return {}
    return {field.name: field.kind for field in form.fields}


def _literals(text: str) -> list[Any]:
    try:
        tree = ast.parse(text.strip() or "None", mode="eval")
    except (SyntaxError, ValueError):
        return []
    return [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value is not None
    ]


def _text(cell: str) -> str | None:
    """The literal text of an output cell; None where it is something else."""
    try:
        value = ast.literal_eval(cell.strip() or '""')
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, str) else None


def _places(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {"{"}
