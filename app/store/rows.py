"""Row dataclasses and what the database wants of them."""

from __future__ import annotations

from typing import Any


def values_of(row: Any) -> dict[str, Any]:
    """The columns of a slotted dataclass, not copied: a chunk has thousands of them."""
    return {name: getattr(row, name) for name in row.__slots__}
