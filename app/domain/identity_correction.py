"""May number, name, sex or birth date of a person be corrected, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import month_of
from app.domain.identity import check_document, normalise_name
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.retirement import statutory_month

ID_TYPE, ID_NUMBER, NAME, SEX, BIRTH_DATE = "id_type", "id_number", "name", "sex", "birth_date"


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """Who a person is on record: document, name, sex (1 male, 2 female), birth date."""

    id_type: str
    id_number: str
    name: str
    sex: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class CorrectionFacts:
    """What the registry knows around a correction.

    Shape: `matches` counts the records of the number that was typed; `holders` are the person numbers of
    other records that have the new number already; `open_kinds` are the person's other open declarations;
    `employed` says whether the person is insured at the employer that files.
    """

    matches: int
    holders: Sequence[str] = ()
    open_kinds: Sequence[str] = ()
    employed: bool = True
    retired: bool = False
    post_category: str = ""


def changed_values(old: IdentityFacts, new: IdentityFacts) -> list[str]:
    """The names of the values that a correction really changes, in a fixed order."""
    pairs = (
        (ID_TYPE, old.id_type, new.id_type),
        (ID_NUMBER, old.id_number, new.id_number),
        (NAME, normalise_name(old.name), normalise_name(new.name)),
        (SEX, old.sex, new.sex),
        (BIRTH_DATE, old.birth_date.isoformat(), new.birth_date.isoformat()),
    )
    return [name for name, before, after in pairs if before != after]


def retirement_months(
    params: ParameterSet, old: IdentityFacts, new: IdentityFacts, post_category: str = ""
) -> tuple[str, str]:
    """The statutory retirement month before and after a correction."""
    before, after = (statutory_month(params, each.birth_date, each.sex, post_category) for each in (old, new))
    return before, after


def check_identity_correction(
    params: ParameterSet,
    old: IdentityFacts | None,
    new: IdentityFacts | None,
    known: CorrectionFacts,
    today: date,
) -> Verdict:
    """Judge a correction; `old` and `new` are None where the number names nobody, or several records.

    A number that another record has already is no correction: the two records are one person and wait
    for a merge, or the number is wrong. Source: PRACTICE 3 (identity_correction).
    """
    if known.matches > 1:
        return Verdict((Problem("person.duplicate", "id_number"),))
    if old is None or new is None:
        return Verdict((Problem("identity_correction.unknown", "id_number"),))
    changed = changed_values(old, new)
    problems = [*_document(new, changed, today), *_around(params, known)]
    if not changed:
        problems.append(Problem("identity_correction.nothing_changed"))
    return Verdict(tuple(problems), tuple(_warnings(params, old, new, known, today)))


def _document(new: IdentityFacts, changed: Sequence[str], today: date) -> list[Problem]:
    found: list[Problem] = []
    identity = check_document(new.id_type, new.id_number, today)
    if not identity.valid:
        return [Problem(f"identity.{identity.reason}", "new_id_number")]
    if identity.birth_date not in (None, new.birth_date):
        found.append(Problem("enrol.birth_date_differs", "new_birth_date"))
    if identity.sex not in (None, new.sex):
        found.append(Problem("enrol.sex_differs", "new_sex"))
    if new.birth_date > today and BIRTH_DATE in changed:
        found.append(Problem("identity_correction.birth_future", "new_birth_date"))
    return found


def _around(params: ParameterSet, known: CorrectionFacts) -> list[Problem]:
    found: list[Problem] = []
    if known.holders:
        numbers = "、".join(known.holders)
        found.append(Problem("identity_correction.collision", "new_id_number", {"person_no": numbers}))
    if known.open_kinds:
        kinds = "、".join(params.kind_label(kind) for kind in known.open_kinds)
        found.append(Problem("identity_correction.open_case", "id_number", {"kinds": kinds}))
    return found


def _warnings(
    params: ParameterSet, old: IdentityFacts, new: IdentityFacts, known: CorrectionFacts, today: date
) -> list[Problem]:
    found: list[Problem] = []
    if not known.employed:
        found.append(Problem("identity_correction.not_of_employer", "id_number"))
    before, after = retirement_months(params, old, new, known.post_category)
    if before == after:
        return found
    months = {"old": before, "new": after}
    found.append(Problem("identity_correction.retirement_month", "new_birth_date", months))
    if known.retired:
        found.append(Problem("identity_correction.retired", "new_birth_date", months))
    elif after <= month_of(today) < before:
        found.append(Problem("identity_correction.reached", "new_birth_date", months))
    return found
