"""The old base of the undeclared, carried on for whole regions."""

from __future__ import annotations

from app import clock
from app.services import carry_runs
from jobs.context import in_application


@in_application
def carry(run_id: int) -> None:
    """File for the employers of a run; a second job files for nobody twice."""
    carry_runs.run(run_id, clock.now())
