"""Turn a form document with `$ref`s and code lists into one schema that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from posixpath import normpath
from typing import Any
from urllib.parse import urldefrag

from app.errors import WangtingError

CodeList = Iterable[tuple[str, str]]

# What a form may say beside a `$ref` although the shared field says it too: words and places, never a rule.
_OVERRIDABLE = frozenset({"title", "description", "default", "readOnly", "examples"})


class FormDocumentError(WangtingError):
    """A form document that cannot be used: says which document and which place in it."""

    def __init__(self, document: str, place: str, reason: str) -> None:
        super().__init__(f"{document} {place}: {reason}")
        self.document = document
        self.place = place
        self.reason = reason


def resolve_schema(
    name: str,
    schema: Mapping[str, Any],
    shared: Mapping[str, Mapping[str, Any]],
    codes: Mapping[str, CodeList],
) -> dict[str, Any]:
    """Return the schema with every `$ref` replaced and every code list written out as `enum`.

    Shape: `shared` maps names like "shared/person" to documents; references are relative paths such as
    "shared/person.json#/$defs/name". A key beside `$ref` may change words, not rules.
    Raises: FormDocumentError for a reference or code list that does not exist, a loop, or a rule said twice.
    """
    documents = {_document_key(key): document for key, document in shared.items()}
    documents[name] = schema
    resolver = _Resolver(documents)
    expanded: dict[str, Any] = resolver.expand(schema, name, "#", ())
    return {key: _with_codes(value, codes, name, f"#/{key}") for key, value in expanded.items()}


def _document_key(path: str) -> str:
    return path.removesuffix(".json")


class _Resolver:
    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self.documents = documents

    def expand(self, node: Any, document: str, place: str, trail: tuple[str, ...]) -> Any:
        """Return the node with every reference in it replaced by what it names."""
        if isinstance(node, list):
            return [self.expand(item, document, f"{place}/{i}", trail) for i, item in enumerate(node)]
        if not isinstance(node, Mapping):
            return node
        own = {
            key: self.expand(value, document, f"{place}/{key}", trail)
            for key, value in node.items()
            if key not in ("$ref", "$defs")
        }
        if "$ref" not in node:
            return own
        base = self._follow(str(node["$ref"]), document, place, trail)
        for key, value in own.items():
            if key in base and base[key] != value and key not in _OVERRIDABLE and not key.startswith("x-"):
                raise FormDocumentError(document, place, f"{key} is already set by the shared field")
        return {**base, **own}

    def _follow(self, reference: str, document: str, place: str, trail: tuple[str, ...]) -> dict[str, Any]:
        path, pointer = urldefrag(reference)
        folder = document.rpartition("/")[0]
        target = _document_key(normpath(f"{folder}/{path}" if folder else path)) if path else document
        key = f"{target}#{pointer}"
        if key in trail:
            raise FormDocumentError(document, place, f"reference loop through {key}")
        node: Any = self.documents.get(target)
        for part in pointer.split("/")[1:]:
            node = node.get(part) if isinstance(node, Mapping) else None
        if not isinstance(node, Mapping):
            raise FormDocumentError(document, place, f"nothing is defined at {reference}")
        found: dict[str, Any] = self.expand(node, target, f"#{pointer}", (*trail, key))
        return found


def _with_codes(node: Any, codes: Mapping[str, CodeList], document: str, place: str) -> Any:
    """Return the node with its code lists written out; an `enum` beside `x-codes` selects from the list."""
    if isinstance(node, list):
        return [_with_codes(item, codes, document, f"{place}/{i}") for i, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    filled = {key: _with_codes(value, codes, document, f"{place}/{key}") for key, value in node.items()}
    name = filled.get("x-codes")
    if not isinstance(name, str):
        return filled
    if name not in codes:
        raise FormDocumentError(document, place, f"there is no code list {name}")
    known = [code for code, _label in codes[name]]
    several = filled.get("type") == "array"
    holder: dict[str, Any] = filled.get("items", {}) if several else filled
    chosen = holder.get("enum", known)
    missing = [code for code in chosen if code not in known]
    if missing:
        raise FormDocumentError(document, place, f"the code list {name} has no {missing}")
    return {**filled, "items": {**holder, "enum": chosen}} if several else {**filled, "enum": chosen}
