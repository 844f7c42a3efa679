"""Message ids that live as data: the Chinese words of statuses, kinds, roles and refusals.

Named in `translations/babel.cfg` as an extraction method, so that data need no call around each word.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def chinese_literals(
    fileobj: BinaryIO, keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield every Chinese string literal of a Python file, documentation left out."""
    tree = ast.parse(fileobj.read())
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in described:
            continue
        if isinstance(node.value, str) and _CHINESE.search(node.value):
            yield node.lineno, None, node.value, []
