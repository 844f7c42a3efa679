"""Supplementary collection of chosen months, and its cancellation: which months, and what refuses."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.base import WageSpan, declared_wage
from app.domain.calendar import add_months, month_end, month_of, months_between
from app.domain.collection import days_late, late_fee, may_cancel
from app.domain.enrolment import (
    EMPLOYEE,
    ENDED,
    RETIREE_TYPES,
    EmployerFacts,
    PersonFacts,
    last_assessed_month,
)
from app.domain.identity import normalise
from app.domain.limits import check_limits
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict

OVER_LIMIT = "over_6_months"


@dataclass(frozen=True, slots=True)
class CollectionRequest:
    """The months that a supplementary collection asks for, both included."""

    from_month: str
    to_month: str
    name: str = ""
    channel: str = "03"


@dataclass(frozen=True, slots=True)
class Selection:
    """What becomes of the chosen months, each list oldest first.

    Shape: `months` are collected; `charged` carry a charge already; `not_insured` lie outside the
    enrolments at this employer; `undeclared` lack a declared base where the region asks for one.
    """

    months: Sequence[str]
    charged: Sequence[str]
    not_insured: Sequence[str]
    undeclared: Sequence[str]


def insured_funds(person: PersonFacts, employer: EmployerFacts, month: str) -> tuple[str, ...]:
    """Return the funds in which the person is this employer's employee in a month."""
    return tuple(
        fund
        for stretch in person.enrolments
        if stretch.category == EMPLOYEE
        and stretch.employer_no == employer.employer_no
        and stretch.status != ENDED
        and stretch.start_month <= month
        and (stretch.end_month is None or month <= stretch.end_month)
        for fund in stretch.funds
    )


def select_months(
    params: ParameterSet,
    request: CollectionRequest,
    person: PersonFacts,
    employer: EmployerFacts,
    spans: Collection[WageSpan],
    today: date,
) -> Selection:
    """Sort the chosen months: what is collected, what is left out and why.

    Source: platform manual 4 (补缴前先做缴费申报与变更，补缴哪个月就变更哪个月的基数).
    """
    chosen = months_between(request.from_month, request.to_month)
    charged = [month for month in chosen if month in person.charged_months]
    free = [month for month in chosen if month not in person.charged_months]
    outside = [month for month in free if not insured_funds(person, employer, month)]
    inside = [month for month in free if month not in outside]
    undeclared = []
    if params.flag("collection.base_declared", month_of(today)):
        undeclared = [month for month in inside if declared_wage(spans, month) is None]
    return Selection(inside, charged, outside, undeclared)


def check_collection(
    params: ParameterSet,
    request: CollectionRequest,
    person: PersonFacts,
    employer: EmployerFacts,
    spans: Collection[WageSpan],
    today: date,
) -> Verdict:
    """Judge a supplementary collection; months charged already are left out and told.

    Raises ParameterMissing. Source: platform manual 4.
    """
    if person.matches > 1:
        return Verdict((Problem("person.duplicate", "id_number"),))
    if person.matches == 0:
        return Verdict((Problem("stop.unknown", "id_number"),))
    if person.person_type.startswith(RETIREE_TYPES):
        return Verdict((Problem("collection.retiree", "id_number"),))
    if request.name and person.name and normalise(request.name) != normalise(person.name):
        return Verdict((Problem("enrol.name_differs", "name"),))
    period = check_period(params, request, today)
    if period.problems:
        return period
    found = select_months(params, request, person, employer, spans, today)
    if found.not_insured:
        return Verdict((_months("collection.not_insured", found.not_insured),))
    if not found.months:
        return Verdict((Problem("collection.nothing", "from_month"),))
    if found.undeclared:
        return Verdict((_months("collection.base_missing", found.undeclared),))
    left_out = (_months("collection.left_out", found.charged),) if found.charged else ()
    return Verdict((), (*period.warnings, *left_out))


def check_period(params: ParameterSet, request: CollectionRequest, today: date) -> Verdict:
    """Judge the first and the last month of a collection. Raises ParameterMissing."""
    if request.to_month < request.from_month:
        return Verdict((Problem("base.period_order", "to_month"),))
    last = last_assessed_month(params, today)
    if request.to_month > last:
        return Verdict((Problem("collection.too_late", "to_month", {"latest": last}),))
    earliest = add_months(last, 1 - params.integer("collection.max_months", month_of(today)))
    return check_limits(
        request.from_month,
        earliest,
        channel=request.channel,
        code="collection.too_early",
        field="from_month",
    )


def _months(code: str, months: Iterable[str]) -> Problem:
    return Problem(code, "from_month", {"months": "、".join(months)})


def material_reason(params: ParameterSet, months: Collection[str], today: date) -> str:
    """Return what the materials depend on: whether more months are collected than go without proof."""
    limit = params.integer("collection.months_without_material", month_of(today))
    return OVER_LIMIT if len(months) > limit else ""


def late_fee_of(params: ParameterSet, month: str, principal: Decimal, today: date) -> Decimal:
    """Return the late fee in yuan for one accrual month collected today; nothing where the region waives it.

    Shape: principal is what employer and employee owe for the month. Raises ParameterMissing.
    """
    if not params.flag("collection.late_fee", month_of(today)):
        return Decimal("0.00")
    due = min(date.fromisoformat(f"{month}-{params.integer('payment.due_day', month):02d}"), month_end(month))
    return late_fee(params, principal, days_late(due, today), today)


@dataclass(frozen=True, slots=True)
class BackpaidMonth:
    """A month that was paid back: the day it was done (None where unknown), and whether money came in."""

    month: str
    made_on: date | None
    paid: bool


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Which of the months can be cancelled, and what refuses or stays."""

    months: Sequence[str]
    verdict: Verdict


def check_cancellation(
    params: ParameterSet, matches: int, backpaid: Sequence[BackpaidMonth], today: date
) -> Cancellation:
    """Judge the cancellation of a collection: this declaration period's only, and nothing received.

    Shape: `backpaid` are the chosen months that this employer paid back; `matches` counts the person's
    records. Raises ParameterMissing. Source: Suzhou manual 3.
    """
    if matches != 1:
        return _refused("person.duplicate" if matches > 1 else "stop.unknown")
    if not backpaid:
        return _refused("collection_cancel.nothing")
    recent = [
        each
        for each in backpaid
        if each.made_on is not None and may_cancel(params, each.made_on, today, paid=False)
    ]
    if not recent:
        return _refused("collection_cancel.other_period")
    months = [each.month for each in recent if not each.paid]
    if not months:
        return _refused("collection_cancel.paid")
    stay = [each.month for each in backpaid if each.month not in months]
    return Cancellation(months, Verdict((), (_months("collection_cancel.stay", stay),) if stay else ()))


def _refused(code: str) -> Cancellation:
    return Cancellation((), Verdict((Problem(code, "id_number"),)))
