"""Correcting what an employer is registered as: old beside new, with a material, and the old values kept."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.clock import to_region
from app.domain import employer_correction as rules
from app.domain.employer_correction import CONFIRMED, CREDIT_CODE, NAME, UnitFacts
from app.domain.identity import normalise, normalise_name
from app.domain.problem import Verdict
from app.services import subjects, updating
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.store import contacts, units
from app.store.crypto import decrypt_json, encrypt_json
from app.store.employers import hold_employer
from app.store.events import effects_of_employer
from app.store.session import in_transaction

KIND = "employer_correction"
EFFECT = f"{KIND}.apply"
OVERRIDE = "code_override"
# What an auditor is told was checked, by the beginnings of the codes that speak of it.
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("单位状态", ("update.employer_ended",)),
    ("更正内容", (f"{KIND}.nothing_changed", f"{KIND}.bank_name")),
    (
        "统一社会信用代码",
        (
            "credit_code.",
            f"{KIND}.check_digit",
            f"{KIND}.code_unchecked",
            f"{KIND}.same_code",
            f"{KIND}.left_behind",
        ),
    ),
    ("未办结的申报", (f"{KIND}.one_open",)),
)


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction of an employer that took effect; `changed` maps fields to old and new value."""

    reference: str
    at: datetime
    changed: Mapping[str, tuple[str, str]]
    code_override: bool


def prepare(case: Case, today: date) -> None:
    """Write name and code as the registry keeps them; inside a transaction the employer is held."""
    for name, tidy in ((NAME, normalise_name), (CREDIT_CODE, normalise)):
        case.data[name] = tidy(str(case.data.get(name) or ""))
    if in_transaction():
        # the record is judged and changed by one act at a time
        hold_employer(case.declaration.employer_id)
        case.registry.employers.pop(case.declaration.employer_id, None)
    updating.prepare(case, today)


def judge(case: Case, today: date) -> Verdict:
    """Judge the correction against the registry as it is now; another open one refuses too."""
    row, changed = case.declaration, updating.changes(case, today)
    known = contacts.employer_data(row.employer_id)
    same, left = (
        _sharing(row.region, code, row.employer_id) if CREDIT_CODE in changed else []
        for code in (str(case.data[CREDIT_CODE]), str(known[CREDIT_CODE]))
    )
    facts = UnitFacts(
        case.registry.employer_facts(row.employer_id).status,
        same,
        left,
        str(known.get("bank_account_name") or ""),
    )
    found = rules.check_employer_correction(changed, facts, confirmed=_confirmed(case))
    return subjects.with_open_case(case, found, f"{KIND}.one_open")


def _sharing(region: str, code: str, employer_id: int) -> list[str]:
    return [each.employer_no for each in units.same_credit_code(region, code) if each.id != employer_id]


def _confirmed(case: Case) -> bool:
    return bool(case.data.get(CONFIRMED))


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix which fields the case changes, and whether a code counts by the clerk's word alone."""
    changed = updating.changes(case, today)
    override = rules.overrides_code(changed, confirmed=_confirmed(case))
    case.declaration.facts = {**case.declaration.facts, "updates": sorted(changed), OVERRIDE: override}
    return {"reason": ""}


def trial_of(_case: Case, _today: date) -> Amounts | None:
    """A correction costs nothing."""
    return None


def accept(case: Case, day: date, now: datetime) -> Result:
    """Enter the corrected values and keep the former ones, sealed, with the effect."""
    row, changed = case.declaration, updating.changes(case, day)
    data = contacts.employer_data(row.employer_id) | {name: new for name, (_, new) in changed.items()}
    case.employer_updates.append(contacts.employer_row(row.employer_id, data))
    kept = {
        "changed": sorted(changed),
        "before": _sealed({name: old for name, (old, _) in changed.items()}),
        "after": _sealed({name: new for name, (_, new) in changed.items()}),
        OVERRIDE: rules.overrides_code(changed, confirmed=_confirmed(case)),
    }
    case.effect_once(EFFECT, now, kept)
    row.result_code = f"{KIND}.accepted"
    row.result_message = case.message(row.result_code, count=str(len(changed)))
    return {"changed": len(changed)}


def _sealed(values: Mapping[str, str]) -> str:
    return b64encode(encrypt_json(dict(values))).decode()


def corrections_of(employer_id: int) -> list[Correction]:
    """What an employer was registered as before each correction, opened, newest first."""
    found = []
    for reference, at_utc, kept in effects_of_employer(employer_id, EFFECT):
        before, after = (decrypt_json(b64decode(kept[name])) for name in ("before", "after"))
        pairs = {name: (str(before[name]), str(after[name])) for name in kept["changed"]}
        found.append(Correction(reference, to_region(at_utc), pairs, bool(kept[OVERRIDE])))
    return found


HANDLING = Handling(
    judge, settle, trial_of,
    prepare=prepare, current=updating.current, subjects=SUBJECTS, accept=accept, notifies=True,
)  # fmt: skip
