"""Correcting who a person is: number, name, sex, birth date, with a material and an audit."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.domain import identity_correction as rules
from app.domain.calendar import month_of
from app.domain.enrolment import RETIREE_TYPES
from app.domain.identity import normalise, normalise_name
from app.domain.identity_correction import CorrectionFacts, IdentityFacts
from app.domain.problem import Verdict
from app.services import subjects
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.store import contacts, identities
from app.store.business import open_business
from app.store.crypto import encrypt_json
from app.store.identities import IdentityRow

EFFECT = "identity_correction.apply"
RETIREMENT, NEW_RETIREMENT = "retirement_month", "new_retirement_month"
_VALUES = ("id_type", "id_number", "name", "sex", "birth_date")
# shown from the registry, never taken from a form
_SHOWN = ("name", "sex", "birth_date", RETIREMENT, NEW_RETIREMENT)
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("证件与人员信息", ("identity.", "person.", "enrol.birth", "enrol.sex", "identity_correction.unknown",
                 "identity_correction.birth_future")),
    ("更正内容", ("identity_correction.nothing_changed", "identity_correction.collision")),
    ("参保关系", ("identity_correction.not_of_employer",)),
    ("退休年月", ("identity_correction.retire", "identity_correction.reached")),
    ("未办结的申报", ("identity_correction.open_case", "enrol.one_open")),
)  # fmt: skip


def prepare(case: Case, _today: date) -> None:
    """Find the person and put old values and retirement months beside the new ones."""
    for name in _SHOWN:
        case.data.pop(name, None)
    # the record is judged and changed by one act at a time
    subjects.identify_held(case)
    old, new = _pair(case)
    if old is None or new is None:
        return
    before, after = rules.retirement_months(case.parameters, old, new, _post(case))
    case.data |= {
        "name": old.name,
        "sex": old.sex,
        "birth_date": old.birth_date.isoformat(),
        RETIREMENT: before,
        NEW_RETIREMENT: after,
    }


def _pair(case: Case) -> tuple[IdentityFacts | None, IdentityFacts | None]:
    """Who the person is on record, and who after the correction; None where nobody or several are meant."""
    if case.declaration.person_id is None:
        return None, None
    old = identities.identity_of(case.declaration.person_id)
    typed = {name: str(case.data.get(f"new_{name}") or "").strip() for name in _VALUES}
    typed["id_number"], typed["name"] = normalise(typed["id_number"]), normalise_name(typed["name"])
    return _facts(old), _facts({name: typed[name] or old[name] for name in _VALUES})


def _facts(values: dict[str, str]) -> IdentityFacts:
    return IdentityFacts(
        id_type=values["id_type"],
        id_number=values["id_number"],
        name=values["name"],
        sex=values["sex"],
        birth_date=date.fromisoformat(values["birth_date"]),
    )


def _post(case: Case) -> str:
    """The post category on record: it decides a woman's retirement age."""
    person_id = case.declaration.person_id
    return "" if person_id is None else str(contacts.person_data(person_id).get("post_category") or "")


def judge(case: Case, today: date) -> Verdict:
    """Judge the correction against the registry as it is now; any other open declaration refuses."""
    row, registry = case.declaration, case.registry
    old, new = _pair(case)
    records = registry.records(row.person_hash, row.region) if row.person_hash else []
    person = registry.person_facts(row.person_hash, row.region)
    known = CorrectionFacts(matches=len(records))
    if new is not None and row.person_id is not None:
        month = month_of(today)
        known = CorrectionFacts(
            matches=1,
            holders=identities.holders_of(row.region, new.id_number, row.person_id),
            open_kinds=open_business(row.person_hash or b"", row.region, row.reference),
            employed=any(
                each.employer_id == row.employer_id and (each.to_month is None or each.to_month >= month)
                for each in records[0].stretches
                if each.status == "active"
            ),
            retired=person.person_type.startswith(RETIREE_TYPES),
            post_category=_post(case),
        )
    found = rules.check_identity_correction(case.parameters, old, new, known, today)
    return subjects.with_open_case(case, found)


def settle(case: Case, _today: date) -> dict[str, Any]:
    """Fix what the correction changes; the values stay in the form."""
    old, new = _pair(case)
    if old is None or new is None:
        raise ValueError("the check lets nobody pass without a record")
    case.declaration.facts = {
        **case.declaration.facts,
        "updates": rules.changed_values(old, new),
        "retirement_months": [case.data.get(RETIREMENT), case.data.get(NEW_RETIREMENT)],
    }
    return {"reason": ""}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A correction costs nothing."""
    return None


def apply(case: Case, now: datetime) -> list[str]:
    """Write who the person is and keep who it was, sealed; gives the names of what changed."""
    row = case.declaration
    old, new = _pair(case)
    if old is None or new is None or row.person_id is None:
        raise ValueError("the check lets nobody pass without a record")
    changed = rules.changed_values(old, new)
    before, after = _words(old), _words(new)
    case.identities.append(
        IdentityRow(row.person_id, row.region, row.id, to_utc(now), changed, before, after)
    )
    kept = {
        "changed": changed,
        "before": b64encode(encrypt_json(before)).decode(),
        "retirement_months": [case.data.get(RETIREMENT), case.data.get(NEW_RETIREMENT)],
    }
    case.effect_once(EFFECT, now, kept)
    return changed


def _words(facts: IdentityFacts) -> dict[str, str]:
    return {name: str(getattr(facts, name)) for name in _VALUES}


def accept(case: Case, _day: date, now: datetime) -> Result:
    """Enter a corrected identity."""
    row = case.declaration
    changed = apply(case, now)
    moved = case.data.get(RETIREMENT) != case.data.get(NEW_RETIREMENT)
    row.result_code = f"identity_correction.{'accepted' if moved else 'accepted_same_month'}"
    row.result_message = case.message(
        row.result_code,
        count=str(len(changed)),
        old=str(case.data.get(RETIREMENT)),
        new=str(case.data.get(NEW_RETIREMENT)),
    )
    return {"changed": len(changed)}


HANDLING = Handling(judge, settle, trial_of, prepare=prepare, subjects=SUBJECTS, accept=accept, notifies=True)
