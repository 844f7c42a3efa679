"""The desks of a region as the sequences use them: every act either counts, or leaves no trace at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select

from app.definitions import current
from app.domain.parameters import COUNTER, ONLINE
from app.errors import Conflict, Forbidden, NotFound, Rejected, ServiceFailure
from app.extensions import db
from app.services import audits, declarations
from app.services.actors import Actor
from app.store.models import Declaration, HumanTask
from tests.property.checks import snapshot

REFUSALS = (Rejected, Conflict, NotFound, Forbidden)
ENDED = ("done", "approved")


class Office:
    """Operators, counter clerk and two auditors of one region."""

    def __init__(self, region: str, city: str, person: Callable[[str], Actor]) -> None:
        self.region = region
        self.handler = person(f"{city}.handler")
        self.clerk = person(f"{city}.counter")
        self.auditors = [
            replace(person(f"{city}.{name}"), roles=frozenset({"auditor", "senior"}))
            for name in ("auditor", "senior")
        ]
        self.before: dict[str, list[tuple]] = {}
        self.refusals: list[str] = []

    def look(self) -> None:
        """Note how everything stands now."""
        self.before = snapshot(self.region)

    def actor(self, kind: str, employer_id: int) -> Actor | None:
        """Who files a kind for an employer: online where it is offered, else at the counter."""
        rules = current.parameters(self.region)
        if rules.offers(kind, ONLINE):
            return replace(self.handler, employer_id=employer_id)
        if rules.offers(kind, COUNTER):
            return replace(self.clerk, employer_id=employer_id)
        return None

    def attempt(self, act: Callable[[], Any]) -> Any:
        """Act; what is refused must change nothing. Gives None for a refusal."""
        try:
            answer = act()
            items = getattr(answer, "items", None)
            words = "" if items is None or answer.done else items[0].message
        except REFUSALS as error:
            answer, words = None, str(error)
            assert words, "a refusal without words"
        except ServiceFailure as error:
            raise AssertionError(f"an incident: {error.__cause__!r}") from error
        now = snapshot(self.region)
        if words:
            self.refusals.append(words)
            changed = [table for table in now if now[table] != self.before[table]]
            assert not changed, f"refused ({words}), and yet changed: {changed}"
            return None
        self.before = now
        return answer

    def file(self, kind: str, form: dict, employer_id: int, now: datetime) -> str | None:
        """File and hand over; gives the reference of a case that was taken, None where it was refused."""
        actor = self.actor(kind, employer_id)
        if actor is None:
            return None
        made = self.attempt(lambda: declarations.file(actor, kind, form, now, submit_now=True))
        if made is None:
            return None
        for _ in range(4):
            if self.status(made.reference) not in ("draft", "pending"):
                return made.reference
            if self.onward(actor, made.reference, now) is None:
                self.drop(made.reference, now)
                return None
        raise AssertionError(f"{kind} goes no further")

    def onward(self, actor: Actor, reference: str, now: datetime) -> Any:
        """The next step before submission."""
        case = declarations.get_case(actor, reference, now)
        offered = next((t.settings["decisions"] for t in case.tasks if t.settings.get("decisions")), "")
        if not offered:
            return self.attempt(lambda: declarations.submit(actor, [reference], now))
        word = "submit" if "submit" in offered else "next"
        return self.attempt(lambda: declarations.proceed(actor, reference, word, now))

    def drop(self, reference: str, now: datetime) -> None:
        """Discard what the employer still holds, or recall what it handed over."""
        row = self.row(reference)
        by_clerk = row.channel == "02"
        actor = replace(self.clerk if by_clerk else self.handler, employer_id=row.employer_id)
        if row.status in ("draft", "pending", "returned"):
            self.attempt(lambda: declarations.discard(actor, [reference], now))
        else:
            self.attempt(lambda: declarations.recall(actor, reference, now))

    def decide(self, reference: str, decision: str, now: datetime) -> None:
        """One auditor after the other, as many as the case asks for."""
        for auditor in self.auditors:
            task = db.session.scalars(select(HumanTask).where(HumanTask.reference == reference)).one_or_none()
            if task is None or self.status(reference) not in ("submitted", "in_audit"):
                return
            fields = ["id_number"] if decision == "return" else []
            act = partial(audits.decide, auditor, task.id, decision, "请核对", fields, now)
            if self.attempt(act) is None:
                return

    def status(self, reference: str) -> str:
        return self.row(reference).status

    def row(self, reference: str) -> Declaration:
        db.session.rollback()
        return db.session.scalars(select(Declaration).where(Declaration.reference == reference)).one()
