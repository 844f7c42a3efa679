"""May this person be made a retiree of the medical insurance, and with which months behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.calendar import add_months, month_of
from app.domain.collection import REFUND
from app.domain.enrolment import COUNTER_CHANNEL, RETIREE_TYPES, EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.identity import MALE, normalise
from app.domain.limits import check_limits
from app.domain.money import round_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.retirement import retirement_category, statutory_retirement
from app.domain.stop import Charge, open_stretches, retiree_funds

NORMAL, ILLNESS, SPECIAL_TRADE = "1", "2", "3"
ONE_OFF, CONTINUE = "one_off", "continue"
RETIREE, CIVIL_RETIREE = "1201", "1202"
CIVIL_SERVANT = "1102"


@dataclass(frozen=True, slots=True)
class RetirementRequest:
    """What a retirement declares, as its assessment table says; months are counts, None where left empty.

    Shape: `shortfall` is one_off, continue or '' and only asked where the months do not suffice.
    """

    kind: str
    retire_day: date
    wage_yuan: Decimal
    total_months: int
    paid_months: int | None = None
    deemed_months: int | None = None
    shortfall: str = ""
    post_category: str = ""
    name: str = ""
    channel: str = "03"

    @property
    def month(self) -> str:
        """The last month as an employee."""
        return month_of(self.retire_day)


def check_retirement(
    params: ParameterSet,
    request: RetirementRequest,
    person: PersonFacts,
    employer: EmployerFacts,
    arrears: Collection[str],
    today: date,
) -> Verdict:
    """Judge one retirement; `arrears` are the person's overdue months. Raises ParameterMissing.

    Source: Nanjing manual 04 (医保退休办理).
    """
    if person.matches > 1:
        return _refused("person.duplicate")
    if person.matches == 0:
        return _refused("stop.unknown")
    if person.person_type.startswith(RETIREE_TYPES):
        return _refused("retirement.already")
    stretches = open_stretches(person, employer)
    if not stretches:
        here = any(each.employer_no == employer.employer_no for each in person.enrolments)
        return _refused("retirement.stopped_before" if here else "retirement.not_active")
    months, owed = _months(params, request, stretches, today), _arrears(params, request, arrears, today)
    problems = [*_form(params, request, person), *months.problems, *owed.problems]
    age = _age(params, request, person)
    problems += [each for each in age if each.code == "retirement.too_early"]
    warnings = [*months.warnings, *owed.warnings]
    warnings += [each for each in age if each.code != "retirement.too_early"]
    warnings += _shortfall_hints(params, request, person)
    return Verdict(tuple(problems), tuple(warnings))


def _form(params: ParameterSet, request: RetirementRequest, person: PersonFacts) -> list[Problem]:
    found = []
    if request.name and person.name and normalise(request.name) != normalise(person.name):
        found.append(Problem("enrol.name_differs", "name"))
    if request.wage_yuan <= 0:
        found.append(Problem("retirement.wage", "retirement_wage_yuan"))
    parts = (request.paid_months, request.deemed_months)
    if None not in parts and sum(part or 0 for part in parts) != request.total_months:
        found.append(Problem("retirement.months_differ", "total_months"))
    missing = missing_months(params, request, person.sex)
    if missing and request.shortfall not in (ONE_OFF, CONTINUE):
        needed = {"required": str(required_months(params, request, person.sex)), "missing": str(missing)}
        found.append(Problem("retirement.choose", "shortfall_choice", needed))
    return found


def _months(
    params: ParameterSet, request: RetirementRequest, stretches: Sequence[EnrolmentFacts], today: date
) -> Verdict:
    month = month_of(today)
    found = check_limits(
        request.month,
        add_months(month, -params.integer("retirement.max_months_back", month)),
        add_months(month, params.integer("retirement.max_months_ahead", month)),
        channel=request.channel,
        code="retirement.month_limits",
        field="retirement_date",
    )
    start = max(each.start_month for each in stretches)
    if request.month >= start:
        return found
    early = Problem("retirement.before_start", "retirement_date", {"start": start})
    return Verdict((*found.problems, early), found.warnings)


def _arrears(
    params: ParameterSet, request: RetirementRequest, arrears: Collection[str], today: date
) -> Verdict:
    """Unpaid months wait online; at the counter the auditor is told of them."""
    if not arrears or "retirement" not in params.listed("arrears.blocked_kinds", today):
        return Verdict()
    months = {"months": "、".join(sorted(arrears))}
    if request.channel == COUNTER_CHANNEL:
        return Verdict((), (Problem("counter.arrears", "id_number", months),))
    return Verdict((Problem("retirement.arrears", "id_number", months),))


def _age(params: ParameterSet, request: RetirementRequest, person: PersonFacts) -> list[Problem]:
    """Early retirement: a warning for illness and special trades and within the flexible years; late: too."""
    if person.birth_date is None:
        return []
    category = retirement_category(person.sex, request.post_category)
    legal = statutory_retirement(params, month_of(person.birth_date), category)
    said = {"retirement_month": legal.month}
    if request.month > legal.month and request.kind == NORMAL:
        return [Problem("retirement.late", "retirement_date", said)]
    if request.month >= legal.month:
        return []
    if request.kind in (ILLNESS, SPECIAL_TRADE):
        return [Problem("retirement.early", "retirement_date", said)]
    years = params.integer("retirement.flexible_months", request.month)
    if request.month >= add_months(legal.month, -min(years, legal.delay_months)):
        return [Problem("retirement.flexible", "retirement_date", said)]
    return [Problem("retirement.too_early", "retirement_date", said)]


def _shortfall_hints(params: ParameterSet, request: RetirementRequest, person: PersonFacts) -> list[Problem]:
    missing = missing_months(params, request, person.sex)
    if not missing or request.shortfall not in (ONE_OFF, CONTINUE):
        return []
    needed = {"required": str(required_months(params, request, person.sex)), "missing": str(missing)}
    return [Problem(f"retirement.short_{request.shortfall}", "shortfall_choice", needed)]


def required_months(params: ParameterSet, request: RetirementRequest, sex: str) -> int:
    """Return the contribution months that a lifelong benefit needs in the month of retirement."""
    who = "male" if sex == MALE else "female"
    return params.integer(f"retirement.contribution_months.{who}", request.month)


def missing_months(params: ParameterSet, request: RetirementRequest, sex: str) -> int:
    """Return how many months are missing, 0 where the person is entitled."""
    return max(0, required_months(params, request, sex) - request.total_months)


def one_off_amount(params: ParameterSet, base_yuan: Decimal, months: int, at: str) -> Decimal:
    """Return what the missing months cost at once, in yuan: base times rate, rounded, for each month."""
    return round_fen(base_yuan * params.decimal("retirement.one_off_rate", at)) * months


def kept_funds(params: ParameterSet, funds: Iterable[str], at: str) -> frozenset[str]:
    """Return the funds that go on for a retiree: the region's list, else those with retirees' values."""
    if params.has("retirement.funds"):
        return frozenset(funds) & frozenset(params.listed("retirement.funds", at))
    return retiree_funds(params, funds)


def retired_type(person_type: str) -> str:
    """Return the person type that an employee's one turns into."""
    return CIVIL_RETIREE if person_type == CIVIL_SERVANT else RETIREE


def overdue_months(params: ParameterSet, charges: Iterable[Charge], today: date) -> list[str]:
    """Return the accrual months whose bills are older than the region allows and not received.

    Shape: standing charges that somebody owes; refunds are no debts.
    """
    latest = add_months(month_of(today), -params.integer("arrears.after_months", today))
    return sorted(
        {
            each.accrual_month
            for each in charges
            if each.received_on is None and each.due_type != REFUND and each.due_month < latest
        }
    )


def retirement_outcome(missing: int, shortfall: str) -> str:
    """Return the message code of an accepted retirement."""
    if not missing:
        return "retirement.accepted"
    return "retirement.accepted_one_off" if shortfall == ONE_OFF else "retirement.continues"


def _refused(code: str) -> Verdict:
    return Verdict((Problem(code, "id_number"),))
