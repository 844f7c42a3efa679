"""Batch files."""

from __future__ import annotations

from app import clock
from app.services import batch_run, batch_submission
from jobs.context import in_application


@in_application
def process(batch_id: int) -> None:
    """Work through an uploaded file; a second run finds what is left of it, or nothing."""
    batch_run.run(batch_id)


@in_application
def submit(run_id: int) -> None:
    """Submit a batch as a whole; a second job finds it done."""
    batch_submission.run(run_id, clock.now())
