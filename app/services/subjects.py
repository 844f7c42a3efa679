"""Whom a case is about, and the region's words for what a check finds at its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from app.domain.identity import CITIZEN_CARD, check_document
from app.domain.life import DEAD, check_living
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict, problem_text
from app.errors import FieldError
from app.formspec.form import Form
from app.services.cases import Case
from app.services.objects import open_key
from app.store.crypto import blind

# a rule speaks of the month; some regions ask for the day instead
_ALIASES = {"start_month": "start_date", "stop_month": "stop_date"}


def identify(case: Case) -> None:
    """Find whom the form is about: blind index, record, and the name where the form does not ask it."""
    number = str(case.data.get("id_number") or "")
    row = case.declaration
    row.person_hash = blind(number) if number else None
    if row.person_hash is None:
        return
    records = case.registry.records(row.person_hash, row.region)
    row.person_id = records[0].id if len(records) == 1 else None
    if len(records) == 1:
        # the number of a record that was merged: the case is about the one that stays
        row.person_hash = records[0].id_hash
    if len(records) == 1 and not case.data.get("name"):
        case.data["name"] = records[0].name
        row.person_name = records[0].name


def is_number(data: Mapping[str, Any], today: date) -> bool:
    """Whether the typed number can be looked up already."""
    number = str(data.get("id_number") or "")
    return bool(number) and check_document(str(data.get("id_type") or CITIZEN_CARD), number, today).valid


def with_open_case(case: Case, verdict: Verdict, code: str = "enrol.one_open") -> Verdict:
    """The verdict, with a refusal where another declaration about the same object is still open.

    About somebody who died that is the only refusal.
    """
    dead = _dead(case)
    if dead is not None:
        return Verdict((dead,))
    key = open_key(case)
    if key is None:
        return verdict
    case.registry.read_open([key])
    if case.registry.open_keys[key] in (None, case.declaration.reference):
        return verdict
    return Verdict((*verdict.problems, Problem(code, "id_number")), verdict.warnings)


def _dead(case: Case) -> Problem | None:
    """Why nothing can be filed about a person who died, in this region or another one; else None."""
    row = case.declaration
    if row.person_hash is None:
        return None
    case.registry.read_people([row.person_hash])
    records = case.registry.people[row.person_hash]
    gone = [each for each in records if each.life_status == DEAD]
    own = next((each for each in gone if each.region == row.region), None)
    return check_living(row.kind, DEAD, own.died_on if own else None) if gone else None


def field_errors(problems: Iterable[Problem], parameters: ParameterSet, form: Form) -> list[FieldError]:
    """The region's words for findings, each at a field that the form has ("" for the whole form)."""
    return [
        FieldError(_place(problem.field, form), problem.code, problem_text(parameters, problem))
        for problem in problems
    ]


def _place(name: str, form: Form) -> str:
    if name in form.by_name:
        return name
    other = _ALIASES.get(name, "")
    return other if other in form.by_name else ""


def warnings_as_facts(found: Sequence[Problem]) -> list[dict[str, Any]]:
    """Findings as the case keeps them: codes and figures, so that the words stay the region's."""
    return [{"code": each.code, "field": each.field, "params": dict(each.params)} for each in found]
