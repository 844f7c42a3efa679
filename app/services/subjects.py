"""Whom a case is about, and the region's words for what a check finds at its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from app.domain.declaration import KINDS, PEOPLE, PERSON, kind_object
from app.domain.enrolment import COUNTER_CHANNEL
from app.domain.identity import CITIZEN_CARD, check_document
from app.domain.life import DEAD, check_living
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict, problem_text
from app.errors import FieldError, OpenCase
from app.formspec.form import Form
from app.services.cases import Case
from app.services.objects import many_keys, open_key
from app.store import declarations
from app.store.business import first_open, hold_person
from app.store.crypto import blind
from app.store.declarations import DeclarationRow
from app.store.session import in_transaction

# a kind that waits for everything else says so by a code that ends like this
OPEN_CASE = ".open_case"
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


def identify_held(case: Case) -> None:
    """As `identify`; inside a transaction the person is held until its end, and read again."""
    identify(case)
    if case.declaration.person_id is not None and in_transaction():
        hold_person(case.declaration.person_id)
        case.registry.forget_people()
        identify(case)


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
    verdict = replace(verdict, problems=tuple(_naming(case, each) for each in verdict.problems))
    key = open_key(case)
    # the kind's own words may have named the other case already
    if key is None or any(each.code.endswith(OPEN_CASE) for each in verdict.problems):
        return verdict
    case.registry.read_open([key])
    if case.registry.open_keys[key] in (None, case.declaration.reference):
        return verdict
    return Verdict((*verdict.problems, one_open(case, key, code)), verdict.warnings)


def one_open(case: Case, key: str, code: str) -> Problem:
    """Why nothing else can be filed while another declaration holds the key.

    Which one it is, is told to its own employer and at the counter: who else employs somebody is not for
    another employer to know.
    """
    holder = case.registry.open_keys.get(key)
    found = declarations.find_declaration(holder) if holder is not None else None
    return Problem(code, "id_number", _told(case, found))


def _naming(case: Case, problem: Problem) -> Problem:
    """A refusal of a kind's own rules for what else is open, with the case that has to end first."""
    if not problem.code.endswith(OPEN_CASE):
        return problem
    row = case.declaration
    reference = first_open(row.person_hash, row.employer_id, row.region, row.reference)
    found = None if reference is None else declarations.find_declaration(reference)
    return replace(problem, params={**problem.params, **_told(case, found)})


def _told(case: Case, found: DeclarationRow | None) -> dict[str, str]:
    row = case.declaration
    at_counter = row.channel == COUNTER_CHANNEL
    if found is None or (found.employer_id != row.employer_id and not at_counter):
        return {}
    told = {"open_reference": found.reference, "open_kind": case.parameters.kind_label(found.kind)}
    # what an employer has not submitted is not for the agency to open
    kept = at_counter and found.channel != COUNTER_CHANNEL and found.submitted_at_utc is None
    return {**told, "open_kept": "1"} if kept else told


def held_by_another(case: Case) -> FieldError:
    """What the database said when it refused a second open declaration, in the words of the case's kind.

    Reads who holds the object now; nobody does where that one ended meanwhile.
    """
    kind = case.declaration.kind
    about = kind_object(kind) if kind in KINDS else ""
    many, own = about == PEOPLE, f"{kind}.one_open"
    code = "enrol.one_open" if about == PERSON else "form.one_open"
    if own in case.parameters.messages and not many:
        code = own
    keys = sorted(many_keys(case)) if many else [open_key(case) or ""]
    case.registry.open_keys.clear()
    case.registry.read_open(keys)
    key = next((each for each in keys if case.registry.open_keys.get(each)), "")
    return field_errors([one_open(case, key, code)], case.parameters, case.bundle.form(kind))[0]


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
        FieldError(
            _place(problem.field, form), problem.code, problem_text(parameters, problem), _in_the_way(problem)
        )
        for problem in problems
    ]


def _in_the_way(problem: Problem) -> OpenCase | None:
    reference = problem.params.get("open_reference")
    if not reference:
        return None
    return OpenCase(reference, problem.params["open_kind"], "open_kept" in problem.params)


def _place(name: str, form: Form) -> str:
    if name in form.by_name:
        return name
    other = _ALIASES.get(name, "")
    return other if other in form.by_name else ""


def warnings_as_facts(found: Sequence[Problem]) -> list[dict[str, Any]]:
    """Findings as the case keeps them: codes and figures, so that the words stay the region's."""
    return [{"code": each.code, "field": each.field, "params": dict(each.params)} for each in found]
