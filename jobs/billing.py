"""Assessments of whole regions."""

from __future__ import annotations

from app import clock
from app.services import assessment_runs
from jobs.context import in_application


@in_application
def assess(run_id: int) -> None:
    """Assess what a run asks for; a second job charges nobody twice."""
    assessment_runs.run(run_id, clock.now())
