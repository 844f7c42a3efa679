"""Decision tables: safe cells, and no gap and no overlap over everything their columns can hold.

A column's values are taken from its own cells (and the declared `inputValues`): each text named there
and one that is not, each number and its neighbours, true and false. That is exact for tables whose
cells compare with literals, and publishing refuses others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from app.definitions.checks.problem import Files, Problem
from app.definitions.files import Key
from app.engine.decisions import INPUT, DecisionDescription, cell_expression, decision_uses
from app.engine.errors import EngineError
from app.engine.language import evaluate, parse_expression

MAX_COMBINATIONS = 300_000
MAX_LISTED = 5
OTHER = "（其他）"


@dataclass(frozen=True)
class _Column:
    """The values a column can hold, and for each the rules that it lets through, as bits."""

    label: str
    values: list[Any]
    matching: list[int]


def check_decision(key: Key, table: DecisionDescription, known: Files) -> Iterator[Problem]:
    """List unsafe cells, gaps, overlaps and rules that never match."""
    if table.id != key.name:
        yield Problem(table.file, table.id, "process_id", f"决策编号应当是 {key.name}")
    unsafe = list(_unsafe(table))
    yield from unsafe
    if unsafe or not table.rules:
        if not table.rules:
            yield Problem(table.file, table.id, "no_rules", "决策表没有规则")
        return
    columns = [_column(table, index, known) for index in range(len(table.inputs))]
    for index, rule in enumerate(table.rules):
        for column in columns:
            if not any(matching >> index & 1 for matching in column.matching):
                yield Problem(table.file, rule.id, "rule_never", f"规则永远不会命中：{column.label}")
    if table.hit_policy == "UNIQUE":
        yield from _gaps_and_overlaps(table, columns)


def _unsafe(table: DecisionDescription) -> Iterator[Problem]:
    for element, _, text in decision_uses(table):
        for problem in parse_expression(text).problems:
            yield Problem(table.file, element, "expression", f"{problem}：{text[:60]}")
    for rule in table.rules:
        for cell in rule.inputs:
            expression = cell_expression(cell)
            if expression is None:
                continue
            others = parse_expression(expression).names - {INPUT}
            if others:
                yield Problem(
                    table.file, rule.id, "cell", f"输入单元格只能与固定值比较：{'、'.join(sorted(others))}"
                )
            elif _is_tuple(cell):
                yield Problem(table.file, rule.id, "cell", f'多个值请写成 in ["…", "…"]：{cell[:60]}')
        for cell in rule.outputs:
            if any(isinstance(value, float) for value in _literals(cell)):
                yield Problem(table.file, rule.id, "amount", f"决策表不能输出小数：{cell[:60]}")


def _tree(text: str) -> ast.AST | None:
    try:
        return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return None


def _is_tuple(cell: str) -> bool:
    tree = _tree(cell)
    return isinstance(tree, ast.Expression) and isinstance(tree.body, ast.Tuple)


def _literals(text: str) -> list[Any]:
    """List the literal values in an expression, negative numbers with their sign."""
    tree = _tree(text)
    if tree is None:
        return []
    found: list[Any] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            found += [
                -value for value in _literals(ast.unparse(node.operand)) if isinstance(value, (int, float))
            ]
        elif isinstance(node, ast.Constant):
            found.append(node.value)
    return found


def _column(table: DecisionDescription, index: int, known: Files) -> _Column:
    column = table.inputs[index]
    tests = [cell_expression(rule.inputs[index]) for rule in table.rules]
    literals = [value for test in tests if test for value in _literals(test)]
    declared = _literals(f"[{column.values}]") if column.values else []
    if column.expression == "region":
        literals += list(known.parameters)
    values = _values(literals, declared, column.type)
    matching = [
        sum(1 << rule for rule, test in enumerate(tests) if test is None or _holds(test, value))
        for value in values
    ]
    return _Column(column.label or column.expression, values, matching)


def _values(literals: list[Any], declared: list[Any], type_ref: str) -> list[Any]:
    if declared:
        return _distinct(declared)
    if type_ref == "boolean" or any(isinstance(value, bool) for value in literals):
        return [True, False, *([None] if None in literals else [])]
    numbers = [value for value in literals if isinstance(value, (int, float)) and value is not None]
    texts = [value for value in literals if isinstance(value, str)]
    values: list[Any] = [None] if None in literals else []
    if numbers:
        step = 1 if type_ref in ("integer", "int", "long") or not _fractional(numbers, type_ref) else 0.5
        values += [value + offset for value in numbers for offset in (-step, 0, step)]
    if texts or not numbers:
        values += [*texts, OTHER]
    return _distinct(values)


def _fractional(numbers: list[Any], type_ref: str) -> bool:
    return type_ref in ("double", "number", "float") or any(isinstance(value, float) for value in numbers)


def _distinct(values: list[Any]) -> list[Any]:
    found: dict[tuple[str, Any], Any] = {}
    for value in values:
        found.setdefault((type(value).__name__, value), value)
    return list(found.values())


def _holds(test: str, value: Any) -> bool:
    try:
        return bool(evaluate(test, {INPUT: value}))
    except EngineError:
        return False


def _gaps_and_overlaps(table: DecisionDescription, columns: list[_Column]) -> Iterator[Problem]:
    columns = [_merged(column) for column in columns]
    if prod(len(column.values) for column in columns) > MAX_COMBINATIONS:
        yield Problem(table.file, table.id, "too_large", "决策表组合过多，请拆成几张表")
        return
    gaps = 0
    overlaps: set[tuple[int, ...]] = set()
    every = (1 << len(table.rules)) - 1
    for chosen in product(*(zip(column.values, column.matching, strict=True) for column in columns)):
        rules = every
        for _, matching in chosen:
            rules &= matching
        if not rules and gaps < MAX_LISTED:
            gaps += 1
            yield Problem(table.file, table.id, "gap", f"没有规则命中：{_words(columns, chosen)}")
        elif rules & (rules - 1):
            hit = tuple(index for index in range(len(table.rules)) if rules >> index & 1)
            if hit not in overlaps and len(overlaps) < MAX_LISTED:
                overlaps.add(hit)
                names = "、".join(table.rules[index].id for index in hit)
                message = f"多条规则同时命中（{names}）：{_words(columns, chosen)}"
                yield Problem(table.file, table.rules[hit[1]].id, "overlap", message)


def _merged(column: _Column) -> _Column:
    """Keep one value of those that let the same rules through: the others say nothing new."""
    first: dict[int, Any] = {}
    for value, matching in zip(column.values, column.matching, strict=True):
        first.setdefault(matching, value)
    return _Column(column.label, list(first.values()), list(first))


def _words(columns: list[_Column], chosen: tuple[tuple[Any, int], ...]) -> str:
    return "，".join(f"{column.label}={value}" for column, (value, _) in zip(columns, chosen, strict=True))
