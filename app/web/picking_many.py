"""Picking many of the employer's own people into one form, a page of ticks at a time."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.errors import NotFound, Rejected
from app.services import declarations as services
from app.services import rosters
from app.services.forms import setting_of
from app.services.objects import MANY, numbers_of
from app.services.results import CaseView
from app.web.declarations import declarations, posted, refused_page
from app.web.frame import notify
from app.web.paging import row_id
from app.web.security import actor, guard

PAGE = 100


@declarations.post("/declare/<kind>/people/open")
@guard("declaration.file", scope="filing")
def people_open(kind: str) -> ResponseReturnValue:
    """Keep what was typed and go on to the roster."""
    try:
        saved = services.save_draft(
            actor(),
            kind,
            posted(),
            clock.now(),
            reference=request.form.get("reference") or None,
            token=request.form.get("token") or None,
        )
    except Rejected as refused:
        return refused_page(kind, posted(), refused.errors)
    return redirect(url_for("declarations.people_many", kind=kind, reference=saved.reference), 303)


@declarations.get("/declare/<kind>/people/many")
@guard("declaration.file", scope="filing")
def people_many(kind: str) -> ResponseReturnValue:
    """The employer's people with ticks, found by number or name."""
    reference = request.args.get("reference", "")
    case = _case(kind, reference)
    text = request.args.get("q", "")
    found = rosters.search(actor(), kind, text, request.args.get("after", 0, type=row_id), PAGE + 1)
    rows = found[:PAGE]
    following = ""
    if len(found) > PAGE:
        following = url_for(
            "declarations.people_many",
            kind=kind,
            reference=reference,
            q=text or None,
            after=rows[-1].person_id,
        )
    return render_template(
        "declare/people_many.html",
        setting=setting_of(actor(), kind, clock.now(), case.employer_id, case.bundle_id),
        reference=reference,
        rows=rows,
        chosen=len(numbers_of(case.data)),
        values={"q": text} if text else {},
        next_url=following,
    )


@declarations.post("/declare/<kind>/people/many")
@guard("declaration.file", scope="filing")
def people_add(kind: str) -> ResponseReturnValue:
    """Add the ticked people to the draft; go on with the next page, or back to the form."""
    reference = request.form.get("reference", "")
    case = _case(kind, reference)
    ticked = request.form.getlist("person", type=row_id)
    before = numbers_of(case.data)
    added = [each for each in rosters.picked_many(actor(), kind, ticked) if each not in before]
    form = setting_of(actor(), kind, clock.now(), case.employer_id, case.bundle_id).form
    readonly = {field.name for field in form.fields if field.readonly}
    data = {name: value for name, value in case.data.items() if name not in readonly}
    data[MANY] = "\n".join([*before, *added])
    services.save_draft(actor(), kind, data, clock.now(), reference=reference)
    notify(_("已加入%(count)s人，共%(total)s人。", count=len(added), total=len(before) + len(added)), "good")
    following = request.form.get("next_url", "")
    if request.form.get("action") == "more" and following.startswith("/declare/"):
        return redirect(following, 303)
    return redirect(url_for("declarations.form", kind=kind, reference=reference), 303)


def _case(kind: str, reference: str) -> CaseView:
    """The draft that people are picked for. Raises: NotFound."""
    case = services.get_case(actor(), reference, clock.now())
    if case.kind != kind:
        raise NotFound("declaration")
    return case
