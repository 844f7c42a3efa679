"""The base year: people whom nobody declared, for the employer and the agency, and carrying their base on."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.definitions.current import parameters
from app.domain.base import ANNUAL
from app.domain.parameters import COUNTER
from app.errors import NotFound, Rejected
from app.services import base_years, carry_runs, runs
from app.services.base_years import CARRY
from app.services.seasons import closed_words
from app.store.runs import CARRY as CARRY_RUN
from app.store.runs import UNFINISHED
from app.web.frame import notify, render_confirm, translated
from app.web.paging import row_id
from app.web.runs import OUTCOME_TONES, OUTCOME_WORDS, RUN_TONES, RUN_WORDS, stopped
from app.web.security import actor, guard

PAGE = 20
yearly = Blueprint("yearly", __name__)


@yearly.get("/base-year")
@guard("person.view", scope="employer")
def undeclared() -> ResponseReturnValue:
    """The employer's own people without an approved base of the year."""
    return _people(None)


@yearly.get("/base-years/<int:employer_id>")
@guard("person.view", scope="region")
def of_employer(employer_id: int) -> ResponseReturnValue:
    """The same of one employer of the agency's region."""
    return _people(employer_id)


def _people(employer_id: int | None) -> ResponseReturnValue:
    after = request.args.get("after", 0, type=row_id)
    found = base_years.undeclared(actor(), clock.now(), employer_id, after, PAGE + 1)
    rows = found.rows[:PAGE]
    more = f"{request.path}?after={rows[-1].person_id}" if len(found.rows) > PAGE else None
    return render_template(
        "yearly/people.html", found=found, rows=rows, own=employer_id is None, next_url=more
    )


@yearly.get("/base-years")
@guard("person.view", scope="region")
def employers() -> ResponseReturnValue:
    """How far each employer of a region is."""
    region = _region()
    now, after = clock.now(), request.args.get("after", "")[:32]
    year, found = base_years.employers(actor(), region, now, after, PAGE + 1)
    rows = found[:PAGE]
    return render_template(
        "yearly/employers.html",
        year=year,
        region=region,
        regions=_regions(),
        rows=rows,
        closed=closed_words(ANNUAL, parameters(region), now.date()),
        may_carry=actor().may("counter.file"),
        next_url=url_for("yearly.employers", region=region, after=rows[-1].employer_no)
        if len(found) > PAGE
        else None,
    )


@yearly.post("/base-years/carry")
@guard("counter.file", scope="region")
def carry() -> ResponseReturnValue:
    """Have the carrying-on filed for all employers of the region; somebody else decides each."""
    region = _region()
    back = url_for("yearly.employers", region=region)
    if not request.form.get("confirmed"):
        return render_confirm(
            _("全部结转"),
            _(
                "将为每个还有未申报人员的单位各提交一件“未申报基数结转”，由另一名工作人员审核后生效。在后台办理，可以离开页面。"
            ),
            action=url_for("yearly.carry"),
            button=_("全部结转"),
            back=back,
            fields=[("region", region)],
        )
    try:
        run_id = carry_runs.start(actor(), region, clock.now())
    except Rejected as refused:
        notify("；".join(each.message for each in translated(refused.errors)), "bad")
        return redirect(back, 303)
    return redirect(url_for("yearly.run", run_id=run_id), 303)


@yearly.get("/base-years/runs")
@guard("counter.file", scope="region")
def history() -> ResponseReturnValue:
    """What was carried on for whole regions, newest first."""
    found = runs.list_runs(actor(), CARRY_RUN, request.args.get("before", type=row_id), PAGE + 1)
    more = len(found) > PAGE
    return render_template(
        "yearly/runs.html",
        runs=found[:PAGE],
        names=dict(_regions()),
        next_url=url_for("yearly.history", before=found[PAGE - 1].id) if more else None,
        run_texts=RUN_WORDS,
        run_tones=RUN_TONES,
    )


@yearly.get("/base-years/runs/<int:run_id>")
@guard("counter.file", scope="region")
def run(run_id: int) -> ResponseReturnValue:
    """One of them: how far it is, and what became of each employer."""
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in OUTCOME_WORDS else ""
    after = request.args.get("after", "")[:32]
    found, results = carry_runs.results(actor(), run_id, outcome, after, PAGE + 1)
    rows = results[:PAGE]
    more = len(results) > PAGE
    return render_template(
        "yearly/run.html",
        run=found,
        region=dict(_regions()).get(found.region, found.region),
        rows=rows,
        outcome=outcome,
        active=found.state in UNFINISHED,
        next_url=url_for("yearly.run", run_id=run_id, outcome=outcome, after=rows[-1].place)
        if more
        else None,
        run_texts=RUN_WORDS,
        run_tones=RUN_TONES,
        outcome_texts=OUTCOME_WORDS,
        outcome_tones=OUTCOME_TONES,
    )


@yearly.post("/base-years/runs/<int:run_id>/stop")
@guard("counter.file", scope="region")
def stop_run(run_id: int) -> ResponseReturnValue:
    """Stop one; what is filed stays."""
    return stopped(run_id, url_for("yearly.run", run_id=run_id))


def _regions() -> list[tuple[str, str]]:
    found = ((code, parameters(code)) for code in sorted(actor().regions))
    return [(code, rules.name) for code, rules in found if rules.offers(CARRY, COUNTER)]


def _region() -> str:
    offered = [code for code, _name in _regions()]
    wanted = request.values.get("region", "")
    if not offered or (wanted and wanted not in offered):
        raise NotFound("region")
    return wanted or offered[0]
