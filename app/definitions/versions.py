"""Rows of versions: making the next one, and listing what there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import clock
from app.definitions.files import Key, sha256_of
from app.store import definitions as store
from app.store.ids import new_id
from app.store.models import DefinitionVersion

SEED, DESIGNER = "seed", "designer"


@dataclass(frozen=True, slots=True)
class Listed:
    """One version without its content."""

    id: int
    key: Key
    version: int
    status: str
    origin: str
    sha256: str
    note: str
    effective_from_utc: datetime


def list_versions(key: Key | None = None) -> list[Listed]:
    """List every version (of one definition), by kind, name, region and number."""
    wanted = (key.kind, key.name, key.region) if key else (None, None, None)
    return [
        Listed(
            row.id,
            Key(row.kind, row.name, row.region),
            row.version,
            row.status,
            row.origin,
            row.sha256,
            row.note,
            row.effective_from_utc,
        )
        for row in store.list_versions(*wanted)
    ]


def version_row(
    key: Key,
    content: bytes,
    history: list[DefinitionVersion],
    *,
    status: str,
    origin: str,
    now: datetime,
    published_by_id: int | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Make the row of the next version of a definition."""
    moment = clock.to_utc(now)
    return {
        "id": new_id(),
        "kind": key.kind,
        "name": key.name,
        "region": key.region,
        "version": max((version.version for version in history), default=0) + 1,
        "sha256": sha256_of(content),
        "content": content,
        "status": status,
        "origin": origin,
        "note": note,
        "published_by_id": published_by_id,
        "effective_from_utc": moment,
        "created_at_utc": moment,
    }
