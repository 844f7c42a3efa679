"""The agency looks after the operators and links of its region's units: search, and acts with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.errors import Conflict, NotFound, Rejected
from app.services import operator_oversight as services
from app.web.frame import notify, translated
from app.web.i18n import translated_text
from app.web.operators import ACTIONS, STATUSES
from app.web.security import actor, guard

MAY = services.MAY
FOUND = 20
oversight = Blueprint("oversight", __name__, url_prefix="/oversight")


@oversight.get("")
@guard(MAY, scope="region")
def home() -> ResponseReturnValue:
    """Search by unit number, name or credit code, or by an operator's phone or name."""
    text = request.args.get("q", "").strip()[:80]
    units = services.find_units(actor(), text, FOUND + 1)
    people = services.find_operators(actor(), text, FOUND + 1)
    return render_template(
        "oversight/home.html",
        text=text,
        units=units[:FOUND],
        people=people[:FOUND],
        more=len(units) > FOUND or len(people) > FOUND,
        statuses=STATUSES,
    )


@oversight.get("/units/<employer_no>")
@guard(MAY, scope="region")
def unit(employer_no: str) -> ResponseReturnValue:
    """Who acts for a unit, and its links."""
    found = services.access_of(actor(), employer_no)
    return render_template("oversight/unit.html", found=found, statuses=STATUSES)


@oversight.get("/operators/<int:user_id>")
@guard(MAY, scope="region")
def operator(user_id: int) -> ResponseReturnValue:
    """One operator: roles, units, and what happened to the account."""
    found = services.get_operator(actor(), user_id)
    events = services.history(actor(), user_id)
    return render_template(
        "oversight/operator.html", found=found, events=events, statuses=STATUSES, actions=ACTIONS
    )


@oversight.route("/operators/<int:user_id>/<act>", methods=["GET", "POST"])
@guard(MAY, scope="region")
def act(user_id: int, act: str) -> ResponseReturnValue:
    """Reset, disable, enable, or end acting for one unit (`unit`): the reason first."""
    found = services.get_operator(actor(), user_id)
    number = request.args.get("unit", "")[:32]
    if act not in _ACTS or (act == "remove") != bool(number):
        raise NotFound("act")
    left = services.left_without_admin(actor(), user_id, number) if act in ("disable", "remove") else []
    title, text = _question(act, found.row.name, number)
    back = url_for("oversight.operator", user_id=user_id)

    def done() -> str:
        return _ACTS[act](user_id, number)

    return _asked(title, text, back, left, done, danger=act in ("disable", "remove"))


@oversight.route("/units/<employer_no>/unlink/<linked_no>", methods=["GET", "POST"])
@guard(MAY, scope="region")
def unlink(employer_no: str, linked_no: str) -> ResponseReturnValue:
    """Take a linked unit away from the one that linked it: the reason first."""
    found = services.access_of(actor(), employer_no)
    linked = next((each for each in found.linked if each.employer_no == linked_no), None)
    if linked is None:
        raise NotFound("employer")

    def done() -> str:
        services.unlink(actor(), employer_no, linked_no, request.form.get("reason", ""), _address())
        return _("已取消关联。")

    text = _("取消后，%(own)s的所有操作员不能再为%(name)s办理业务。", own=found.unit.name, name=linked.name)
    back = url_for("oversight.unit", employer_no=employer_no)
    return _asked(_("取消关联"), text, back, [], done, danger=True)


def _asked(
    title: str, text: str, back: str, left: Any, done: Callable[[], str], *, danger: bool
) -> ResponseReturnValue:
    """The question with its reason; what was posted is done, and the page goes back."""
    values: dict[str, Any] = {"title": title, "text": text, "back": back, "left": left, "danger": danger}
    if request.method == "GET":
        return render_template("oversight/act.html", **values, errors=(), reason="")
    try:
        notify(done(), "good")
    except Rejected as refused:
        reason = request.form.get("reason", "")[:400]
        page = render_template(
            "oversight/act.html", **values, errors=translated(refused.errors), reason=reason
        )
        return page, 422
    except Conflict as stale:
        notify(translated_text(str(stale)), "warn")
    return redirect(back if _still_there(back) else url_for("oversight.home"), 303)


def _still_there(back: str) -> bool:
    """Whether the page to go back to is still in the agency's scope: a removed operator's is not."""
    user_id = (request.view_args or {}).get("user_id")
    if user_id is None:
        return True
    try:
        services.get_operator(actor(), user_id)
    except NotFound:
        return False
    return True


def _reset(user_id: int, _number: str) -> str:
    services.reset(actor(), user_id, _reason(), clock.now(), _address())
    return _("密码已重置，激活方法已发送到该手机。")


def _disable(user_id: int, _number: str) -> str:
    handed = services.disable(actor(), user_id, _reason(), clock.now(), _address())
    if handed:
        return _("已停用；未办结的草稿和待提交记录（%(count)s 条）由单位的其他操作员继续办理。", count=handed)
    return _("已停用。")


def _enable(user_id: int, _number: str) -> str:
    services.enable(actor(), user_id, _reason(), clock.now(), _address())
    return _("已启用，请通知本人在登录页点击“激活账号”设置密码。")


def _remove(user_id: int, number: str) -> str:
    services.remove(actor(), user_id, number, _reason(), clock.now(), _address())
    return _("已取消办理关系。")


_ACTS: dict[str, Callable[[int, str], str]] = {
    "reset": _reset, "disable": _disable, "enable": _enable, "remove": _remove,
}  # fmt: skip


def _question(act: str, name: str, number: str) -> tuple[str, str]:
    return {
        "reset": (
            _("重置密码"),
            _("%(name)s的原密码将失效，已登录的设备将退出，本人凭手机验证码重新设置密码。", name=name),
        ),
        "disable": (
            _("停用操作员"),
            _("停用后%(name)s不能登录，其草稿和待提交记录由单位的其他操作员继续办理。", name=name),
        ),
        "enable": (_("启用操作员"), _("启用后%(name)s凭手机验证码重新设置密码，即可登录。", name=name)),
        "remove": (
            _("取消办理关系"),
            _(
                "取消后%(name)s不能再为单位%(number)s办理业务；没有其他单位的账号同时关闭。",
                name=name,
                number=number,
            ),
        ),
    }[act]


def _reason() -> str:
    return request.form.get("reason", "")


def _address() -> str:
    return request.remote_addr or ""
