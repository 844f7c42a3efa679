"""May a contribution base be declared for these months, and what does it change in months already charged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from app.domain.calendar import add_months, month_of, months_between
from app.domain.contribution import CLIP, BaseRefused, FenLine, Tariff, tariff
from app.domain.enrolment import COUNTER_CHANNEL, RETIREE_TYPES, EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.identity import normalise
from app.domain.limits import check_limits
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.stop import open_stretches

BASE, ANNUAL = "base", "base_annual"
AUTO, OPEN, CLOSED = "auto", "open", "closed"
ACTIVE, RETIRED = "active", "retired"
YEAR = 12


@dataclass(frozen=True, slots=True)
class BaseRequest:
    """A wage in yuan a month, declared from a month to a month (both included; None goes on).

    Shape: annual tells the yearly declaration; group is active or retired where a file holds one of them,
    '' where the form does not say; declared_month is the month that a form names as its own.
    """

    from_month: str
    wage_yuan: Decimal
    to_month: str | None = None
    name: str = ""
    annual: bool = False
    group: str = ""
    channel: str = "03"
    declared_month: str = ""


@dataclass(frozen=True, slots=True)
class WageSpan:
    """A wage as a declaration once fixed it, in fen; `kind` is base or base_annual, `id` rises with time."""

    id: int
    kind: str
    from_month: str
    to_month: str | None
    wage_fen: int

    def covers(self, month: str) -> bool:
        """Return whether the wage was declared for a month."""
        return self.from_month <= month and (self.to_month is None or month <= self.to_month)


def declared_wage(spans: Iterable[WageSpan], month: str) -> WageSpan | None:
    """Return what was declared last for a month; None where only the enrolment's wage is known."""
    return max((span for span in spans if span.covers(month)), key=lambda span: span.id, default=None)


def check_base(
    params: ParameterSet,
    request: BaseRequest,
    person: PersonFacts,
    employer: EmployerFacts,
    spans: Sequence[WageSpan],
    today: date,
) -> Verdict:
    """Judge a declaration of a contribution base; `spans` are the person's wages declared before.

    Raises ParameterMissing. Source: Nantong manual 2.5, 2.6; platform manual 3.3, 3.8; Suzhou manual 4;
    Weinan manual 2.4.
    """
    if person.matches > 1:
        return Verdict((Problem("person.duplicate", "id_number"),))
    if person.matches == 0:
        return Verdict((Problem("stop.unknown", "id_number"),))
    closed = _season(params, request, today)
    if closed:
        return Verdict(tuple(closed))
    stretches = open_stretches(person, employer)
    if not stretches:
        return Verdict((Problem("base.not_active", "id_number"),))
    retired = person.person_type.startswith(RETIREE_TYPES)
    if retired != (request.group == RETIRED):
        return Verdict((Problem("base.retiree" if retired else "base.not_retired", "id_number"),))
    problems = [
        *_name(request, person),
        *_once(params, request, spans, today),
        *_declared_month(request, today),
    ]
    months = _months(params, request, stretches, today)
    if problems or months.problems:
        return Verdict((*problems, *months.problems))
    if request.wage_yuan <= 0:
        return Verdict((Problem("base.not_positive", "wage_yuan"),))
    # a retiree's base is the pension and has no bounds
    wage = Verdict() if retired else _wage(params, request, today)
    return Verdict(wage.problems, (*months.warnings, *wage.warnings))


def _name(request: BaseRequest, person: PersonFacts) -> list[Problem]:
    if request.name and person.name and normalise(request.name) != normalise(person.name):
        return [Problem("enrol.name_differs", "name")]
    return []


def _season(params: ParameterSet, request: BaseRequest, today: date) -> list[Problem]:
    if not request.annual or request.channel == COUNTER_CHANNEL:
        return []
    closed = closed_season(params, today)
    return [closed] if closed else []


def closed_season(params: ParameterSet, today: date) -> Problem | None:
    """Return why the yearly declaration is not open today, and when it is; None in its season."""
    if season_open(params, today):
        return None
    if params.text("base_season.switch", month_of(today)) == CLOSED:
        return Problem("base_annual.switched_off")
    first, last = season_months(params, today)
    return Problem("base_annual.closed", "", {"first": str(first), "last": str(last)})


def _declared_month(request: BaseRequest, today: date) -> list[Problem]:
    month = month_of(today)
    if not request.declared_month or request.declared_month == month:
        return []
    return [Problem("base_annual.declared_month", "declared_month", {"month": month})]


def check_changes_done(
    params: ParameterSet, request: BaseRequest, waiting: Sequence[str], today: date
) -> list[Problem]:
    """Return why a yearly base is too early: the employer's additions and stops come first.

    Shape: `waiting` are the references of those that are filed and not decided. At the counter nothing
    refuses. Source: Weinan manual 2.4 (请各企业在人员增减业务结束后进行).
    """
    if not request.annual or request.channel == COUNTER_CHANNEL or not waiting:
        return []
    if not params.flag("base_annual.after_changes", month_of(today)):
        return []
    figures = {"count": str(len(waiting)), "reference": waiting[0]}
    return [Problem("base_annual.after_changes", "", figures)]


