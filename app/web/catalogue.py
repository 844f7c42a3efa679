"""Message ids that live as data: the Chinese words of statuses, kinds, roles, refusals and definitions.

Named in `translations/babel.cfg` as extraction methods, so that data need no call around each word.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import yaml

# What no page shows in another language: where a value comes from, and the words inside a workbook.
_UNSEEN = frozenset({"source", "file", "sheet", "sample", "pattern", "x-excel", "header"})
# The name of an element of a diagram, and the title of a task.
_DIAGRAM_NAME = re.compile(
    r'<bpmn:\w+[^>]*? name="([^"]+)"|<spiffworkflow:property name="title" value="([^"]+)"'
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def chinese_literals(
    fileobj: BinaryIO, keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield every Chinese string literal of a Python file, documentation and search patterns left out."""
    tree = ast.parse(fileobj.read())
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in node.values)
            text = _template(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if _CHINESE.search(text) and "\\" not in text and id(node) not in described | parts:
            yield node.lineno, None, text, []


def _template(node: ast.JoinedStr) -> str:
    """An f-string with the last name of each expression as its placeholder: 已由{name}认领.

    Expressions that end in the same name are numbered (name, name_2), and one without a name, a constant in
    capitals, becomes {value}: the pattern must take each value out by itself.
    """
    words: list[str] = []
    taken: dict[str, list[str]] = {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            words.append(str(part.value))
            continue
        expression = ast.unparse(part)
        name = (re.findall(r"[a-z_]+", expression) or ["value"])[-1]
        known = taken.setdefault(name, [])
        if expression not in known:
            known.append(expression)
        number = known.index(expression) + 1
        words.append(f"{{{name}}}" if number == 1 else f"{{{name}_{number}}}")
    return "".join(words)


def definition_words(
    fileobj: BinaryIO, keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield the Chinese words of a form, a parameter file, a code list or a diagram."""
    text = fileobj.read().decode()
    seen: set[str] = set()
    for word in _read(text):
        if _CHINESE.search(word) and word not in seen:
            seen.add(word)
            yield 1, None, word, []


def _read(text: str) -> Iterator[str]:
    start = text.lstrip()[:1]
    if start == "{":
        yield from _words(json.loads(text))
    elif start == "<":
        yield from (name or title for name, title in _DIAGRAM_NAME.findall(text))
    elif text.startswith("code,"):
        yield from (row["label"] for row in csv.DictReader(io.StringIO(text)))
    else:
        yield from _words(yaml.safe_load(text))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in _UNSEEN:
                yield from _words(part)
    elif isinstance(value, list):
        for part in value:
            yield from _words(part)
