"""What people read when something is refused, missing, stale or broken: words, never traces."""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.errors import Busy, Conflict, Forbidden, NotFound, Rejected, ServiceFailure
from app.extensions import login_manager
from app.store.constraints import is_passing
from app.web.frame import translated
from app.web.i18n import translated_text
from app.web.security import is_fragment

RETRY_SECONDS = 10


def register(app: Flask) -> None:
    """Answer every named error with its page."""
    app.register_error_handler(NotFound, lambda error: page(404))
    app.register_error_handler(Forbidden, lambda error: page(403))
    app.register_error_handler(Conflict, lambda error: page(409, translated_text(error)))
    app.register_error_handler(Busy, _later)
    app.register_error_handler(Rejected, _rejected)
    app.register_error_handler(ServiceFailure, _failed)
    app.register_error_handler(CSRFError, lambda error: page(400, reason="stale"))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failed)


def words_of(status: int, reason: str = "") -> tuple[str, str]:
    """The title and the advice for a status."""
    if reason == "stale":
        return _("页面已过期"), _(
            "页面停留时间过长或登录状态已变化。请返回上一页刷新后重新操作，已填写的草稿不受影响。"
        )
    table = {
        400: (_("请求不完整"), _("浏览器发来的内容不完整，请返回上一页刷新后重试。")),
        403: (_("没有权限"), _("您的账号不能使用这个功能。如工作需要，请联系单位管理员或经办机构开通。")),
        404: (
            _("没有找到"),
            _("页面或记录不存在，或者不属于您当前办理的单位。请核对编号，或切换单位后再试。"),
        ),
        405: (_("操作不支持"), _("请从页面上的按钮重新操作。")),
        409: (_("记录已变化"), _("这条记录刚刚被他人处理过，请刷新后查看最新情况。")),
        413: (_("文件太大"), _("上传的内容超过了大小限制，请拆分或压缩后重新上传。")),
        429: (_("操作过于频繁"), _("请稍候再试。")),
        503: (
            _("系统正在恢复"),
            _("系统暂时不能办理，请稍等片刻后重新操作。重复提交同一页面不会重复办理。"),
        ),
    }
    return table.get(status, (_("系统暂时不能处理"), _("刚才的操作没有生效，数据没有改变。请稍后重试。")))


def page(status: int, message: str = "", *, reason: str = "", incident: str = "") -> Response:
    """Return the page (or the message alone, for a part of a page) of a status."""
    title, advice = words_of(status, reason)
    if _wants_json():
        body: dict[str, str] = {"error": title, "message": message or advice}
        if incident:
            body["incident"] = incident
        return make_response(body, status)
    template = "errors/fragment.html" if is_fragment() else "errors/page.html"
    return make_response(
        render_template(template, status=status, title=title, advice=message or advice, incident=incident),
        status,
    )


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def _rejected(refused: Rejected) -> ResponseReturnValue:
    """A refusal that no form has caught: still 422, with the reasons in words."""
    template = "errors/fragment.html" if is_fragment() else "errors/page.html"
    reasons = [error.message for error in translated(refused.errors)]
    return render_template(
        template, status=422, title=_("不能办理"), advice="", reasons=reasons, incident=""
    ), 422


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    answer = page(error.code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _later(error: Exception) -> ResponseReturnValue:
    """The database does not answer: the page says so, and must not ask it anything itself."""
    current_app.logger.error("the database is away endpoint=%s", request.endpoint, exc_info=error)
    g._login_user = login_manager.anonymous_user()
    answer = page(503)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _failed(error: Exception) -> ResponseReturnValue:
    if is_passing(error):
        return _later(error)
    # The incident service may already have recorded it and put its number on the error.
    number = str(getattr(error, "incident", "") or secrets.token_hex(4).upper())
    current_app.logger.exception("request failed incident=%s endpoint=%s", number, request.endpoint)
    return page(500, incident=number)
