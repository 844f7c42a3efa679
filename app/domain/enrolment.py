"""May this person be enrolled from this month, and which months must be paid back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from app.domain.calendar import add_months, month_of, months_between
from app.domain.contribution import CLIP, BaseRefused, tariff
from app.domain.identity import check_document, normalise
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.retirement import statutory_month
from app.domain.window import in_tail, latest_start_month

EMPLOYEE, FLEXIBLE, RESIDENT = "employee", "flexible", "resident"
CATEGORIES = (EMPLOYEE, FLEXIBLE, RESIDENT)
ACTIVE, UPCOMING, STOPPED, ENDED = "active", "upcoming", "stopped", "ended"
CIVIL_SERVANT, EMPLOYED, RETIREE_TYPES = "1102", "1101", "12"
COUNTER_CHANNEL = "02"
REFUSE, WARN = "refuse", "warn"
# When an enrolment pays past months back: never, at once, or when an auditor has approved it.
NO_BACKPAY, AUTOMATIC, AFTER_APPROVAL = "none", "automatic", "after_approval"


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    """One stretch of a person's insurance as the registry knows it; `end_month` None means it goes on."""

    category: str
    region: str
    start_month: str
    end_month: str | None = None
    employer_no: str = ""
    status: str = ACTIVE
    funds: tuple[str, ...] = ()

    def covers(self, month: str) -> bool:
        """Return whether the stretch reaches a month or any later one."""
        return self.status != ENDED and (self.end_month is None or self.end_month >= month)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the registry knows about the number that was typed.

    Shape: matches counts person records with this number (0 unknown, 2 and more must be merged);
    last_paid_month maps fund to its latest assessed month; charged_months holds the accrual months
    that already carry a normal or supplementary line, in any region's ledger of this product; died_on
    is the day of death as this region recorded it.
    """

    matches: int = 0
    name: str = ""
    birth_date: date | None = None
    sex: str = ""
    person_type: str = ""
    enrolments: tuple[EnrolmentFacts, ...] = ()
    last_paid_month: Mapping[str, str] = field(default_factory=dict)
    charged_months: frozenset[str] = frozenset()
    died_on: date | None = None


@dataclass(frozen=True, slots=True)
class EmployerFacts:
    """What the registry knows about the employer; funds maps fund to its months (first, last or None)."""

    employer_no: str
    region: str
    status: str = ACTIVE
    funds: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)

    def has_fund(self, fund: str, month: str) -> bool:
        """Return whether the employer takes part in a fund in a month."""
        first, last = self.funds.get(fund, ("9999-12", None))
        return first <= month and (last is None or month <= last)


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    """What the declaration asks for; wage in yuan a month, birth date and sex may be None or ''."""

    id_type: str
    id_number: str
    name: str
    wage_yuan: Decimal
    start_month: str
    funds: tuple[str, ...]
    birth_date: date | None = None
    sex: str = ""
    post_category: str = ""
    channel: str = "03"


def check_enrol(
    params: ParameterSet, request: EnrolRequest, person: PersonFacts, employer: EmployerFacts, today: date
) -> Verdict:
    """Judge one enrolment by the region's rules; all findings, those a person must act on first.

    Raises ParameterMissing. Source: Suzhou manual 1 (4), Nantong manual 2.1.3, Nanjing manual 2.
    """
    if person.matches > 1:
        # Nothing else can be judged while two records hold parts of the truth.
        return Verdict((Problem("person.duplicate", "id_number"),))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    start = _start(params, request, person, today)
    # A refused month may lie where no floor, cap or fund is known: this month then stands in for the rest.
    refused = any(level == REFUSE for _, level in start)
    judged = month_of(today) if refused else request.start_month
    for found, level in (
        *_identity(params, request, person, today),
        *_age(params, request, person, today),
        *_employer(employer),
        *start,
        *_overlaps(params, request, person, month_of(today)),
        *_back_again(params, request, person, employer, month_of(today)),
        *_funds(params, request, employer, judged),
        *_wage(params, request, judged),
    ):
        (problems if level == REFUSE else warnings).append(found)
    return Verdict(tuple(problems), tuple(warnings))


Findings = list[tuple[Problem, str]]


def _identity(params: ParameterSet, request: EnrolRequest, person: PersonFacts, today: date) -> Findings:
    found: Findings = []
    month = month_of(today)
    if not _at_counter(request) and request.id_type not in params.listed("enrol.id_types", month):
        found.append((Problem("enrol.id_type_at_counter", "id_type"), REFUSE))
    identity = check_document(request.id_type, request.id_number, today)
    if not identity.valid:
        found.append((Problem(f"identity.{identity.reason}", "id_number"), REFUSE))
    elif person.matches == 0 and params.flag("enrol.person_must_exist", month) and not _typed(request):
        found.append((Problem("enrol.person_unknown", "id_number"), REFUSE))
    elif person.matches and person.name and normalise(person.name) != normalise(request.name):
        found.append((Problem("enrol.name_differs", "name"), REFUSE))
    for field_name, typed, known in (
        ("birth_date", request.birth_date, identity.birth_date),
        ("sex", request.sex, identity.sex),
    ):
        if identity.valid and typed and known and typed != known:
            found.append((Problem(f"enrol.{field_name}_differs", field_name), REFUSE))
    return found


def _at_counter(request: EnrolRequest) -> bool:
    return request.channel == COUNTER_CHANNEL


def _typed(request: EnrolRequest) -> bool:
    """Whether the counter typed enough to make a record; else the person is registered there first."""
    return _at_counter(request) and bool(request.name)


def retirement_month(
    params: ParameterSet, request: EnrolRequest, person: PersonFacts
) -> tuple[str, str] | None:
    """Return the statutory retirement month and the sex it was found for; None where neither is known."""
    identity = check_document(request.id_type, request.id_number)
    birth = identity.birth_date or request.birth_date or person.birth_date
    sex = identity.sex or request.sex or person.sex
    if birth is None or not sex:
        return None
    return statutory_month(params, birth, sex, request.post_category), sex


def _age(params: ParameterSet, request: EnrolRequest, person: PersonFacts, today: date) -> Findings:
    month = month_of(today)
    if person.person_type.startswith(RETIREE_TYPES):
        return [(Problem("enrol.person_retired", "id_number"), REFUSE)]
    reached = retirement_month(params, request, person)
    if reached is None or max(month, request.start_month) < reached[0]:
        return []
    rule = WARN if _at_counter(request) else params.text("enrol.age_gate", month)
    # who is only told must not read that he is turned away
    said = "enrol.age" if rule == REFUSE else "enrol.age_reached"
    code = f"{said}_male" if reached[1] == "1" else f"{said}_female"
    return [(Problem(code, "id_number", {"retirement_month": reached[0]}), rule)]


def _employer(employer: EmployerFacts) -> Findings:
    if employer.status == ACTIVE:
        return []
    code = "employer.ended" if employer.status == ENDED else "employer.paused"
    return [(Problem(code), REFUSE)]


def _start(params: ParameterSet, request: EnrolRequest, person: PersonFacts, today: date) -> Findings:
    month = month_of(today)
    latest = latest_start_month(params, today)
    if request.start_month > latest:
        if in_tail(params, today) and request.start_month == add_months(month, 1):
            return [(Problem("enrol.next_month_not_open", "start_month"), REFUSE)]
        return [(Problem("enrol.start_too_late", "start_month", {"latest": latest}), REFUSE)]
    earliest = add_months(month, -params.integer("enrol.max_months_back", month))
    early = request.start_month < earliest
    if early and not _at_counter(request):
        return [(Problem("enrol.start_too_early", "start_month", {"earliest": earliest}), REFUSE)]
    if params.flag("enrol.start_after_last_paid", month):
        paid = person.last_paid_month.values()
        if paid and request.start_month <= max(paid):
            return [(Problem("enrol.start_not_after_last_paid", "start_month", {"month": max(paid)}), REFUSE)]
    return [(Problem("counter.too_early", "start_month", {"earliest": earliest}), WARN)] if early else []


def _overlaps(params: ParameterSet, request: EnrolRequest, person: PersonFacts, month: str) -> Findings:
    found: Findings = []
    for stretch in person.enrolments:
        if stretch.covers(request.start_month):
            found.append(_overlap(params, request, stretch, month))
    # One sentence each: five fund rows of one stretch are one fact to the reader.
    return list({item[0].code: item for item in found}.values())


def _back_again(
    params: ParameterSet, request: EnrolRequest, person: PersonFacts, employer: EmployerFacts, month: str
) -> Findings:
    """Somebody stopped here just now comes back: where a stop can be reverted, that is the better way."""
    ends = [
        stretch.end_month
        for stretch in person.enrolments
        if stretch.employer_no == employer.employer_no
        and stretch.category == EMPLOYEE
        and stretch.status == ACTIVE
        and stretch.end_month is not None
        and add_months(month, -1) <= stretch.end_month < request.start_month
    ]
    if not ends or not params.offers("revert"):
        return []
    return [(Problem("enrol.revert_instead", "id_number", {"end_month": max(ends)}), WARN)]


def _overlap(
    params: ParameterSet, request: EnrolRequest, stretch: EnrolmentFacts, month: str
) -> tuple[Problem, str]:
    if stretch.region != params.region:
        rule = WARN if _at_counter(request) else params.text("enrol.other_region", month)
        return Problem("enrol.active_elsewhere", "id_number", {"region": stretch.region}), rule
    facts = {"employer_no": stretch.employer_no, "end_month": stretch.end_month or ""}
    if stretch.category == EMPLOYEE:
        return Problem("enrol.active_at_employer", "id_number", facts), REFUSE
    if stretch.end_month is not None:
        return Problem("enrol.overlap", "start_month", facts), REFUSE
    code = "enrol.active_flexible" if stretch.category == FLEXIBLE else "enrol.active_resident"
    return Problem(code, "id_number", facts), REFUSE


def _funds(params: ParameterSet, request: EnrolRequest, employer: EmployerFacts, month: str) -> Findings:
    offered = set(params.fund_codes())
    wrong = [code for code in request.funds if code not in offered or not employer.has_fund(code, month)]
    names = _fund_names(params)
    if wrong:
        words = "、".join(names.get(code, code) for code in wrong)
        return [(Problem("enrol.fund_not_of_employer", "funds", {"funds": words}), REFUSE)]
    forced = params.fund_codes("forced")
    missing = [code for code in forced if code not in request.funds and employer.has_fund(code, month)]
    if missing:
        words = "、".join(names[code] for code in missing)
        return [(Problem("enrol.fund_forced", "funds", {"funds": words}), REFUSE)]
    return [] if request.funds else [(Problem("enrol.fund_none", "funds"), REFUSE)]


def _fund_names(params: ParameterSet) -> dict[str, str]:
    return {fund.code: fund.name for fund in params.funds}


def _wage(params: ParameterSet, request: EnrolRequest, month: str) -> Findings:
    if request.wage_yuan <= 0:
        return [(Problem("base.not_positive", "wage_yuan"), REFUSE)]
    rule = tariff(params, month, funds=())
    try:
        base = rule.base(request.wage_yuan)
    except BaseRefused as error:
        return [(Problem(error.code, "wage_yuan", error.params), REFUSE)]
    if base.clipped and rule.policy == CLIP:
        bounds = {"base": f"{base.amount:.2f}", "floor": f"{base.floor:.2f}", "cap": f"{base.cap:.2f}"}
        return [(Problem(f"base.clipped_{base.clipped}", "wage_yuan", bounds), WARN)]
    return []


def last_assessed_month(params: ParameterSet, today: date) -> str:
    """Return the last month whose normal dues are settled: what starts in it must be paid back."""
    month = month_of(today)
    settled = today.day >= params.integer("backpay.this_month_from_day", month)
    return month if settled else add_months(month, -1)


def backpay_months(
    params: ParameterSet,
    start_month: str,
    today: date,
    charged: Collection[str] = (),
    decided_on: date | None = None,
) -> list[str]:
    """Return the accrual months that an enrolment pays back, oldest first; empty where the region has none.

    From the start to the last settled month; not those already charged; at most the region's number
    of months, counted back. Shape: today is the day of submission; a later approval, `decided_on`, adds
    what was settled meanwhile without the person. Source: Suzhou manual 1 (3) 1 and (4) 1, 2.
    """
    month = month_of(today)
    if params.text("backpay.mode", month) == NO_BACKPAY:
        return []
    last = last_assessed_month(params, today)
    earliest = add_months(last, 1 - params.integer("backpay.max_months", month))
    if decided_on is not None:
        last = max(last, last_assessed_month(params, decided_on))
    return [each for each in months_between(max(start_month, earliest), last) if each not in charged]


def enrol_outcome(params: ParameterSet, today: date, months: Collection[str]) -> str:
    """Return the message code of an accepted enrolment that paid these months back."""
    if params.text("backpay.mode", month_of(today)) != AUTOMATIC:
        return "enrol.accepted"
    return "enrol.accepted_with_backpay" if months else "enrol.accepted_without_backpay"


def enrolment_status(start_month: str, today: date) -> str:
    """Return active, or upcoming (待生效) for a start in a later month: not yet counted as insured."""
    return UPCOMING if start_month > month_of(today) else ACTIVE


def person_type(params: ParameterSet, funds: Collection[str]) -> str:
    """Return the person type that the chosen funds make: a fund may name its own (公务员在职)."""
    for fund in params.funds:
        if fund.code in funds and fund.person_type:
            return fund.person_type
    return EMPLOYED
