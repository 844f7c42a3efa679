"""Figures announced late: asked for, looked at, and confirmed by the agency's supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.domain.calendar import add_months, month_of
from app.domain.codes import code_list
from app.domain.contribution import EMPLOYEE, EMPLOYER
from app.errors import Conflict, FieldError, Rejected
from app.services import adjustment_runs
from app.services.adjusting import Figures
from app.services.adjustment_runs import READY, Progress
from app.web.frame import notify, render_confirm, translated, words
from app.web.i18n import fen, translated_text
from app.web.paging import row_id
from app.web.runs import stopped
from app.web.security import actor, guard

RUNS, EMPLOYERS = 10, 20
STATE_WORDS = {
    "counting": _l("预览计算中"),
    "ready": _l("待确认"),
    "queued": _l("排队中"),
    "running": _l("写入中"),
    "finished": _l("已完成"),
    "failed": _l("未完成"),
    "stopped": _l("已停止"),
    "replaced": _l("已有新的预览"),
}
STATE_TONES = {
    "counting": "live", "ready": "warn", "queued": "live", "running": "live", "finished": "good",
    "failed": "bad", "stopped": "warn", "replaced": "",
}  # fmt: skip
adjustments = Blueprint("adjustments", __name__)


@dataclass
class Row:
    """One fund and due type of a table; amounts in fen."""

    fund: str
    due_type: str
    employer_fen: int = 0
    employee_fen: int = 0
    allocation_fen: int = 0


def rows_of(figures: Figures) -> list[Row]:
    """Sums as rows, the parties side by side."""
    found: dict[tuple[str, str], Row] = {}
    for (fund, due_type, party), amount in sorted(figures.sums.items()):
        row = found.setdefault((fund, due_type), Row(fund, due_type))
        if party == EMPLOYER:
            row.employer_fen += amount
        elif party == EMPLOYEE:
            row.employee_fen += amount
        else:
            row.allocation_fen += amount
    return list(found.values())


@adjustments.get("/ledger/adjustments")
@guard("ledger.assess", scope="region")
def home() -> ResponseReturnValue:
    """The form that has a preview counted, and what was asked for lately."""
    return _home()


def _home(errors: tuple[FieldError, ...] = (), status: int = 200) -> ResponseReturnValue:
    before = request.args.get("before", type=row_id)
    runs = adjustment_runs.list_adjustments(actor(), before, RUNS + 1)
    more = len(runs) > RUNS
    last_month = add_months(month_of(clock.today()), -1)
    page = render_template(
        "adjustments/home.html",
        runs=runs[:RUNS],
        active=any(run.active for run in runs[:RUNS]),
        next_url=url_for("adjustments.home", before=runs[RUNS - 1].id) if more else None,
        errors=errors,
        typed={
            "from_month": request.form.get("from_month", last_month),
            "to_month": request.form.get("to_month", month_of(clock.today())),
            "employer_no": request.form.get("employer_no", ""),
            "region": request.form.get("region", ""),
        },
        regions=[(code, _named(code)) for code in sorted(actor().regions)],
        **_words(),
    )
    return page, status


def _words() -> dict[str, Any]:
    return {"state_texts": STATE_WORDS, "state_tones": STATE_TONES}


def _named(region: str) -> str:
    params = words(region)
    return params.name if params else region


@adjustments.post("/ledger/adjustments")
@guard("ledger.assess", scope="region")
def start() -> ResponseReturnValue:
    """Have a preview counted, as a job."""
    regions, typed = sorted(actor().regions), request.form
    region = typed.get("region") or (regions[0] if regions else "")
    first, last = typed.get("from_month", "").strip(), typed.get("to_month", "").strip()
    try:
        adjustment_id = adjustment_runs.start(
            actor(), region, first, last, typed.get("employer_no", ""), clock.now()
        )
    except Rejected as refused:
        return _home(translated(refused.errors), 422)
    return redirect(url_for("adjustments.run", adjustment_id=adjustment_id), 303)


@adjustments.get("/ledger/adjustments/<int:adjustment_id>")
@guard("ledger.assess", scope="region")
def run(adjustment_id: int) -> ResponseReturnValue:
    """What late figures change, before it is written and afterwards."""
    return _run(adjustment_runs.get_adjustment(actor(), adjustment_id))


def _run(found: Progress, refused: str = "", status: int = 200) -> ResponseReturnValue:
    after = request.args.get("after", 0, type=row_id)
    employers = adjustment_runs.employers_of(found.id, after, EMPLOYERS + 1)
    more = len(employers) > EMPLOYERS
    waiting = adjustment_runs.figures_of(found.id, written=False)
    written = adjustment_runs.figures_of(found.id, written=True)
    page = render_template(
        "adjustments/run.html",
        run=found,
        region_name=_named(found.region),
        scope=adjustment_runs.employer_named(found),
        active=found.active,
        refused=refused,
        waiting=waiting,
        waiting_rows=rows_of(waiting),
        written=written,
        written_rows=rows_of(written),
        employers=[(row, rows_of(figures)) for row, figures in employers[:EMPLOYERS]],
        next_url=url_for(
            "adjustments.run", adjustment_id=found.id, after=employers[EMPLOYERS - 1][0].employer_id
        )
        if more
        else None,
        funds={fund.code: fund.name for fund in params.funds} if (params := words(found.region)) else {},
        due_types=dict(code_list("due_type").items),
        **_words(),
    )
    return page, status


@adjustments.post("/ledger/adjustments/<int:adjustment_id>/confirm")
@guard("ledger.assess", scope="region")
def confirm(adjustment_id: int) -> ResponseReturnValue:
    """Have written what was looked at, after asking; other figures than those are shown instead."""
    found = adjustment_runs.get_adjustment(actor(), adjustment_id)
    digest = request.form.get("digest", "")
    if found.state == READY and found.digest == digest and not _agreed():
        return _ask(found)
    try:
        adjustment_runs.confirm(actor(), adjustment_id, digest, clock.now())
    except Conflict as error:
        return _run(adjustment_runs.get_adjustment(actor(), adjustment_id), translated_text(str(error)), 409)
    notify(_("已确认，正在写入差额并开具缴费通知单。"), "good")
    return redirect(url_for("adjustments.run", adjustment_id=adjustment_id), 303)


@adjustments.post("/ledger/adjustments/<int:adjustment_id>/stop")
@guard("ledger.assess", scope="region")
def stop(adjustment_id: int) -> ResponseReturnValue:
    """Stop the counting or writing; what is written stays."""
    found = adjustment_runs.get_adjustment(actor(), adjustment_id)
    return stopped(found.run_id, url_for("adjustments.run", adjustment_id=adjustment_id))


def _agreed() -> bool:
    return bool(request.form.get("confirmed") and request.form.get("tick"))


def _ask(found: Progress) -> str:
    figures = adjustment_runs.figures_of(found.id, written=False)
    return render_confirm(
        _("写入补差"),
        _(
            "将为 %(people)s 人写入 %(lines)s 条差额明细，在本月应缴；写入后只能再次补差更正。",
            people=f"{figures.people:,}",
            lines=f"{figures.lines:,}",
        ),
        action=url_for("adjustments.confirm", adjustment_id=found.id),
        button=_("确认写入"),
        back=url_for("adjustments.run", adjustment_id=found.id),
        fields=[("digest", found.digest)],
        tick=_("我已核对预览中的单位、险种和金额"),
        details=[
            _("单位缴费差额 %(amount)s 元", amount=fen(figures.employer_fen)),
            _("个人缴费差额 %(amount)s 元", amount=fen(figures.employee_fen)),
            _("划入个人账户差额 %(amount)s 元", amount=fen(figures.allocation_fen)),
        ],
    )
