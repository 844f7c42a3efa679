"""What an auditor has decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import to_utc
from app.domain.calendar import add_months, check_month
from app.store.queries import inbox as queries
from app.web.inbox import inbox
from app.web.paging import decode_cursor, keep_size, page_size, page_url
from app.web.place import kind_options
from app.web.security import actor, guard
from app.web.workbench import decision_words

RESULTS = ("approve", "return", "reject")


@inbox.get("/audited")
@guard("inbox.view", scope="region")
def audited() -> ResponseReturnValue:
    """What I decided, newest first."""
    month = _month(request.args.get("month", ""))
    kind = request.args.get("kind", "")
    result = request.args.get("result", "")
    result = result if result in RESULTS else ""
    since, until = _bounds(month)
    size = page_size()
    after, before = decode_cursor(request.args.get("after")), decode_cursor(request.args.get("before"))
    me = actor()
    rows = queries.list_decided(
        me.id or 0, kind=kind, decision=result, since_utc=since, until_utc=until,
        after=before, before=after, limit=size.rows + 1,
    )  # fmt: skip
    rows, earlier, later = size.cut(rows, after, before)
    values: dict[str, Any] = {
        name: text for name, text in (("month", month), ("kind", kind), ("result", result)) if text
    }
    answer = make_response(
        render_template(
            "inbox/audited.html",
            rows=rows,
            values=values,
            kinds=kind_options(me),
            count=queries.count_decided(me.id or 0, kind, result, since, until),
            previous_url=page_url("inbox.audited", values, "before", rows[0].cursor if earlier else None),
            next_url=page_url("inbox.audited", values, "after", rows[-1].cursor if later else None),
            size=size,
            size_url=lambda rows: url_for("inbox.audited", size=rows, **values),
            decision_words=decision_words,
        )
    )
    return keep_size(answer, size)


def _month(text: str) -> str:
    try:
        return check_month(text)
    except ValueError:
        return ""


def _bounds(month: str) -> tuple[datetime | None, datetime | None]:
    if not month:
        return None, None
    first, last = (datetime.fromisoformat(f"{each}-01") for each in (month, add_months(month, 1)))
    return to_utc(first), to_utc(last)
