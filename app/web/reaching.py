"""Who of the employer's people reaches the age of retirement in a stretch of months."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import clock
from app.services.reaching import reaching
from app.web.frame import words
from app.web.security import actor, guard

PAGE = 50
retiring = Blueprint("retiring", __name__)
_FILTERS = ("from", "to", "q")


@retiring.get("/people/reaching-retirement")
@guard("person.view", scope="employer")
def reached() -> ResponseReturnValue:
    """The employer's own people in service, first whoever reaches the age first."""
    given = {name: request.args.get(name, "").strip()[:40] for name in _FILTERS}
    found = reaching(actor(), clock.now(), given["from"], given["to"], given["q"])
    start = max(0, min(request.args.get("start", 0, type=int), len(found.rows)))
    kept = {name: value for name, value in given.items() if value}

    def at(place: int) -> str | None:
        inside = 0 <= place < len(found.rows)
        return url_for("retiring.reached", **kept, start=place or None) if inside else None

    return render_template(
        "hall/reaching.html",
        found=found,
        rows=found.rows[start : start + PAGE],
        first=start + 1,
        values={"from": found.from_month, "to": found.to_month, "q": given["q"]},
        may_file=actor().may("declaration.file") and words().offers("retirement"),
        previous_url=at(max(0, start - PAGE)) if start else None,
        next_url=at(start + PAGE),
    )
