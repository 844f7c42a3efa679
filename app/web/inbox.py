"""The agency's inbox: open tasks by due time, taking and releasing them, and what one has decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.clock import to_utc
from app.domain.declaration import STATUSES
from app.errors import Conflict, Forbidden, OwnCase
from app.services import audits
from app.services.actors import Actor
from app.store.queries import inbox as queries
from app.store.queries.inbox import ALL, EVERYBODY, GROUP, MINE, Scope, TaskFilter
from app.web import workbench
from app.web.frame import notify, reminders
from app.web.paging import decode_cursor, keep_size, page_size, page_url, row_id
from app.web.place import (
    Place,
    due_options,
    filter_of,
    kind_options,
    scope_of,
    sees_everything,
    step_options,
)
from app.web.security import actor, guard
from app.web.task_lines import line_of

inbox = Blueprint("inbox", __name__)


@inbox.app_template_global()
def usual_status(status: str) -> str:
    """The agency's word for a status; a region's own words are what its employers read."""
    return STATUSES[status]


@inbox.get("/inbox")
@guard("inbox.view", scope="region")
def home() -> ResponseReturnValue:
    """The list, and beside it the case that is open."""
    return page()


@inbox.post("/inbox/claim")
@guard("task.claim", scope="region")
def claim() -> ResponseReturnValue:
    """Take the ticked tasks, each by itself: one that somebody else has does not stop the others."""
    me, now = actor(), clock.now()
    done, refused = 0, []
    for task_id in picked():
        try:
            audits.claim(me, task_id, now)
            done += 1
        except (Conflict, Forbidden) as error:
            refused.append(claim_refused(error))
    if done:
        notify(_("已认领 %(number)s 件。", number=done), "good")
    for text in dict.fromkeys(refused):
        notify(text, "bad")
    if not done and not refused:
        notify(_("请先勾选要认领的事项。"), "warn")
    return redirect(back(), 303)


@inbox.post("/inbox/release")
@guard("task.release", scope="region")
def release() -> ResponseReturnValue:
    """Put tasks back for the group."""
    me, now = actor(), clock.now()
    for task_id in picked():
        try:
            audits.release(me, task_id, now)
            notify(_("已归还，其他审核人员可以认领。"), "good")
        except Conflict as error:
            notify(_(str(error)), "bad")
    return redirect(back(), 303)


@inbox.post("/inbox/next")
@guard("task.claim", scope="region")
def take_next() -> ResponseReturnValue:
    """Take the most urgent task that nobody has, and open it."""
    place = asked_place(request.form)
    filters = {"kind": place.kind} if place.kind else {}
    task = audits.claim_next(actor(), clock.now(), filters)
    if task is None:
        notify(_("组待办中没有可以认领的事项。"), "warn")
        return redirect(back(), 303)
    return redirect(url_for("inbox.home", box=MINE, open=task.id), 303)


def page(
    problems: Any = (), typed: Mapping[str, Any] | None = None, status: int = 200, alert: str = ""
) -> ResponseReturnValue:
    """The inbox as the address (or the posted place) asks for it, with what was refused."""
    now, me = clock.now(), actor()
    place = asked_place(request.values)
    size = page_size()
    scope = scope_of(me)
    wanted = filter_of(place, me, now)
    after, before = decode_cursor(place.after), decode_cursor(place.before)
    rows = queries.list_tasks(scope, wanted, size.rows + 1, after=after, before=before)
    rows, earlier, later = size.cut(rows, after, before)
    lines = [line_of(row, now, me) for row in rows]
    chosen = workbench.chosen_task(rows, request.values, me)
    if chosen is None and request.values.get("open", "").isdecimal() and not alert:
        alert = _("该事项已办结或已撤销，请从列表中选择其他事项。")
    bench = workbench.bench_of(chosen, me, now, problems, typed) if chosen else None
    answer = make_response(
        render_template(
            "inbox/home.html",
            place=place,
            lines=lines,
            boxes=box_tabs(place, me),
            kinds=kind_options(me),
            steps=step_options(me),
            due_options=due_options(),
            count=count_of(place, scope, wanted, exact=request.values.get("count") == "exact"),
            previous_url=page_url("inbox.home", place.moved().arguments(), "before",
                                   rows[0].cursor if earlier else None),
            next_url=page_url("inbox.home", place.moved().arguments(), "after",
                               rows[-1].cursor if later else None),
            size=size,
            bench=bench,
            figures=figures(me, now),
            alert_text=alert,
            decision_words=workbench.decision_words,
            has_claim=me.may("task.claim") and place.box != EVERYBODY,
            size_url=lambda rows: url_for("inbox.home", size=rows, **place.moved().arguments()),
        ),
        status,
    )  # fmt: skip
    return keep_size(answer, size)


def picked() -> list[int]:
    """The task of the button that was pressed, else those that are ticked."""
    one = request.form.get("one", type=row_id)
    return [one] if one is not None else request.form.getlist("task", type=row_id)


def asked_place(given: Mapping[str, str]) -> Place:
    """The place that an address or a form names."""
    return Place.of(given, sees_everything(actor()))


def back(**changes: str) -> str:
    """The list that a form was posted from."""
    reference = request.form.get("reference", "")
    if reference:
        return url_for("cases.page", reference=reference)
    arguments = asked_place(request.form).arguments()
    opened = request.form.get("open", "")
    return url_for("inbox.home", **{**arguments, **({"open": opened} if opened else {}), **changes})


def claim_refused(error: Exception) -> str:
    """Why a task could not be taken."""
    if isinstance(error, Forbidden):
        return forbidden_words(error)
    return _(str(error))


def forbidden_words(error: Forbidden) -> str:
    """A refused role or the same person's own case, in words."""
    if isinstance(error, OwnCase):
        return _(str(error))
    return _("您的岗位不能办理这个环节。")


def count_of(place: Place, scope: Scope, wanted: TaskFilter, *, exact: bool) -> int:
    """How many there are; without filters the bar has counted them already."""
    if not place.filtered and not exact and place.box in (MINE, GROUP):
        return reminders().mine if place.box == MINE else reminders().group
    return queries.count_tasks(scope, wanted, exact=exact)


def figures(me: Actor, now: datetime) -> queries.Figures | None:
    """The region's work at a glance, for those who watch over it."""
    if not sees_everything(me):
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return queries.figures(scope_of(me), to_utc(now), to_utc(midnight))


def box_tabs(place: Place, me: Actor) -> list[tuple[str, str, bool, int | None]]:
    """Tabs of the boxes with their counts: (text, address, current, count)."""
    due = reminders()
    texts: dict[str, tuple[str, int | None]] = {
        ALL: (_("全部待办"), None), MINE: (_("待办"), due.mine), GROUP: (_("组待办"), due.group),
    }  # fmt: skip
    if sees_everything(me):
        texts = {EVERYBODY: (_("在办事项"), None), **texts}
    return [
        (text, url_for("inbox.home", **place.moved(box=box).arguments()), place.box == box, count)
        for box, (text, count) in texts.items()
    ]
