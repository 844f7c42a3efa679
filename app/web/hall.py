"""The employer's home and messages."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import clock
from app.domain.calendar import month_of
from app.domain.declaration import DRAFT, IN_AUDIT, REJECTED, RETURNED, SUBMITTED
from app.errors import NotFound
from app.services import notices as services
from app.services.arrears import arrears_of
from app.store.queries import hall as queries
from app.store.queries.hall import Filter
from app.web.frame import words
from app.web.paging import row_id
from app.web.security import actor, guard

SHORTCUTS = 6
LINES = 5
PAGE = 20
hall = Blueprint("hall", __name__)


@hall.get("/hall")
@guard("hall.view", scope="employer")
def home() -> ResponseReturnValue:
    """Who we are, what needs us, the month in figures, what is in progress."""
    employer_id, spoken, today = _employer(), words(), clock.today()
    month = month_of(today)
    since = clock.to_utc(datetime(today.year, today.month, 1))
    funds = spoken.fund_codes() if spoken else ("",)
    return render_template(
        "hall/home.html",
        employer=queries.employer_details(employer_id),
        figures=queries.month_figures(employer_id, funds[0], month, since),
        month=month,
        drafts=sum(queries.counts_by_kind(employer_id, (DRAFT,)).values()),
        urgent=queries.list_records(
            employer_id, Filter((RETURNED, REJECTED), not_filed_again=True, own=True), limit=LINES
        ),
        moving=queries.list_records(employer_id, Filter((SUBMITTED, IN_AUDIT)), limit=LINES),
        shortcuts=SHORTCUTS,
        arrears=arrears_of(employer_id, spoken, today) if spoken else None,
    )


@hall.get("/messages")
@guard("hall.view", scope="employer")
def messages() -> ResponseReturnValue:
    """What the agency has told the employer, newest first."""
    before = request.args.get("before", type=row_id)
    rows = queries.list_notices(_employer(), actor().id or 0, before, PAGE + 1)
    more = url_for("hall.messages", before=rows[PAGE - 1].id) if len(rows) > PAGE else None
    return render_template("hall/messages.html", rows=rows[:PAGE], more=more)


@hall.post("/messages/read")
@guard("hall.view", scope="employer")
def read() -> ResponseReturnValue:
    services.mark_read(actor(), clock.now())
    return redirect(url_for("hall.messages"), 303)


def _employer() -> int:
    chosen = actor().employer_id
    if chosen is None:
        raise NotFound("employer")
    return chosen
