"""May a personal account be paid out because the insurance ends for good, and to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from app.domain.calendar import month_of
from app.domain.enrolment import ACTIVE, COUNTER_CHANNEL, EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.identity import normalise
from app.domain.life import is_death
from app.domain.money import format_yuan, from_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.stop import Charge

SELF = "01"


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """What a withdrawal asks for; for a death the end day is the day of death.

    Shape: `payee` is the name of the bank account, `relation` a code of `payee_relation`.
    """

    end_day: date
    reason: str
    payee: str = ""
    relation: str = ""
    name: str = ""
    channel: str = "03"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the account holds after its reversals, in fen, and which kinds of the person are still open.

    Shape: `allowances` are open kinds that a payout does not wait for.
    """

    payable_fen: int = 0
    open_kinds: Collection[str] = ()
    allowances: Collection[str] = ()


def beyond(person: PersonFacts, region: str, end_month: str) -> tuple[EnrolmentFacts, ...]:
    """Return the person's enrolments of a region that reach beyond a month."""
    return tuple(
        each
        for each in person.enrolments
        if each.region == region
        and each.status == ACTIVE
        and (each.end_month is None or each.end_month > end_month)
    )


def check_withdrawal(
    params: ParameterSet,
    request: WithdrawalRequest,
    person: PersonFacts,
    employer: EmployerFacts,
    account: AccountFacts,
    today: date,
) -> Verdict:
    """Judge one withdrawal. Source: Nanjing manual 04 (参保人员个人账户一次性支取).

    Only open declarations block it, never unpaid charges: those up to the end stay due.
    """
    if person.matches > 1:
        return _refused("person.duplicate")
    if person.matches == 0:
        return _refused("stop.unknown")
    own = [each for each in person.enrolments if each.region == employer.region]
    if not any(each.employer_no == employer.employer_no for each in own):
        return _refused("withdrawal.not_of_employer")
    end_month = month_of(request.end_day)
    ending = beyond(person, employer.region, end_month)
    if any(each.employer_no != employer.employer_no and each.end_month is None for each in ending):
        return _refused("withdrawal.insured_elsewhere")
    if account.open_kinds:
        kinds = "、".join(params.kind_label(each) for each in account.open_kinds)
        return _refused("withdrawal.open_case", kinds=kinds)
    if person.died_on is not None and not _same_death(params, request, person.died_on, today):
        return _refused("withdrawal.death_differs", day=person.died_on.isoformat())
    months = _months(request, ending, today)
    problems = [*_form(request, person, today), *months.problems, *_money(ending, account)]
    warnings = [*months.warnings]
    if not account.payable_fen:
        warnings.append(Problem("withdrawal.no_balance", "id_number"))
    if account.allowances:
        kinds = "、".join(params.kind_label(each) for each in account.allowances)
        warnings.append(Problem("withdrawal.allowance_open", "id_number", {"kinds": kinds}))
    return Verdict(tuple(problems), tuple(warnings))


def _same_death(params: ParameterSet, request: WithdrawalRequest, died_on: date, today: date) -> bool:
    """Whether a later payout names the death that is on record."""
    return request.end_day == died_on and is_death(params, request.reason, today)


def _form(request: WithdrawalRequest, person: PersonFacts, today: date) -> list[Problem]:
    found = []
    if request.name and person.name and normalise(request.name) != normalise(person.name):
        found.append(Problem("enrol.name_differs", "name"))
    if request.end_day > today:
        found.append(Problem("withdrawal.future", "termination_date"))
    if request.relation == SELF and normalise(request.payee) != normalise(person.name):
        found.append(Problem("withdrawal.payee_differs", "bank_account_name"))
    return found


def _months(request: WithdrawalRequest, ending: Iterable[EnrolmentFacts], today: date) -> Verdict:
    """An end before the start makes insurance that never was: only the counter does that."""
    begun = [each.start_month for each in ending if each.start_month <= month_of(today)]
    if not begun or month_of(request.end_day) >= max(begun):
        return Verdict()
    start = {"start": max(begun)}
    if request.channel == COUNTER_CHANNEL:
        return Verdict((), (Problem("counter.never_insured", "termination_date", start),))
    return Verdict((Problem("withdrawal.before_start", "termination_date", start),))


def _money(ending: Collection[EnrolmentFacts], account: AccountFacts) -> list[Problem]:
    if account.payable_fen < 0:
        owed = {"amount": format_yuan(from_fen(-account.payable_fen))}
        return [Problem("withdrawal.negative", "id_number", owed)]
    if not ending and not account.payable_fen:
        return [Problem("withdrawal.nothing", "id_number")]
    return []


def withdrawal_outcome(*, paid: bool, again: bool) -> str:
    """Return the message code of an accepted payout; `again` for what came in after a death was settled."""
    if again:
        return "withdrawal.supplement"
    return "withdrawal.accepted" if paid else "withdrawal.accepted_without_payment"


def _refused(code: str, **params: str) -> Verdict:
    return Verdict((Problem(code, "id_number", params),))


AnyCharge = TypeVar("AnyCharge", bound=Charge)


def after_the_end(charges: Iterable[AnyCharge], end_month: str) -> tuple[list[AnyCharge], list[AnyCharge]]:
    """Return the charges of months after the end: unpaid ones (reversed) and paid ones (refunded).

    Whatever their type: nothing is owed for a month after a death. Shape: standing charges of one person.
    """
    later = [each for each in charges if each.accrual_month > end_month]
    unpaid = [each for each in later if each.received_on is None]
    return unpaid, [each for each in later if each.received_on is not None]
