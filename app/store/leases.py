"""Leases: one holder at a time of a named piece of background work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from app.extensions import db
from app.store import session
from app.store.models import Lease

_TABLE = Lease.__table__


def take_lease(name: str, holder: str, now_utc: datetime, until_utc: datetime) -> int | None:
    """Take or keep a lease; gives its fence (raised when the holder changes), None while another has it."""
    row = db.session.execute(
        session.lock(select(_TABLE.c.holder, _TABLE.c.fence, _TABLE.c.until_utc).where(_TABLE.c.name == name))
    ).first()
    if row is None:
        session.insert_rows(Lease, [{"name": name, "holder": holder, "fence": 1, "until_utc": until_utc}])
        return 1
    if row.holder != holder and row.until_utc > now_utc:
        return None
    fence = int(row.fence) + (row.holder != holder)
    db.session.execute(
        update(_TABLE).where(_TABLE.c.name == name).values(holder=holder, fence=fence, until_utc=until_utc)
    )
    return fence


def drop_lease(name: str, holder: str, now_utc: datetime) -> None:
    """Give a lease back, so that the next holder need not wait."""
    db.session.execute(
        update(_TABLE).where(_TABLE.c.name == name, _TABLE.c.holder == holder).values(until_utc=now_utc)
    )


def find_lease(name: str) -> tuple[str, datetime] | None:
    """Who holds a lease, and until when."""
    row = db.session.execute(select(_TABLE.c.holder, _TABLE.c.until_utc).where(_TABLE.c.name == name)).first()
    return None if row is None else (row.holder, row.until_utc)
