"""What every page stands in: the region's title and words, the menu, reminders, messages, preferences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    g,
    get_flashed_messages,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape

from app import clock
from app.definitions import current as definitions
from app.domain.declaration import STATUSES
from app.domain.parameters import ParameterSet
from app.domain.permission import ROLE_WORDS
from app.errors import FieldError
from app.services import accounts
from app.services.actors import AGENCY, EMPLOYER
from app.services.seasons import closed_words
from app.store.queries import frame as queries
from app.web.i18n import LANGUAGE_COOKIE, LANGUAGES, count_words, translated_text
from app.web.menus import ELSEWHERE, MENUS, STATUS_MARKS, TONE_ICONS, Entry
from app.web.security import guard, is_fragment, safe_next
from app.web.sidebar import arranged

DIST = Path(__file__).parent / "static" / "dist"
YEAR_SECONDS = 365 * 86_400
# preference → what may be chosen; the first is the usual one
PREFERENCES: Mapping[str, tuple[str, ...]] = {
    LANGUAGE_COOKIE: tuple(LANGUAGES),
    "text": ("normal", "large", "larger"),
    "density": ("normal", "compact"),
}

frame = Blueprint("frame", __name__)


def register(app: Flask) -> None:
    """Give the templates their functions and the frame its one action."""
    app.register_blueprint(frame)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        icon=icon,
        menu=menu,
        reminders=reminders,
        capped=capped,
        count_words=count_words,
        preference=preference,
        page_side=page_side,
        words=words,
        status_words=status_words,
        kind_words=kind_words,
        status_marks=STATUS_MARKS,
        tone_icons=TONE_ICONS,
        role_words=role_words,
        has_page=lambda endpoint: endpoint in current_app.view_functions,
        account=lambda: current_user.account if current_user.is_authenticated else None,
        notifications=lambda: get_flashed_messages(with_categories=True),
        demo_clock=demo_clock,
    )
    app.jinja_env.filters.update(at_field=at_field, masked=masked)


@frame.post("/preferences")
@guard(None, scope="public")
def preferences() -> ResponseReturnValue:
    """Remember language, text size and row height in cookies, and with the account where there is one."""
    chosen = {
        name: request.form[name] for name, allowed in PREFERENCES.items() if request.form.get(name) in allowed
    }
    answer = make_response(redirect(safe_next(request.form.get("next"), url_for("auth.index")), 303))
    for name, value in chosen.items():
        answer.set_cookie(
            name, value, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure, httponly=True
        )
    # Demonstration accounts are shared: one visitor's language must not surprise the next.
    if chosen and current_user.is_authenticated and not current_user.account.demo:
        accounts.set_preferences(current_user.account.actor, chosen)
    return answer


def preference(name: str) -> str:
    """What this browser or account has chosen."""
    allowed = PREFERENCES[name]
    picked = request.cookies.get(name, "")
    if picked not in allowed and current_user.is_authenticated:
        picked = str(current_user.account.preferences.get(name, ""))
    return picked if picked in allowed else allowed[0]


def words(region: str | None = None) -> ParameterSet | None:
    """The parameter set whose words the page speaks: the account's region, unless one is named."""
    chosen = g.get("counter_unit")
    code = region if region is not None or chosen is None else chosen.region
    if code is None:
        code = current_user.account.region if current_user.is_authenticated else ""
    if not code:
        return None
    found: ParameterSet | None = g.setdefault("words", {}).get(code)
    if found is None:
        found = g.words[code] = definitions.parameters(code)
    return found


def status_words(status: str, region: str | None = None) -> str:
    """The word for a declaration's status."""
    spoken = words(region)
    return _(spoken.status_label(status) if spoken else STATUSES[status])


def kind_words(kind: str, region: str | None = None) -> str:
    """The word for a kind of declaration."""
    spoken = words(region)
    return _(spoken.kind_label(kind) if spoken else definitions.kind_title(kind))


def role_words(roles: Iterable[str]) -> str:
    """The words for an account's roles."""
    return "、".join(_(ROLE_WORDS[role]) for role in sorted(roles) if role in ROLE_WORDS)


def page_side() -> str:
    """employer, agency or platform: the accent of the page."""
    return current_user.account.actor.side if current_user.is_authenticated else EMPLOYER


def menu() -> list[tuple[str, list[dict[str, Any]]]]:
    """The visitor's menu: groups of {text, icon, url, current, count}, without what he may not open.

    A line without url is one that the region's menu names and that is not open here.
    """
    side, spoken = current_user.account.actor.side, words()
    own = spoken.menu if spoken and side == EMPLOYER else ()
    groups = []
    for group in arranged(MENUS[side], own, _others() if side == EMPLOYER else ()):
        lines = [line for entry in group.entries if (line := _line(entry)) is not None]
        if group.unfilled and not lines:
            lines = [_closed(translated_text(group.note) or _("未开通"), mark=False)]
        if lines:
            groups.append((_(group.own) if group.own else _word(group.label, group.text), lines))
    return groups


def _others() -> list[str]:
    """Kinds that can be filed here and that no entry of the code is about, in the region's order."""
    known = {entry.kind for group in MENUS[EMPLOYER] for entry in group.entries} | ELSEWHERE
    return [kind for kind in _published() if kind in _kinds() and kind not in known]


def _published() -> list[str]:
    if "published_kinds" not in g:
        spoken = words()
        g.published_kinds = definitions.kinds(spoken.region) if spoken else []
    found: list[str] = g.published_kinds
    return found


def _offered(entry: Entry) -> bool:
    if entry.endpoint not in current_app.view_functions:
        return False
    if entry.permission is not None and not current_user.account.actor.may(entry.permission):
        return False
    if entry.label and entry.kind and not _named(entry.label):
        # a batch of a kind is only offered where the region has a name for it
        return False
    return not entry.kind or entry.kind in _kinds()


