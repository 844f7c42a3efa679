"""What a diagram may call: a literal map from name to function. Publishing refuses any other name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from app.domain.enrolment import enrol_outcome
from app.domain.money import format_yuan, from_fen
from app.domain.problem import Problem
from app.domain.retiring import retirement_outcome
from app.domain.stop import stop_outcome
from app.errors import Conflict, Rejected
from app.services import (
    base_effects,
    collecting,
    collection_cancelling,
    effects,
    enrolling,
    kinds,
    registering,
    retiring,
    reverting,
    stop_effects,
    subjects,
    updating,
    withdrawing,
)
from app.services.cases import Case
from app.services.host import Context, submission_day, take_data
from app.services.notices import TEMPLATES

Result = dict[str, Any] | None
Service = Callable[..., Result]


def check_form(context: Context) -> Result:
    """Judge a form by the rules of its kind against the registry, and fix what follows from it.

    Raises: Rejected, which undoes the whole action.
    """
    case, today = context.case, context.now.date()
    warnings = _judge(case, today)
    take_data(case, case.data)
    facts = kinds.handling(case.declaration.kind).settle(case, today)
    case.checked = True
    case.declaration.facts = {
        **case.declaration.facts,
        "warnings": subjects.warnings_as_facts(warnings),
    }
    return {**facts, "warnings": len(warnings)}


def _judge(case: Case, day: date) -> Sequence[Problem]:
    """The warnings of the rules as they stand on a day. Raises: Rejected."""
    handling = kinds.handling(case.declaration.kind)
    handling.prepare(case, day)
    verdict = handling.judge(case, day)
    if verdict.problems:
        form = case.bundle.form(case.declaration.kind)
        raise Rejected(subjects.field_errors(verdict.problems, case.parameters, form))
    return verdict.warnings


def _judge_again(context: Context) -> date:
    """Judge a case at its decision, unless it was judged in this very action; gives the day of submission.

    Months are those of the day of submission. Where that was earlier, the registry may have changed: the
    decision is refused where the rules now say no. Raises: Rejected.
    """
    case = context.case
    day = submission_day(case, context.now)
    if not case.checked:
        _judge(case, day)
        kinds.handling(case.declaration.kind).settle(case, day)
    return day


def apply_enrolment(context: Context) -> Result:
    """Enter an accepted enrolment into the registry. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    day = _judge_again(context)
    enrolling.settle_decision(case, day, context.now.date())
    months = case.months or []
    person = case.registry.person_facts(row.person_hash, row.region)
    employer = case.registry.employer_facts(row.employer_id)
    request = enrolling.request_of(case.data, case.parameters, employer, person, row.channel)
    effects.apply_enrolment(case, request, months, context.now)
    row.result_code = enrol_outcome(case.parameters, day, months)
    row.result_message = case.message(row.result_code, months=str(len(months)))
    return {"backpay_months": len(months)}


def apply_stop(context: Context) -> Result:
    """End the person's enrolments at the employer. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    day = _judge_again(context)
    done = stop_effects.apply_stop(case, day, context.now)
    row.result_code = stop_outcome(
        retired=any(change.action == stop_effects.RETIRED for change in case.changes),
        cancelled=not done.stops,
        backpaid=bool(done.backpaid),
    )
    row.result_message = case.message(row.result_code, months="、".join(done.backpaid))
    row.facts = {**row.facts, "taken_back": sorted({line.accrual_month for line in done.taken_back})}
    return {"taken_back": len(done.taken_back)}


def apply_revert(context: Context) -> Result:
    """Undo an enrolment or a stop of this month. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    _judge_again(context)
    reverting.apply_revert(case, context.now)
    row.result_code = "revert.accepted"
    row.result_message = case.message(row.result_code)
    return None


def apply_base(context: Context) -> Result:
    """Enter an accepted contribution base. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    day = _judge_again(context)
    found = base_effects.apply_base(case, day, context.now)
    row.result_code = f"{row.kind}.accepted"
    row.result_message = case.message(row.result_code)
    return {"differences": len(found)}


def apply_collection(context: Context) -> Result:
    """Charge the months of an accepted supplementary collection. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    day = _judge_again(context)
    months = collecting.apply_collection(case, day, context.now)
    row.result_code = "collection.accepted"
    row.result_message = case.message(row.result_code, months=str(len(months)))
    return {"backpay_months": len(months)}


