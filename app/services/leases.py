"""Who may do a named piece of background work now: the database decides, by the machine's clock."""

from __future__ import annotations

from datetime import timedelta

from app import clock
from app.store import leases as store
from app.store.session import transaction

SCHEDULER = "scheduler"


def hold(name: str, holder: str, seconds: int) -> bool:
    """Take or keep a lease; False while another holder has it."""
    now = clock.real_utcnow()
    with transaction():
        return store.take_lease(name, holder, now, now + timedelta(seconds=seconds)) is not None


def drop(name: str, holder: str) -> None:
    """Give a lease back."""
    with transaction():
        store.drop_lease(name, holder, clock.real_utcnow())
