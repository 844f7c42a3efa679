"""What each kind of declaration brings along: how its form is judged, settled and tried out.

A new kind adds its own module, one entry here and its services in `service_tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.problem import Verdict
from app.services import enrolling, subjects
from app.services.cases import Case
from app.services.results import Amounts


@dataclass(frozen=True, slots=True)
class Handling:
    """How the services treat the forms of one kind. All of it reads the case and its registry only.

    Shape: `judge` says what refuses and what warns on a day; `settle` fixes, from an accepted form, the
    facts that the case keeps and gives what the diagram is told; `trial` calculates what filing would
    charge or give back, None where the form does not say enough yet; `identify` finds whom it is about.
    """

    judge: Callable[[Case, date], Verdict]
    settle: Callable[[Case, date], dict[str, Any]]
    trial: Callable[[Case, date], Amounts | None]
    identify: Callable[[Case], None] = subjects.identify


HANDLINGS: Mapping[str, Handling] = {
    "enrol": Handling(enrolling.judge, enrolling.settle, enrolling.trial_of),
}


def handling(kind: str) -> Handling:
    """How a kind is treated. Raises: KeyError for a kind that has no rules of its own."""
    return HANDLINGS[kind]
