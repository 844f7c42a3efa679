"""Decision tables: what they ask and answer, and their evaluation in the safe language.

Numbers in a table are routing facts (counts, fen); nothing is calculated from them. UNIQUE tables
are held to their name: no matching rule or two of them stop the process, nothing is guessed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lxml import etree

from app.engine.errors import DefinitionInvalid, ExpressionFailed
from app.engine.language import evaluate, parse_expression, plain
from app.engine.xml import parse_xml, tag, text_of

INPUT = "dmninputexpr"
_HELD = 1_000
_MISSING = ...
_PRIMITIVES = frozenset([str, int, bool, float, type(None), type(_MISSING)])
_OPERATOR = re.compile(r"(==|!=|<=|>=|<|>|in\b|not\s+in\b|is\b)")
_QUESTION = re.compile(r"'[^']*'|\"[^\"]*\"|(\?)")


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """A column of facts; `values` are the allowed ones as expressions, where the table lists them."""

    id: str
    label: str
    expression: str
    type: str
    values: str


@dataclass(frozen=True, slots=True)
class DecisionOutput:
    """A column of answers; its name becomes a name in the process data."""

    id: str
    name: str
    label: str
    type: str


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """A row; an empty input cell or '-' matches everything."""

    id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class DecisionDescription:
    """One decision table of one file."""

    file: str
    id: str
    name: str
    hit_policy: str
    inputs: tuple[DecisionInput, ...]
    outputs: tuple[DecisionOutput, ...]
    rules: tuple[DecisionRule, ...]
    problems: tuple[tuple[str, str], ...] = field(default=())


def cell_expression(text: str) -> str | None:
    """Turn an input cell into an expression over `dmninputexpr`, the column's value; None matches all.

    Three ways to write a cell: a value (`"retired"`), the right side of a comparison (`>= 3`,
    `in ["a", "b"]`), or a whole test with `?` for the value (`1 < ? < 6`).
    """
    text = text.strip()
    if text in ("", "-"):
        return None
    replaced = _QUESTION.sub(lambda found: INPUT if found.group(1) else found.group(0), text)
    if replaced != text:
        return replaced
    if _OPERATOR.match(text):
        return f"{INPUT} {text}"
    return f"{INPUT} == ({text})"


@lru_cache(maxsize=512)
def describe_decision(dmn: bytes, file: str = "") -> DecisionDescription:
    """Describe the decision table of one DMN file. Raises: DefinitionInvalid."""
    return _describe_root(parse_xml(dmn, file), file)


def _describe_root(root: etree._Element, file: str) -> DecisionDescription:
    decisions = [node for node in root.iter(etree.Element) if tag(node) == "decision"]
    if len(decisions) != 1:
        raise DefinitionInvalid(file, "", "一个文件只能有一个决策")
    decision = decisions[0]
    tables = [node for node in decision if tag(node) == "decisionTable"]
    if len(tables) != 1:
        raise DefinitionInvalid(file, decision.get("id", ""), "决策必须有且只有一个决策表")
    table = tables[0]
    inputs = tuple(_input(node) for node in table if tag(node) == "input")
    outputs = tuple(
        DecisionOutput(
            node.get("id", ""),
            node.get("name") or node.get("label", ""),
            node.get("label", ""),
            node.get("typeRef", ""),
        )
        for node in table
        if tag(node) == "output"
    )
    rules = tuple(_rule(node) for node in table if tag(node) == "rule")
    description = DecisionDescription(
        file,
        decision.get("id", ""),
        decision.get("name", ""),
        table.get("hitPolicy", "UNIQUE").upper(),
        inputs,
        outputs,
        rules,
    )
    _check_shape(description)
    return description


def _child_text(node: etree._Element, name: str) -> str:
    for child in node:
        if tag(child) == name:
            inner = next((text for text in child if tag(text) == "text"), None)
            return text_of(inner)
    return ""


def _input(node: etree._Element) -> DecisionInput:
    expression = next((child for child in node if tag(child) == "inputExpression"), None)
    type_ref = expression.get("typeRef", "") if expression is not None else ""
    return DecisionInput(
        node.get("id", ""),
        node.get("label", ""),
        _child_text(node, "inputExpression"),
        type_ref,
        _child_text(node, "inputValues"),
    )


def _rule(node: etree._Element) -> DecisionRule:
    def cells(kind: str) -> tuple[str, ...]:
        return tuple(
            text_of(next((text for text in child if tag(text) == "text"), None))
            for child in node
            if tag(child) == kind
        )

    description = next((text_of(child) for child in node if tag(child) == "description"), "")
    return DecisionRule(node.get("id", ""), cells("inputEntry"), cells("outputEntry"), description)


def _check_shape(table: DecisionDescription) -> None:
    if table.hit_policy not in ("UNIQUE", "COLLECT"):
        raise DefinitionInvalid(table.file, table.id, f"命中策略只支持 UNIQUE 和 COLLECT:{table.hit_policy}")
    if not table.id or not table.outputs:
        raise DefinitionInvalid(table.file, table.id, "决策表没有编号或没有输出列")
    for output in table.outputs:
        if not parse_expression(output.name or "?").only_name:
            raise DefinitionInvalid(table.file, output.id, "输出列必须有普通名称")
    for column in table.inputs:
        if not column.expression:
            raise DefinitionInvalid(table.file, column.id, "输入列没有表达式")
    for rule in table.rules:
        if len(rule.inputs) != len(table.inputs) or len(rule.outputs) != len(table.outputs):
            raise DefinitionInvalid(table.file, rule.id, "规则的单元格个数与列数不符")


def decision_uses(table: DecisionDescription) -> list[tuple[str, str, str]]:
    """List every expression of a table as (rule or column id, place, expression to be evaluated)."""
    uses = [(column.id, "decision_input", column.expression) for column in table.inputs]
    for rule in table.rules:
        for cell in rule.inputs:
            expression = cell_expression(cell)
            if expression is not None:
                uses.append((rule.id, "decision_input", expression))
        uses.extend((rule.id, "decision_output", cell) for cell in rule.outputs if cell)
    return uses


class DecisionTable:
    """A table ready to decide; safe to share between processes."""

    def __init__(self, description: DecisionDescription) -> None:
        self.description = description
        self._rules = [
            (rule, [(index, cell_expression(cell)) for index, cell in enumerate(rule.inputs)])
            for rule in description.rules
        ]
        used = [parse_expression(text).names for _, _, text in decision_uses(description)]
        used += [parse_expression(column.expression).names for column in description.inputs]
        self._reads = sorted(frozenset().union(*used) - {INPUT})
        self._held: dict[tuple[Any, ...], dict[str, Any]] = {}

    def decide(
        self, data: Mapping[str, Any], evaluate: Callable[[str, Mapping[str, Any]], Any] = evaluate
    ) -> dict[str, Any]:
        """Return output name -> value (UNIQUE) or list of values (COLLECT, empty where nothing matches).

        Equal facts get equal answers, so they are looked up once: every rule is tried each time, and cases
        come in thousands. Raises: ExpressionFailed where a UNIQUE table matches no rule or more than one.
        """
        key = self._key(data)
        answers = self._held.get(key) if key is not None else None
        if answers is None:
            answers = self._decided(data, evaluate)
            if key is not None:
                if len(self._held) >= _HELD:
                    self._held.clear()
                self._held[key] = answers
        copied: dict[str, Any] = plain(answers)
        return copied

    def _key(self, data: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The facts that the table reads, with their types; None where one is no plain value."""
        facts = [data.get(name, _MISSING) for name in self._reads]
        if any(type(fact) not in _PRIMITIVES for fact in facts):
            return None
        return tuple((type(fact), fact) for fact in facts)

    def _decided(
        self, data: Mapping[str, Any], evaluate: Callable[[str, Mapping[str, Any]], Any]
    ) -> dict[str, Any]:
        table = self.description
        scopes = [{**data, INPUT: evaluate(column.expression, data)} for column in table.inputs]
        rules = [
            rule
            for rule, cells in self._rules
            if all(test is None or evaluate(test, scopes[index]) for index, test in cells)
        ]
        if table.hit_policy == "UNIQUE" and len(rules) != 1:
            found = ", ".join(rule.id for rule in rules) or "none"
            raise ExpressionFailed(f"decision {table.id}: exactly one rule must match, found {found}")
        answers: dict[str, Any] = {}
        for index, output in enumerate(table.outputs):
            cells = [rule.outputs[index] for rule in rules]
            values = [evaluate(cell, data) if cell else None for cell in cells]
            answers[output.name] = values[0] if table.hit_policy == "UNIQUE" else values
        return answers
