"""Rows of `event` (what happened to a case) and `effect` (what it did to the registry)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.store import session
from app.store.models import Declaration, Effect, Event
from app.store.rows import values_of


@dataclass(slots=True)
class EventRow:
    """One step; an element's own step has its ids, a person's act on the case has none."""

    id: int
    declaration_id: int
    action: str
    at_utc: datetime
    process_id: str = ""
    element_id: str = ""
    element_name: str = ""
    actor_id: int | None = None
    actor_name: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class EffectRow:
    """A change of the registry; its key makes it happen once."""

    declaration_id: int
    effect: str
    at_utc: datetime
    result: dict[str, Any] = field(default_factory=dict)


def add_events(rows: Sequence[EventRow]) -> None:
    """Insert steps in one statement."""
    session.insert_rows(Event, [values_of(row) for row in rows])


def add_effects(rows: Sequence[EffectRow]) -> None:
    """Insert effects in one statement; a second one of the same name breaks the unique rule `effect`."""
    session.insert_rows(Effect, [values_of(row) for row in rows])


def list_events(declaration_id: int) -> list[EventRow]:
    """List a case's history, oldest first."""
    columns = [Event.__table__.c[name] for name in EventRow.__slots__]
    rows = db.session.execute(
        select(*columns).where(Event.declaration_id == declaration_id).order_by(Event.id)
    )
    return [EventRow(*row) for row in rows]


def effects_of_employer(employer_id: int, effect: str) -> list[tuple[str, datetime, dict[str, Any]]]:
    """What an effect of an employer's declarations left on record, newest first.

    Shape: reference, moment, result.
    """
    rows = db.session.execute(
        select(Declaration.reference, Effect.at_utc, Effect.result)
        .join(Declaration, Declaration.id == Effect.declaration_id)
        .where(Declaration.employer_id == employer_id, Effect.effect == effect)
        .order_by(Effect.at_utc.desc(), Effect.declaration_id.desc())
    )
    return [(row[0], row[1], row[2]) for row in rows]


def effect_results(declaration_ids: Sequence[int], effect: str) -> dict[int, dict[str, Any]]:
    """What an effect of several declarations left on record: {declaration: result}; one statement."""
    if not declaration_ids:
        return {}
    rows = db.session.execute(
        select(Effect.declaration_id, Effect.result).where(
            Effect.declaration_id.in_(declaration_ids), Effect.effect == effect
        )
    )
    return {row[0]: row[1] for row in rows}
