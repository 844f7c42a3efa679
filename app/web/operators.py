"""An employer's admin looks after its operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app import clock
from app.domain.operator import ACTIVE, DISABLED, INVITED, REMOVED
from app.domain.permission import EMPLOYER_ROLES, ROLE_WORDS
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.services import operator_accounts as services
from app.services.operator_accounts import Operator
from app.web.frame import notify, render_confirm, translated
from app.web.i18n import translated_text
from app.web.paging import row_id
from app.web.security import actor, guard

operators = Blueprint("operators", __name__)
# status -> (word, tone)
STATUSES = {
    INVITED: (_l("待激活"), "warn"),
    ACTIVE: (_l("正常"), "good"),
    DISABLED: (_l("已停用"), "bad"),
    REMOVED: (_l("已删除"), ""),
}


# what happened to an account, in words
ACTIONS = {
    "sign_in": _l("登录"),
    "sign_out": _l("退出登录"),
    "code.sent": _l("发送验证码"),
    "code.tried": _l("验证手机"),
    "activated": _l("激活账号"),
    "password.reset": _l("凭验证码重设密码"),
    "password.changed": _l("修改密码"),
    "profile.changed": _l("修改联系信息"),
    "registration.started": _l("单位注册"),
    "employer.registered": _l("开通单位账号"),
    "employer.linked": _l("关联业务单位"),
    "employer.unlinked": _l("取消关联"),
    "operator.added": _l("添加操作员"),
    "operator.changed": _l("修改操作员"),
    "operator.reset": _l("管理员重置密码"),
    "operator.disabled": _l("停用"),
    "operator.enabled": _l("启用"),
    "operator.removed": _l("删除操作员"),
    "agency.reset": _l("经办机构重置密码"),
    "agency.disabled": _l("经办机构停用"),
    "agency.enabled": _l("经办机构启用"),
    "agency.removed": _l("经办机构取消办理关系"),
    "agency.unlinked": _l("经办机构取消关联"),
}


@operators.get("/operators")
@guard("operator.manage", scope="employer")
def listed() -> ResponseReturnValue:
    """Who acts for the employer."""
    return render_template("operators/list.html", rows=services.list_operators(actor()), statuses=STATUSES)


@operators.get("/operators/new")
@guard("operator.manage", scope="employer")
def new() -> ResponseReturnValue:
    """A blank form."""
    data = {"roles": ["handler"], "employers": [str(actor().employer_id)]}
    return _form_page(None, data)


@operators.post("/operators/new")
@guard("operator.manage", scope="employer")
def new_post() -> ResponseReturnValue:
    """Add an operator."""
    data = _posted()
    try:
        services.add(actor(), _typed(data), clock.now(), _address())
    except Rejected as refused:
        return _form_page(None, data, translated(refused.errors)), 422
    notify(_("已添加操作员，激活方法已发送到该手机。"), "good")
    return redirect(url_for("operators.listed"), 303)


@operators.get("/operators/<int:user_id>")
@guard("operator.manage", scope="employer")
def edit(user_id: int) -> ResponseReturnValue:
    """One operator."""
    return _form_page(services.get_operator(actor(), user_id), {})


@operators.post("/operators/<int:user_id>")
@guard("operator.manage", scope="employer")
def edit_post(user_id: int) -> ResponseReturnValue:
    """Change name, roles and employers."""
    data = _posted()
    try:
        services.change(actor(), user_id, _typed(data), _address())
    except Rejected as refused:
        found = services.get_operator(actor(), user_id)
        return _form_page(found, data, translated(refused.errors)), 422
    notify(_("已保存。"), "good")
    return redirect(url_for("operators.listed"), 303)


@operators.post("/operators/<int:user_id>/<act>")
@guard("operator.manage", scope="employer")
def act(user_id: int, act: str) -> ResponseReturnValue:
    """Reset, disable, enable or remove, after a question where something ends."""
    if act not in _ACTS:
        raise NotFound("act")
    found = services.get_operator(actor(), user_id)
    question = _question(act, found)
    if question is not None and request.form.get("confirmed") != "1":
        title, text, button = question
        return render_confirm(
            title, text, action=url_for("operators.act", user_id=user_id, act=act), button=button,
            back=url_for("operators.listed"), danger=act in ("disable", "remove"),
        )  # fmt: skip
    try:
        notify(_ACTS[act](user_id), "good")
    except Rejected as refused:
        notify(translated_text(refused.errors[0].message), "bad")
    except Conflict as stale:
        notify(translated_text(str(stale)), "warn")
    return redirect(url_for("operators.listed"), 303)


def _reset(user_id: int) -> str:
    services.reset(actor(), user_id, clock.now(), _address())
    return _("密码已重置，激活方法已发送到该手机。")


def _disable(user_id: int) -> str:
    handed = services.disable(actor(), user_id, clock.now(), _address())
    if handed:
        return _("已停用；其未办结的 %(count)s 条草稿和待提交记录由单位管理员继续办理。", count=handed)
    return _("已停用。")


def _enable(user_id: int) -> str:
    services.enable(actor(), user_id, _address())
    return _("已启用，请通知本人在登录页点击“激活账号”设置密码。")


def _remove(user_id: int) -> str:
    services.remove(actor(), user_id, clock.now(), _address())
    return _("已删除。")


_ACTS = {"reset": _reset, "disable": _disable, "enable": _enable, "remove": _remove}


def _question(act: str, found: Operator) -> tuple[str, str, str] | None:
    name = found.row.name
    texts = {
        "reset": (
            _("重置密码"),
            _("%(name)s的原密码将失效，已登录的设备将退出，本人凭手机验证码重新设置密码。", name=name),
            _("重置密码"),
        ),
        "disable": (
            _("停用操作员"),
            _("停用后%(name)s不能登录，其草稿和待提交记录由单位管理员继续办理。", name=name),
            _("停用"),
        ),
        "remove": (
            _("删除操作员"),
            _("删除后%(name)s不能再为本单位办理业务，其草稿和待提交记录由单位管理员继续办理。", name=name),
            _("删除"),
        ),
    }
    return texts.get(act)


def _form_page(found: Operator | None, data: dict[str, Any], errors: Sequence[FieldError] = ()) -> str:
    if found is not None and not data:
        data = {
            "username": found.row.username,
            "name": found.row.name,
            "roles": list(found.roles),
            "employers": [str(each) for each in found.row.employer_ids],
        }
    return render_template(
        "operators/form.html",
        found=found,
        data=data,
        errors=errors,
        roles=[(role, _(ROLE_WORDS[role])) for role in EMPLOYER_ROLES],
        employers=current_user.account.employers,
        events=services.history(actor(), found.row.id) if found else (),
        actions=ACTIONS,
    )


def _posted() -> dict[str, Any]:
    form = request.form
    return {
        "username": form.get("username", "").strip()[:20],
        "name": form.get("name", "").strip()[:64],
        "roles": form.getlist("roles")[:10],
        "employers": [str(each) for each in form.getlist("employers", type=row_id)[:500]],
    }


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "employers": [int(each) for each in data["employers"]]}


def _address() -> str:
    return request.remote_addr or ""
