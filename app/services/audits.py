"""The agency's acts on tasks: claim, release, decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.services.actors import Actor
from app.services.results import Receipt, TaskView


def claim(actor: Actor, task_id: int, now: datetime) -> TaskView:
    """Take a task. Raises: Conflict (somebody was faster), Forbidden (own case, role), NotFound."""
    raise NotImplementedError


def release(actor: Actor, task_id: int, now: datetime) -> None:
    """Put a claimed task back. Raises: Conflict, NotFound."""
    raise NotImplementedError


def claim_next(actor: Actor, now: datetime, filters: Mapping[str, Any] | None = None) -> TaskView | None:
    """Take the most urgent unclaimed task in scope; None where there is none."""
    raise NotImplementedError


def decide(
    actor: Actor,
    task_id: int,
    decision: str,
    opinion: str,
    return_fields: Sequence[str],
    now: datetime,
) -> Receipt:
    """Approve, reject or return a case (`decision` approve, reject, return).

    An unclaimed task is taken and decided at once. Raises: Rejected (`opinion`, `return_fields`,
    `decision`), Conflict, Forbidden (own case), NotFound, ServiceFailure.
    """
    raise NotImplementedError
