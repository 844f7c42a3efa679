"""May this person be stopped, to which month, and what becomes of charges beyond it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from app.domain.calendar import add_months, month_end, month_of
from app.domain.collection import BASE_DIFFERENCE, MONTH_DUES, RATE_DIFFERENCE, SUPPLEMENTARY
from app.domain.enrolment import (
    ACTIVE,
    EMPLOYEE,
    RETIREE_TYPES,
    EmployerFacts,
    EnrolmentFacts,
    PersonFacts,
)
from app.domain.identity import normalise
from app.domain.life import is_death
from app.domain.limits import check_limits
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.retirement import statutory_month
from app.domain.window import stop_months

# Supplementary lines of these kinds are a month's own charge that changed its place or gained a fund.
MOVED_BY = frozenset({"employer_transfer", "person_type_change"})
FREE, THIS = "free", "this"


@dataclass(frozen=True, slots=True)
class StopRequest:
    """What a stop declaration asks for; `stop_day` is None where the region asks for a month.

    Shape: retirees tells a stop of retirees (stop_retiree) from one of employees.
    """

    stop_month: str
    reason: str
    stop_day: date | None = None
    name: str = ""
    post_category: str = ""
    retirees: bool = False
    channel: str = "03"


class Charge(Protocol):
    """A line of the ledger as the rules look at it."""

    @property
    def fund(self) -> str: ...
    @property
    def accrual_month(self) -> str: ...
    @property
    def due_type(self) -> str: ...
    @property
    def due_month(self) -> str: ...
    @property
    def received_on(self) -> date | None: ...
    @property
    def made_by(self) -> str: ...


def open_stretches(person: PersonFacts, employer: EmployerFacts) -> tuple[EnrolmentFacts, ...]:
    """Return the person's enrolments at this employer that go on, those from next month included."""
    return tuple(
        stretch
        for stretch in person.enrolments
        if stretch.category == EMPLOYEE
        and stretch.employer_no == employer.employer_no
        and stretch.status == ACTIVE
        and stretch.end_month is None
    )


def check_stop(
    params: ParameterSet, request: StopRequest, person: PersonFacts, employer: EmployerFacts, today: date
) -> Verdict:
    """Judge one stop by the region's rules. Raises ParameterMissing.

    Source: Suzhou manual 2 (3), 2 (4); Nantong manual 2.3.3; Nanjing manual 03; Weinan manual 2.2.
    """
    if person.matches > 1:
        return Verdict((Problem("person.duplicate", "id_number"),))
    if person.matches == 0:
        return Verdict((Problem("stop.unknown", "id_number"),))
    stretches = open_stretches(person, employer)
    if not stretches:
        return Verdict((Problem("stop.not_active", "id_number"),))
    retired = person.person_type.startswith(RETIREE_TYPES)
    if retired != request.retirees:
        return Verdict((Problem("stop.retiree" if retired else "stop.not_retired", "id_number"),))
    months = _month(params, request, stretches, today)
    problems = [*_name(request, person), *months.problems, *_reason(params, request, person, today)]
    warnings = [*months.warnings, *_warnings(params, request, person, stretches, today)]
    return Verdict(tuple(problems), tuple(warnings))


def _name(request: StopRequest, person: PersonFacts) -> list[Problem]:
    if request.name and person.name and normalise(request.name) != normalise(person.name):
        return [Problem("enrol.name_differs", "name")]
    return []


def _month(
    params: ParameterSet, request: StopRequest, stretches: Iterable[EnrolmentFacts], today: date
) -> Verdict:
    month = month_of(today)
    running = [each.start_month for each in stretches if not is_cancelled(each.start_month, request, today)]
    if not running:
        return Verdict()
    allowed, found = stop_months(params, today), Verdict()
    if allowed:
        off_day = request.stop_day is not None and request.stop_day != month_end(request.stop_month)
        if request.stop_month not in allowed or off_day:
            return Verdict((Problem("stop.month_range", "stop_month"),))
    else:
        found = check_limits(
            request.stop_month,
            add_months(month, -params.integer("stop.max_months_back", month)),
            add_months(month, params.integer("stop.max_months_ahead", month)),
            channel=request.channel,
            code="stop.month_limits",
            field="stop_month",
        )
    if found.accepted and request.stop_month < max(running):
        return Verdict((Problem("stop.before_start", "stop_month", {"start": max(running)}),))
    return found


def _reason(params: ParameterSet, request: StopRequest, person: PersonFacts, today: date) -> list[Problem]:
    reached = _not_reached(params, request, person, today)
    if reached is None or request.reason not in params.listed("stop.age_reasons", month_of(today)):
        return []
    return [Problem("stop.reason_too_early", "stop_reason", {"retirement_month": reached})]


def _not_reached(params: ParameterSet, request: StopRequest, person: PersonFacts, today: date) -> str | None:
    """The statutory retirement month of somebody who has not reached it."""
    if request.retirees or person.birth_date is None:
        return None
    reached = statutory_month(params, person.birth_date, person.sex, request.post_category)
    return reached if max(request.stop_month, month_of(today)) < reached else None


