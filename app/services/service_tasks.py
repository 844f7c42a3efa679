"""What a diagram may call: a literal map from name to function. Publishing refuses any other name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from app.domain.problem import Problem
from app.errors import Conflict, Rejected
from app.services import arrears, kinds, subjects, unit_accounts, unit_links, unit_opening
from app.services.cases import Case
from app.services.handling import Result
from app.services.host import Context, submission_day, take_data
from app.services.notices import TEMPLATES, tell

Service = Callable[..., Result]


def check_form(context: Context) -> Result:
    """Judge a form by the rules of its kind against the registry, and fix what follows from it.

    Raises: Rejected, which undoes the whole action.
    """
    case, today = context.case, context.now.date()
    warnings = [*arrears.refuse_arrears(case, today), *_judge(case, today)]
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


def accept_form(context: Context) -> Result:
    """Enter an approved form into the registry, as its kind does it. Raises: Rejected."""
    case = context.case
    handling = kinds.handling(case.declaration.kind)
    told = handling.accept(case, _judge_again(context), context.now)
    if handling.notifies:
        _notify(context, "approved")
    return told


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
    tell(context.case, template, context.now)


# Every kind may use the first two. The names below them are those of diagrams that are published already:
# they stay, because a case keeps the diagram that it started with.
SERVICES: Mapping[str, Service] = {
    "form.check": check_form,
    "form.accept": accept_form,
    "enrolment.check": check_form,
    "enrolment.apply": accept_form,
    "stop.check": check_form,
    "stop.apply": accept_form,
    "base.check": check_form,
    "base.apply": accept_form,
    "collection.check": check_form,
    "collection.apply": accept_form,
    "collection_cancel.check": check_form,
    "collection_cancel.apply": accept_form,
    "person.check": check_form,
    "person.apply": accept_form,
    "person_update.check": check_form,
    "person_update.apply": accept_form,
    "employer_update.check": check_form,
    "employer_update.apply": accept_form,
    "revert.check": check_form,
    "revert.apply": accept_form,
    "retirement.check": check_form,
    "retirement.apply": accept_form,
    "withdrawal.check": check_form,
    "withdrawal.apply": accept_form,
    "declaration.discard": discard_declaration,
    "declaration.reject": reject_declaration,
    "declaration.recall": recall_declaration,
    "notice.send": send_notice,
    "employer_registration.send_code": unit_accounts.send_code,
    "employer_registration.expire": unit_accounts.expire,
    "employer_link.send_code": unit_links.send_code,
    "employer_link.expire": unit_accounts.expire,
    "employer_opening.drop": unit_opening.drop,
    "employer_opening.reject": unit_opening.reject,
}
