"""The unit numbers that an employer's account works with: linking others, and taking them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app import clock
from app.definitions.current import current_bundle
from app.errors import FieldError, NotFound, Rejected
from app.services import unit_linking as services
from app.services.unit_links import KIND
from app.web.frame import notify, render_confirm, translated, words
from app.web.i18n import translated_text
from app.web.security import actor, guard

units = Blueprint("units", __name__)


@units.get("/units")
@guard("operator.manage", scope="employer")
def listed() -> ResponseReturnValue:
    """The units, the link that waits for its code, and the form for another one."""
    return _page()


@units.post("/units/link")
@guard("operator.manage", scope="employer")
def link() -> ResponseReturnValue:
    """File a link: the code goes to the other unit's phone."""
    typed = {name: request.form.getlist(name) for name in request.form if name != "csrf_token"}
    try:
        services.start(actor(), typed, clock.now())
    except Rejected as refused:
        return _page(typed, translated(refused.errors)), 422
    notify(_("验证码已发送到对方单位专管员手机。"), "good")
    return redirect(url_for("units.listed"), 303)


@units.post("/units/link/<reference>")
@guard("operator.manage", scope="employer")
def verify(reference: str) -> ResponseReturnValue:
    """Finish a link with its code, have another code sent, or drop the link: the button says which."""
    act = request.form.get("act", "verify")
    try:
        if act == "resend":
            services.resend(actor(), reference, clock.now())
            notify(_("验证码已重新发送。"), "good")
        elif act == "drop":
            services.give_up(actor(), reference, clock.now())
            notify(_("已放弃关联。"), "good")
        else:
            services.verify(
                actor(), reference, request.form.get("code", ""), clock.now(), request.remote_addr or ""
            )
            notify(_("关联成功，可在页面上方切换单位办理。"), "good")
    except Rejected as refused:
        return _page(errors=translated(refused.errors)), 422
    return redirect(url_for("units.listed"), 303)


@units.post("/units/<int:employer_id>/unlink")
@guard("operator.manage", scope="employer")
def unlink(employer_id: int) -> ResponseReturnValue:
    """Take a linked unit away from all operators, after a question."""
    found = next((each for each in current_user.account.employers if each.id == employer_id), None)
    if found is None:
        raise NotFound("employer")
    if request.form.get("confirmed") != "1":
        return render_confirm(
            _("取消关联"),
            _("取消后，本单位所有操作员不能再为%(name)s办理业务。", name=found.name),
            action=url_for("units.unlink", employer_id=employer_id),
            button=_("取消关联"),
            back=url_for("units.listed"),
            danger=True,
        )
    try:
        services.unlink(actor(), employer_id, request.remote_addr or "")
        notify(_("已取消关联。"), "good")
    except Rejected as refused:
        notify(translated_text(refused.errors[0].message), "bad")
    return redirect(url_for("units.listed"), 303)


def _page(typed: Mapping[str, Any] | None = None, errors: Sequence[FieldError] = ()) -> str:
    me, spoken = actor(), words()
    form = None
    if spoken is not None and spoken.offers(KIND):
        form = current_bundle(KIND, spoken.region).form(KIND)
    return render_template(
        "units/list.html",
        employers=current_user.account.employers,
        linked=services.linked_units(me),
        waiting=services.open_link(me),
        form=form,
        data=form.parse(typed) if form is not None and typed else {},
        errors=errors,
    )