def _warnings(
    params: ParameterSet,
    request: StopRequest,
    person: PersonFacts,
    stretches: Iterable[EnrolmentFacts],
    today: date,
) -> list[Problem]:
    found = []
    upcoming = [each.start_month for each in stretches if is_cancelled(each.start_month, request, today)]
    if upcoming:
        found.append(Problem("stop.cancels", "id_number", {"start": min(upcoming)}))
    if not request.retirees and is_retirement(params, request.reason, today):
        found.append(Problem("stop.becomes_retiree", "stop_reason"))
        reached = _not_reached(params, request, person, today)
        if reached is not None:
            found.append(Problem("stop.retires_early", "stop_reason", {"retirement_month": reached}))
    if request.retirees and is_death(params, request.reason, today):
        found.append(Problem("stop.death_reported", "stop_reason"))
    return found + _retirement_instead(params, request, person, today)


def _retirement_instead(
    params: ParameterSet, request: StopRequest, person: PersonFacts, today: date
) -> list[Problem]:
    """A hint where somebody has reached the age, and retiring is a business of its own here.

    Source: Nanjing manual 03 (重要提醒:办理医保退休, 不要办理停保).
    """
    if request.retirees or person.birth_date is None or not params.offers("retirement"):
        return []
    if request.reason in params.listed("stop.age_reasons", month_of(today)):
        return []
    legal = statutory_month(params, person.birth_date, person.sex, request.post_category)
    if max(request.stop_month, month_of(today)) < legal:
        return []
    return [Problem("stop.retirement_instead", "stop_reason", {"retirement_month": legal})]


def is_cancelled(start_month: str, request: StopRequest, today: date) -> bool:
    """Return whether an enrolment never takes effect: it starts after this month and after the stop."""
    return start_month > max(request.stop_month, month_of(today))


def is_retirement(params: ParameterSet, reason: str, today: date) -> bool:
    """Return whether the reason makes the person a retiree instead of ending the insurance.

    Source: Weinan manual 2.2 (退休审批表).
    """
    return reason in params.listed("stop.retirement_reasons", month_of(today))


def retiree_funds(params: ParameterSet, funds: Iterable[str]) -> frozenset[str]:
    """Return the funds that go on for a retiree: those for which the region has retirees' values."""
    names = params.names()
    return frozenset(
        fund for fund in funds if any(name.startswith(f"contribution.retired.{fund}.") for name in names)
    )


def usual_stop_month(params: ParameterSet, today: date) -> str | None:
    """Return the month that a blank form starts with: this one, unless any month may be chosen."""
    month = month_of(today)
    return None if params.text("stop.months", month) == FREE else month


def fixed_stop_month(params: ParameterSet, today: date) -> str | None:
    """Return the only month that a stop may end in, None where there is a choice.

    Source: Nantong manual 2.3.3 (变更时间系统默认为经办月的月末，无法手工修改).
    """
    month = month_of(today)
    return month if params.text("stop.months", month) == THIS else None


AnyCharge = TypeVar("AnyCharge", bound=Charge)
DIFFERENCES = (BASE_DIFFERENCE, RATE_DIFFERENCE)


def to_take_back(
    charges: Iterable[AnyCharge], last_month: str, *, backpay_stays: bool = True
) -> tuple[list[AnyCharge], list[AnyCharge]]:
    """Return the charges beyond the last month that go: unpaid ones (reversed) and paid ones (refunded).

    Shape: standing charges of one person at one employer. After a stop the months paid back stay as they
    are, with what corrected them since; whoever turns into a retiree is not charged as an employee for the
    same months.
    """
    beyond = [each for each in charges if each.accrual_month > last_month and each.due_type in MONTH_DUES]
    if backpay_stays:
        stays = {(each.fund, each.accrual_month) for each in beyond if is_backpay(each)}
        beyond = [
            each
            for each in beyond
            if not is_backpay(each)
            and not (each.due_type in DIFFERENCES and (each.fund, each.accrual_month) in stays)
        ]
    unpaid = [each for each in beyond if each.received_on is None]
    return unpaid, [each for each in beyond if each.received_on is not None]


def is_backpay(charge: Charge) -> bool:
    """Return whether a charge pays back a month that had come, and is not one that was only moved.

    Source: Suzhou manual 2 (3) 2 (a stop leaves what was paid back).
    """
    return (
        charge.due_type == SUPPLEMENTARY
        and charge.accrual_month <= charge.due_month
        and charge.made_by not in MOVED_BY
    )


def backpaid_months(charges: Iterable[Charge], billed_from: str) -> list[str]:
    """Return the accrual months paid back and billed since a month: the stop leaves them."""
    return sorted(
        {each.accrual_month for each in charges if is_backpay(each) and each.due_month >= billed_from}
    )


def stop_outcome(*, retired: bool, cancelled: bool, backpaid: bool) -> str:
    """Return the message code of an accepted stop."""
    if retired:
        return "stop.retired"
    if cancelled:
        return "stop.cancelled"
    return "stop.accepted_with_backpay" if backpaid else "stop.accepted"
