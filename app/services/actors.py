"""Who acts, what the roles allow, and which rows they reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain import permission
from app.domain.enrolment import COUNTER_CHANNEL
from app.errors import Forbidden, NotFound

EMPLOYER, AGENCY, PLATFORM = "employer", "agency", "platform"


class Handed(Protocol):
    """A declaration as far as it says whose hands it is in."""

    @property
    def region(self) -> str: ...
    @property
    def employer_id(self) -> int: ...
    @property
    def channel(self) -> str: ...
    @property
    def submitted_at_utc(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person as the services see them.

    `side` is employer, agency or platform. `regions` is the agency's row scope, `employer_ids` the
    employer side's; `employer_id` is the employer an operator acts for now, or the one that a counter clerk
    has chosen. `username` is for logs.
    """

    id: int | None
    name: str
    username: str
    side: str
    roles: frozenset[str]
    regions: frozenset[str] = frozenset()
    employer_ids: frozenset[int] = frozenset()
    employer_id: int | None = None

    def may(self, what: str) -> bool:
        """True where one of the actor's roles holds the permission."""
        return permission.may(self.roles, what)

    def sees(self, region: str, employer_id: int | None) -> bool:
        """True where a row of this region and employer lies in the actor's scope."""
        if self.side == EMPLOYER:
            return employer_id is not None and employer_id in self.employer_ids
        return self.side == AGENCY and region in self.regions

    def sees_case(self, row: Handed) -> bool:
        """True where a declaration lies in the actor's scope; the agency's begins with the submission.

        Source: Nantong manual 3.1 (nothing reaches the agency before it is submitted).
        """
        theirs = row.channel != COUNTER_CHANNEL and row.submitted_at_utc is None
        return self.sees(row.region, row.employer_id) and not (self.side == AGENCY and theirs)


SYSTEM = Actor(id=None, name="系统", username="system", side=PLATFORM, roles=frozenset())
"""Timers and sweepers act as nobody: events carry the name and no account."""


def require(actor: Actor, what: str) -> None:
    """Refuse an actor without the permission. Raises: Forbidden."""
    if not actor.may(what):
        raise Forbidden(what)


def require_employer(actor: Actor, employer_id: int | None) -> int:
    """Return the employer to act for, `None` meaning the current one. Raises: NotFound outside the scope."""
    chosen = actor.employer_id if employer_id is None else employer_id
    if actor.side != EMPLOYER or chosen is None or chosen not in actor.employer_ids:
        raise NotFound("employer")
    return chosen


def require_region(actor: Actor, region: str) -> None:
    """Refuse rows of a region outside the agency actor's scope. Raises: NotFound."""
    if actor.side != AGENCY or region not in actor.regions:
        raise NotFound("region")


def require_row(actor: Actor, region: str, employer_id: int | None) -> None:
    """Refuse a row outside the actor's scope, as if it did not exist. Raises: NotFound."""
    if not actor.sees(region, employer_id):
        raise NotFound("row")
