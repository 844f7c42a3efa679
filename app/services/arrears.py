"""What an employer owes past the time, and the kinds that wait until it is paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.domain import employer_status as rules
from app.domain.enrolment import COUNTER_CHANNEL
from app.domain.money import format_yuan, from_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.errors import Rejected
from app.services import subjects
from app.services.cases import Case
from app.store.queries.insured import Arrears, unpaid


def arrears_of(employer_id: int, parameters: ParameterSet, today: date) -> Arrears:
    """What an employer owes past the region's time. Raises: ParameterMissing."""
    return unpaid(employer_id, rules.overdue_before(parameters, today))


def _problem(case: Case, today: date) -> Problem | None:
    """Why arrears keep the employer from filing this kind; nothing is asked where they never do."""
    row = case.declaration
    if not rules.blocked_by_arrears(case.parameters, row.kind, today):
        return None
    found = arrears_of(row.employer_id, case.parameters, today)
    if not found.amount_fen:
        return None
    figures = {
        "amount": format_yuan(from_fen(found.amount_fen)),
        "first": found.first_month,
        "last": found.last_month,
    }
    return Problem("arrears.blocked", "", figures)


def with_arrears(case: Case, verdict: Verdict, today: date) -> Verdict:
    """The verdict, with a refusal where the employer's arrears stand in the way. Raises: ParameterMissing."""
    found = _problem(case, today)
    if found is None:
        return verdict
    if _at_counter(case):
        return Verdict(verdict.problems, (_hint(found), *verdict.warnings))
    return Verdict((*verdict.problems, found), verdict.warnings)


def refuse_arrears(case: Case, today: date) -> Sequence[Problem]:
    """Refuse a form of a kind that waits until the employer has paid; at the counter the auditor is told.

    Shape: what the auditor is told. Raises: Rejected, ParameterMissing.
    """
    found = _problem(case, today)
    if found is None:
        return ()
    if _at_counter(case):
        return (_hint(found),)
    form = case.bundle.form(case.declaration.kind)
    raise Rejected(subjects.field_errors([found], case.parameters, form))


def _at_counter(case: Case) -> bool:
    return case.declaration.channel == COUNTER_CHANNEL


def _hint(found: Problem) -> Problem:
    return Problem("counter.unit_arrears", found.field, found.params)