def apply_collection_cancel(context: Context) -> Result:
    """Take a supplementary collection back. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    day = _judge_again(context)
    months = collection_cancelling.apply_cancellation(case, day, context.now)
    row.result_code = "collection_cancel.accepted"
    row.result_message = case.message(row.result_code, months="、".join(months))
    return {"backpay_months": len(months)}


def apply_person_record(context: Context) -> Result:
    """Enter an accepted registration of a person. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    _judge_again(context)
    registering.apply(case, context.now)
    row.result_code = registering.ACCEPTED
    row.result_message = case.message(row.result_code)
    return None


def apply_update(context: Context) -> Result:
    """Enter changed contact and bank data. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    day = _judge_again(context)
    changed = updating.apply(case, day, context.now)
    row.result_code = f"{row.kind}.accepted"
    row.result_message = case.message(row.result_code, count=str(len(changed)))
    return {"changed": len(changed)}


def apply_retirement(context: Context) -> Result:
    """Make the person a retiree from the next month. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    _judge_again(context)
    done = retiring.apply_retirement(case, context.now)
    row.result_code = retirement_outcome(done.missing, retiring.request_of(case).shortfall)
    amount = format_yuan(from_fen(done.one_off_fen))
    row.result_message = case.message(row.result_code, months=str(done.missing), amount=amount)
    _notify(context, "approved")
    return {"missing_months": done.missing}


def apply_withdrawal(context: Context) -> Result:
    """End the person's insurance and order the account to be paid out. Raises: Rejected."""
    case, row = context.case, context.case.declaration
    _judge_again(context)
    paid = withdrawing.apply_withdrawal(case, context.now)
    row.result_code = "withdrawal.accepted" if paid else "withdrawal.accepted_without_payment"
    row.result_message = case.message(row.result_code, amount=format_yuan(from_fen(paid)))
    _notify(context, "approved")
    return {"paid": bool(paid)}


def discard_declaration(context: Context) -> Result:
    """Note that the employer dropped the case before anybody decided it."""
    context.case.note("discarded", context.actor, context.now)
    return None


def reject_declaration(context: Context) -> Result:
    """Tell the employer that the case was refused."""
    case = context.case
    case.declaration.result_code = f"{case.declaration.kind}.rejected"
    case.declaration.result_message = case.message(case.declaration.result_code)
    _notify(context, "rejected")
    return None


def recall_declaration(context: Context, allowed: bool = True) -> Result:
    """Take a submitted case back, where the region's policy allows it. Raises: Conflict."""
    if not allowed:
        raise Conflict("本统筹区的申报提交后不能撤销，请联系经办机构")
    context.case.note("recalled", context.actor, context.now)
    return None


def send_notice(context: Context, template: str) -> Result:
    """Tell the employer's operators something, by the name of its text. Raises: KeyError."""
    _notify(context, template)
    return None


def _notify(context: Context, template: str) -> None:
    if template not in TEMPLATES:
        raise KeyError(template)
    row = context.case.declaration
    context.case.send_out("notice", {"declaration_id": row.id, "template": template}, context.now)


SERVICES: Mapping[str, Service] = {
    "enrolment.check": check_form,
    "enrolment.apply": apply_enrolment,
    "stop.check": check_form,
    "stop.apply": apply_stop,
    "base.check": check_form,
    "base.apply": apply_base,
    "collection.check": check_form,
    "collection.apply": apply_collection,
    "collection_cancel.check": check_form,
    "collection_cancel.apply": apply_collection_cancel,
    "person.check": check_form,
    "person.apply": apply_person_record,
    "person_update.check": check_form,
    "person_update.apply": apply_update,
    "employer_update.check": check_form,
    "employer_update.apply": apply_update,
    "revert.check": check_form,
    "revert.apply": apply_revert,
    "retirement.check": check_form,
    "retirement.apply": apply_retirement,
    "withdrawal.check": check_form,
    "withdrawal.apply": apply_withdrawal,
    "declaration.discard": discard_declaration,
    "declaration.reject": reject_declaration,
    "declaration.recall": recall_declaration,
    "notice.send": send_notice,
}
