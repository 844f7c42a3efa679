"""The counter (柜面): choosing an employer of the region, filing for it, and the counter's own cases.

The chosen employer stands in the address (`unit`, its number): two windows never mix two employers, and
the pages of the hall serve the counter as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.definitions import current as definitions
from app.domain.declaration import DRAFT, FINAL, IN_AUDIT, PENDING, RETURNED, SUBMITTED
from app.domain.parameters import COUNTER, ONLINE
from app.errors import NotFound
from app.services.actors import AGENCY, EMPLOYER
from app.services.filing import CHANNEL_COUNTER, opened
from app.services.results import CaseView
from app.services.unit_opening import KIND as OPENING
from app.services.unit_opening import UNMADE
from app.services.unit_records import record_of
from app.store.queries import counter as queries
from app.store.queries.counter import CounterFilter, Unit
from app.web.frame import kind_words
from app.web.menus import ELSEWHERE, MENUS
from app.web.paging import row_id
from app.web.reading import plain_title
from app.web.security import actor, guard, guard_of

PAGE = 20
UNIT = "unit"
# view -> statuses
VIEWS = {
    "drafts": (DRAFT,),
    "pending": (PENDING,),
    "submitted": (SUBMITTED, IN_AUDIT, RETURNED, *sorted(FINAL)),
}
# What makes an employer or an account is not filed for one that is there already.
NOT_FOR_A_UNIT = ELSEWHERE | {OPENING}
counter = Blueprint("counter", __name__)


def register(app: Flask) -> None:
    """Have the pages that file know whom the counter files for, and keep it in their addresses."""
    app.before_request(_stand)
    app.url_defaults(_carry)
    app.jinja_env.globals.update(
        counter_unit=lambda: g.get("counter_unit"), at_counter=at_counter, opened=opened
    )


def at_counter() -> bool:
    """Whether the visitor files at the counter."""
    who = current_user.account.actor if current_user.is_authenticated else None
    return who is not None and who.side == AGENCY and who.may("counter.file")


def stand_for(case: CaseView) -> None:
    """Let the links of a counter case's page lead on for its employer."""
    if at_counter() and case.channel == CHANNEL_COUNTER:
        g.counter_unit = _unit(employer_id=case.employer_id)


def handles(case: CaseView) -> bool:
    """Whether the visitor meets this case as the counter that filed it, not as somebody who decides it."""
    return at_counter() and case.channel == CHANNEL_COUNTER and "decide" not in case.allowed


def _stand() -> ResponseReturnValue | None:
    """Find the employer of a page that files: named in the address, or that of the case it shows."""
    needed = guard_of(current_app.view_functions.get(request.endpoint or ""))
    if needed is None or needed.scope != "filing" or not at_counter():
        return None
    number, given = request.args.get(UNIT, ""), request.view_args or {}
    reference = next(
        (found for place in (given, request.args, request.form) if (found := place.get("reference"))), ""
    )
    if reference:
        chosen = _known(queries.find_unit_of(current_user.account.actor.regions, reference))
    elif number:
        chosen = _unit(employer_no=number)
    elif request.method == "GET":
        return redirect(url_for("counter.home", kind=given.get("kind")))
    else:
        raise NotFound("employer")
    mixed = bool(number) and number != chosen.employer_no
    if mixed or (chosen.status in UNMADE and given.get("kind", OPENING) != OPENING):
        raise NotFound("employer")
    g.counter_unit = chosen
    g.acting = replace(current_user.account.actor, employer_id=chosen.id)
    return None


def _carry(endpoint: str, values: dict[str, Any]) -> None:
    chosen: Unit | None = g.get("counter_unit")
    if chosen is None or UNIT in values:
        return
    needed = guard_of(current_app.view_functions.get(endpoint))
    if needed is not None and needed.scope == "filing":
        values[UNIT] = chosen.employer_no


def _unit(*, employer_no: str = "", employer_id: int | None = None) -> Unit:
    regions = current_user.account.actor.regions
    return _known(queries.find_unit(regions, employer_no=employer_no, employer_id=employer_id))


def _known(found: Unit | None) -> Unit:
    if found is None:
        raise NotFound("employer")
    return found


