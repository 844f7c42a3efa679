"""What the pages of runs over a region have in common: words, colours, and stopping one."""

from __future__ import annotations

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.errors import Conflict
from app.services import runs
from app.store.runs import FAILED, FILED, FINISHED, QUEUED, REFUSED, RUNNING, SKIPPED, STOPPED
from app.web.frame import notify
from app.web.security import actor

RUN_WORDS = {
    QUEUED: _l("排队中"),
    RUNNING: _l("办理中"),
    FINISHED: _l("已完成"),
    FAILED: _l("未完成"),
    STOPPED: _l("已停止"),
}
RUN_TONES = {QUEUED: "live", RUNNING: "live", FINISHED: "good", FAILED: "bad", STOPPED: "warn"}
OUTCOME_WORDS = {FILED: _l("已提交"), SKIPPED: _l("无需结转"), REFUSED: _l("未能提交")}
OUTCOME_TONES = {FILED: "good", SKIPPED: "", REFUSED: "bad"}


def stopped(run_id: int, back: str) -> ResponseReturnValue:
    """Stop a run and go back to its page. Raises: Forbidden, NotFound."""
    try:
        runs.stop(actor(), run_id, clock.now())
    except Conflict as error:
        notify(_(str(error)), "warn")
    else:
        notify(_("已停止，已完成的部分不受影响，可以重新开始"))
    return redirect(back, 303)
