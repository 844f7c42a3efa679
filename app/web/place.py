"""Where somebody is in the inbox: box, filters and position, as the address has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from app.clock import to_utc
from app.definitions import current as definitions
from app.services.actors import Actor
from app.store.queries import inbox as queries
from app.store.queries.inbox import ALL, EVERYBODY, GROUP, MINE, Scope, TaskFilter
from app.web.deadlines import soon
from app.web.frame import kind_words, words
from app.web.i18n import translated_text

BOXES = (ALL, MINE, GROUP)
# filters that the address carries; the rest of it is the position
FILTERS = ("kind", "unit", "step", "due", "q")
DUE = ("overdue", "soon", "later")


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is in the inbox: box, filters and position, as the address has them."""

    box: str = ALL
    kind: str = ""
    unit: str = ""
    step: str = ""
    due: str = ""
    q: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str], everything: bool) -> Place:
        """Read an address; unknown boxes fall back to the usual one."""
        boxes = (EVERYBODY, *BOXES) if everything else BOXES
        box = given.get("box", "")
        values = {name: given.get(name, "").strip()[:80] for name in (*FILTERS, "after", "before")}
        return cls(box if box in boxes else boxes[0], **values)

    @property
    def filtered(self) -> bool:
        return any(getattr(self, name) for name in FILTERS)

    def arguments(self, **changes: str) -> dict[str, Any]:
        """The address's arguments, without what is empty or usual."""
        values = {name: getattr(self, name) for name in ("box", *FILTERS, "after", "before")} | changes
        return {name: value for name, value in values.items() if value}

    def moved(self, **changes: str) -> Place:
        """The same place on another page."""
        return replace(self, **{"after": "", "before": "", **changes})


def filter_of(place: Place, me: Actor, now: datetime) -> TaskFilter:
    """The filters of an address as the query wants them."""
    first, last = _due_bounds(place.due, now, me)
    return TaskFilter(
        box=place.box,
        kind=place.kind,
        step=place.step,
        employer_ids=queries.search_employers(me.regions, place.unit) if place.unit else None,
        declaration_ids=queries.search_declarations(me.regions, place.q) if place.q else None,
        due_from_utc=first,
        due_until_utc=last,
    )


def sees_everything(me: Actor) -> bool:
    """Whether somebody watches over all open work of the region."""
    return me.may("report.view")


def kind_options(me: Actor) -> list[tuple[str, str]]:
    """The kinds that the account's regions have."""
    found: dict[str, str] = {}
    for region in sorted(me.regions):
        for kind in definitions.kinds(region):
            found.setdefault(kind, kind_words(kind, region))
    return list(found.items())


def step_options(me: Actor) -> list[tuple[str, str]]:
    """The steps that the account's roles may meet, by the diagrams published now."""
    found: dict[str, str] = {}
    roles = None if sees_everything(me) else me.roles
    for region in sorted(me.regions):
        for kind in definitions.kinds(region):
            bundle = definitions.current_bundle(kind, region)
            for process in bundle.process_ids():
                for element in bundle.description(process).elements.values():
                    if "decisions" in element.properties and (roles is None or element.role in roles):
                        found.setdefault(element.id, element.properties.get("title") or element.name)
    return [(key, translated_text(title)) for key, title in found.items()]


def due_options() -> list[tuple[str, str]]:
    """The choices of the time limit."""
    return list(zip(DUE, (_("已超期"), _("一个工作日内到期"), _("未到期")), strict=True))


def _due_bounds(due: str, now: datetime, me: Actor) -> tuple[datetime | None, datetime | None]:
    moment = to_utc(now)
    if due == "overdue":
        return None, moment
    if due == "soon":
        rules = words(min(me.regions)) if me.regions else None
        return moment, to_utc(soon(now, rules)) if rules else None
    return (moment, None) if due == "later" else (None, None)


def scope_of(me: Actor) -> Scope:
    """Whose inbox it is."""
    return Scope(me.id or 0, me.regions, me.roles)
