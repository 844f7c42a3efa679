"""Who of the employer's people reaches the age of retirement in a stretch of months."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app import clock
from app.services.reaching import reaching
from app.web.paging import row_id
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
    start = min(request.args.get("start", 0, type=row_id), len(found.rows))
    kept = {name: value for name, value in given.items() if value}

    def at(place: int) -> str | None:
        inside = 0 <= place < len(found.rows)
        return f"{request.path}?{urlencode({**kept, 'start': place})}" if inside else None

    return render_template(
        "hall/reaching.html",
        found=found,
        rows=found.rows[start : start + PAGE],
        first=start + 1,
        values={"from": found.from_month, "to": found.to_month, "q": given["q"]},
        may_file=actor().may("declaration.file") and found.offered,
        previous_url=at(max(0, start - PAGE)) if start else None,
        next_url=at(start + PAGE),
    )
