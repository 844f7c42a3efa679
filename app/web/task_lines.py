"""Tasks of the inbox in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.clock import to_region
from app.definitions import current as definitions
from app.domain.parameters import ParameterSet
from app.services.actors import Actor
from app.store.queries.inbox import InboxRow
from app.web.deadlines import Left, time_left
from app.web.i18n import translated_text
from app.web.reading import words_of


@dataclass(frozen=True, slots=True)
class Line:
    """One task as the list shows it."""

    row: InboxRow
    name: str
    number: str
    details: Sequence[str]
    received_at: datetime
    left: Left
    mine: bool


def line_of(row: InboxRow, now: datetime, me: Actor) -> Line:
    """A task in words: the person, the fields that the diagram's designer picked, and the time left."""
    rules = definitions.parameters(row.region)
    summary = dict(row.summary)
    name, number = str(summary.pop("person_name", "")), str(summary.pop("id_masked", ""))
    return Line(
        row=row,
        name=name,
        number=number,
        details=summary_words(row.kind, summary, rules),
        received_at=to_region(row.created_at_utc),
        left=time_left(to_region(row.due_at_utc), now, rules),
        mine=row.claimed_by_id == me.id,
    )


def summary_words(kind: str, summary: Mapping[str, Any], rules: ParameterSet) -> list[str]:
    """Field names and values of a summary as the region's form has them."""
    form = definitions.current_bundle(kind, rules.region).form(kind)
    found = []
    for name, value in summary.items():
        field = form.by_name.get(name)
        title = field.title if field else rules.field_label(name)
        text = words_of(field, value, rules) if field else str(value)
        found.append(f"{translated_text(title)} {translated_text(text)}")
    return found
