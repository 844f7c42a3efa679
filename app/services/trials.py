"""What filing a form would do, without doing it: the check page and the trial amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from app.clock import to_utc
from app.definitions.current import get_bundle
from app.domain.declaration import DRAFT
from app.domain.parameters import ParameterMissing
from app.errors import NotFound
from app.formspec.form import Form
from app.services import arrears, filing, host, kinds, subjects
from app.services.actors import Actor
from app.services.cases import Case
from app.services.filing import Target
from app.services.results import Amounts, CheckResult
from app.store import declarations as store

Data = Mapping[str, Any]


def check(
    actor: Actor,
    kind: str,
    data: Data,
    now: datetime,
    reference: str | None = None,
    employer_id: int | None = None,
) -> CheckResult:
    """Say what filing this form would do; nothing is written. `reference` names the case being corrected."""
    target = _target_of_case(actor, reference) if reference else filing.target_of(actor, kind, employer_id)
    form = target.bundle.form(target.bundle.kind)
    values, errors = filing.examine(form, data, now)
    if errors:
        return CheckResult(errors, (), values)
    case = _trial_case(actor, target, values, now, reference)
    try:
        return _judged(case, form, now.date())
    except ParameterMissing as error:
        return CheckResult([host.missing_parameter(error, target.parameters)], (), case.data)


def _judged(case: Case, form: Form, today: date) -> CheckResult:
    rules = kinds.handling(case.declaration.kind)
    rules.prepare(case, today)
    verdict = arrears.with_arrears(case, rules.judge(case, today), today)
    return CheckResult(
        subjects.field_errors(verdict.problems, case.parameters, form),
        subjects.field_errors(verdict.warnings, case.parameters, form),
        case.data,
        rules.trial(case, today) if verdict.accepted else None,
    )


def quote(
    actor: Actor, kind: str, data: Data, now: datetime, employer_id: int | None = None
) -> Amounts | None:
    """Calculate trial amounts from a half-filled form; None where wage, funds or month are missing.

    Raises: ParameterMissing.
    """
    target = filing.target_of(actor, kind, employer_id)
    values = target.bundle.form(kind).parse(data)
    case = _trial_case(actor, target, values, now, None)
    return kinds.handling(kind).trial(case, now.date())


def _target_of_case(actor: Actor, reference: str) -> Target:
    """Where a case already is: its employer, and the forms that it is pinned to. Raises: NotFound."""
    found = store.find_case(reference)
    if found is None or not actor.sees(found.declaration.region, found.declaration.employer_id):
        raise NotFound("declaration")
    target = filing.target_of(actor, found.declaration.kind, found.declaration.employer_id)
    return replace(target, bundle=get_bundle(found.instance.bundle_id))


def _trial_case(actor: Actor, target: Target, values: Data, now: datetime, reference: str | None) -> Case:
    """A case that only exists to be judged: it never reaches the engine or the database."""
    row = store.DeclarationRow(
        id=0,
        reference=reference or "",
        region=target.employer.region,
        employer_id=target.employer.id,
        kind=target.bundle.kind,
        status=DRAFT,
        channel=target.channel,
        data_cipher=b"",
        created_by_id=actor.id or 0,
        created_at_utc=to_utc(now),
        updated_at_utc=to_utc(now),
    )
    instance = host.InstanceRow(0, 0, target.bundle.id, b"")
    return Case(row, instance, [], dict(values), target.bundle, target.parameters, target.registry)
