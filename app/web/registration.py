"""Before the first sign-in: a unit registers, a phone is proved by a code, a password is set."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.domain.identity import mask_phone
from app.errors import NotFound, Rejected
from app.formspec.form import Form
from app.services import activating, unit_registration
from app.services.activating import Claim
from app.services.codes import TICKET_MINUTES, Ticket
from app.services.demo.units import OPEN_UNITS
from app.web.auth import enter
from app.web.frame import notify, translated
from app.web.security import guard

registration = Blueprint("registration", __name__)
PROVING, PROVED = "proving", "proved"
# why somebody sets a password
REASONS = ("register", "activate", "reset")
TOO_SOON = "code.too_soon"


@registration.get("/register")
@guard(None, scope="public")
def regions() -> ResponseReturnValue:
    """Choose the region that the unit is insured in."""
    return render_template("register/regions.html", places=unit_registration.places())


@registration.get("/register/<region>")
@guard(None, scope="public")
def form(region: str) -> ResponseReturnValue:
    """What the region asks of a unit."""
    return _form_page(_place(region), {}, ())


@registration.post("/register/<region>")
@guard(None, scope="public")
def form_post(region: str) -> ResponseReturnValue:
    """Match the unit and go on to its code."""
    place = _place(region)
    typed = {name: request.form.getlist(name) for name in request.form if name != "csrf_token"}
    try:
        started = unit_registration.register(region, typed, _address(), clock.now())
    except Rejected as refused:
        return _form_page(place, typed, translated(refused.errors)), 422
    _begin("register", user=started.user_id, shown=started.phone_masked, unit=started.employer_name)
    return redirect(url_for("registration.code"), 303)


@registration.get("/activate")
@guard(None, scope="public")
def phone() -> ResponseReturnValue:
    """Whose account: the phone is its name. `why` is activate or reset."""
    return render_template("register/phone.html", why=_why(), typed="", errors=())


@registration.post("/activate")
@guard(None, scope="public")
def phone_post() -> ResponseReturnValue:
    """Send the code."""
    typed, why = request.form.get("username", "").strip()[:20], _why()
    try:
        activating.request_code(Claim(phone=typed), _address(), clock.now())
    except Rejected as refused:
        errors = translated(refused.errors)
        if refused.errors[0].code != TOO_SOON:
            return render_template("register/phone.html", why=why, typed=typed, errors=errors), 422
        # the code that came a moment ago can be typed all the same
        notify(errors[0].message, "warn")
    _begin(why, phone=typed, shown=mask_phone(typed))
    return redirect(url_for("registration.code"), 303)


@registration.get("/activate/code")
@guard(None, scope="public")
def code() -> ResponseReturnValue:
    """Type the code that came by message."""
    proving = _proving()
    if proving is None:
        return redirect(url_for("registration.phone"))
    return render_template("register/code.html", proving=proving, errors=())


@registration.post("/activate/code")
@guard(None, scope="public")
def code_post() -> ResponseReturnValue:
    """Check the code and go on to the password."""
    proving = _proving()
    if proving is None:
        return redirect(url_for("registration.phone"))
    try:
        ticket = activating.confirm_code(_claim(proving), request.form.get("code", ""), _address())
    except Rejected as refused:
        errors = translated(refused.errors)
        return render_template("register/code.html", proving=proving, errors=errors), 422
    session[PROVED] = {"code": ticket.code_id, "user": ticket.user_id, "at": int(time.time())}
    return redirect(url_for("registration.password"), 303)


@registration.post("/activate/resend")
@guard(None, scope="public")
def resend() -> ResponseReturnValue:
    """Send another code."""
    proving = _proving()
    if proving is None:
        return redirect(url_for("registration.phone"))
    try:
        activating.request_code(_claim(proving), _address(), clock.now())
    except Rejected as refused:
        errors = translated(refused.errors)
        return render_template("register/code.html", proving=proving, errors=errors), 422
    notify(_("验证码已重新发送。"), "good")
    return redirect(url_for("registration.code"), 303)


@registration.get("/activate/password")
@guard(None, scope="public")
def password() -> ResponseReturnValue:
    """Choose a password."""
    proved = _proved()
    if proved is None:
        return redirect(url_for("registration.phone"))
    return render_template("register/password.html", proving=_proving() or {}, errors=())


@registration.post("/activate/password")
@guard(None, scope="public")
def password_post() -> ResponseReturnValue:
    """Set the password and let the account in."""
    proved = _proved()
    if proved is None:
        return redirect(url_for("registration.phone"))
    try:
        account = activating.set_password(
            Ticket(proved["code"], proved["user"]),
            request.form.get("new_password", ""),
            request.form.get("new_password_2", ""),
            clock.now(),
            _address(),
            then=unit_registration.complete,
        )
    except Rejected as refused:
        errors = translated(refused.errors)
        return render_template("register/password.html", proving=_proving() or {}, errors=errors), 422
    answer = enter(account)
    notify(_("密码已设置，欢迎使用网上办事大厅。"), "good")
    return answer


def _place(region: str) -> unit_registration.Place:
    found = next((each for each in unit_registration.places() if each.region == region), None)
    if found is None:
        raise NotFound("region")
    return found


def _form_page(place: unit_registration.Place, typed: dict[str, Any], errors: Any) -> str:
    form: Form | None = unit_registration.form_of(place.region) if place.online else None
    return render_template(
        "register/form.html",
        place=place,
        form=form,
        data=form.parse(typed) if form else {},
        options={"funds": unit_registration.fund_choices(place.region)},
        errors=errors,
        demo_unit=unit_registration.look_up(place.region, OPEN_UNITS[0]) if _demo() else None,
    )


def _begin(why: str, *, user: int | None = None, phone: str = "", shown: str = "", unit: str = "") -> None:
    session.pop(PROVED, None)
    session[PROVING] = {
        "why": why, "user": user, "phone": phone, "shown": shown, "unit": unit, "at": int(time.time()),
    }  # fmt: skip


def _proving() -> dict[str, Any] | None:
    return _fresh(PROVING, 2 * TICKET_MINUTES)


def _proved() -> dict[str, Any] | None:
    return _fresh(PROVED, TICKET_MINUTES)


def _fresh(name: str, minutes: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = session.get(name)
    if not found or time.time() - found["at"] > minutes * 60:
        session.pop(name, None)
        return None
    return found


def _claim(proving: dict[str, Any]) -> Claim:
    return Claim(proving["user"], proving["phone"])


def _why() -> str:
    asked = request.values.get("why", "")
    return asked if asked in REASONS else "activate"


def _address() -> str:
    return request.remote_addr or ""


def _demo() -> bool:
    return bool(current_app.extensions["wangting"].demo)
