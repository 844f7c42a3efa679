"""A counter clerk begins with a unit that the registry does not have yet."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import clock
from app.definitions.current import parameters
from app.errors import FieldError, NotFound, Rejected
from app.services import unit_entry
from app.services.unit_opening import KIND
from app.web.frame import translated
from app.web.security import actor, guard

opening = Blueprint("opening", __name__)
KNOWN = f"{KIND}.known"


@opening.get("/counter/opening")
@guard("counter.file", scope="region")
def begin() -> ResponseReturnValue:
    """Name and credit code: is the unit really new?"""
    return _page(())


@opening.post("/counter/opening")
@guard("counter.file", scope="region")
def begin_post() -> ResponseReturnValue:
    """Give the unit a number and go on to its form."""
    regions = sorted(actor().regions)
    # a clerk of one region is not asked for it
    region = request.form.get("region") or next(iter(regions), "")
    if region not in regions:
        raise NotFound("region")
    data = {name: request.form.get(name, "") for name in ("employer_name", "credit_code", "confirmed")}
    try:
        begun = unit_entry.begin(actor(), region, data, clock.now())
    except Rejected as refused:
        return _page(translated(refused.errors)), 422
    address = url_for("declarations.form", kind=KIND, unit=begun.employer_no, reference=begun.reference)
    return redirect(address, 303)


def _page(errors: Sequence[FieldError]) -> str:
    return render_template(
        "counter/opening.html",
        regions=[(each, parameters(each).name) for each in sorted(actor().regions)],
        data=request.form,
        errors=errors,
        known=any(error.code == KNOWN for error in errors),
    )
