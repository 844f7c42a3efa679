"""Batch files."""

from __future__ import annotations

from app.services import batch_run
from jobs.context import in_application


@in_application
def process(batch_id: int) -> None:
    """Work through an uploaded file; a second run finds what is left of it, or nothing."""
    batch_run.run(batch_id)
