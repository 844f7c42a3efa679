"""Words that a form brings along: its title as the name of its kind, and the texts of its own codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.definitions.files import AT_COUNTER, SHARED
from app.domain.declaration import KINDS

MESSAGES = "x-messages"


def speaks(name: str) -> bool:
    """Return whether a form may bring words along: shared parts and the counter's own forms do not."""
    return not name.startswith(SHARED) and not name.endswith(AT_COUNTER)


def with_words(common: Mapping[str, Any], forms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the common parameters with what forms say beneath them; `forms` by name, as a region has them.

    What the common file or the region's own says wins.
    """
    messages: dict[str, str] = {}
    labels: dict[str, str] = {}
    for name, document in forms.items():
        messages |= document.get(MESSAGES) or {}
        if name not in KINDS and document.get("title"):
            labels[f"kind.{name}"] = str(document["title"])
    return {
        **common,
        "messages": {**messages, **(common.get("messages") or {})},
        "labels": {**labels, **(common.get("labels") or {})},
    }
