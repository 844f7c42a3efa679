"""After the season: the old base of those whom nobody declared goes on into the new base year.

One case for each employer, filed by the agency and decided by somebody else; doing it again finds only
those who were left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from app.clock import to_utc
from app.domain import base as rules
from app.domain.base_year import carried_wage, running_year
from app.domain.calendar import add_months, month_of
from app.domain.contribution import ACTIVE, CLIP
from app.domain.money import from_fen, to_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict
from app.services.base_effects import difference_line
from app.services.basing import END_OF_TIME, Difference, changed_months, counts, difference_amount, tariff_of
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.results import Amounts
from app.services.subjects import with_open_case
from app.store.bases import BaseRow
from app.store.ids import new_id
from app.store.ledger import standing_lines
from app.store.queries.base_year import UndeclaredStretch, undeclared_stretches

APPLY = "base_carry.apply"
CHUNK = 1000
SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("申报时间", ("base_carry.season",)),
    ("未申报人员", ("base_carry.nobody", "base_carry.tells")),
    ("重复申报", ("base_carry.one_open",)),
)


@dataclass(frozen=True, slots=True)
class Carried:
    """One person: the funds, the wage in yuan that goes on, and what it changes in charged months."""

    person_id: int
    stretches: Sequence[UndeclaredStretch]
    wage: Decimal
    differences: Sequence[Difference]


def defaults(fields: Collection[str], parameters: ParameterSet, today: date) -> dict[str, Any]:
    """What the form shows: the base year, and the region's rule in words."""
    return _shown(parameters, today) if "base_year" in fields else {}


def _shown(parameters: ParameterSet, today: date) -> dict[str, Any]:
    year = running_year(parameters, today)
    share = parameters.decimal("base_annual.undeclared_share", year)
    percent = f"{(share * 100).normalize():f}"
    return {
        "base_year": year,
        "carry_rule": f"按原缴费基数的{percent}%执行，低于保底线或高于封顶线的按其计算",
    }


def prepare(case: Case, today: date) -> None:
    """Put year and rule into the form, as they are on the day."""
    case.data |= _shown(case.parameters, today)


def plan(case: Case, today: date) -> list[Carried]:
    """Whose base goes on, with what it changes: a few statements for a whole employer."""
    params, employer_id = case.parameters, case.declaration.employer_id
    year = running_year(params, today)
    people = [
        (person_id, list(group))
        for person_id, group in groupby(
            undeclared_stretches(employer_id, year), key=lambda each: each.person_id
        )
    ]
    charged = _lines([person_id for person_id, _ in people], year)
    found = []
    for person_id, stretches in people:
        wage = _wage(params, year, stretches)
        if wage is None:
            continue
        own = [
            line
            for line in charged.get(person_id, ())
            if counts(line, employer_id, END_OF_TIME, retired=False)
        ]
        funds = tuple(sorted(each.fund for each in stretches))
        found.append(Carried(person_id, stretches, wage, changed_months(params, own, ACTIVE, funds, wage)))
    return found


def _lines(person_ids: Sequence[int], year: str) -> Mapping[int, Sequence[Any]]:
    before, found = add_months(year, -1), {}
    for start in range(0, len(person_ids), CHUNK):
        found.update(standing_lines(person_ids[start : start + CHUNK], before, END_OF_TIME))
    return found


def _wage(params: ParameterSet, year: str, stretches: Sequence[UndeclaredStretch]) -> Decimal | None:
    """One wage for all funds of a person: that of the fund that carries a base."""
    known = [each for each in stretches if each.wage_fen is not None or each.base_fen is not None]
    if not known:
        return None
    first = known[0]
    return carried_wage(
        params,
        year,
        min(each.from_month for each in stretches),
        None if first.wage_fen is None else from_fen(first.wage_fen),
        None if first.base_fen is None else from_fen(first.base_fen),
    )


def judge(case: Case, today: date) -> Verdict:
    """Only after the season, and only where somebody is left; another open case of the employer refuses."""
    if rules.season_open(case.parameters, today):
        return Verdict((Problem("base_carry.season_open"),))
    found = plan(case, today)
    if not found:
        verdict = Verdict((Problem("base_carry.nobody"),))
    else:
        owed = sum(
            each.line.amount_fen
            for carried in found
            for each in carried.differences
            if not each.line.party.startswith("allocation")
        )
        figures = {"people": str(len(found)), "amount": f"{from_fen(owed):.2f}"}
        verdict = Verdict((), (Problem("base_carry.tells", "base_year", figures),))
    return with_open_case(case, verdict, "base_carry.one_open")


def settle(case: Case, today: date) -> dict[str, Any]:
    """Fix the base year."""
    year = running_year(case.parameters, today)
    case.declaration.facts = {**case.declaration.facts, "base_year": year}
    return {"reason": ""}


def trial_of(case: Case, today: date) -> Amounts | None:
    """What the charged months change by, everybody together; None where nothing is charged yet."""
    found = [each for carried in plan(case, today) for each in carried.differences]
    if not found:
        return None
    due = month_of(today)
    lines = [difference_amount(each, due) for each in found]
    return Amounts(lines=lines, months=sorted({each.month for each in found}))


def apply_carry(case: Case, today: date, now: datetime) -> Sequence[Carried]:
    """Enter the base of everybody who was left, and charge the differences.

    Shape: `today` is the day of submission, which fixes the year. Source: 社会保险法 article 62.
    """
    row, year = case.declaration, running_year(case.parameters, today)
    found = plan(case, today)
    for carried in found:
        base = tariff_of(case.parameters, year, ACTIVE, ()).base(carried.wage, CLIP).amount
        case.bases += [_base_row(case, each, year, carried.wage, base, now) for each in carried.stretches]
        case.lines += [
            difference_line(case, carried.person_id, each, carried.wage, now) for each in carried.differences
        ]
    case.effect_once(APPLY, now, {"base_year": year, "people": len(found)})
    row.facts = {**row.facts, "people": len(found)}
    return found


def _base_row(
    case: Case, each: UndeclaredStretch, year: str, wage: Decimal, base: Decimal, now: datetime
) -> BaseRow:
    return BaseRow(
        id=new_id(),
        enrolment_id=each.id,
        declaration_id=case.declaration.id,
        action=case.declaration.kind,
        from_month=year,
        to_month=None,
        wage_fen=to_fen(wage),
        base_fen=to_fen(base),
        before_wage_fen=each.wage_fen,
        before_base_fen=each.base_fen,
        at_utc=to_utc(now),
    )


def accept(case: Case, day: date, now: datetime) -> Result:
    """Carry the bases on."""
    row = case.declaration
    found = apply_carry(case, day, now)
    row.result_code = f"{row.kind}.accepted"
    row.result_message = case.message(row.result_code, people=str(len(found)))
    return {"people": len(found)}


HANDLING = Handling(
    judge, settle, trial_of, prepare=prepare, defaults=defaults, subjects=SUBJECTS, accept=accept
)
