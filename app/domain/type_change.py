"""May an employee become a civil servant, or the other way round, from a month on without a stop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import add_months, month_of
from app.domain.collection import MONTH_DUES
from app.domain.contribution import ACTIVE, FenLine, tariff
from app.domain.enrolment import (
    CIVIL_SERVANT,
    EMPLOYED,
    RETIREE_TYPES,
    EmployerFacts,
    EnrolmentFacts,
    PersonFacts,
)
from app.domain.identity import normalise
from app.domain.limits import check_limits
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.stop import AnyCharge, open_stretches


@dataclass(frozen=True, slots=True)
class TypeRequest:
    """What a change asks for: the new person type and the first month of it."""

    person_type: str
    from_month: str
    name: str = ""
    channel: str = "03"


def fund_of_type(params: ParameterSet, person_type: str) -> str | None:
    """Return the fund that makes a person type in this region; None where it has no such fund."""
    return next((fund.code for fund in params.funds if fund.person_type == person_type), None)


def check_type_change(
    params: ParameterSet, request: TypeRequest, person: PersonFacts, employer: EmployerFacts, today: date
) -> Verdict:
    """Judge one change between 1101 and 1102. Raises ParameterMissing.

    Source: platform manual 3.1 (如企业含有公务员医疗补助，需自行选择是否参加该险种).
    """
    if person.matches > 1:
        return _refused("person.duplicate")
    if person.matches == 0:
        return _refused("stop.unknown")
    stretches = open_stretches(person, employer)
    if not stretches:
        return _refused("stop.not_active")
    if person.person_type.startswith(RETIREE_TYPES):
        return _refused("person_type_change.retiree")
    if request.name and person.name and normalise(request.name) != normalise(person.name):
        return _refused("enrol.name_differs", "name")
    fund = fund_of_type(params, CIVIL_SERVANT)
    if fund is None or request.person_type not in (EMPLOYED, CIVIL_SERVANT):
        return _refused("person_type_change.not_here", "person_type")
    held = [each for each in stretches if fund in each.funds]
    if bool(held) == (request.person_type == CIVIL_SERVANT):
        return _refused("person_type_change.same", "person_type")
    limits = _month(params, request, stretches, today)
    problems = [*limits.problems, *_fund(params, request, person, employer, fund)]
    return Verdict(tuple(problems[:1]), limits.warnings)


def _month(
    params: ParameterSet, request: TypeRequest, stretches: Iterable[EnrolmentFacts], today: date
) -> Verdict:
    begun = min(each.start_month for each in stretches)
    if request.from_month < begun:
        return Verdict((Problem("base.before_start", "from_month", {"start": begun}),))
    month = month_of(today)
    return check_limits(
        request.from_month,
        add_months(month, -params.integer("person_type_change.max_months_back", month)),
        add_months(month, params.integer("person_type_change.max_months_ahead", month)),
        channel=request.channel,
        code="person_type_change.month_limits",
        field="from_month",
    )


def _fund(
    params: ParameterSet, request: TypeRequest, person: PersonFacts, employer: EmployerFacts, fund: str
) -> list[Problem]:
    if request.person_type != CIVIL_SERVANT:
        return []
    if not employer.takes_in(fund, request.from_month):
        return [Problem("person_type_change.employer_fund", "person_type", {"fund": params.fund(fund).name})]
    if any(each.covers(request.from_month) for each in person.enrolments if fund in each.funds):
        return [Problem("person_type_change.overlap", "from_month")]
    return []


def added_lines(params: ParameterSet, month: str, fund: str, base_fen: int) -> list[FenLine]:
    """Return what a month that is charged already owes more for an added fund, in fen.

    Raises ParameterMissing.
    """
    return tariff(params, month, ACTIVE, (fund,)).fen_lines(base_fen)


def charges_of_fund(charges: Sequence[AnyCharge], fund: str, from_month: str) -> list[AnyCharge]:
    """Return the charges of a dropped fund from a month on. Shape: standing charges with their `fund`."""
    return [
        each
        for each in charges
        if getattr(each, "fund", "") == fund
        and each.accrual_month >= from_month
        and each.due_type in MONTH_DUES
    ]


def _refused(code: str, field: str = "id_number") -> Verdict:
    return Verdict((Problem(code, field),))
