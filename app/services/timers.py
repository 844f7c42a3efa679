"""Timers of processes: those that are due are woken, case by case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.clock import to_utc
from app.errors import ServiceFailure
from app.services import host
from app.services.actions import run
from app.services.actors import SYSTEM
from app.services.cases import Case, loaded_case, write
from app.services.incidents import Attempt
from app.services.registry import Registry
from app.store import instances
from app.store.declarations import load_due
from app.store.session import end_read

CHUNK = 200


def wake_due(now: datetime) -> int:
    """Wake every case whose next timer is due; gives how many. Safe to run twice at once.

    A case that fails becomes an incident and is left out until that is settled.
    """
    woken, passed = 0, set[int]()
    while True:
        end_read()
        due = [each for each in instances.list_due(to_utc(now), CHUNK + len(passed)) if each not in passed]
        if not due:
            return woken
        for declaration_id in due:
            passed.add(declaration_id)
            try:
                woken += wake_one(declaration_id, now)
            except ServiceFailure:
                continue


def wake_one(declaration_id: int, now: datetime, before: Callable[[], None] | None = None) -> bool:
    """Wake one case; False where somebody else holds it or nothing is due (any more).

    Raises: ServiceFailure.
    """
    tried: list[Case] = []

    def body() -> bool:
        tried.clear()
        for loaded in load_due([declaration_id]).values():
            due = loaded.instance.next_due_at_utc
            if due is None or due > to_utc(now):
                return False
            case = loaded_case(loaded, Registry())
            tried.append(case)
            host.wake(case, SYSTEM, now)
            write([case])
            return True
        return False

    def attempt() -> Attempt:
        region = tried[0].declaration.region if tried else ""
        given = {"declaration_id": declaration_id}
        return Attempt("timer", given, SYSTEM, region=region, declaration_id=declaration_id)

    return run(attempt, now, body, before)
