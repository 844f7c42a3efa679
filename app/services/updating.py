"""Changing contact and bank data of a person or of the employer: old beside new, then into the registry."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from app.definitions.current import parameters
from app.domain import record_update as rules
from app.domain.calendar import month_of
from app.domain.declaration import PERSON, kind_object
from app.domain.problem import Verdict
from app.formspec.form import Form
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.store import contacts
from app.store.crypto import encrypt_json
from app.store.enrolments import EnrolmentRow, enrolments_of

OLD = "old_"
# the field that tells whose old values stood on the form
SHOWN = "shown"
# sealed whatever a region's form says: a field that only another region's form has may be among the data
SENSITIVE = frozenset(
    {"bank_account", "bank_account_name", "office_phone", "home_phone", "home_address", "household_address",
     "household_no", "email"}
)  # fmt: skip
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
PERSON_SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("person.", "person_update.unknown", "person_update.not_of_employer")),
    ("修改内容", ("person_update.nothing_changed",)),
    ("重复申报", ("enrol.one_open",)),
)
EMPLOYER_SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("单位状态", ("update.employer_ended",)),
    ("修改内容", ("employer_update.nothing_changed",)),
    ("重复申报", ("employer_update.one_open",)),
)


def current(form: Form, kind: str, employer_id: int, person_id: int | None) -> dict[str, Any]:
    """What a form starts with: the data as they are, as old values and as proposals for the new ones."""
    if kind_object(kind) == PERSON:
        known = _person(form, person_id) if person_id is not None else {}
    else:
        known = contacts.employer_data(employer_id)
    proposals = {name: known[name] for name in changeable(form) if known.get(name)}
    return _shown(form, known) | proposals | {SHOWN: ",".join(proposals)}


def changeable(form: Form) -> list[str]:
    """The fields that may be changed: those that have an old value beside them."""
    return [field.name for field in form.fields if OLD + field.name in form.by_name]


def compared(form: Form, data: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Old and new value of the fields that have their old one beside them, as a filled form tells them.

    A field that was left empty without its old value in sight goes on as it was.
    """
    shown = str(data.get(SHOWN) or "").split(",") if SHOWN in form.by_name else changeable(form)
    found = {}
    for name in changeable(form):
        before, after = data.get(OLD + name), data.get(name)
        found[name] = (before, after if after or name in shown else before)
    return found


def _shown(form: Form, known: Mapping[str, Any]) -> dict[str, Any]:
    """The read-only fields of a form that the registry fills."""
    found = {}
    for field in form.fields:
        value = known.get(field.name.removeprefix(OLD))
        if field.readonly and value:
            found[field.name] = value
    return found


def prepare(case: Case, today: date) -> None:
    """Find whom the form is about and put the old values beside the new ones, for the own employer only."""
    form = case.bundle.form(case.declaration.kind)
    for field in form.fields:
        if field.readonly:
            case.data.pop(field.name, None)
    subjects.identify(case)
    case.data |= _shown(form, _known(case, today))


def _known(case: Case, today: date) -> dict[str, Any]:
    row = case.declaration
    if kind_object(row.kind) != PERSON:
        return contacts.employer_data(row.employer_id)
    if row.person_id is None or not _employed(case, today):
        return {}
    return _person(case.bundle.form(row.kind), row.person_id)


def _person(form: Form, person_id: int) -> dict[str, Any]:
    """What is kept of an insured person; with the enrolment in short where the form shows it."""
    known = contacts.person_data(person_id)
    if "first_month" not in form.by_name:
        return known
    own = [each for each in enrolments_of([person_id]).get(person_id, []) if each.person_id == person_id]
    standing = [each for each in own if each.status == "active" and each.to_month is None]
    begun = min((each.start_date.isoformat() for each in own if each.start_date), default="")
    return {
        **known,
        "insured_funds": _fund_names(standing),
        "insured_on": begun,
        "first_month": min((each.from_month for each in own), default=""),
        "insured_type": standing[-1].person_type if standing else "",
        "insured_status": "active" if standing else "stopped",
    }


def _fund_names(standing: Sequence[EnrolmentRow]) -> str:
    if not standing:
        return ""
    held = {each.fund for each in standing}
    return "、".join(fund.name for fund in parameters(standing[0].region).funds if fund.code in held)


def _employed(case: Case, today: date) -> bool:
    """Whether the person is insured at this employer, now or from next month on."""
    row = case.declaration
    if row.person_hash is None:
        return False
    month = month_of(today)
    return any(
        each.employer_id == row.employer_id
        and each.status == "active"
        and (each.to_month is None or each.to_month >= month)
        for record in case.registry.records(row.person_hash, row.region)
        for each in record.stretches
    )


def changes(case: Case, today: date) -> dict[str, tuple[str, str]]:
    """The fields that the form changes in the registry as it is now: old and new value."""
    form = case.bundle.form(case.declaration.kind)
    shown = str(case.data.get(SHOWN) or "").split(",")
    return rules.changed_fields(changeable(form), _known(case, today), case.data, shown)


def judge(case: Case, today: date) -> Verdict:
    """Judge the form against the registry as it is now; another open declaration refuses too."""
    row, registry = case.declaration, case.registry
    employer, changed = registry.employer_facts(row.employer_id), changes(case, today)
    if kind_object(row.kind) != PERSON:
        found = rules.check_employer_update(employer, changed)
        return subjects.with_open_case(case, found, "employer_update.one_open")
    person = registry.person_facts(row.person_hash, row.region)
    employed = _employed(case, today)
    return subjects.with_open_case(
        case, rules.check_person_update(person, employer, changed, employed=employed)
    )


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix which fields the case changes; their values stay in the form."""
    case.declaration.facts = {**case.declaration.facts, "updates": sorted(changes(case, today))}
    return {}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A change of data costs nothing."""
    return None


def apply(case: Case, today: date, now: datetime) -> list[str]:
    """Write the new values and keep the old ones, sealed, with the effect; gives the changed fields."""
    row, changed = case.declaration, changes(case, today)
    new_values = {name: new for name, (_, new) in changed.items()}
    if kind_object(row.kind) != PERSON:
        data = contacts.employer_data(row.employer_id) | new_values
        case.employer_updates.append(contacts.employer_row(row.employer_id, data))
    else:
        if row.person_id is None:
            raise ValueError("the check lets nobody pass without a record")
        data = contacts.person_data(row.person_id) | new_values
        form = case.bundle.form(row.kind)
        sensitive = {field.name for field in form.fields if field.sensitive} | SENSITIVE
        case.person_updates.append(contacts.person_row(row.person_id, data, sensitive))
    before = encrypt_json({name: old for name, (old, _) in changed.items()})
    kept = {"changed": sorted(changed), "before": b64encode(before).decode()}
    case.effect_once(f"{row.kind}.apply", now, kept)
    return sorted(changed)


def accept(case: Case, day: date, now: datetime) -> Result:
    """Enter changed contact and bank data."""
    row = case.declaration
    changed = apply(case, day, now)
    row.result_code = f"{row.kind}.accepted"
    row.result_message = case.message(row.result_code, count=str(len(changed)))
    return {"changed": len(changed)}


PERSON_HANDLING = Handling(
    judge, settle, trial_of, prepare=prepare, current=current, subjects=PERSON_SUBJECTS, accept=accept
)
EMPLOYER_HANDLING = replace(PERSON_HANDLING, subjects=EMPLOYER_SUBJECTS)
