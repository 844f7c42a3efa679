"""What each kind of declaration brings along: how its form is judged, settled and tried out.

A new kind adds its own module, one entry here and its services in `service_tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.formspec.form import Form
from app.services import (
    basing,
    collecting,
    collection_cancelling,
    enrolling,
    registering,
    retiring,
    reverting,
    stopping,
    subjects,
    updating,
    withdrawing,
)
from app.services.cases import Case
from app.services.results import Amounts


def _identify(case: Case, _today: date) -> None:
    subjects.identify(case)


def _nothing(_fields: Collection[str], _parameters: ParameterSet, _today: date) -> dict[str, Any]:
    return {}


def _nothing_known(_form: Form, _kind: str, _employer_id: int, _person_id: int | None) -> dict[str, Any]:
    return {}


def _always_open(_parameters: ParameterSet, _today: date) -> Problem | None:
    return None


Subjects = Sequence[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Handling:
    """How the services treat the forms of one kind. All of it reads the case and its registry only.

    Shape: `judge` says what refuses and what warns on a day; `settle` fixes, from an accepted form, the
    facts that the case keeps and gives what the diagram is told; `trial` calculates what filing would
    charge or give back, None where the form does not say enough yet; `trial_at_decision` the same for an
    approval after the day of submission, where that changes it; `prepare` puts into the form what
    follows from the registry and the day; `defaults` is what a blank form starts with, of its fields;
    `current` is what the registry already knows of the employer, or of a person picked from its roster;
    `closed` says why no form of the kind is taken from employers today;
    `subjects` names what was checked, by the beginnings of the codes that speak of it.
    """

    judge: Callable[[Case, date], Verdict]
    settle: Callable[[Case, date], dict[str, Any]]
    trial: Callable[[Case, date], Amounts | None]
    trial_at_decision: Callable[[Case, date, date], Amounts | None] | None = None
    prepare: Callable[[Case, date], None] = _identify
    defaults: Callable[[Collection[str], ParameterSet, date], dict[str, Any]] = _nothing
    current: Callable[[Form, str, int, int | None], dict[str, Any]] = _nothing_known
    subjects: Subjects = ()
    closed: Callable[[ParameterSet, date], Problem | None] = _always_open


_STOP = Handling(
    stopping.judge,
    stopping.settle,
    stopping.trial_of,
    prepare=stopping.prepare,
    defaults=stopping.defaults,
    subjects=stopping.SUBJECTS,
)
_BASE = Handling(
    basing.judge,
    basing.settle,
    basing.trial_of,
    prepare=basing.prepare,
    defaults=basing.defaults,
    subjects=basing.SUBJECTS,
)
_UPDATE = Handling(
    updating.judge,
    updating.settle,
    updating.trial_of,
    prepare=updating.prepare,
    current=updating.current,
    subjects=updating.PERSON_SUBJECTS,
)
HANDLINGS: Mapping[str, Handling] = {
    "enrol": Handling(
        enrolling.judge,
        enrolling.settle,
        enrolling.trial_of,
        trial_at_decision=enrolling.trial_of,
        subjects=enrolling.SUBJECTS,
    ),
    "stop": _STOP,
    "stop_retiree": _STOP,
    "base": _BASE,
    "base_annual": replace(_BASE, defaults=basing.annual_defaults, closed=basing.closed_today),
    "collection": Handling(
        collecting.judge, collecting.settle, collecting.trial_of, subjects=collecting.SUBJECTS
    ),
    "collection_cancel": Handling(
        collection_cancelling.judge,
        collection_cancelling.settle,
        collection_cancelling.trial_of,
        prepare=collection_cancelling.prepare,
        subjects=collection_cancelling.SUBJECTS,
    ),
    "person_record": Handling(
        registering.judge, registering.settle, registering.trial_of, subjects=enrolling.SUBJECTS[:1]
    ),
    "person_update": _UPDATE,
    "employer_update": replace(_UPDATE, subjects=updating.EMPLOYER_SUBJECTS),
    "revert": Handling(
        reverting.judge,
        reverting.settle,
        reverting.trial_of,
        prepare=reverting.prepare,
        subjects=reverting.SUBJECTS,
    ),
    "retirement": Handling(retiring.judge, retiring.settle, retiring.trial_of, subjects=retiring.SUBJECTS),
    "withdrawal": Handling(
        withdrawing.judge,
        withdrawing.settle,
        withdrawing.trial_of,
        prepare=withdrawing.prepare,
        subjects=withdrawing.SUBJECTS,
    ),
}


def handling(kind: str) -> Handling:
    """How a kind is treated. Raises: KeyError for a kind that has no rules of its own."""
    return HANDLINGS[kind]
