"""Picking a person from the employer's own people, for forms that are about one of them."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import clock
from app.services import rosters
from app.services.forms import setting_of
from app.web.declarations import declarations
from app.web.paging import row_id
from app.web.security import actor, guard

PAGE = 20


@declarations.get("/declare/<kind>/people")
@guard("declaration.file", scope="filing")
def people(kind: str) -> ResponseReturnValue:
    """The employer's people that a form of this kind may be about, found by number or name."""
    text = request.args.get("q", "")
    after_id = request.args.get("after", 0, type=row_id)
    found = rosters.search(actor(), kind, text, after_id, PAGE + 1)
    more = len(found) > PAGE
    rows = found[:PAGE]
    following = (
        url_for("declarations.people", kind=kind, q=text or None, after=rows[-1].person_id) if more else ""
    )
    return render_template(
        "declare/people.html",
        setting=setting_of(actor(), kind, clock.now()),
        rows=rows,
        values={"q": text} if text else {},
        next_url=following,
    )
