"""Payment notices for both sides; assessments and payments for the agency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.domain.billing import BACKPAY_NOTICE, NORMAL_NOTICE
from app.domain.calendar import check_month, month_of
from app.domain.codes import code_list
from app.domain.money import format_yuan, from_fen, to_fen
from app.errors import FieldError, NotFound, Rejected
from app.services import assessment_runs, billing, posting, runs
from app.services.actors import EMPLOYER
from app.services.billing import Notice
from app.store.queries import billing as queries
from app.store.queries.billing import Filter
from app.store.runs import ASSESS, UNFINISHED
from app.web.frame import notify, translated, words
from app.web.paging import keep_size, page_size, row_id
from app.web.runs import RUN_TONES, RUN_WORDS, stopped
from app.web.security import actor, guard

RUNS = 10
STATES = (queries.OPEN, queries.SETTLED)
KIND_WORDS = {NORMAL_NOTICE: _l("正常应缴"), BACKPAY_NOTICE: _l("补收")}
STATE_WORDS = {"unpaid": _l("未到账"), "partly": _l("部分到账"), "paid": _l("足额缴纳")}
STATE_TONES = {"unpaid": "warn", "partly": "warn", "paid": "good"}
ledger = Blueprint("ledger", __name__)


@ledger.get("/payment-notices")
@guard("ledger.view", scope="case")
def notices() -> ResponseReturnValue:
    """The notices of the employer, or of the agency's regions."""
    me, args = actor(), request.args
    mine = me.side == EMPLOYER
    wanted = Filter(
        regions=sorted(me.regions),
        employer_id=employer_in_hand() if mine else None,
        month=_month(args.get("month", "")),
        state=args.get("state", "") if args.get("state") in STATES else "",
        text=args.get("q", "").strip()[:32],
    )
    size = page_size()
    after, before = _cursor(args.get("after")), _cursor(args.get("before"))
    found = queries.list_notices(wanted, after=after, before=before, limit=size.rows + 1)
    rows, earlier, later = size.cut(found, after, before)
    totals = billing.totals_of([row.id for row in rows])
    values: dict[str, Any] = {"month": wanted.month, "state": wanted.state, "q": wanted.text}
    values = {name: text for name, text in values.items() if text}
    answer = make_response(
        render_template(
            "ledger/notices.html",
            rows=[(row, totals[row.id]) for row in rows],
            values=values,
            mine=mine,
            count=queries.count_notices(wanted),
            previous_url=_page("before", values, rows[0].cursor) if earlier else None,
            next_url=_page("after", values, rows[-1].cursor) if later else None,
            size=size,
            size_url=lambda rows: url_for("ledger.notices", size=rows, **values),
            **_words(),
        )
    )
    return keep_size(answer, size)


def _page(name: str, values: dict[str, Any], cursor: str) -> str:
    return url_for("ledger.notices", **{**values, name: cursor})


def _words() -> dict[str, Any]:
    return {"kind_texts": KIND_WORDS, "state_texts": STATE_WORDS, "state_tones": STATE_TONES}


def employer_in_hand() -> int:
    """The employer that an operator acts for now. Raises: NotFound."""
    chosen = actor().employer_id
    if chosen is None:
        raise NotFound("employer")
    return chosen


def _month(text: str) -> str:
    try:
        return check_month(text)
    except ValueError:
        return ""


def _cursor(text: str | None) -> tuple[str, int] | None:
    month, _dot, number = (text or "").partition(".")
    try:
        return check_month(month), row_id(number)
    except ValueError:
        return None


@ledger.get("/payment-notices/<number>")
@guard("ledger.view", scope="case")
def notice(number: str) -> ResponseReturnValue:
    """One notice with its lines, as it is printed."""
    return _notice_page(billing.notice_for(actor(), number, clock.now()))


def _notice_page(
    found: Notice, errors: tuple[FieldError, ...] = (), status: int = 200
) -> ResponseReturnValue:
    typed = request.form
    params = words(found.region)
    page = render_template(
        "ledger/notice.html",
        notice=found,
        errors=errors,
        typed={
            "received_on": typed.get("received_on", clock.today().isoformat()),
            "amount_yuan": typed.get("amount_yuan", format_yuan(from_fen(max(found.owed_fen, 0)))),
            "voucher": typed.get("voucher", ""),
        },
        funds={fund.code: fund.name for fund in params.funds} if params else {},
        due_types=dict(code_list("due_type").items),
        today=clock.today(),
        mine=actor().side == EMPLOYER,
        **_words(),
    )
    return page, status


