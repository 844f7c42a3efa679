"""What happens to accounts, written in the transaction in which it happens (GB/T 22239-2019 8.1.4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app import clock
from app.services.actors import Actor
from app.store import account_events as store

DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class ChainReport:
    """The result of going through the chain; `head` is the newest seal, to be noted elsewhere."""

    events: int
    head: str
    broken: list[int] = field(default_factory=list)


def record(
    action: str,
    *,
    user_id: int | None,
    actor: Actor | None = None,
    result: str = DONE,
    address: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an act into the chain; the last statement of its transaction, which others wait for.

    Without an actor it is the account's own. The time is the machine's, also in a demonstration.
    """
    store.add_event(
        at_utc=clock.real_utcnow(),
        actor_id=actor.id if actor else user_id,
        actor_name=actor.name if actor else "",
        user_id=user_id,
        action=action,
        result=result,
        address=address,
        detail=detail or {},
    )


def verify() -> ChainReport:
    """Go through the whole chain and name the rows whose seal does not hold or whose predecessor is gone."""
    broken: list[int] = []
    before, count, expected = store.FIRST, 0, 1
    for row in store.walk_events():
        if row.seq != expected or row.previous != before or store.digest_of(row) != row.digest:
            broken.append(row.seq)
        before, count, expected = row.digest, count + 1, row.seq + 1
    return ChainReport(count, before.hex(), broken)
