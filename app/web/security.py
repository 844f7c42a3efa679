"""Who may open which page, and what every answer tells the browser to refuse.

A view names its guard with `@guard`; one hook enforces it before any view runs, and a view without a guard is
never opened. The scope says which rows the view may touch; services and queries hold the rows to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.middleware.proxy_fix import ProxyFix

from app.services.actors import AGENCY, EMPLOYER, PLATFORM, Actor

Scope = Literal["public", "own", "employer", "filing", "region", "case", "platform"]
View = TypeVar("View", bound=Callable[..., Any])

# The side of the house that each scope belongs to; "case" is the same page for employer and agency, "filing"
# for employer and counter.
_SIDES: dict[str, tuple[str, ...]] = {
    "own": (EMPLOYER, AGENCY, PLATFORM),
    "employer": (EMPLOYER,),
    "filing": (EMPLOYER, AGENCY),
    "region": (AGENCY,),
    "case": (EMPLOYER, AGENCY),
    "platform": (PLATFORM,),
}

CONTENT_POLICY = (
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
TRANSPORT = "max-age=31536000; includeSubDomains"


@dataclass(frozen=True, slots=True)
class Guard:
    """What a view asks of whoever opens it."""

    permission: str | None
    scope: Scope
    during_setup: bool = False


class UnguardedView(RuntimeError):
    """A view was written without `@guard`: a fault of ours, found by the census test."""


def guard(permission: str | None, *, scope: Scope, during_setup: bool = False) -> Callable[[View], View]:
    """Mark a view: `permission` that one of the roles must hold (None: any account), and its row scope.

    `during_setup` opens the view to accounts that must change their password first.
    """
    if scope == "public" and permission is not None:
        raise ValueError("a public page asks for no permission")

    def mark(view: View) -> View:
        view.__dict__["guard"] = Guard(permission, scope, during_setup)
        return view

    return mark


def guard_of(view: Callable[..., Any] | None) -> Guard | None:
    """Return a view's guard, if it has one."""
    return getattr(view, "guard", None)


def actor() -> Actor:
    """The signed-in actor of this request, for views behind a guard; a counter clerk with the employer that
    the page is for."""
    acting: Actor | None = g.get("acting")
    return current_user.account.actor if acting is None else acting


def safe_next(target: str | None, fallback: str) -> str:
    """Return the page to go to next; only paths of this site are followed."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(char) < 32 or char == "\\" for char in target):
        return fallback
    return target


def is_fragment() -> bool:
    """Whether only a part of the page is asked for (htmx, or a dialog)."""
    return "HX-Request" in request.headers or "X-Dialog" in request.headers


class _Sessions(SecureCookieSessionInterface):
    """Session cookies are marked secure whenever the page came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure


def register(app: Flask) -> None:
    """Bind guards, headers and session cookies."""
    app.session_interface = _Sessions()
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # the token lives as long as the session
    if app.config["SESSION_COOKIE_SECURE"]:
        # Behind a proxy that ends TLS: trust exactly one hop.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    app.add_url_rule("/static/<path:filename>", "static", _static)
    app.before_request(_refuse_zeros)
    app.before_request(_enforce)
    app.after_request(_headers)


@guard(None, scope="public")
def _static(filename: str) -> Response:
    return current_app.send_static_file(filename)


def _refuse_zeros() -> None:
    """Refuse the sign that no keyboard types and no text column takes."""
    values = (
        value for given in (request.args, request.form) for found in given.listvalues() for value in found
    )
    if "\0" in request.path or any("\0" in value for value in values):
        abort(400)


def _enforce() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    needed = guard_of(current_app.view_functions.get(request.endpoint))
    if needed is None:
        raise UnguardedView(request.endpoint)
    g.guard = needed
    if needed.scope == "public":
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    account = current_user.account
    if account.must_change_password and not needed.during_setup:
        return redirect(url_for("auth.password"))
    if account.actor.side not in _SIDES[needed.scope]:
        abort(403)
    if needed.permission is not None and not account.actor.may(needed.permission):
        abort(403)
    if not _may_file(needed, account.actor):
        abort(403)
    return None


def _may_file(needed: Guard, who: Actor) -> bool:
    """Whether somebody acts for an employer where the page needs one; at the counter the page names it."""
    if needed.scope == "filing" and who.side == AGENCY:
        return who.may("counter.file")
    return needed.scope not in ("employer", "filing") or who.employer_id is not None


def _ask_to_sign_in() -> ResponseReturnValue:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    target = url_for("auth.login", next=wanted if wanted not in (None, "/") else None)
    if is_fragment():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = url_for("auth.login")
        return answer
    return redirect(target)


def _headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers["Strict-Transport-Security"] = TRANSPORT
    if request.endpoint == "static":
        if "/dist/" in request.path and answer.status_code == 200:
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif request.endpoint is not None and "Cache-Control" not in answer.headers:
        # Pages hold personal data: nothing of them stays in a shared computer's cache.
        answer.headers["Cache-Control"] = "no-store"
    return answer
