"""Acting on every record of a kind, a slice at a time, so that no request runs for minutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from app.domain.declaration import PENDING
from app.services import declarations
from app.services.actors import Actor, require_employer
from app.services.results import BulkResult, ItemResult
from app.store.declarations import list_references

CHUNK = 100
SECONDS = 4.0
ACTS: dict[str, Callable[[Actor, Sequence[str], datetime], BulkResult]] = {
    "submit": declarations.submit,
    "discard": declarations.discard,
}


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice did; `after_id` is where the next one goes on, `finished` that there is none."""

    done: int
    failures: Sequence[ItemResult]
    after_id: int
    finished: bool


def run_slice(
    act: str, actor: Actor, kind: str, after_id: int, until_id: int, now: datetime, seconds: float = SECONDS
) -> Slice:
    """Act on pending records of a kind, oldest first, until none is left or the time is used up.

    `until_id` keeps out what was filed after the person agreed. Raises: Forbidden, NotFound, KeyError.
    """
    employer_id = require_employer(actor, None)
    deadline = monotonic() + seconds
    done, failures = 0, list[ItemResult]()
    while True:
        page = [
            row
            for row in list_references(employer_id, kind, (PENDING,), after_id, CHUNK)
            if row[0] <= until_id
        ]
        if not page:
            return Slice(done, failures, after_id, True)
        result = ACTS[act](actor, [reference for _, reference in page], now)
        done += result.done
        failures += [item for item in result.items if not item.ok]
        after_id = page[-1][0]
        if monotonic() > deadline:
            return Slice(done, failures, after_id, len(page) < CHUNK)
