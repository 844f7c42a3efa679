"""Deciding a case, its page for the agency, and whole numbers on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.errors import Conflict, FieldError, Forbidden, Rejected
from app.services import audits as services
from app.services.results import Receipt
from app.services.reviewing import reveal as reveal_numbers
from app.services.reviewing import review
from app.web import inbox
from app.web.frame import notify, translated
from app.web.i18n import translated_text
from app.web.security import actor, guard
from app.web.workbench import NEXT, case_bench, decision_words

audits = Blueprint("audits", __name__)


@audits.post("/inbox/<int:task_id>/decide")
@guard("task.decide", scope="region")
def decide(task_id: int) -> ResponseReturnValue:
    """Approve, return or reject; then the next case of the list that the form came from."""
    form = request.form
    try:
        receipt = services.decide(
            actor(),
            task_id,
            form.get("decision", ""),
            form.get("opinion", ""),
            form.getlist("return_fields"),
            clock.now(),
        )
    except Rejected as refused:
        return _again(translated(refused.errors), 422)
    except Conflict as error:
        return _again((), 409, _(str(error)))
    except Forbidden as error:
        return _again((), 403, inbox.forbidden_words(error))
    notify(_decided(receipt, form.get("decision", "")), "good")
    if form.get("origin") == "case":
        return redirect(url_for("cases.page", reference=receipt.reference), 303)
    arguments = inbox.asked_place(form).arguments()
    return redirect(url_for("inbox.home", **arguments, open=NEXT, at=form.get("at") or None), 303)


def agency_case(
    reference: str, problems: Sequence[FieldError] = (), typed: Any = None, status: int = 200, alert: str = ""
) -> ResponseReturnValue:
    """One case by its reference, open or ended. Raises: NotFound."""
    bench = case_bench(reference, actor(), clock.now(), problems, typed)
    return render_template(
        "inbox/case.html", bench=bench, alert_text=alert, decision_words=decision_words
    ), status


@audits.get("/cases/<reference>/reveal")
@guard("person.reveal", scope="region")
def reveal(reference: str) -> ResponseReturnValue:
    """Ask why the whole numbers are needed."""
    return _reveal_page(reference)


@audits.post("/cases/<reference>/reveal")
@guard("person.reveal", scope="region")
def reveal_post(reference: str) -> ResponseReturnValue:
    """Show the whole numbers; who asked and why is in the case's history."""
    reason = request.form.get("reason", "")
    try:
        numbers = reveal_numbers(actor(), reference, reason, clock.now())
    except Rejected as refused:
        return _reveal_page(reference, translated(refused.errors), reason, 422)
    found = review(actor(), reference, clock.now())
    form = found.bundle.form(found.case.kind)
    pairs = [(translated_text(form.by_name[name].title), number) for name, number in numbers.items()]
    return render_template("inbox/reveal.html", case=found.case, numbers=pairs, problems=(), reason=reason)


def _reveal_page(
    reference: str, problems: Sequence[FieldError] = (), reason: str = "", status: int = 200
) -> ResponseReturnValue:
    found = review(actor(), reference, clock.now())
    return render_template(
        "inbox/reveal.html", case=found.case, numbers=None, problems=problems, reason=reason
    ), status


def _again(problems: Sequence[FieldError], status: int, alert: str = "") -> ResponseReturnValue:
    """The page that the form came from, with what was typed and why it was refused."""
    if request.form.get("origin") == "case":
        return agency_case(request.form.get("reference", ""), problems, request.form, status, alert)
    return inbox.page(problems, request.form, status, alert)


def _decided(receipt: Receipt, decision: str) -> str:
    words = {
        "approve": _("申报 %(reference)s 已审核通过。", reference=receipt.reference),
        "return": _("申报 %(reference)s 已退回单位补正。", reference=receipt.reference),
        "reject": _("申报 %(reference)s 审核不通过，已告知单位。", reference=receipt.reference),
    }
    if decision == "approve" and receipt.status == "submitted":
        return _("申报 %(reference)s 初审通过，已转复审。", reference=receipt.reference)
    return words[decision]
