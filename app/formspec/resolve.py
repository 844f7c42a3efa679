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


class FormProblem(WangtingError):
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
    Raises: FormProblem for a reference or code list that does not exist, a loop, or a rule said twice.
    """
    documents = {_document_key(key): document for key, document in shared.items()}
    documents[name] = schema
    resolved = _Resolver(documents, codes).resolve(schema, name, "#", ())
    resolved.pop("$defs", None)
    return resolved


def _document_key(path: str) -> str:
    return path.removesuffix(".json")


class _Resolver:
    def __init__(self, documents: Mapping[str, Mapping[str, Any]], codes: Mapping[str, CodeList]) -> None:
        self.documents = documents
        self.codes = codes

    def resolve(self, node: Any, document: str, place: str, trail: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [self.resolve(item, document, f"{place}/{i}", trail) for i, item in enumerate(node)]
        if not isinstance(node, Mapping):
            return node
        plain = {
            key: self.resolve(value, document, f"{place}/{key}", trail)
            for key, value in node.items()
            if key not in ("$ref", "$defs")
        }
        if "$ref" in node:
            plain = self._merge(self._follow(str(node["$ref"]), document, place, trail), plain, document, place)
        return self._with_codes(plain, document, place)

    def _follow(self, reference: str, document: str, place: str, trail: tuple[str, ...]) -> dict[str, Any]:
        path, pointer = urldefrag(reference)
        folder = document.rpartition("/")[0]
        target = _document_key(normpath(f"{folder}/{path}" if folder else path)) if path else document
        key = f"{target}#{pointer}"
        if key in trail:
            raise FormProblem(document, place, f"reference loop through {key}")
        node: Any = self.documents.get(target)
        for part in pointer.split("/")[1:]:
            node = node.get(part) if isinstance(node, Mapping) else None
        if not isinstance(node, Mapping):
            raise FormProblem(document, place, f"nothing is defined at {reference}")
        found = self.resolve(node, target, f"#{pointer}", (*trail, key))
        assert isinstance(found, dict)
        return found

    def _merge(self, base: dict[str, Any], own: dict[str, Any], document: str, place: str) -> dict[str, Any]:
        for key in own:
            if key in base and base[key] != own[key] and key not in _OVERRIDABLE and not key.startswith("x-"):
                raise FormProblem(document, place, f"{key} is already set by the shared field")
        return {**base, **own}

    def _with_codes(self, node: dict[str, Any], document: str, place: str) -> dict[str, Any]:
        name = node.get("x-codes")
        if name is None:
            return node
        if name not in self.codes:
            raise FormProblem(document, place, f"there is no code list {name}")
        known = [code for code, _label in self.codes[name]]
        holder = node.get("items") if node.get("type") == "array" else node
        if not isinstance(holder, dict):
            raise FormProblem(document, place, "a list of codes needs items")
        chosen = holder.get("enum", known)
        missing = [code for code in chosen if code not in known]
        if missing:
            raise FormProblem(document, place, f"the code list {name} has no {missing}")
        if node.get("type") == "array":
            return {**node, "items": {**holder, "enum": list(chosen)}}
        return {**node, "enum": list(chosen)}
