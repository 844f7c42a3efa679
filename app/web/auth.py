"""Signing in and out, the second factor, the password, and the session's limits."""

from __future__ import annotations

import time
from io import BytesIO

import segno
from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from app import clock
from app.errors import FieldError, NotFound, Rejected
from app.extensions import login_manager
from app.services import accounts, profiles, second_factor
from app.services.actors import AGENCY, EMPLOYER
from app.web.frame import notify, translated
from app.web.paging import row_id
from app.web.security import guard, safe_next

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 12 * 3600
PENDING_SECONDS = 300
_SEEN_EVERY_SECONDS = 60

auth = Blueprint("auth", __name__)


class Visitor(UserMixin):
    """What flask-login holds for a request: the account, loaded with one statement."""

    def __init__(self, account: accounts.Account) -> None:
        self.account = account

    def get_id(self) -> str:
        return str(self.account.actor.id)


def register(app: Flask) -> None:
    """Load the visitor from the session, within its limits."""
    app.config.setdefault("SIGN_IN_DELAY_SECONDS", 0.25)
    login_manager.user_loader(_load_visitor)


def _load_visitor(user_id: str) -> Visitor | None:
    now = int(time.time())
    seen = session.get("seen_at", 0)
    if now - seen > IDLE_SECONDS or now - session.get("login_at", 0) > ABSOLUTE_SECONDS:
        session.clear()
        session["ended"] = "idle" if seen else ""
        return None
    account = accounts.load_account(int(user_id), clock.real_utcnow())
    if account is None or not account.active or account.session_version != session.get("version"):
        session.clear()
        return None
    if now - seen >= _SEEN_EVERY_SECONDS:
        session["seen_at"] = now
    return Visitor(account)


def home_of(side: str) -> str:
    """The first page of each side."""
    if side == EMPLOYER:
        return url_for("hall.home")
    endpoint = "inbox.home" if side == AGENCY else "studio.home"
    if current_user.is_authenticated and current_user.account.actor.may("counter.file"):
        endpoint = "inbox.home" if current_user.account.actor.may("task.decide") else "counter.home"
    return url_for(endpoint if endpoint in current_app.view_functions else "auth.account")


@auth.get("/")
@guard(None, scope="public")
def index() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(home_of(current_user.account.actor.side))
    return redirect(url_for("auth.login"))


@auth.get("/login")
@guard(None, scope="public")
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(home_of(current_user.account.actor.side))
    ended = session.pop("ended", "")
    return render_template("auth/login.html", errors=(), username="", ended=ended)


@auth.post("/login")
@guard(None, scope="public")
def login_post() -> ResponseReturnValue:
    username = request.form.get("username", "")
    password = request.form.get("password", "")
    missing = [
        FieldError(name, "required", words)
        for name, words in (("username", _("请输入用户名")), ("password", _("请输入密码")))
        if not request.form.get(name, "").strip()
    ]
    if missing:
        return render_template("auth/login.html", errors=missing, username=username, ended=""), 422
    try:
        account = accounts.sign_in(username, password, request.remote_addr or "", clock.real_utcnow())
    except Rejected as refused:
        _slow_down(username)
        current_app.logger.info("sign-in refused code=%s", refused.errors[0].code)
        return render_template(
            "auth/login.html", errors=translated(refused.errors), username=username, ended=""
        ), 422
    if account.needs_second_factor:
        return _ask_for_code(account)
    return enter(account)


@auth.get("/login/code")
@guard(None, scope="public")
def code() -> ResponseReturnValue:
    pending = _pending()
    if pending is None:
        return redirect(url_for("auth.login"))
    return _code_page(pending, ())


@auth.post("/login/code")
@guard(None, scope="public")
def code_post() -> ResponseReturnValue:
    pending = _pending()
    if pending is None:
        return redirect(url_for("auth.login"))
    try:
        account = accounts.check_code(
            pending["user"],
            request.form.get("code", ""),
            clock.real_utcnow(),
            new_secret=_new_secret(pending),
            address=request.remote_addr or "",
        )
    except Rejected as refused:
        _slow_down(pending["username"])
        return _code_page(pending, translated(refused.errors)), 422
    return enter(account)


@auth.post("/logout")
@guard(None, scope="own", during_setup=True)
def logout() -> ResponseReturnValue:
    accounts.sign_out(current_user.account.actor, request.remote_addr or "")
    logout_user()
    session.clear()
    notify(_("您已退出登录。"), "good")
    return redirect(url_for("auth.login"))


