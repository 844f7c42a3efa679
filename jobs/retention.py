"""What is kept for a while only."""

from __future__ import annotations

from app import clock
from app.services import retention
from jobs.context import in_application


@in_application
def forget(daily: str) -> None:
    """Forget what is due, with `daily` also documents and files; a second job finds nothing more."""
    retention.forget(clock.now(), daily=bool(daily))
