"""Text messages."""

from __future__ import annotations

from app import clock
from app.services import sms
from jobs.context import in_application


@in_application
def deliver(outbox_id: int) -> None:
    """Send the message that an outbox row asks for; a second run finds it done."""
    sms.deliver(outbox_id, clock.now())
