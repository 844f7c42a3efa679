"""The employer's lists: drafts, what waits for submission, and what has been handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.definitions import current as definitions
from app.domain.calendar import add_months, check_month
from app.domain.declaration import (
    APPROVED,
    DONE,
    DRAFT,
    IN_AUDIT,
    PENDING,
    RECALLED,
    REJECTED,
    RETURNED,
    SUBMITTED,
)
from app.errors import FieldError, NotFound, Rejected
from app.services import declarations as services
from app.services.bulk import ACTS, run_slice
from app.services.results import BulkResult, ItemResult
from app.store.queries import hall as queries
from app.store.queries.hall import Filter
from app.web.declarations import declarations
from app.web.frame import kind_words, leave, notify, render_confirm, status_words, words
from app.web.i18n import translated_text
from app.web.menus import ELSEWHERE
from app.web.paging import row_id
from app.web.security import actor, guard

PAGE = 20
SHOWN_FAILURES = 50
WAITING = (SUBMITTED, IN_AUDIT, RETURNED)
DECIDED = (APPROVED, REJECTED, DONE)
HANDED_OVER = (*WAITING, *DECIDED, RECALLED)
# the three lists that some regions name apart: view -> statuses
VIEWS = {"waiting": WAITING, "decided": DECIDED, "recalled": (RECALLED,)}


@declarations.get("/drafts")
@guard("declaration.view", scope="employer")
def drafts() -> ResponseReturnValue:
    return render_template(
        "records/drafts.html", **_page(Filter((DRAFT,), own=True), "declarations.drafts", {})
    )


@declarations.get("/pending")
@guard("declaration.view", scope="employer")
def pending() -> ResponseReturnValue:
    """The kinds with their counts on the left, the records of one kind on the right."""
    counts = queries.counts_by_kind(_employer(), (PENDING,))
    spoken = words()
    published = definitions.kinds(spoken.region) if spoken else ()
    offered = [kind for kind in published if spoken and spoken.offers(kind) and kind not in ELSEWHERE]
    kinds = [*offered, *sorted(set(counts) - set(offered))]
    kinds.sort(key=lambda kind: not counts.get(kind))
    kind = request.args.get("kind", "")
    if kind not in kinds:
        kind = next((each for each in kinds if counts.get(each)), kinds[0] if kinds else "")
    found = _page(
        Filter((PENDING,), kind, own=True), "declarations.pending", {"kind": kind}, counts.get(kind, 0)
    )
    return render_template("records/pending.html", kinds=kinds, counts=counts, kind=kind, **found)


@declarations.post("/pending/submit")
@guard("declaration.submit", scope="employer")
def submit() -> ResponseReturnValue:
    """Hand over one record (the row's button) or the ticked ones."""
    chosen = _chosen()
    if not request.form.get("one") and not request.form.get("confirmed"):
        return _ask("submit", chosen)
    return _told(services.submit(actor(), chosen, clock.now()), _("已提交 %(count)s 条申报。"))


@declarations.post("/pending/discard")
@guard("declaration.discard", scope="employer")
def discard() -> ResponseReturnValue:
    """Remove one record or the ticked ones, drafts as well, after asking."""
    chosen = _chosen()
    if not request.form.get("confirmed"):
        return _ask("discard", chosen)
    return _told(services.discard(actor(), chosen, clock.now()), _("已删除 %(count)s 条申报。"))


@declarations.post("/pending/all/submit")
@guard("declaration.submit", scope="employer")
def submit_all() -> ResponseReturnValue:
    return _all("submit")


@declarations.post("/pending/all/discard")
@guard("declaration.discard", scope="employer")
def discard_all() -> ResponseReturnValue:
    return _all("discard")


@declarations.get("/submitted")
@guard("declaration.view", scope="employer")
def submitted() -> ResponseReturnValue:
    """What was handed over, by month, kind and conclusion; some regions name three lists of it apart."""
    spoken = words()
    # in the order of the region's file: what its people look for first stands first
    named = [label.removeprefix("submitted.") for label in (spoken.labels if spoken else ())]
    apart = [view for view in named if view in VIEWS]
    view = request.args.get("view", "")
    status = request.args.get("status", "")
    if apart and view not in apart:
        view = next((each for each in apart if status in VIEWS[each]), apart[0])
    within = VIEWS[view] if apart else HANDED_OVER
    values = {
        name: request.args.get(name, "").strip()
        for name in ("month", "kind", "status", "q")
        if request.args.get(name, "").strip()
    }
    since, until = _span(values.get("month", ""))
    statuses = _same_word(status) & frozenset(within) if status else frozenset(within)
    wanted = Filter(statuses or within, values.get("kind", ""), values.get("q", ""), since, until)
    here = {**values, **({"view": view} if apart else {})}
    return render_template(
        "records/submitted.html",
        apart=apart,
        view=view if apart else "",
        values=values,
        choices=_choices(within),
        **_page(wanted, "declarations.submitted", here),
    )


def _page(wanted: Filter, endpoint: str, here: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    """One page of a list with its neighbours' addresses and its count."""
    before, after = (request.args.get(name, type=row_id) for name in ("before", "after"))
    rows = queries.list_records(_employer(), wanted, before_id=before, after_id=after, limit=PAGE + 1)
    more = len(rows) > PAGE
    if more:
        rows = rows[1:] if after is not None else rows[:-1]
    older = more if after is None else True
    newer = before is not None if after is None else more
    if count is None:
        count = queries.count_records(_employer(), wanted, exact="exact" in request.args)
    return {
        "rows": rows,
        "count": count,
        "exact_url": url_for(endpoint, **here, exact=1),
        "previous_url": url_for(endpoint, **here, after=rows[0].id) if rows and newer else None,
        "next_url": url_for(endpoint, **here, before=rows[-1].id) if rows and older else None,
    }


def _employer() -> int:
    chosen = actor().employer_id
    if chosen is None:
        raise NotFound("employer")
    return chosen


def _chosen() -> list[str]:
    one = request.form.get("one", "")
    return [one] if one else request.form.getlist("ref")


def _back() -> str:
    kind = request.form.get("kind", "")
    if request.form.get("from") == "drafts":
        return url_for("declarations.drafts")
    return url_for("declarations.pending", kind=kind or None)


def _ask(act: str, chosen: Sequence[str]) -> ResponseReturnValue:
    if not chosen:
        raise Rejected([FieldError("", "nothing_chosen", _("请先勾选要办理的记录。"))])
    kind = request.form.get("kind", "")
    fields = [("ref", reference) for reference in chosen]
    fields += [(name, request.form[name]) for name in ("kind", "from") if name in request.form]
    what = kind_words(kind) if kind else _("申报")
    title, text, button = _question(act, len(chosen), what)
    return render_confirm(
        title, text, action=url_for(f"declarations.{act}"), button=button, back=_back(), fields=fields,
        danger=act == "discard",
    )  # fmt: skip


def _question(act: str, count: int, what: str) -> tuple[str, str, str]:
    if act == "discard":
        text = _(
            "将删除 %(count)s 条%(what)s记录，删除后不能恢复，需要时请重新申报。", count=count, what=what
        )
        return _("删除申报"), text, _("删除 %(count)s 条", count=count)
    text = _("将提交 %(count)s 条%(what)s，提交后由医保经办机构审核，不能再修改。", count=count, what=what)
    return _("提交申报"), text, _("提交 %(count)s 条", count=count)


def _told(result: BulkResult, sentence: str) -> ResponseReturnValue:
    """Say what was done; what was refused is said with its reason, and stays in the list."""
    if result.done:
        notify(sentence % {"count": result.done}, "good")
    for item in [item for item in result.items if not item.ok][:3]:
        notify(
            _(
                "申报 %(reference)s 未能办理：%(why)s",
                reference=item.reference,
                why=translated_text(item.message),
            ),
            "bad",
        )
    if result.failed > 3:
        notify(_("另有 %(count)s 条未能办理，请逐条查看。", count=result.failed - 3), "bad")
    return redirect(_back(), 303)


def _all(act: str) -> ResponseReturnValue:
    """Act on every pending record of a kind: ask first, then go on slice by slice until none is left."""
    kind = request.form.get("kind", "")
    wanted = Filter((PENDING,), kind, own=True)
    if not request.form.get("confirmed"):
        count = queries.count_records(_employer(), wanted, exact=True)
        if not count:
            notify(_("没有待提交的记录。"), "warn")
            return redirect(_back(), 303)
        title, text, button = _question(act, count, kind_words(kind))
        until = str(queries.newest_id(_employer(), wanted))
        return render_confirm(
            title, text, action=url_for(f"declarations.{act}_all"), button=button, back=_back(),
            fields=[("kind", kind), ("until", until), ("total", str(count))], danger=act == "discard",
        )  # fmt: skip
    return _go_on(act, kind)


def _go_on(act: str, kind: str) -> ResponseReturnValue:
    now = clock.now()
    if act not in ACTS or not kind:
        raise Rejected([])
    part = run_slice(act, actor(), kind, _number("after"), _number("until"), now)
    done = _number("done") + part.done
    failed = _number("failed") + len(part.failures)
    lines = [*request.form.getlist("failure"), *map(_failure, part.failures)][:SHOWN_FAILURES]
    if part.finished and not failed:
        sentence = _("已提交 %(count)s 条申报。") if act == "submit" else _("已删除 %(count)s 条申报。")
        notify(sentence % {"count": done}, "good")
        return leave(_back())
    return render_template(
        "records/bulk.html", act=act, kind=kind, part=part, done=done, failed=failed, failures=lines,
        total=max(_number("total"), done + failed), until=_number("until"),
    )  # fmt: skip


def _failure(item: ItemResult) -> str:
    return f"{item.reference} {translated_text(item.message)}"


def _number(name: str) -> int:
    return request.form.get(name, 0, type=row_id)


def _span(month: str) -> tuple[datetime | None, datetime | None]:
    """A month's first moment and that of the next one; nothing where no month is typed."""
    compact = month.replace("/", "-")
    if len(compact) == 6 and compact.isdigit():
        compact = f"{compact[:4]}-{compact[4:]}"
    try:
        check_month(compact)
    except ValueError:
        return None, None
    first = datetime.fromisoformat(f"{compact}-01")
    last = datetime.fromisoformat(f"{add_months(compact, 1)}-01")
    return clock.to_utc(first), clock.to_utc(last)


def _same_word(status: str) -> frozenset[str]:
    """The statuses that this region calls by one word: 未处理 is both waiting and claimed."""
    if status not in HANDED_OVER:
        return frozenset()
    return frozenset(each for each in HANDED_OVER if status_words(each) == status_words(status))


def _choices(statuses: Sequence[str]) -> list[tuple[str, str]]:
    """The conclusions to choose from, each word once."""
    found: dict[str, str] = {}
    for status in statuses:
        found.setdefault(status_words(status), status)
    return [(status, word) for word, status in found.items()]
