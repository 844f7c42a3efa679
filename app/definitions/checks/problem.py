"""One finding, and what the checks know about the set of files around the one they look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.definitions.files import Key
from app.domain.parameters import ParameterSet
from app.engine.decisions import DecisionDescription
from app.engine.describe import ProcessDescription

ServiceTable = Mapping[str, Callable[..., Any]]
"""Service name -> function; its first argument is the context, the others are a diagram's parameters."""


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """What is wrong, where (file and element), under a stable code, in words for a designer."""

    file: str
    element: str
    code: str
    message: str


@dataclass
class Files:
    """The files under check, each under its definition's key, read as far as they could be read."""

    contents: dict[Key, bytes]
    services: ServiceTable | None
    processes: dict[Key, ProcessDescription] = field(default_factory=dict)
    decisions: dict[Key, DecisionDescription] = field(default_factory=dict)
    documents: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    parameters: dict[str, ParameterSet] = field(default_factory=dict)

    def find(self, kind: str, name: str, region: str) -> Key | None:
        """Find the definition that holds in a region: its own, else the province-wide one."""
        for key in (Key(kind, name, region), Key(kind, name)):
            if key in self.contents:
                return key
        return None

    def regions_of(self, key: Key) -> list[str]:
        """List the regions in which a definition holds; [''] where no region has parameters."""
        if key.region:
            return [key.region]
        own = {other.region for other in self.contents if (other.kind, other.name) == (key.kind, key.name)}
        return [region for region in sorted(self.parameters) if region not in own] or [""]
