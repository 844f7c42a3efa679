"""Whom open declarations keep others away from, where a declaration may be about many people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from app.extensions import db
from app.store.ids import new_id
from app.store.models import DeclarationObject
from app.store.session import insert_rows


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One person (or employer) of a declaration; `person_hash` only where the declaration is about many."""

    declaration_id: int
    open_key: str
    person_hash: bytes | None = None


def add_objects(rows: Sequence[ObjectRow]) -> None:
    """Claim objects, in one statement; one that another open declaration holds is refused."""
    insert_rows(
        DeclarationObject,
        [
            {
                "id": new_id(),
                "declaration_id": row.declaration_id,
                "open_key": row.open_key,
                "person_hash": row.person_hash,
            }
            for row in rows
        ],
    )


def drop_objects(declaration_ids: Collection[int]) -> None:
    """Forget whom declarations are about, in one statement: they are decided, or about somebody else now."""
    if declaration_ids:
        db.session.execute(
            delete(DeclarationObject)
            .where(DeclarationObject.declaration_id.in_(declaration_ids))
            .execution_options(synchronize_session=False)
        )


def release_objects(declaration_ids: Collection[int]) -> None:
    """Let go of what declarations held, and keep whom they were about, in one statement."""
    if declaration_ids:
        db.session.execute(
            update(DeclarationObject)
            .where(DeclarationObject.declaration_id.in_(declaration_ids))
            .values(open_key=None)
            .execution_options(synchronize_session=False)
        )


def declarations_about(person_hash: bytes) -> list[int]:
    """The ids of declarations about many people that this person was among, oldest first."""
    query = (
        select(DeclarationObject.declaration_id)
        .where(DeclarationObject.person_hash == person_hash)
        .order_by(DeclarationObject.declaration_id)
    )
    return list(db.session.scalars(query))
