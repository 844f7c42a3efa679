"""May these people go on at another employer of the region from a month, and in which funds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import add_months, month_of
from app.domain.collection import MONTH_DUES
from app.domain.enrolment import (
    ACTIVE,
    RETIREE_TYPES,
    EmployerFacts,
    PersonFacts,
    person_type,
)
from app.domain.limits import check_limits
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.domain.stop import AnyCharge, open_stretches


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What a transfer asks for: `month` is the last one at the old employer."""

    month: str
    reason: str
    channel: str = "03"

    @property
    def first_month(self) -> str:
        """The first month at the new employer."""
        return add_months(self.month, 1)


@dataclass(frozen=True, slots=True)
class Mover:
    """One of the people of a transfer; `label` is how refusals name them, `open_reference` another case."""

    label: str
    person: PersonFacts
    open_reference: str = ""
    outdated_number: bool = False


def check_transfer(
    params: ParameterSet,
    request: TransferRequest,
    movers: Sequence[Mover],
    giving: EmployerFacts,
    receiving: EmployerFacts | None,
    today: date,
) -> Verdict:
    """Judge one transfer of many people: all of them go, or nobody.

    Raises ParameterMissing. Source: Nanjing manual 03 (740311 单位调动, 0990 组织变更的其他情况).
    """
    if receiving is None or receiving.region != giving.region:
        return _refused("employer_transfer.target_unknown", "target_employer_no")
    if receiving.employer_no == giving.employer_no:
        return _refused("employer_transfer.target_same", "target_employer_no")
    if receiving.status != ACTIVE:
        return _refused("employer_transfer.target_inactive", "target_employer_no")
    limits = _month(params, request, today)
    problems = (*_count(params, movers, today), *limits.problems) or tuple(_people(request, movers, giving))
    if problems:
        return Verdict(problems)
    found = _funds(params, request, movers, giving, receiving)
    return Verdict(found.problems, (*limits.warnings, *found.warnings))


def _count(params: ParameterSet, movers: Sequence[Mover], today: date) -> list[Problem]:
    if not movers:
        return [Problem("employer_transfer.nobody", "people")]
    limit = params.integer("employer_transfer.max_people", month_of(today))
    if len(movers) > limit:
        return [Problem("employer_transfer.too_many", "people", {"limit": str(limit)})]
    return []


def _month(params: ParameterSet, request: TransferRequest, today: date) -> Verdict:
    month = month_of(today)
    return check_limits(
        request.month,
        add_months(month, -params.integer("employer_transfer.max_months_back", month)),
        add_months(month, params.integer("employer_transfer.max_months_ahead", month)),
        channel=request.channel,
        code="employer_transfer.month_limits",
        field="transfer_month",
    )


def _people(request: TransferRequest, movers: Iterable[Mover], giving: EmployerFacts) -> Iterable[Problem]:
    """One sentence for each thing that is wrong, with the names of those it is true of."""
    wrong: dict[str, list[str]] = {}
    for each in movers:
        code = _wrong_with(request, each, giving)
        if code:
            wrong.setdefault(code, []).append(each.label)
    for code, labels in wrong.items():
        yield Problem(code, "people", {"people": "、".join(labels)})


def _wrong_with(request: TransferRequest, mover: Mover, giving: EmployerFacts) -> str:
    if mover.person.matches != 1:
        return "employer_transfer.duplicate" if mover.person.matches else "employer_transfer.unknown"
    if mover.outdated_number:
        return "employer_transfer.outdated_number"
    if mover.open_reference:
        return "employer_transfer.one_open"
    stretches = open_stretches(mover.person, giving)
    if not stretches:
        return "employer_transfer.not_active"
    if max(each.start_month for each in stretches) > request.month:
        return "employer_transfer.before_start"
    return ""


def _funds(
    params: ParameterSet,
    request: TransferRequest,
    movers: Iterable[Mover],
    giving: EmployerFacts,
    receiving: EmployerFacts,
) -> Verdict:
    """Whoever would go on in no fund stays; funds that the new employer does not have are told."""
    without: list[str] = []
    lost: dict[tuple[str, ...], list[str]] = {}
    for each in movers:
        held = [fund for stretch in open_stretches(each.person, giving) for fund in stretch.funds]
        carried, dropped = carried_funds(held, receiving, request.first_month)
        if not carried:
            without.append(each.label)
        elif dropped:
            lost.setdefault(dropped, []).append(each.label)
    if without:
        return Verdict((Problem("employer_transfer.no_fund", "people", {"people": "、".join(without)}),))
    names = {fund.code: fund.name for fund in params.funds}
    warnings = [
        Problem(
            "employer_transfer.funds_lost",
            "target_employer_no",
            {"funds": "、".join(names.get(code, code) for code in funds), "people": "、".join(labels)},
        )
        for funds, labels in lost.items()
    ]
    return Verdict((), tuple(warnings))


def carried_funds(
    funds: Iterable[str], receiving: EmployerFacts, month: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the funds that go on at the new employer from a month, and those that it does not have."""
    held = sorted(set(funds))
    carried = tuple(fund for fund in held if receiving.takes_in(fund, month))
    return carried, tuple(fund for fund in held if fund not in carried)


def type_after(params: ParameterSet, before: str, funds: Iterable[str]) -> str:
    """Return the person type at the new employer: a retiree stays one, else the funds make it."""
    return before if before.startswith(RETIREE_TYPES) else person_type(params, set(funds))


def moved_charges(charges: Iterable[AnyCharge], month: str) -> list[AnyCharge]:
    """Return the charges of later months that the old employer carries: they move with the person.

    Shape: standing charges of one person at the old employer.
    """
    return [each for each in charges if each.due_type in MONTH_DUES and each.accrual_month > month]


@dataclass(frozen=True, slots=True)
class Owed:
    """What a moved month is charged with at the new employer: the sum of what stood, in fen."""

    base_fen: int
    amount_fen: int
    rate: str | None
    fixed_fen: int | None
    retired: bool


def summed(
    before: Mapping[tuple[str, str, str], Owed], key: tuple[str, str, str], more: Owed
) -> dict[tuple[str, str, str], Owed]:
    """Return the sums with one more line: a charge and its later differences become one charge again.

    Shape: lines come in the order they were made; the newest one tells the rate in force.
    """
    first = before.get(key)
    if first is None:
        return {**before, key: more}
    total = Owed(
        first.base_fen + more.base_fen,
        first.amount_fen + more.amount_fen,
        more.rate or first.rate,
        _fixed(first, more),
        first.retired,
    )
    return {**before, key: total}


def _fixed(first: Owed, more: Owed) -> int | None:
    if first.rate is not None or more.rate is not None:
        return None
    return (first.fixed_fen or 0) + (more.fixed_fen or 0)


def _refused(code: str, field: str) -> Verdict:
    return Verdict((Problem(code, field),))
