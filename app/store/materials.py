"""Rows of `material`: the supporting documents of a case; their bytes lie in the file store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from app.extensions import db
from app.store import session
from app.store.models import Declaration, Material, User
from app.store.rows import values_of

RECEIVED, JOINING, READY, REFUSED, REMOVED = "received", "joining", "ready", "refused", "removed"


@dataclass(slots=True)
class MaterialRow:
    """One document. `state`: received, joining, ready (drawn), refused, removed (kept as evidence).

    `scan`: none, clean, infected. `pages` counts the document's pages, 0 until it is ready.
    """

    id: int
    declaration_id: int
    item: str
    file_name: str
    file_key: str
    media_type: str
    size_bytes: int
    sha256: str
    uploaded_by_id: int
    created_at_utc: datetime
    state: str = RECEIVED
    pages: int = 0
    thumbnail_key: str | None = None
    message: str = ""
    scan: str = "none"


@dataclass(frozen=True, slots=True)
class MaterialPlace:
    """A document with what decides who may see it."""

    row: MaterialRow
    reference: str
    region: str
    employer_id: int
    channel: str
    submitted_at_utc: datetime | None


_TABLE = Material.__table__
_COLUMNS = tuple(_TABLE.c[name] for name in MaterialRow.__slots__)


def add_material(row: MaterialRow) -> None:
    """Insert one document."""
    add_materials([row])


def add_materials(rows: Sequence[MaterialRow]) -> None:
    """Insert documents in one statement."""
    session.insert_rows(Material, [values_of(row) for row in rows])


def find_received(file_key: str) -> MaterialRow | None:
    """Find a row of a document that nobody has prepared yet."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(Material.file_key == file_key, Material.state == RECEIVED)
        .order_by(Material.id)
        .limit(1)
    ).first()
    return None if row is None else MaterialRow(*row)


def list_materials(declaration_id: int) -> list[tuple[MaterialRow, str]]:
    """List a case's documents that were not removed, oldest first, each with the uploader's name."""
    rows = db.session.execute(
        select(*_COLUMNS, User.name)
        .join(User.__table__, User.id == Material.uploaded_by_id)
        .where(Material.declaration_id == declaration_id, Material.state != REMOVED)
        .order_by(Material.id)
    )
    return [(MaterialRow(*tuple(row)[:-1]), row[-1]) for row in rows]


def find_place(material_id: int) -> MaterialPlace | None:
    """Find one document, removed or not, with the case that it belongs to."""
    row = db.session.execute(
        select(
            *_COLUMNS,
            Declaration.reference,
            Declaration.region,
            Declaration.employer_id,
            Declaration.channel,
            Declaration.submitted_at_utc,
        )
        .join(Declaration.__table__, Declaration.id == Material.declaration_id)
        .where(Material.id == material_id)
    ).first()
    if row is None:
        return None
    values, width = tuple(row), len(_COLUMNS)
    return MaterialPlace(MaterialRow(*values[:width]), *values[width:])


def hold_material(material_id: int) -> MaterialRow | None:
    """Load one document and hold it until the commit; None where there is none."""
    row = db.session.execute(session.lock(select(*_COLUMNS).where(Material.id == material_id))).first()
    return None if row is None else MaterialRow(*row)


def set_material(material_id: int, **values: Any) -> None:
    """Change some of a document's columns."""
    db.session.execute(update(_TABLE).where(_TABLE.c.id == material_id).values(**values))


def delete_materials(ids: Sequence[int]) -> None:
    """Remove rows that nobody has acted upon."""
    db.session.execute(delete(_TABLE).where(_TABLE.c.id.in_(ids)))
