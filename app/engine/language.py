"""The safe language of diagrams and decision tables: expressions, and lines of `name = expression`.

Every condition, script, service parameter, timer, multi-instance expression, correlation key and
decision-table cell is read by this module, when it is published and again when it runs.
"""

import ast
import math
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from app.engine.errors import ExpressionFailed, UnsafeExpression
from app.engine.grammar import FUNCTIONS, MAX_NUMBER, MAX_TEXT, Builder, Value, is_plain_name

MAX_SOURCE = 2_000
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_FAILURES = (TypeError, ValueError, LookupError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: what is wrong with it, the names it reads, and how to run it."""

    text: str
    problems: tuple[str, ...]
    names: frozenset[str]
    run: Value
    only_name: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script: its assignments in order."""

    text: str
    problems: tuple[str, ...]
    names: frozenset[str]
    lines: tuple[tuple[str, Value], ...]


def _refused(scope: Mapping[str, Any]) -> Any:
    raise ExpressionFailed("refused")


def _source_problem(text: Any) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return "表达式为空"
    if len(text) > MAX_SOURCE:
        return f"表达式超过 {MAX_SOURCE} 个字符"
    if "\\" in text or _HIDDEN.search(text):
        return "表达式含有不允许的字符"
    return None


def _tree(text: str, mode: str) -> ast.AST | str:
    try:
        return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return "表达式语法错误"


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Read one expression; what is wrong is in `problems`, nothing is raised."""
    problem = _source_problem(text)
    tree = _tree(text.strip(), "eval") if problem is None else problem
    if isinstance(tree, str):
        return Expression(text, (tree,), frozenset(), _refused, None)
    body = cast(ast.Expression, tree).body
    builder = Builder(text.strip())
    run = builder.build(body)
    only_name = body.id if isinstance(body, ast.Name) else None
    return Expression(text, tuple(builder.problems), frozenset(builder.names), run, only_name)


@lru_cache(maxsize=1024)
def parse_script(text: str) -> Script:
    """Read lines of `name = expression`; what is wrong is in `problems`, nothing is raised."""
    problem = _source_problem(text)
    source = "\n".join(line.strip() for line in text.strip().splitlines()) if problem is None else ""
    tree = _tree(source, "exec") if problem is None else problem
    if isinstance(tree, str):
        return Script(text, (tree,), frozenset(), ())
    builder = Builder(source)
    lines = []
    for statement in cast(ast.Module, tree).body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            builder.problems.append("脚本只允许“名称 = 表达式”")
            continue
        if not isinstance(target, ast.Name) or not builder.check_name(target) or target.id in FUNCTIONS:
            builder.problems.append("脚本只能给普通名称赋值")
            continue
        lines.append((target.id, builder.build(statement.value)))
    return Script(text, tuple(builder.problems), frozenset(builder.names), tuple(lines))


def check_expression(text: str) -> list[str]:
    """List what keeps this expression out of the safe language, in words for a designer."""
    return list(parse_expression(text).problems)


def check_script(text: str) -> list[str]:
    """List what keeps this script out of the safe language, in words for a designer."""
    return list(parse_script(text).problems)


def evaluate(text: str, data: Mapping[str, Any]) -> Any:
    """Return the value of an expression over plain data.

    Raises: UnsafeExpression (outside the language), ExpressionFailed (undefined name, wrong type).
    """
    expression = parse_expression(text)
    if expression.problems:
        raise UnsafeExpression(text, list(expression.problems))
    try:
        return expression.run(data)
    except ExpressionFailed as failure:
        raise ExpressionFailed(f"{text!r}: {failure}") from None
    except _FAILURES as failure:
        raise ExpressionFailed(f"{text!r}: {type(failure).__name__}: {failure}") from failure


def execute(text: str, data: MutableMapping[str, Any]) -> None:
    """Run a script's assignments over `data`, in order. Raises: as `evaluate`."""
    script = parse_script(text)
    if script.problems:
        raise UnsafeExpression(text, list(script.problems))
    for name, value in script.lines:
        try:
            data[name] = plain(value(data))
        except _FAILURES as failure:
            raise ExpressionFailed(f"{name} = ...: {type(failure).__name__}: {failure}") from failure


def plain(value: Any, depth: int = 0) -> Any:
    """Return a copy of `value` that is JSON and nothing else (tuples become lists).

    Raises: ExpressionFailed on anything else: dates, Decimals, sets, not-a-number, other keys than texts.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and type(value) is str:
        if len(value) > MAX_TEXT:
            raise ExpressionFailed("text too long")
        return value
    if type(value) is int or type(value) is float:
        if not -MAX_NUMBER <= value <= MAX_NUMBER or not math.isfinite(value):
            raise ExpressionFailed("number out of range")
        return value
    if depth > 12:
        raise ExpressionFailed("data nested too deeply")
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        if not all(type(key) is str for key in value):
            raise ExpressionFailed("keys must be texts")
        return {key: plain(item, depth + 1) for key, item in value.items()}
    raise ExpressionFailed(f"not plain data: {type(value).__name__}")


__all__ = [
    "Expression",
    "Script",
    "check_expression",
    "check_script",
    "evaluate",
    "execute",
    "is_plain_name",
    "parse_expression",
    "parse_script",
    "plain",
]
