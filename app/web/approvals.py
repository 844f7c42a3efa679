"""Approving many open tasks at once: those that are ticked, or all that a filter of one step finds."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.services import approvals as services
from app.services.results import BulkResult, ItemResult
from app.store.queries import inbox as queries
from app.web.frame import kind_words, leave, notify, render_confirm
from app.web.i18n import translated_text
from app.web.inbox import asked_place
from app.web.paging import decode_cursor, encode_cursor, row_id
from app.web.place import Place, filter_of, scope_of
from app.web.security import actor, guard

approvals = Blueprint("approvals", __name__)

SHOWN_FAILURES = 20


@approvals.post("/inbox/approve")
@guard("task.decide", scope="region")
def ticked() -> ResponseReturnValue:
    """Approve the ticked tasks, after asking."""
    ids = request.form.getlist("task", type=row_id)
    tasks = services.named(actor(), ids)
    place = asked_place(request.form)
    if not request.form.get("confirmed"):
        fields = [("task", str(task.id)) for task in tasks] + list(place.arguments().items())
        return _ask(tasks[0].kind, tasks[0].title, len(tasks), "approvals.ticked", place, fields)
    _told(services.approve(actor(), ids, "", clock.now()))
    return redirect(url_for("inbox.home", **place.arguments()), 303)


@approvals.post("/inbox/approve/all")
@guard("task.decide", scope="region")
def everything() -> ResponseReturnValue:
    """Approve all that the filters find: ask first, then go on slice by slice until none is left."""
    me, now, place = actor(), clock.now(), asked_place(request.form).moved()
    scope, wanted = scope_of(me), filter_of(place, me, now)
    if not request.form.get("confirmed"):
        count = queries.count_tasks(scope, wanted, exact=True)
        rows = queries.list_tasks(scope, wanted, 1)
        if not rows:
            notify(_("没有可以通过的事项。"), "warn")
            return redirect(url_for("inbox.home", **place.arguments()), 303)
        newest = str(queries.newest_task(scope, wanted))
        fields = [("until", newest), ("total", str(count)), *place.arguments().items()]
        return _ask(rows[0].kind, rows[0].title, count, "approvals.everything", place, fields)
    part = services.approve_slice(
        me, scope, wanted, "", decode_cursor(request.form.get("from", "")), _number("until"), now
    )
    done = _number("done") + part.done
    failed = _number("failed") + len(part.failures)
    lines = [*request.form.getlist("failure"), *map(_failure, part.failures)][:SHOWN_FAILURES]
    if part.after is None and not failed:
        notify(_("已通过 %(count)s 件。", count=done), "good")
        return leave(url_for("inbox.home", **place.arguments()))
    return render_template(
        "inbox/approve.html", place=place, done=done, failed=failed, failures=lines,
        finished=part.after is None, after=encode_cursor(part.after) if part.after else "",
        until=_number("until"), total=max(_number("total"), done + failed),
    )  # fmt: skip


def _ask(
    kind: str, title: str, count: int, endpoint: str, place: Place, fields: Sequence[tuple[str, str]]
) -> str:
    text = _(
        "将通过 %(count)s 件%(kind)s（%(step)s）。系统逐件按规则核对，不符合规则的不会通过。",
        count=count, kind=kind_words(kind), step=translated_text(title),
    )  # fmt: skip
    return render_confirm(
        _("批量通过"), text, action=url_for(endpoint), button=_("通过 %(count)s 件", count=count),
        back=url_for("inbox.home", **place.arguments()), fields=fields,
    )  # fmt: skip


def _told(result: BulkResult) -> None:
    if result.done:
        notify(_("已通过 %(count)s 件。", count=result.done), "good")
    failures = [item for item in result.items if not item.ok]
    for item in failures[:3]:
        notify(
            _(
                "申报 %(reference)s 未能通过：%(why)s",
                reference=item.reference,
                why=translated_text(item.message),
            ),
            "bad",
        )
    if len(failures) > 3:
        notify(_("另有 %(count)s 件未能通过，请逐件查看。", count=len(failures) - 3), "bad")


def _failure(item: ItemResult) -> str:
    return f"{item.reference} {translated_text(item.message)}"


def _number(name: str) -> int:
    return request.form.get(name, 0, type=row_id)