@counter.get("/counter")
@guard("counter.file", scope="region")
def home() -> ResponseReturnValue:
    """Choose the employer: by unit number, credit code or name. A whole number leads on at once."""
    text, kind = request.args.get("q", "").strip()[:80], request.args.get("kind", "")
    after = request.args.get("after", "")[:32]
    rows = queries.search_units(actor().regions, text, after, PAGE + 1)
    if text and len(rows) == 1 and text.upper() in (rows[0].employer_no, rows[0].credit_code):
        return redirect(_onward(rows[0], kind))
    page = rows[:PAGE]
    values: dict[str, Any] = {name: value for name, value in (("q", text), ("kind", kind)) if value}
    more = url_for("counter.home", **values, after=page[-1].employer_no) if len(rows) > PAGE else None
    return render_template(
        "counter/home.html", rows=page, values=values, next_url=more, kind=kind, onward=_onward
    )


def _onward(chosen: Unit, kind: str) -> str:
    if kind and kind in definitions.kinds(chosen.region):
        return url_for("declarations.form", kind=kind, unit=chosen.employer_no)
    return url_for("counter.unit", employer_no=chosen.employer_no)


@counter.get("/counter/units/<employer_no>")
@guard("counter.file", scope="region")
def unit(employer_no: str) -> ResponseReturnValue:
    """What can be filed for an employer: all kinds of its region, grouped like the hall's menu."""
    chosen = _unit(employer_no=employer_no)
    groups = [] if chosen.status in UNMADE else _kinds(chosen.region)
    record = record_of(actor(), chosen.id)
    return render_template(
        "counter/unit.html", unit=chosen, groups=groups, record=record, plain_title=plain_title
    )


def _kinds(region: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Groups of (kind, icon, at the counter only), as the hall's menu has them; what it lacks comes last."""
    spoken = definitions.parameters(region)
    offered = (kind for kind in definitions.kinds(region) if spoken.offers(kind, COUNTER))
    left = {kind: "file-text" for kind in offered if kind not in NOT_FOR_A_UNIT}
    groups = []
    for group in MENUS[EMPLOYER]:
        icons = {entry.kind: entry.icon for entry in reversed(group.entries) if entry.kind in left}
        found = [(kind, icons[kind], not spoken.offers(kind, ONLINE)) for kind in left if kind in icons]
        if found:
            groups.append((str(group.text), found))
            left = {kind: icon for kind, icon in left.items() if kind not in icons}
    if left:
        rest = [(kind, icon, not spoken.offers(kind, ONLINE)) for kind, icon in left.items()]
        groups.append((_("柜面业务"), rest))
    return groups


@counter.get("/counter/cases/<view>")
@guard("counter.file", scope="region")
def listed(view: str) -> ResponseReturnValue:
    """The counter's drafts, what waits to be submitted, what was handed over: mine or everybody's."""
    if view not in VIEWS:
        raise NotFound("view")
    names = ("who", "kind", "q")
    values = {name: request.args[name].strip()[:80] for name in names if request.args.get(name, "").strip()}
    me = actor()
    wanted = CounterFilter(
        VIEWS[view],
        values.get("kind", ""),
        values.get("q", ""),
        None if values.get("who") == "all" else me.id,
    )
    before, after = (request.args.get(name, type=row_id) for name in ("before", "after"))
    rows = queries.list_cases(me.regions, wanted, before_id=before, after_id=after, limit=PAGE + 1)
    more = len(rows) > PAGE
    if more:
        rows = rows[1:] if after is not None else rows[:-1]
    older, newer = (more if after is None else True), (before is not None if after is None else more)

    def place(**position: int) -> str:
        arguments: dict[str, Any] = {"view": view, **values, **position}
        return url_for("counter.listed", **arguments)

    return render_template(
        "counter/cases.html",
        view=view,
        rows=rows,
        values=values,
        kinds=_kind_options(),
        count=queries.count_cases(me.regions, wanted, exact="exact" in request.args),
        exact_url=place(exact=1),
        previous_url=place(after=rows[0].id) if rows and newer else None,
        next_url=place(before=rows[-1].id) if rows and older else None,
    )


def _kind_options() -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for region in sorted(actor().regions):
        for kind in definitions.kinds(region):
            found.setdefault(kind, kind_words(kind, region))
    return list(found.items())
