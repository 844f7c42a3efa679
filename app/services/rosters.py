"""The employer's own people, to pick one for a form or to hand all of them out in a template."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from app.domain.money import from_fen
from app.errors import NotFound
from app.formspec.form import Form
from app.services import filing
from app.services.actors import Actor
from app.services.filing import Target
from app.services.kinds import handling
from app.store.queries.roster import (
    NUMBER_LENGTH,
    RosterRow,
    find_member,
    list_roster,
    members,
    numbers_of,
)

ACTIVE, RETIRED = "active", "retired"


def search(actor: Actor, kind: str, text: str, after_id: int = 0, limit: int = 20) -> Sequence[RosterRow]:
    """A page of the people that a form of this kind may be about. Raises: NotFound, Forbidden."""
    target = filing.target_of(actor, kind, None)
    retired = roster_of(target.bundle.form(kind)) == RETIRED
    return list_roster(
        target.employer.id, _fund(target), retired=retired, text=text.strip(), after_id=after_id, limit=limit
    )


def picked(actor: Actor, kind: str, person_id: int) -> dict[str, Any]:
    """What a form knows of a person picked from the roster. Raises: NotFound, Forbidden."""
    target = filing.target_of(actor, kind, None)
    form = target.bundle.form(kind)
    found = find_member(target.employer.id, _fund(target), person_id, retired=roster_of(form) == RETIRED)
    if found is None:
        raise NotFound("person")
    known = {"id_type": found.id_type, "id_number": found.id_number, "name": found.name}
    start = {name: value for name, value in known.items() if name in form.by_name}
    start |= handling(kind).current(form, kind, target.employer.id, found.person_id)
    return start


def picked_by_number(actor: Actor, kind: str, number: str) -> dict[str, Any]:
    """The same for somebody whose whole number was typed; {} where the roster has nobody of it.

    Raises: NotFound (this form is about nobody of the roster), Forbidden.
    """
    found = search(actor, kind, number, limit=1) if len(number) >= NUMBER_LENGTH else ()
    return picked(actor, kind, found[0].person_id) if found else {}


def picked_many(actor: Actor, kind: str, person_ids: Collection[int]) -> list[str]:
    """The numbers of people picked from the roster; those that are not in it are left out.

    Raises: NotFound (this form is about nobody of the roster), Forbidden.
    """
    target = filing.target_of(actor, kind, None)
    retired = roster_of(target.bundle.form(kind)) == RETIRED
    return numbers_of(target.employer.id, _fund(target), person_ids, retired=retired)


def prefilled(target: Target, form: Form, now: datetime) -> Iterator[dict[str, Any]]:
    """The rows of a template handed out with the roster: people, and what a blank form starts with."""
    kind = target.bundle.kind
    start = dict(form.defaults())
    start |= handling(kind).defaults(form.by_name, target.parameters, now.date())
    for member in members(target.employer.id, _fund(target), retired=roster_of(form) == RETIRED):
        known = {"id_type": member.id_type, "id_number": member.id_number, "name": member.name}
        known["person_no"] = member.person_no
        if member.wage_fen is not None:
            wage = f"{from_fen(member.wage_fen):.2f}"
            known |= dict.fromkeys(form.schema["x-batch"].get("wage", ()), wage)
        yield {**start, **known}


def roster_of(form: Form) -> str:
    """Which people a form is picked from: active, retired, or "" for none. Raises: NotFound for none."""
    found = str(form.schema.get("x-roster") or form.schema.get("x-people") or "")
    if found not in (ACTIVE, RETIRED):
        raise NotFound("roster")
    return found


def _fund(target: Target) -> str:
    """The fund that everybody has."""
    return target.parameters.usual_funds()[0]