def _once(
    params: ParameterSet, request: BaseRequest, spans: Iterable[WageSpan], today: date
) -> list[Problem]:
    if not request.annual or not params.has("base_annual.times_a_year"):
        return []
    allowed = params.integer("base_annual.times_a_year", month_of(today))
    year = [span for span in spans if span.kind == ANNUAL and span.from_month == request.from_month]
    return [Problem("base_annual.once", "id_number")] if len({span.id for span in year}) >= allowed else []


def _months(
    params: ParameterSet, request: BaseRequest, stretches: Iterable[EnrolmentFacts], today: date
) -> Verdict:
    if request.to_month is not None and request.to_month < request.from_month:
        return Verdict((Problem("base.period_order", "to_month"),))
    if request.annual:
        return Verdict()
    month = month_of(today)
    begun = min(each.start_month for each in stretches)
    if request.from_month < begun:
        return Verdict((Problem("base.before_start", "from_month", {"start": begun}),))
    return check_limits(
        request.from_month,
        add_months(month, -params.integer("base.max_months_back", month)),
        add_months(month, params.integer("base.max_months_ahead", month)),
        channel=request.channel,
        code="base.month_limits",
        field="from_month",
    )


def _wage(params: ParameterSet, request: BaseRequest, today: date) -> Verdict:
    """Every month has its own bounds: refused where the region refuses, else held between them and told."""
    told: dict[tuple[str, str], Problem] = {}
    for month in months_to_judge(request, today):
        rule = tariff(params, month, funds=())
        try:
            base = rule.base(request.wage_yuan)
        except BaseRefused as error:
            return Verdict((Problem(error.code, "wage_yuan", {**error.params, "month": month}),))
        if base.clipped and rule.policy == CLIP:
            figures = {
                "base": f"{base.amount:.2f}",
                "floor": f"{base.floor:.2f}",
                "cap": f"{base.cap:.2f}",
                "month": month,
            }
            code = f"base.clipped_{base.clipped}"
            told.setdefault((code, figures["base"]), Problem(code, "wage_yuan", figures))
    return Verdict((), tuple(told.values()))


def months_to_judge(request: BaseRequest, today: date) -> list[str]:
    """Return the months that a declaration is judged for: of an open one those up to this month."""
    last = request.to_month or max(request.from_month, month_of(today))
    return months_between(request.from_month, last)


def season_open(params: ParameterSet, today: date) -> bool:
    """Return whether the yearly declaration is open: by the agency's switch, else by the calendar.

    Source: Suzhou manual 4 (the module is switched on only while the declaration is open).
    """
    switch = params.text("base_season.switch", month_of(today))
    if switch != AUTO:
        return switch == OPEN
    first, last = season_months(params, today)
    if first <= last:
        return first <= today.month <= last
    return today.month >= first or today.month <= last


def season_months(params: ParameterSet, today: date) -> tuple[int, int]:
    """Return the first and the last month of the year in which the season is."""
    month = month_of(today)
    return (
        params.integer("base_season.first_month_of_year", month),
        params.integer("base_season.last_month_of_year", month),
    )


def base_year_start(params: ParameterSet, today: date) -> str:
    """Return the first month of the base year that a yearly declaration of today is for: the nearest one."""
    month = month_of(today)
    ahead = (params.integer("base_year.first_month_of_year", month) - today.month) % YEAR
    return add_months(month, ahead if ahead <= YEAR // 2 else ahead - YEAR)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a month carries so far for one fund and party, in fen: the sum of its standing lines."""

    base_fen: int
    amount_fen: int


def base_differences(
    rule: Tariff, wage_yuan: Decimal, carried: Mapping[tuple[str, str], Carried]
) -> list[FenLine]:
    """Return what a new wage changes in a month that is charged already: lines of the difference, in fen.

    Shape: `carried` maps (fund, party) to what stands; funds that the month does not carry are left out.
    """
    base_fen = int(rule.base(wage_yuan, CLIP).amount * 100)
    found = []
    for line in rule.fen_lines(base_fen):
        before = carried.get((line.fund, line.party))
        if before is None or not line.rate or line.amount_fen == before.amount_fen:
            continue
        found.append(
            line._replace(
                base_fen=line.base_fen - before.base_fen, amount_fen=line.amount_fen - before.amount_fen
            )
        )
    return found


class Standing(Protocol):
    """A line of the ledger as a difference looks at it."""

    @property
    def fund(self) -> str: ...
    @property
    def party(self) -> str: ...
    @property
    def accrual_month(self) -> str: ...
    @property
    def base_fen(self) -> int: ...
    @property
    def amount_fen(self) -> int: ...


def carried_by_month(lines: Iterable[Standing]) -> dict[str, dict[tuple[str, str], Carried]]:
    """Return what each accrual month carries: charges with the later differences added."""
    found: dict[str, dict[tuple[str, str], Carried]] = {}
    for line in lines:
        month, key = found.setdefault(line.accrual_month, {}), (line.fund, line.party)
        before = month.get(key, Carried(0, 0))
        month[key] = Carried(before.base_fen + line.base_fen, before.amount_fen + line.amount_fen)
    return found
