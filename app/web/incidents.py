"""Actions that failed through nobody's input: the list, one of them, and running it again."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.errors import Conflict, Rejected, ServiceFailure
from app.services import incidents as services
from app.services.actors import AGENCY
from app.web.frame import notify
from app.web.i18n import translated_text
from app.web.paging import row_id
from app.web.security import actor, guard

PAGE = 50
incidents = Blueprint("incidents", __name__)


@incidents.get("/incidents")
@guard("incident.view", scope="own")
def listed() -> ResponseReturnValue:
    """Open incidents, newest first."""
    rows = services.list_open(actor(), request.args.get("before", type=row_id), PAGE + 1)
    more = len(rows) > PAGE
    return render_template(
        "incidents/list.html",
        rows=rows[:PAGE],
        next_url=url_for("incidents.listed", before=rows[PAGE - 1].id) if more else None,
        action_words=action_words,
    )


@incidents.get("/incidents/<int:number>")
@guard("incident.view", scope="own")
def detail(number: int) -> ResponseReturnValue:
    """What was tried, by whom, on which case, and the error."""
    found = services.get_incident(actor(), number)
    return render_template(
        "incidents/detail.html",
        found=found,
        action_words=action_words,
        linked=actor().side == AGENCY and actor().may("declaration.view"),
    )


@incidents.post("/incidents/<int:number>/retry")
@guard("incident.retry", scope="own")
def retry(number: int) -> ResponseReturnValue:
    """Run the failed action again; it closes the incident or counts another failure."""
    try:
        services.retry(actor(), number, clock.now())
    except ServiceFailure:
        notify(_("重试仍然失败，异常已更新，请查看详情。"), "bad")
        return redirect(url_for("incidents.detail", number=number), 303)
    except Rejected as refused:
        notify(
            _(
                "重试被业务规则拒绝：%(why)s",
                why="；".join(translated_text(each.message) for each in refused.errors),
            ),
            "warn",
        )
        return redirect(url_for("incidents.detail", number=number), 303)
    except Conflict as error:
        notify(_(str(error)), "warn")
        return redirect(url_for("incidents.listed"), 303)
    notify(_("重试成功，异常 %(number)s 已关闭。", number=number), "good")
    return redirect(url_for("incidents.listed"), 303)


def action_words(action: str) -> str:
    """The word for an action that failed."""
    words = {
        "file": _("申报"), "save_draft": _("保存草稿"), "submit": _("提交"), "discard": _("作废"),
        "recall": _("撤销"), "proceed": _("继续办理"), "decide": _("审核"), "timer": _("定时处理"),
        "notice": _("发送消息"),
    }  # fmt: skip
    return words.get(action, action)
