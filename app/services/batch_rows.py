"""Rows of a batch file as they are judged before any case is made: read, checked, and each number once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.enrolment import person_type
from app.domain.identity import normalise
from app.domain.parameters import ParameterSet
from app.errors import Conflict, FieldError, Rejected
from app.formspec.form import Form
from app.formspec.parse import cell_text
from app.formspec.rows import Row, check_row

DUPLICATE, FAILED, OTHERS = "import.duplicate_row", "import.row_failed", "import.other_rows_bad"
_NUMBER = "id_number"


@dataclass(frozen=True, slots=True)
class Checked:
    """A row with its typed data, or with the refusals that keep it out; `cells` as they came."""

    row: Row
    data: Mapping[str, Any]
    errors: Sequence[FieldError]

    @property
    def cells(self) -> dict[str, str]:
        return {name: cell_text(value) for name, value in self.row.cells.items()}


def complete_settings(form: Form, settings: Mapping[str, Any], parameters: ParameterSet) -> dict[str, Any]:
    """Return what is the same for all rows, with what follows from it: the funds decide the person type."""
    values = dict(settings)
    if "person_type" in form.by_name and "person_type" not in values and values.get("funds"):
        values["person_type"] = person_type(parameters, list(values["funds"]))
    return values


def find_repeated(rows: Iterable[Row]) -> dict[int, int]:
    """Return which rows carry a number that an earlier row has: row number -> the earlier one's."""
    first: dict[str, int] = {}
    repeated: dict[int, int] = {}
    for row in rows:
        number = normalise(cell_text(row.cells.get(_NUMBER, "")))
        if number and first.setdefault(number, row.number) != row.number:
            repeated[row.number] = first[number]
    return repeated


def check_rows(
    form: Form,
    rows: Iterable[Row],
    today: date,
    settings: Mapping[str, Any],
    repeated: Mapping[int, int],
    parameters: ParameterSet,
) -> list[Checked]:
    """Read and check rows as the page checks a form; the day is the one of the upload."""
    checked = []
    for row in rows:
        data, errors = check_row(form, row, today, settings)
        if row.number in repeated and not any(each.field == _NUMBER for each in errors):
            words = parameters.message(DUPLICATE).format(row=repeated[row.number])
            errors = [*errors, FieldError(_NUMBER, DUPLICATE, words)]
        checked.append(Checked(row, data, errors))
    return checked


def reasons_of(error: Exception, parameters: ParameterSet) -> list[FieldError]:
    """A refusal of a case as the refusals of its row; what is nobody's input is said in general words."""
    if isinstance(error, Rejected):
        return list(error.errors)
    if isinstance(error, Conflict):
        return [FieldError("", "conflict", str(error))]
    return [FieldError("", FAILED, parameters.message(FAILED))]


def as_documents(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Refusals as they are kept with a row."""
    return [{"field": each.field, "code": each.code, "message": each.full_message} for each in errors]
