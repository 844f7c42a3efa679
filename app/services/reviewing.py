"""What the agency sees of one case: the case, the system's check, the person's file, trial amounts."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.clock import to_utc
from app.definitions.current import Bundle
from app.domain.declaration import DRAFT, RETURNED, is_open
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, problem_text
from app.errors import FieldError, NotFound, Rejected
from app.services import subjects
from app.services.actors import Actor, require, require_region
from app.services.cases import Case, loaded_case
from app.services.host import submission_day
from app.services.kinds import Subjects, handling
from app.services.registry import Registry
from app.services.results import Amounts, CaseView
from app.services.views import reaches, view_of
from app.store import declarations as store
from app.store.crypto import decrypt_json
from app.store.events import EventRow, add_events, list_events
from app.store.facts import EmployerRecord, PersonRecord
from app.store.ids import new_id
from app.store.session import transaction

PASSED, HINT, FAILED = "passed", "hint", "failed"
REASON_LENGTH = (4, 200)
_OTHER = "其他"


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject of the system's check: passed, hint (the auditor decides) or failed (no approval)."""

    subject: str
    state: str
    messages: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """One case for an auditor. `before` holds the values that the last correction replaced, `records` what
    the registry knows of the number in all regions, oldest first."""

    case: CaseView
    bundle: Bundle
    parameters: ParameterSet
    employer: EmployerRecord
    findings: Sequence[Finding]
    amounts: Amounts | None
    records: Sequence[PersonRecord]
    before: Mapping[str, Any]


def review(actor: Actor, reference: str, now: datetime) -> Review:
    """Put a case together for the agency's eyes; nothing is written. Raises: NotFound, Forbidden."""
    require(actor, "declaration.view")
    found = store.find_case(reference)
    if found is None or not reaches(actor, found):
        raise NotFound("declaration")
    require_region(actor, found.declaration.region)
    case = loaded_case(found, Registry())
    row = case.declaration
    if row.person_hash is None:
        subjects.identify(case)
    records: list[PersonRecord] = []
    if row.person_hash is not None:
        case.registry.read_people([row.person_hash])
        records = case.registry.people[row.person_hash]
    # in the employer's hands a form may be half filled: there is nothing to judge yet
    waiting = is_open(row.status) and row.status not in (DRAFT, RETURNED)
    return Review(
        case=view_of(found, actor),
        bundle=case.bundle,
        parameters=case.parameters,
        employer=case.registry.employer(row.employer_id),
        findings=_findings(case, now) if waiting else (),
        amounts=_trial(case, now) if waiting else None,
        records=records,
        before=_before(case),
    )


def reveal(actor: Actor, reference: str, reason: str, now: datetime) -> dict[str, str]:
    """Return the whole numbers of a case, field by field, and write down who asked and why.

    Raises: Rejected (`reason`), NotFound, Forbidden.
    """
    require(actor, "person.reveal")
    reason = reason.strip()
    shortest, longest = REASON_LENGTH
    if not shortest <= len(reason) <= longest:
        words = f"请填写查看原因，{shortest} 至 {longest} 个字"
        raise Rejected([FieldError("reason", "reveal.reason", words)])
    with transaction():
        found = store.find_case(reference)
        if found is None or not reaches(actor, found):
            raise NotFound("declaration")
        require_region(actor, found.declaration.region)
        case = loaded_case(found, Registry())
        form = case.bundle.form(case.declaration.kind)
        shown = {
            name: str(case.data[name])
            for name in (field.name for field in form.fields if field.sensitive)
            if case.data.get(name) not in (None, "")
        }
        detail = {"reason": reason, "fields": sorted(shown)}
        add_events(
            [
                EventRow(
                    new_id(), case.declaration.id, "revealed", to_utc(now),
                    actor_id=actor.id, actor_name=actor.name, detail=detail,
                )
            ]
        )  # fmt: skip
    return shown


def _findings(case: Case, now: datetime) -> list[Finding]:
    rules = handling(case.declaration.kind)
    verdict = rules.judge(case, submission_day(case, now))
    by_subject: dict[str, list[tuple[str, Problem]]] = {}
    for state, problems in ((FAILED, verdict.problems), (HINT, verdict.warnings)):
        for problem in problems:
            by_subject.setdefault(_subject(rules.subjects, problem.code), []).append((state, problem))
    findings = []
    for subject in (*(name for name, _ in rules.subjects), _OTHER):
        found = by_subject.get(subject, [])
        if found or subject != _OTHER:
            state = found[0][0] if found else PASSED
            words = [problem_text(case.parameters, problem) for _, problem in found]
            findings.append(Finding(subject, state, words))
    return findings


def _subject(subjects_of_kind: Subjects, code: str) -> str:
    return next((name for name, starts in subjects_of_kind if code.startswith(starts)), _OTHER)


def _trial(case: Case, now: datetime) -> Amounts | None:
    """What an approval would charge now."""
    rules = handling(case.declaration.kind)
    day = submission_day(case, now)
    if rules.trial_at_decision is not None:
        return rules.trial_at_decision(case, day, now.date())
    return rules.trial(case, day)


def _before(case: Case) -> dict[str, Any]:
    """What the last correction replaced, None where a field was empty; saving in between counts once."""
    found: dict[str, Any] = {}
    for event in list_events(case.declaration.id):
        if event.action == "decided_return":
            found = {}
        elif event.action == "corrected":
            sealed = event.detail.get("before") or ""
            old = decrypt_json(b64decode(sealed)) if sealed else {}
            for name in event.detail.get("changed", ()):
                found.setdefault(name, old.get(name))
    return {name: value for name, value in found.items() if case.data.get(name) != value}
