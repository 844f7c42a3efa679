"""Kinds made of files alone: a diagram, a form and a decision table of their own, and no Python.

The table is called `<kind>_rules`, collects, and answers `code`, `field` and `severity` (refuse or warn)
for each thing that it finds. What it may ask is fixed: see `app.domain.form_facts`. The words of its
codes stand in the form under `x-messages`; a region's parameters may say them in another way. An accepted
form is the record: nothing else changes, unless the kind gets a module of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.definitions.files import RULES
from app.domain.form_facts import WARN, Asked, facts_of
from app.domain.life import DEAD
from app.domain.problem import Problem, Verdict
from app.formspec.form import Form
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Subjects
from app.services.results import Amounts
from app.store.facts import employer_records

# codes that a table gives for what its other rows say better; the case's own kind comes first
SUBJECTS: Subjects = (("证件与人员信息", ("person.", "life.")), ("未办结的申报", ("form.one_open",)))
_EMPLOYER_FIELDS = {"employer_name": "name", "employer_no": "employer_no"}


def current(form: Form, _kind: str, employer_id: int, _person_id: int | None) -> dict[str, Any]:
    """What a blank form shows of the employer, in fields that nobody types into."""
    wanted = [name for name in _EMPLOYER_FIELDS if name in form.by_name and form.by_name[name].readonly]
    if not wanted:
        return {}
    record = employer_records([employer_id])[employer_id]
    return {name: getattr(record, _EMPLOYER_FIELDS[name]) for name in wanted}


def prepare(case: Case, _today: date) -> None:
    """Find whom the form is about, and fill in what the registry says of the employer."""
    subjects.identify(case)
    form = case.bundle.form(case.declaration.kind)
    record = case.registry.employer(case.declaration.employer_id)
    for name, attribute in _EMPLOYER_FIELDS.items():
        if name in form.by_name and form.by_name[name].readonly:
            case.data[name] = getattr(record, attribute)


def judge(case: Case, today: date) -> Verdict:
    """Ask the kind's own table, where it has one; another open declaration refuses as well."""
    found = list(_findings(case, today))
    refused = tuple(problem for problem, severity in found if severity != WARN)
    warned = tuple(problem for problem, severity in found if severity == WARN)
    return subjects.with_open_case(case, Verdict(refused, warned), "form.one_open")


def _findings(case: Case, today: date) -> list[tuple[Problem, str]]:
    table = case.declaration.kind + RULES
    if not case.bundle.has_decision(table):
        return []
    facts = facts_of(_asked(case), today)
    answer = case.bundle.decide(table, facts)
    words = {name: str(value) for name, value in facts.items()}
    rows = zip(answer["code"], answer["field"], answer["severity"], strict=True)
    return [(Problem(code, field, _figures(case, code, words)), severity) for code, field, severity in rows]


def _figures(case: Case, code: str, words: Mapping[str, str]) -> dict[str, str]:
    """The facts that the words of a finding name: a warning is kept with the case, and no more of it."""
    text = case.parameters.message(code)
    return {name: word for name, word in words.items() if "{" + name + "}" in text}


def _asked(case: Case) -> Asked:
    row, registry = case.declaration, case.registry
    form = case.bundle.form(row.kind)
    records = registry.records(row.person_hash, row.region) if row.person_hash else []
    return Asked(
        data=case.data,
        fields=list(form.by_name),
        dates=[field.name for field in form.fields if field.kind == "date"],
        channel=row.channel,
        employer_name=registry.employer(row.employer_id).name,
        employer=registry.employer_facts(row.employer_id),
        person=registry.person_facts(row.person_hash, row.region),
        alive=all(record.life_status != DEAD for record in records),
    )


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Tell the diagram the form's `reason`, on which the materials may depend."""
    return {"reason": str(case.data.get("reason") or "")}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """No amounts: a table gives none."""
    return None


HANDLING = Handling(
    judge, settle, trial_of, prepare=prepare, current=current, subjects=SUBJECTS, notifies=True
)
