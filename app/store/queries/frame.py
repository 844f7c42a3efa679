"""The numbers in the frame of every page: each count stops at a limit, so that its cost is bounded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ScalarSelect, Select, func, or_, select

from app.domain.enrolment import COUNTER_CHANNEL
from app.extensions import db
from app.store.models import Declaration, HumanTask, Notice

LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Reminders:
    """What waits for a person; a number that reaches `LIMIT` means at least that many."""

    pending: int = 0
    returned: int = 0
    refused: int = 0
    unread: int = 0
    mine: int = 0
    group: int = 0


def employer_reminders(employer_id: int, user_id: int) -> Reminders:
    """An employer's own records that need somebody, and unread messages, in one statement.

    A refused record counts until it has been filed again.
    """
    filed_again = select(Declaration.copied_from_id).where(
        Declaration.employer_id == employer_id, Declaration.copied_from_id.is_not(None)
    )
    of_employer = select(Declaration.id).where(
        Declaration.employer_id == employer_id, Declaration.channel != COUNTER_CHANNEL
    )
    unread = select(Notice.id).where(
        Notice.employer_id == employer_id,
        or_(Notice.user_id.is_(None), Notice.user_id == user_id),
        Notice.read_at_utc.is_(None),
    )
    row = db.session.execute(
        select(
            _capped(of_employer.where(Declaration.status == "pending")),
            _capped(of_employer.where(Declaration.status == "returned")),
            _capped(of_employer.where(Declaration.status == "rejected", Declaration.id.not_in(filed_again))),
            _capped(unread),
        )
    ).one()
    return Reminders(pending=row[0], returned=row[1], refused=row[2], unread=row[3])


def agency_reminders(regions: Collection[str], roles: Collection[str], user_id: int) -> Reminders:
    """An auditor's own tasks and those open to the whole group, in one statement."""
    mine = select(HumanTask.id).where(HumanTask.claimed_by_id == user_id)
    group = select(HumanTask.id).where(
        HumanTask.region.in_(sorted(regions)),
        HumanTask.role.in_(sorted(roles)),
        HumanTask.claimed_by_id.is_(None),
    )
    row = db.session.execute(select(_capped(mine), _capped(group))).one()
    return Reminders(mine=row[0], group=row[1])


def _capped(ids: Select[int]) -> ScalarSelect[int]:
    return select(func.count()).select_from(ids.limit(LIMIT).subquery()).scalar_subquery()
