"""Text messages that a demonstration keeps instead of sending, for whoever tries it out."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from app.services import sms as services
from app.web.security import guard

sms = Blueprint("sms", __name__)


@sms.get("/messages/sms")
@guard(None, scope="public")
def listed() -> ResponseReturnValue:
    """The newest messages; there is no such page in a real installation."""
    config = current_app.extensions["wangting"]
    if not (config.demo or config.testing):
        abort(404)
    last4 = request.args.get("last4", "").strip()[:4]
    return render_template("sms/list.html", rows=services.kept_messages(last4), last4=last4)
