"""Rows of `incident`: actions that failed through nobody's input."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from app.extensions import db
from app.store import session
from app.store.models import Incident
from app.store.rows import values_of

OPEN, RESOLVED = "open", "resolved"


@dataclass(slots=True)
class IncidentRow:
    """One incident; `action_cipher` holds what was tried and by whom, encrypted."""

    id: int
    action: str
    action_cipher: bytes
    message: str
    created_at_utc: datetime
    region: str = ""
    declaration_id: int | None = None
    batch_id: int | None = None
    element_id: str = ""
    detail: str = ""
    status: str = OPEN
    attempts: int = 1
    actor_id: int | None = None
    resolved_at_utc: datetime | None = None
    resolved_by_id: int | None = None


_TABLE = Incident.__table__
_COLUMNS = tuple(_TABLE.c[name] for name in IncidentRow.__slots__)


def add_incident(row: IncidentRow) -> None:
    """Insert one incident."""
    session.insert_rows(Incident, [values_of(row)])


def find_incident(incident_id: int) -> IncidentRow | None:
    """Find one incident."""
    row = db.session.execute(select(*_COLUMNS).where(Incident.id == incident_id)).first()
    return None if row is None else IncidentRow(*row)


def hold_incident(incident_id: int) -> IncidentRow | None:
    """Find one incident and hold it until the commit."""
    row = db.session.execute(session.lock(select(*_COLUMNS).where(Incident.id == incident_id))).first()
    return None if row is None else IncidentRow(*row)


def find_open_of(declaration_id: int, action: str | None = None) -> int | None:
    """Find the newest open incident of a declaration (and action)."""
    statement = select(Incident.id).where(Incident.declaration_id == declaration_id, Incident.status == OPEN)
    if action is not None:
        statement = statement.where(Incident.action == action)
    return db.session.execute(statement.order_by(Incident.id.desc()).limit(1)).scalar()


def set_failed_again(incident_id: int, message: str, detail: str, action_cipher: bytes) -> None:
    """Count another failure of the same action."""
    db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == incident_id)
        .values(attempts=_TABLE.c.attempts + 1, message=message, detail=detail, action_cipher=action_cipher)
    )


def set_resolved(incident_id: int, user_id: int | None, now_utc: datetime) -> None:
    """Close an incident."""
    db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == incident_id)
        .values(status=RESOLVED, resolved_at_utc=now_utc, resolved_by_id=user_id)
    )


def set_resolved_of(declaration_ids: Sequence[int], now_utc: datetime) -> None:
    """Close the open incidents of cases that went on."""
    db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.declaration_id.in_(declaration_ids), _TABLE.c.status == OPEN)
        .values(status=RESOLVED, resolved_at_utc=now_utc)
    )


def list_incidents(
    status: str, regions: Collection[str] | None, before_id: int | None, limit: int
) -> list[IncidentRow]:
    """List incidents, newest first, in pages by id; `regions` None means all."""
    statement = select(*_COLUMNS).where(Incident.status == status)
    if regions is not None:
        statement = statement.where(Incident.region.in_(regions))
    if before_id is not None:
        statement = statement.where(Incident.id < before_id)
    return [
        IncidentRow(*row) for row in db.session.execute(statement.order_by(Incident.id.desc()).limit(limit))
    ]


def count_open() -> int:
    """Count open incidents, for the doctor."""
    return int(
        db.session.execute(select(func.count()).select_from(_TABLE).where(_TABLE.c.status == OPEN)).scalar()
        or 0
    )
