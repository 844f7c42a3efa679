"""Supporting documents: scanned and drawn, joined."""

from __future__ import annotations

from app import clock
from app.services import material_work
from jobs.context import in_application


@in_application
def prepare(outbox_id: int) -> None:
    """Scan a new document and draw its pages; a second run finds it done."""
    material_work.prepare(outbox_id, clock.now())


@in_application
def join(outbox_id: int) -> None:
    """Make one PDF of several pictures; a second run finds it done."""
    material_work.join(outbox_id, clock.now())