def _named(label: str) -> bool:
    spoken = words()
    return spoken is not None and label in spoken.labels


def _kinds() -> frozenset[str]:
    """Kinds that the region offers online today and that have a published process."""
    if "kinds" not in g:
        spoken = words()
        published = definitions.kinds(spoken.region) if spoken else ()
        today = clock.today()
        seasonal = page_side() == EMPLOYER
        g.kinds = frozenset(
            kind
            for kind in published
            if spoken and spoken.offers(kind) and not (seasonal and closed_words(kind, spoken, today))
        )
    return g.kinds


def _line(entry: Entry) -> dict[str, Any] | None:
    """A line of the menu; None where the visitor may not open it, a grey one where nothing is behind it."""
    own = _(entry.own) if entry.own else ""
    nothing = entry.endpoint not in current_app.view_functions
    if entry.named and (nothing or (entry.kind and entry.kind not in _published())):
        return _closed(own or _word(entry.label, entry.text or kind_words(entry.kind)))
    if not _offered(entry):
        return None
    args: dict[str, Any] = dict(entry.args)
    url = url_for(entry.endpoint, **args)
    text = own or _word(entry.label, entry.text or (kind_words(entry.kind) if entry.kind else ""))
    here = {**request.args, **(request.view_args or {})}
    current = request.endpoint == entry.endpoint and all(
        here.get(name) == value for name, value in args.items()
    )
    count = getattr(reminders(), entry.count) if entry.count else 0
    return {"text": text, "icon": entry.icon, "url": url, "current": current, "count": count}


def _closed(text: str, *, mark: bool = True) -> dict[str, Any]:
    line = {"text": text, "icon": "circle-dashed", "url": "", "current": False, "count": 0}
    return {**line, "closed": mark}


def _word(label: str, text: object) -> str:
    spoken = words()
    own = spoken.label(label, " ") if label and spoken else " "
    return _(own) if own.strip() else str(text)


def reminders() -> queries.Reminders:
    """The numbers on the bar, read once per page."""
    if "reminders" not in g:
        actor = current_user.account.actor
        if actor.side == EMPLOYER and actor.employer_id is not None:
            g.reminders = queries.employer_reminders(actor.employer_id, actor.id)
        elif actor.side == AGENCY:
            g.reminders = queries.agency_reminders(actor.regions, actor.roles, actor.id)
        else:
            g.reminders = queries.Reminders()
    return g.reminders


def capped(number: int, limit: int = queries.LIMIT) -> str:
    """12, or 999+ where counting stopped."""
    return f"{limit - 1}+" if number >= limit else str(number)


def demo_clock() -> dict[str, Any] | None:
    """What the banner of a demonstration says, or None in a real installation."""
    config = current_app.extensions["wangting"]
    if not config.demo:
        return None
    return {"fixed": clock.is_fixed(), "now": clock.now()}


def notify(message: str, tone: str = "") -> None:
    """Show a message on the next page; tone is good, warn, bad or plain."""
    flash(message, tone)


def translated(errors: Iterable[FieldError]) -> tuple[FieldError, ...]:
    """The same refusals in the reader's language, where the catalogue knows them."""
    return tuple(
        FieldError(error.field, error.code, translated_text(error.message), error.open_case)
        for error in errors
    )


def at_field(errors: Iterable[FieldError] | None, name: str) -> list[str]:
    """The words of the refusals that stand at a field."""
    return [translated_text(error.message) for error in errors or () if error.field == name]


def masked(number: str | None) -> str:
    """3205*****0515: the first and last four characters of an identity number."""
    text = number or ""
    return text if "*" in text or len(text) < 9 else f"{text[:4]}*****{text[-4:]}"


def leave(address: str) -> ResponseReturnValue:
    """Go on to another page, also in answer to a request that script made for a part of this one."""
    if not is_fragment():
        return redirect(address, 303)
    answer = make_response("")
    answer.headers["HX-Redirect"] = address
    return answer


def render_confirm(
    title: str,
    text: str,
    *,
    action: str,
    button: str,
    back: str,
    fields: Iterable[tuple[str, str]] = (),
    danger: bool = False,
    tick: str = "",
    details: Iterable[str] = (),
) -> str:
    """Ask before something that cannot be undone: a page, or the dialog that script shows over the page.

    `action` is where the form posts to, with `confirmed=1` and the hidden `fields`; `tick` is a sentence that
    must be ticked first (money or an end of insurance is at stake).
    """
    template = "frame/confirm_fragment.html" if is_fragment() else "frame/confirm.html"
    return render_template(
        template,
        title=title,
        text=text,
        action=action,
        button=button,
        back=back,
        fields=list(fields),
        danger=danger,
        tick=tick,
        details=list(details),
    )


@lru_cache(maxsize=1)
def _manifest(stamp: float) -> dict[str, str]:
    return json.loads((DIST / "manifest.json").read_text())


def asset(name: str) -> str:
    """The address of a built file, with its content's hash in the name."""
    try:
        names = _manifest((DIST / "manifest.json").stat().st_mtime)
    except FileNotFoundError:
        names = {}
    return url_for("static", filename=f"dist/{names.get(name, name)}")


def icon(name: str, label: str = "", cls: str = "") -> Markup:
    """An icon of the sprite; without a label it is decoration beside words."""
    speech = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    use = f'<use href="{asset("icons.svg")}#{escape(name)}"/>'
    return Markup(f'<svg class="icon {escape(cls)}" {speech}>{use}</svg>')  # noqa: S704  all escaped