@auth.get("/account")
@guard(None, scope="own")
def account() -> ResponseReturnValue:
    return _account_page()


@auth.post("/account")
@guard(None, scope="own")
def account_post() -> ResponseReturnValue:
    """Keep the own mail and address."""
    typed = {name: request.form.get(name, "") for name in profiles.FIELDS}
    try:
        changed = profiles.change_own(current_user.account.actor, typed, request.remote_addr or "")
    except Rejected as refused:
        return _account_page(typed, translated(refused.errors)), 422
    notify(_("已保存。") if changed else _("没有修改任何内容。"), "good" if changed else "")
    return redirect(url_for("auth.account"), 303)


@auth.get("/help")
@guard(None, scope="own")
def help_page() -> ResponseReturnValue:
    return render_template("auth/help.html")


@auth.get("/password")
@guard(None, scope="own", during_setup=True)
def password() -> ResponseReturnValue:
    return render_template("auth/password.html", errors=())


@auth.post("/password")
@guard(None, scope="own", during_setup=True)
def password_post() -> ResponseReturnValue:
    form = request.form
    try:
        session["version"] = accounts.change_password(
            current_user.account.actor,
            form.get("current_password", ""),
            form.get("new_password", ""),
            form.get("new_password_2", ""),
            clock.real_utcnow(),
            request.remote_addr or "",
        )
    except Rejected as refused:
        return render_template("auth/password.html", errors=translated(refused.errors)), 422
    notify(_("密码已修改，其他设备上的登录已失效。"), "good")
    return redirect(home_of(current_user.account.actor.side))


@auth.post("/hall/employer")
@guard(None, scope="employer")
def employer() -> ResponseReturnValue:
    wanted = request.form.get("employer_id", type=row_id)
    if wanted is None:
        raise NotFound("employer")
    accounts.switch_employer(current_user.account.actor, wanted)
    notify(_("已切换单位。"), "good")
    # The page that was open belongs to the other employer's records: the home page is always right.
    return redirect(url_for("hall.home"))


def _account_page(typed: dict[str, str] | None = None, errors: tuple[FieldError, ...] = ()) -> str:
    own = typed if typed is not None else profiles.own_profile(current_user.account.actor)
    return render_template("auth/account.html", profile=own, errors=errors)


def enter(account: accounts.Account) -> ResponseReturnValue:
    """Begin the session of an account that proved who it is."""
    target = safe_next(request.args.get("next") or session.get("pending", {}).get("next"), "")
    # A session that existed before signing in ends here, whoever planted it.
    session.clear()
    now = int(time.time())
    session.update(version=account.session_version, login_at=now, seen_at=now)
    login_user(Visitor(account))
    # two windows opened at once share the forms' token: the answer to signing in brings it
    generate_csrf()
    current_app.logger.info("signed in user=%s", account.actor.id)
    if account.must_change_password:
        return redirect(url_for("auth.password"))
    return redirect(target or home_of(account.actor.side))


def _ask_for_code(account: accounts.Account) -> ResponseReturnValue:
    target = safe_next(request.args.get("next"), "")
    session.clear()
    pending = {
        "user": account.actor.id,
        "username": account.actor.username,
        "at": int(time.time()),
        "next": target,
    }
    if not account.has_second_factor:
        # The cookie is signed, not secret: the new secret travels sealed.
        pending["new"] = second_factor.seal(second_factor.new_secret()).hex()
    session["pending"] = pending
    return redirect(url_for("auth.code"))


def _pending() -> dict | None:
    pending = session.get("pending")
    if not pending or time.time() - pending["at"] > PENDING_SECONDS:
        session.pop("pending", None)
        return None
    return pending


def _new_secret(pending: dict) -> str | None:
    return second_factor.unseal(bytes.fromhex(pending["new"])) if "new" in pending else None


def _code_page(pending: dict, errors: tuple[FieldError, ...]) -> str:
    secret = _new_secret(pending)
    picture = ""
    if secret:
        out = BytesIO()
        segno.make(second_factor.address_of(secret, pending["username"]), error="m").save(
            out, kind="svg", xmldecl=False, svgns=True, scale=4, border=2, svgclass=None, lineclass=None
        )
        picture = Markup(out.getvalue().decode())  # noqa: S704  drawn from our own text by the QR library
    return render_template("auth/code.html", errors=errors, secret=secret, picture=picture)


def _slow_down(username: str) -> None:
    failures = accounts.failures_of(username)
    time.sleep(min(current_app.config["SIGN_IN_DELAY_SECONDS"] * 2 ** min(failures, 4), 4))
