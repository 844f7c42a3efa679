"""What a declared base does to the registry and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.clock import to_utc
from app.domain.calendar import month_of
from app.domain.collection import BASE_DIFFERENCE
from app.domain.contribution import ACTIVE, CLIP, RETIRED
from app.domain.money import to_fen
from app.services import basing
from app.services.basing import Difference, differences, is_retired, request_of, tariff_of
from app.services.cases import Case
from app.services.handling import Handling, Result
from app.services.stopping import open_stretches
from app.store.bases import BaseRow
from app.store.ids import new_id
from app.store.ledger import charge_values

APPLY = "base.apply"


def apply_base(case: Case, today: date, now: datetime) -> Sequence[Difference]:
    """Enter the wage into each of the person's funds, and charge what it changes in assessed months.

    Shape: `today` is the day of submission, which fixes the months; `now` the moment of the act.
    Source: Nantong manual 2.5, platform manual 3.3 and 3.8.
    """
    row, request = case.declaration, request_of(case, today)
    stretches = open_stretches(case)
    status = RETIRED if is_retired(stretches) else ACTIVE
    base = tariff_of(case.parameters, request.from_month, status, ()).base(request.wage_yuan, CLIP).amount
    present = request.to_month is None or request.to_month >= month_of(today)
    case.bases += [
        BaseRow(
            id=new_id(),
            enrolment_id=each.id,
            declaration_id=row.id,
            action=row.kind,
            from_month=request.from_month,
            to_month=request.to_month,
            wage_fen=to_fen(request.wage_yuan),
            base_fen=to_fen(base),
            before_wage_fen=each.wage_fen,
            before_base_fen=each.base_fen,
            at_utc=to_utc(now),
            present=present,
        )
        for each in stretches
    ]
    found, retired = differences(case, today), status == RETIRED
    case.lines += [
        difference_line(case, row.person_id or 0, each, request.wage_yuan, now, retired=retired)
        for each in found
    ]
    case.effect_once(
        APPLY, now, {"from_month": request.from_month, "months": sorted({each.month for each in found})}
    )
    return found


def difference_line(
    case: Case, person_id: int, found: Difference, wage_yuan: Decimal, now: datetime, *, retired: bool = False
) -> dict[str, Any]:
    """The line that charges what a wage makes more or less of an assessed month, due in the month of `now`.

    `retired` is the status that the person was charged in: the next difference looks for it.
    """
    row = case.declaration
    return charge_values(
        found.line,
        region=row.region,
        person_id=person_id,
        employer_id=row.employer_id,
        due_type=BASE_DIFFERENCE,
        due_month=month_of(now.date()),
        accrual_month=found.month,
        declaration_id=row.id,
        created_at_utc=to_utc(now),
        retired=retired,
        wage_fen=to_fen(wage_yuan),
    )


def accept(case: Case, day: date, now: datetime) -> Result:
    """Enter an accepted contribution base."""
    row = case.declaration
    found = apply_base(case, day, now)
    row.result_code = f"{row.kind}.accepted"
    row.result_message = case.message(row.result_code)
    return {"differences": len(found)}


HANDLING = Handling(
    basing.judge,
    basing.settle,
    basing.trial_of,
    prepare=basing.prepare,
    defaults=basing.defaults,
    current=basing.current,
    subjects=basing.SUBJECTS,
    accept=accept,
)
ANNUAL = replace(HANDLING, defaults=basing.annual_defaults, closed=basing.closed_today)
