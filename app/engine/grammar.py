"""From Python's syntax tree to closures, for a small and harmless part of the language.

Nothing here calls `eval` or `exec`: what is not listed in this file cannot be expressed.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from app.engine.errors import ExpressionFailed

Scope = Mapping[str, Any]
Value = Callable[[Scope], Any]

MAX_NUMBER = 2**63 - 1  # what a row id and an integer column hold
MAX_TEXT = 10_000
MAX_ITEMS = 1_000
MAX_DEPTH = 40
MAX_NODES = 400


def bounded(value: Any) -> Any:
    """Refuse results that could grow without limit when an expression runs again and again."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        if not -MAX_NUMBER <= value <= MAX_NUMBER or (isinstance(value, float) and not math.isfinite(value)):
            raise ExpressionFailed("number out of range")
    elif isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise ExpressionFailed("text too long")
    elif isinstance(value, (list, tuple, set, dict)) and len(value) > MAX_ITEMS:
        raise ExpressionFailed("list too long")
    return value


def _numbers(sign: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def calculate(left: Any, right: Any) -> Any:
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise ExpressionFailed("arithmetic needs numbers")
        return bounded(sign(left, right))

    return calculate


def _plus(left: Any, right: Any) -> Any:
    both_numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    both_texts = isinstance(left, str) and isinstance(right, str)
    both_lists = isinstance(left, list) and isinstance(right, list)
    if not (both_numbers or both_texts or both_lists):
        raise ExpressionFailed("+ needs two numbers, two texts or two lists")
    return bounded(left + right)


def _to_int(value: Any) -> int:
    if isinstance(value, str) and len(value) > 20:
        raise ExpressionFailed("number out of range")
    return int(bounded(int(value)))


def _to_text(value: Any) -> str:
    if not (value is None or isinstance(value, (str, int, float))):
        raise ExpressionFailed("str needs a simple value")
    return str(value)


def _round(value: Any, digits: int = 0) -> Any:
    if not isinstance(digits, int) or abs(digits) > 6:
        raise ExpressionFailed("round: too many digits")
    return round(value, digits) if digits else round(value)


def _get(mapping: Any, key: Any, default: Any = None) -> Any:
    if not isinstance(mapping, Mapping):
        raise ExpressionFailed("get needs a mapping")
    return mapping.get(key, default)


def _limited(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_ITEMS:
        raise ExpressionFailed("count out of range")
    return value


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "len": (len, 1, 1),
    "min": (min, 1, 8),
    "max": (max, 1, 8),
    "sum": (sum, 1, 1),
    "any": (any, 1, 1),
    "all": (all, 1, 1),
    "abs": (abs, 1, 1),
    "round": (_round, 1, 2),
    "int": (_to_int, 1, 1),
    "str": (_to_text, 1, 1),
    "bool": (bool, 1, 1),
    "get": (_get, 2, 3),
    "limited": (_limited, 1, 1),
}
"""name -> (function, least and most arguments). `get(d, key, default)` reads a mapping,
`limited(n)` refuses a count above 1,000 (put around loop cardinalities)."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _plus,
    ast.Sub: _numbers(operator.sub),
    ast.Mult: _numbers(operator.mul),
    ast.Div: _numbers(operator.truediv),
    ast.FloorDiv: _numbers(operator.floordiv),
    ast.Mod: _numbers(operator.mod),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def is_plain_name(name: str) -> bool:
    """Names are ASCII, and an underscore in front is kept for nobody."""
    return name.isascii() and name.isidentifier() and not name.startswith("_")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))


class Builder:
    """Turns one syntax tree into a closure and writes down what it refuses and which names it reads."""

    def __init__(self, source: str) -> None:
        self.problems: list[str] = []
        self.names: set[str] = set()
        self._lines = [line.encode() for line in source.split("\n")]
        self._nodes = 0

    def build(self, node: ast.AST, depth: int = 0) -> Value:
        """Dispatch on the kind of node; an unknown kind is a problem, never a pass."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return self._refuse("表达式过于复杂")
        handler = getattr(self, "_build_" + type(node).__name__.lower(), None)
        if handler is None:
            return self._refuse(f"不允许使用的语法:{type(node).__name__}")
        closure: Value = handler(node, depth + 1)
        return closure

    def _refuse(self, problem: str) -> Value:
        if problem not in self.problems:
            self.problems.append(problem)

        def refused(scope: Scope) -> Any:
            raise ExpressionFailed(problem)

        return refused

    def check_name(self, node: ast.Name) -> bool:
        """Refuse look-alike letters, which Python folds into ASCII while parsing."""
        line = self._lines[node.lineno - 1] if node.lineno <= len(self._lines) else b""
        written = line[node.col_offset : node.end_col_offset].decode(errors="replace")
        if written != node.id or not is_plain_name(node.id):
            self._refuse(f"不允许使用的名称:{written or node.id}")
            return False
        return True

    def _build_constant(self, node: ast.Constant, depth: int) -> Value:
        value = node.value
        if value is not None and not isinstance(value, (bool, int, float, str)):
            return self._refuse(f"不允许使用的常量:{type(value).__name__}")
        try:
            bounded(value)
        except ExpressionFailed:
            return self._refuse("常量超出范围")
        return lambda scope: value

    def _build_name(self, node: ast.Name, depth: int) -> Value:
        name = node.id
        if not self.check_name(node):
            return self._refuse("不允许使用的名称")
        if name in FUNCTIONS:
            return self._refuse(f"函数只能被调用:{name}")
        self.names.add(name)

        def read(scope: Scope) -> Any:
            try:
                return scope[name]
            except KeyError:
                raise ExpressionFailed(f"undefined name {name}") from None

        return read

    def _build_boolop(self, node: ast.BoolOp, depth: int) -> Value:
        parts = [self.build(part, depth) for part in node.values]
        stop_at = isinstance(node.op, ast.Or)

        def run(scope: Scope) -> Any:
            value = None
            for part in parts:
                value = part(scope)
                if bool(value) is stop_at:
                    return value
            return value

        return run

    def _build_unaryop(self, node: ast.UnaryOp, depth: int) -> Value:
        sign = _UNARY.get(type(node.op))
        inner = self.build(node.operand, depth)
        if sign is None:
            return self._refuse(f"不允许使用的运算:{type(node.op).__name__}")
        return lambda scope: sign(inner(scope))

    def _build_binop(self, node: ast.BinOp, depth: int) -> Value:
        sign = _BINARY.get(type(node.op))
        texts = [part for part in (node.left, node.right) if _is_text(part)]
        if texts and not isinstance(node.op, ast.Add):
            return self._refuse("文本只能用 + 连接")
        left, right = self.build(node.left, depth), self.build(node.right, depth)
        if sign is None:
            return self._refuse(f"不允许使用的运算:{type(node.op).__name__}")
        return lambda scope: sign(left(scope), right(scope))

    def _build_compare(self, node: ast.Compare, depth: int) -> Value:
        first = self.build(node.left, depth)
        rest: list[tuple[Callable[[Any, Any], Any], Value]] = []
        for sign, part in zip(node.ops, node.comparators, strict=True):
            compare = self._comparison(sign, part)
            rest.append((compare, self.build(part, depth)))
        if len(rest) == 1:
            only, other = rest[0]
            return lambda scope: only(first(scope), other(scope))

        def chain(scope: Scope) -> Any:
            left = first(scope)
            for compare, part in rest:
                right = part(scope)
                if not compare(left, right):
                    return False
                left = right
            return True

        return chain

    def _comparison(self, sign: ast.cmpop, part: ast.expr) -> Callable[[Any, Any], Any]:
        if isinstance(sign, (ast.Is, ast.IsNot)):
            if not (isinstance(part, ast.Constant) and part.value is None):
                self._refuse("is 只能与 None 比较")
            return operator.is_ if isinstance(sign, ast.Is) else operator.is_not
        return _COMPARE[type(sign)]

    def _build_ifexp(self, node: ast.IfExp, depth: int) -> Value:
        test, yes, no = (self.build(part, depth) for part in (node.test, node.body, node.orelse))
        return lambda scope: yes(scope) if test(scope) else no(scope)

    def _build_list(self, node: ast.List | ast.Tuple | ast.Set, depth: int) -> Value:
        items = [self.build(item, depth) for item in node.elts]
        if isinstance(node, ast.Set):
            return lambda scope: {item(scope) for item in items}
        if isinstance(node, ast.Tuple):
            return lambda scope: tuple(item(scope) for item in items)
        return lambda scope: [item(scope) for item in items]

    _build_tuple = _build_list
    _build_set = _build_list

    def _build_dict(self, node: ast.Dict, depth: int) -> Value:
        if any(key is None for key in node.keys):
            return self._refuse("不允许使用的语法:**")
        keys = [self.build(key, depth) for key in node.keys if key is not None]
        values = [self.build(value, depth) for value in node.values]
        return lambda scope: {k(scope): v(scope) for k, v in zip(keys, values, strict=True)}

    def _build_subscript(self, node: ast.Subscript, depth: int) -> Value:
        if isinstance(node.slice, ast.Constant) and str(node.slice.value).startswith("_"):
            return self._refuse(f"不允许使用的名称:{node.slice.value!r}")
        value, index = self.build(node.value, depth), self.build(node.slice, depth)

        def read(scope: Scope) -> Any:
            container, key = value(scope), index(scope)
            if not isinstance(container, (Mapping, list, tuple, str)):
                raise ExpressionFailed("this value has no parts")
            return container[key]

        return read

    def _build_call(self, node: ast.Call, depth: int) -> Value:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            return self._refuse("只能调用允许的函数:" + "、".join(sorted(FUNCTIONS)))
        if not self.check_name(node.func):
            return self._refuse("不允许使用的名称")
        function, least, most = FUNCTIONS[node.func.id]
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            return self._refuse("函数只接受普通参数")
        if not least <= len(node.args) <= most:
            return self._refuse(f"函数参数个数不对:{node.func.id}")
        arguments = [self.build(argument, depth) for argument in node.args]
        return lambda scope: bounded(function(*(argument(scope) for argument in arguments)))
