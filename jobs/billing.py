"""Assessments of whole regions, and what late figures change in them."""

from __future__ import annotations

from app import clock
from app.services import adjustment_runs, assessment_runs
from jobs.context import in_application


@in_application
def assess(run_id: int) -> None:
    """Assess what a run asks for; a second job charges nobody twice."""
    assessment_runs.run(run_id, clock.now())


@in_application
def adjust(run_id: int) -> None:
    """Count or write what late figures change, as the run's kind says; a second job does nothing twice."""
    adjustment_runs.run(run_id, clock.now())
