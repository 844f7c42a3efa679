"""What a kind of declaration brings along: how its form is judged, settled, tried out and accepted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.formspec.form import Form
from app.services import subjects
from app.services.cases import Case
from app.services.results import Amounts

KEPT = "form.accept"
Result = dict[str, Any] | None
Subjects = Sequence[tuple[str, tuple[str, ...]]]


def keep(case: Case, _day: date, now: datetime) -> Result:
    """Keep the accepted form as the record: nothing else changes, and it counts once."""
    row = case.declaration
    case.effect_once(KEPT, now, {})
    row.result_code = f"{row.kind}.accepted"
    row.result_message = case.message(row.result_code)
    return None


def _identify(case: Case, _today: date) -> None:
    subjects.identify(case)


def _nothing(_fields: Collection[str], _parameters: ParameterSet, _today: date) -> dict[str, Any]:
    return {}


def _nothing_known(_form: Form, _kind: str, _employer_id: int, _person_id: int | None) -> dict[str, Any]:
    return {}


def _always_open(_parameters: ParameterSet, _today: date) -> Problem | None:
    return None


@dataclass(frozen=True, slots=True)
class Handling:
    """How the services treat the forms of one kind. All but `accept` reads the case and its registry only.

    Shape: `judge` says what refuses and what warns on a day; `settle` fixes, from an accepted form, the
    facts that the case keeps and gives what the diagram is told; `trial` calculates what filing would
    charge or give back, None where the form does not say enough yet; `trial_at_decision` the same for an
    approval after the day of submission, where that changes it; `accept` enters what was approved into the
    registry, by the day of submission and the moment of the decision, sets result code and message, and
    gives what the diagram is told; `notifies` has the employer's operators told of it;
    `prepare` puts into the form what follows from the registry and the day; `defaults` is what a blank
    form starts with, of its fields; `current` is what the registry already knows of the employer, or of a
    person picked from its roster; `closed` says why no form of the kind is taken from employers today;
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
    accept: Callable[[Case, date, datetime], Result] = keep
    notifies: bool = False


Handlings = Mapping[str, Handling]