@ledger.post("/payment-notices/<number>/payments")
@guard("ledger.post", scope="region")
def post_payment(number: str) -> ResponseReturnValue:
    """Enter money that came in for a notice."""
    found = billing.notice_for(actor(), number, clock.now())
    try:
        day, amount = _posted(found)
        done = posting.post(
            number,
            day,
            clock.now(),
            actor=actor(),
            amount_fen=amount,
            voucher=request.form.get("voucher", ""),
        )
    except Rejected as refused:
        return _notice_page(found, translated(refused.errors), 422)
    if done.repeated:
        notify(_("该笔到账此前已登记，没有重复登记。"), "warn")
    else:
        told = _("已登记到账 %(amount)s 元。", amount=f"{from_fen(done.amount_fen):,.2f}")
        if done.left_fen:
            told += _("余 %(left)s 元不足以缴清下一笔，没有登记。", left=f"{from_fen(done.left_fen):,.2f}")
        notify(told, "warn" if done.left_fen else "good")
    return redirect(url_for("ledger.notice", number=number), 303)


def _posted(found: Notice) -> tuple[date, int | None]:
    """The day and the amount that were typed; None where it is all that is open. Raises: Rejected."""
    errors = []
    try:
        day = date.fromisoformat(request.form.get("received_on", "").strip())
    except ValueError:
        errors.append(FieldError("received_on", "ledger.received_on", "请填写到账日期，例如 2026-11-25"))
    typed = request.form.get("amount_yuan", "").strip().replace(",", "")
    try:
        value = Decimal(typed)
        amount = to_fen(value)
    except (InvalidOperation, ValueError):
        value, amount = Decimal(-1), -1
    if amount < 0 or from_fen(amount) != value:
        errors.append(FieldError("amount_yuan", "ledger.amount", "请填写到账金额，最多两位小数"))
    if errors:
        raise Rejected(errors)
    # what is due back may leave nothing to pay: then all of it is settled at once
    return day, None if amount == 0 and found.owed_fen <= 0 else amount


@ledger.get("/ledger")
@guard("ledger.assess", scope="region")
def home() -> ResponseReturnValue:
    """The form that has a month assessed, and what was asked for lately."""
    return _home()


def _home(errors: tuple[FieldError, ...] = (), status: int = 200) -> ResponseReturnValue:
    before = request.args.get("before", type=row_id)
    found = runs.list_runs(actor(), ASSESS, before, RUNS + 1)
    more = len(found) > RUNS
    page = render_template(
        "ledger/home.html",
        runs=found[:RUNS],
        active=any(run.state in UNFINISHED for run in found[:RUNS]),
        next_url=url_for("ledger.home", before=found[RUNS - 1].id) if more else None,
        errors=errors,
        typed={
            "month": request.form.get("month", month_of(clock.today())),
            "employer_no": request.form.get("employer_no", ""),
            "region": request.form.get("region", ""),
        },
        regions=[(code, _named(code)) for code in sorted(actor().regions)],
        run_texts=RUN_WORDS,
        run_tones=RUN_TONES,
        unfinished=UNFINISHED,
    )
    return page, status


def _named(region: str) -> str:
    params = words(region)
    return params.name if params else region


@ledger.post("/ledger/assessments")
@guard("ledger.assess", scope="region")
def assess() -> ResponseReturnValue:
    """Have a month assessed, as a job."""
    regions = sorted(actor().regions)
    region = request.form.get("region") or (regions[0] if regions else "")
    month, number = request.form.get("month", "").strip(), request.form.get("employer_no", "")
    try:
        assessment_runs.start(actor(), region, month, number, clock.now())
    except Rejected as refused:
        return _home(translated(refused.errors), 422)
    notify(_("已开始核定 %(month)s，已核定过的人员不会重复核定。", month=month), "good")
    return redirect(url_for("ledger.home"), 303)


@ledger.post("/ledger/assessments/<int:run_id>/stop")
@guard("ledger.assess", scope="region")
def stop_assessment(run_id: int) -> ResponseReturnValue:
    """Stop an assessment; what is assessed stays."""
    return stopped(run_id, url_for("ledger.home"))
