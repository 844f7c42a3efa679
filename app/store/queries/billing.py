"""Lists of payment notices, for the agency and for the employer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from app.extensions import db
from app.store.models import Employer, PaymentNotice
from app.store.queries.frame import LIMIT

OPEN, SETTLED = "open", "settled"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is asked for: one employer or the regions; `text` is a notice's or an employer's number."""

    regions: Collection[str] = ()
    employer_id: int | None = None
    month: str = ""
    state: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice in a list."""

    id: int
    number: str
    region: str
    employer_no: str
    employer_name: str
    due_month: str
    kind: str
    settled: bool
    made_at_utc: datetime

    @property
    def cursor(self) -> str:
        """The notice's place in the list, for the address."""
        return f"{self.due_month}.{self.id}"


def _filtered(query: Any, wanted: Filter) -> Any:
    if wanted.employer_id is not None:
        query = query.where(PaymentNotice.employer_id == wanted.employer_id)
    else:
        query = query.where(PaymentNotice.region.in_(wanted.regions))
    if wanted.month:
        query = query.where(PaymentNotice.due_month == wanted.month)
    if wanted.state:
        query = query.where(PaymentNotice.settled.is_(wanted.state == SETTLED))
    if wanted.text:
        query = query.where(or_(PaymentNotice.number == wanted.text, Employer.employer_no == wanted.text))
    return query.join(Employer, Employer.id == PaymentNotice.employer_id)


def list_notices(
    wanted: Filter, *, after: tuple[str, int] | None, before: tuple[str, int] | None, limit: int
) -> list[NoticeLine]:
    """A page of notices, latest due month first; `after` and `before` are (due month, id) at the ends."""
    place = (PaymentNotice.due_month, PaymentNotice.id)
    query = _filtered(
        select(
            PaymentNotice.id, PaymentNotice.number, PaymentNotice.region, Employer.employer_no,
            Employer.name, PaymentNotice.due_month, PaymentNotice.kind, PaymentNotice.settled,
            PaymentNotice.made_at_utc,
        ),
        wanted,
    )  # fmt: skip
    if before is not None:
        query = query.where(_beyond(place, before, up=True)).order_by(*place)
        rows = list(reversed(db.session.execute(query.limit(limit)).all()))
    else:
        if after is not None:
            query = query.where(_beyond(place, after, up=False))
        rows = list(db.session.execute(query.order_by(*(each.desc() for each in place)).limit(limit)).all())
    return [NoticeLine(*row) for row in rows]


def _beyond(place: tuple[Any, Any], given: tuple[str, int], *, up: bool) -> Any:
    month, number = place
    if up:
        return or_(month > given[0], (month == given[0]) & (number > given[1]))
    return or_(month < given[0], (month == given[0]) & (number < given[1]))


def count_notices(wanted: Filter) -> int:
    """How many notices the filters find; counting stops at `LIMIT`."""
    ids = _filtered(select(PaymentNotice.id), wanted).limit(LIMIT).subquery()
    return db.session.execute(select(func.count()).select_from(ids)).scalar_one()
