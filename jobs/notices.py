"""Notices to operators."""

from __future__ import annotations

from app import clock
from app.services import notices
from jobs.context import in_application


@in_application
def deliver(outbox_id: int) -> None:
    """Write the notice that an outbox row asks for; a second run finds it done."""
    notices.deliver(outbox_id, clock.now())
