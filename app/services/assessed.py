"""Charging people for assessed months: in the monthly run, and when a declaration comes after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.clock import to_region, to_utc
from app.definitions.current import parameters
from app.domain.assessment import Charge, Insured, charges
from app.domain.base import WageSpan
from app.domain.calendar import month_of
from app.domain.collection import NORMAL, SUPPLEMENTARY
from app.domain.contribution import Tariff, tariff
from app.domain.enrolment import RETIREE_TYPES
from app.domain.parameters import ParameterSet
from app.store.adjustments import CoverRow
from app.store.assessments import Uncharged, hold_employers_shared, uncharged
from app.store.bases import BaseRow, base_history
from app.store.ledger import add_lines, charge_values

if TYPE_CHECKING:
    from app.services.cases import Case


@lru_cache(maxsize=512)
def _tariff(params: ParameterSet, month: str, status: str, funds: tuple[str, ...]) -> Tariff:
    return tariff(params, month, status, funds)


def charge(
    found: Sequence[Uncharged],
    due_type: str,
    due_month: str | None,
    now: datetime,
    declarations: Mapping[int, int] | None = None,
) -> int:
    """Charge what is not charged yet, inside the caller's transaction; gives the number of lines.

    Shape: `due_month` None bills each month in itself; `declarations` names whose act it was, by person.
    Raises: ParameterMissing, Duplicate (`charged_month`).
    """
    history = base_history({each.enrolment_id for each in found})
    by_month: dict[tuple[str, int, str], list[Insured]] = {}
    for each in found:
        key = (each.region, each.employer_id, each.month)
        by_month.setdefault(key, []).append(insured_by(each, history.get(each.enrolment_id, [])))
    rows: list[dict[str, Any]] = []
    for (region, employer_id, month), people in by_month.items():
        params = parameters(region)

        def rules(month: str, status: str, funds: tuple[str, ...], params: ParameterSet = params) -> Tariff:
            return _tariff(params, month, status, funds)

        rows += [
            _row(each, region, employer_id, due_type, due_month or month, now, declarations or {})
            for each in charges(rules, people, month)
        ]
    add_lines(rows)
    return len(rows)


def insured_by(row: Uncharged | CoverRow, declared: Sequence[BaseRow]) -> Insured:
    """What an enrolment insures, with the wages declared for it, oldest first."""
    wage_fen, base_fen = row.wage_fen, row.base_fen
    if declared:
        # what was on record before the first declaration changed it
        wage_fen, base_fen = declared[0].before_wage_fen, declared[0].before_base_fen
    return Insured(
        row.person_id,
        row.fund,
        row.person_type.startswith(RETIREE_TYPES),
        base_fen if wage_fen is None else wage_fen,
        tuple(
            WageSpan(each.id, each.action, each.from_month, each.to_month, each.wage_fen) for each in declared
        ),
    )


def _row(
    made: Charge,
    region: str,
    employer_id: int,
    due_type: str,
    due_month: str,
    now: datetime,
    declarations: Mapping[int, int],
) -> dict[str, Any]:
    return charge_values(
        made.line,
        region=region,
        person_id=made.person_id,
        employer_id=employer_id,
        due_type=due_type,
        due_month=due_month,
        accrual_month=made.month,
        declaration_id=declarations.get(made.person_id),
        created_at_utc=to_utc(now),
        retired=made.retired,
        wage_fen=made.wage_fen,
    )


def charge_month(employer_id: int, month: str, person_ids: Collection[int], now: datetime) -> tuple[int, int]:
    """Charge the normal dues of a month to people of an employer; gives people and lines charged.

    What carries a charge already is left out. The caller has a transaction and holds the people.
    """
    found = uncharged(person_ids, month, employer_id, month)
    lines = charge(found, NORMAL, None, now)
    return len({each.person_id for each in found}) if lines else 0, lines


def hold_employers(cases: Iterable[Case]) -> None:
    """Let nobody assess or bill the employers whose enrolments or charges the cases change until the commit.

    Called before any of their rows is touched: whoever bills an employer holds it before its lines. A new
    row that names its employer holds it by itself; one that is only changed does not.
    """
    changed = {case.declaration.employer_id for case in cases if case.changes}
    charged = {
        row["employer_id"] for case in cases for row in case.lines if row["reversal_of_id"] is not None
    }
    hold_employers_shared({each for each in changed | charged if each is not None})


def charge_late(cases: Sequence[Case]) -> int:
    """Charge what declarations leave uncharged in months that are assessed; gives the number of lines.

    The caller has held the employers (`hold_employers`).

    Called when their rows are written: a person who joins, comes back or turns into a retiree in an
    assessed month gets supplementary lines for it, due in the month of the act. Months before the one of
    submission stay as the kind's own rules charged them, unless the act took charges of them back.
    Source: months are fixed by the day of submission; what is assessed already gets a supplementary line.
    """
    touched = [case for case in cases if case.enrolments or case.changes]
    if not touched:
        return 0
    since, owners, again = _scope(touched)
    if not owners:
        return 0
    found = [
        each
        for each in uncharged(list(owners), min([*since.values(), *(month for _, month in again)]))
        if each.month >= since[each.person_id] or (each.person_id, each.month) in again
    ]
    if not found:
        return 0
    now = to_region(touched[0].declaration.updated_at_utc)
    return charge(found, SUPPLEMENTARY, month_of(now), now, owners)


def _scope(cases: Iterable[Case]) -> tuple[dict[int, str], dict[int, int], set[tuple[int, str]]]:
    """The month of submission and the declaration of each person, and the months taken back."""
    since: dict[int, str] = {}
    owners: dict[int, int] = {}
    again: set[tuple[int, str]] = set()
    for case in cases:
        row = case.declaration
        moment = row.submitted_at_utc or row.updated_at_utc
        people = {made["person_id"] for made in case.enrolments}
        if row.person_id is not None:
            people.add(row.person_id)
        for person_id in people:
            since[person_id] = month_of(to_region(moment))
            owners[person_id] = row.id
        again |= {
            (line["person_id"], line["accrual_month"])
            for line in case.lines
            if line["reversal_of_id"] is not None and line["person_id"] in people
        }
    return since, owners, again
