"""`flask ledger adjust`: what figures announced late change in charged months, and writing it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from app import clock
from app.cli.ledger import PROBLEMS, group, json_option
from app.domain.codes import code_list
from app.domain.money import format_yuan, from_fen
from app.domain.parameters import ParameterMissing
from app.errors import Conflict, Rejected, WangtingError
from app.services import adjustment_runs
from app.services.actors import SYSTEM
from app.services.adjusting import Figures
from app.services.adjustment_runs import READY, Progress
from app.store.runs import FINISHED

PAGE = 200
CHANGED = "the figures are not those of %s any more; look at them again"
ELSEWHERE = "another process works on these months; try again when it has ended, or in a few minutes"


@group.command("adjust")
@click.option("--region", required=True, help="Region code.")
@click.option("--from", "first", required=True, help="First accrual month, YYYY-MM.")
@click.option("--to", "last", required=True, help="Last accrual month, YYYY-MM.")
@click.option("--employer", "employer_no", default="", help="Employer number; all where it is left out.")
@click.option("--confirm", "confirmed", is_flag=True, help="Write it; without this it is only shown.")
@click.option("--expect", help="With --confirm: only if the figures are still those of this digest.")
@json_option
def adjust(
    region: str,
    first: str,
    last: str,
    employer_no: str,
    confirmed: bool,
    expect: str | None,
    as_json: bool,
) -> None:
    """Show what values published later change in charged months; with --confirm also write it."""
    try:
        found, document = _adjusted(
            region, first, last, employer_no, expect if confirmed else None, confirmed
        )
    except Rejected as error:
        _stop("；".join(each.message for each in error.errors))
    except (ParameterMissing, WangtingError) as error:
        _stop(str(error))
    lines = json.dumps(document, ensure_ascii=False, indent=2) if as_json else "\n".join(_text(document))
    click.echo(lines)
    if confirmed and found.state != FINISHED:
        _stop(found.message)


def _adjusted(
    region: str, first: str, last: str, employer_no: str, expect: str | None, confirmed: bool
) -> tuple[Progress, dict[str, Any]]:
    now = clock.now()
    found = _done(adjustment_runs.start(SYSTEM, region, first, last, employer_no, now, queued=False), now)
    if expect is not None and expect != found.digest:
        raise Conflict(CHANGED % expect)
    if confirmed and found.state != FINISHED:
        found = _write(found, now)
    return found, _document(found)


def _write(found: Progress, now: datetime) -> Progress:
    adjustment_runs.confirm(SYSTEM, found.id, found.digest, now, queued=False)
    return _done(found.id, now)


def _done(adjustment_id: int, now: datetime) -> Progress:
    """Count or write here and now, however long. Raises: Conflict (failed, or in other hands)."""
    run_id = adjustment_runs.get_adjustment(SYSTEM, adjustment_id).run_id
    adjustment_runs.run(run_id, now, seconds=math.inf)
    found = adjustment_runs.get_adjustment(SYSTEM, adjustment_id)
    if found.active:
        raise Conflict(ELSEWHERE)
    if found.state not in (READY, FINISHED):
        raise Conflict(found.message)
    return found


def _stop(words: str) -> None:
    click.echo(words, err=True)
    sys.exit(PROBLEMS)


def _document(found: Progress) -> dict[str, Any]:
    return {
        "run": str(found.id),
        "region": found.region,
        "from": found.first_month,
        "to": found.last_month,
        "state": found.state,
        "digest": found.digest,
        "waiting": _figures(adjustment_runs.figures_of(found.id, written=False)),
        "written": _figures(adjustment_runs.figures_of(found.id, written=True)),
        "employers": list(_employers(found.id)),
    }


def _employers(adjustment_id: int) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        page = adjustment_runs.employers_of(adjustment_id, after, PAGE)
        for row, figures in page:
            figures.people, figures.lines = row.people, row.lines
            yield {"employer_no": row.employer_no, "name": row.name, **_figures(figures)}
        if len(page) < PAGE:
            return
        after = page[-1][0].employer_id


def _figures(found: Figures) -> dict[str, Any]:
    types = code_list("due_type")
    return {
        "people": found.people,
        "lines": found.lines,
        "employer": _yuan(found.employer_fen),
        "employee": _yuan(found.employee_fen),
        "allocation": _yuan(found.allocation_fen),
        "sums": [
            {
                "fund": fund,
                "due_type": due_type,
                "due_type_name": types.label(due_type),
                "party": party,
                "amount": _yuan(fen),
            }
            for (fund, due_type, party), fen in sorted(found.sums.items())
        ],
    }


def _yuan(fen: int) -> str:
    return format_yuan(from_fen(fen))


def _text(document: dict[str, Any]) -> Iterator[str]:
    yield f"{document['region']} {document['from']} to {document['to']}: {document['state']}"
    for name in ("waiting", "written"):
        yield f"{name:<8} {_line(document[name])}"
        for each in document[name]["sums"]:
            yield f"  {each['fund']:<6} {each['due_type_name']} {each['party']:<20} {each['amount']:>14}"
    for each in document["employers"]:
        yield f"{each['employer_no']} {_line(each)}  {each['name']}"
    if document["digest"]:
        yield f"digest {document['digest']}"


def _line(figures: dict[str, Any]) -> str:
    amounts = "  ".join(f"{name} {figures[name]}" for name in ("employer", "employee", "allocation"))
    return f"{figures['people']} people, {figures['lines']} lines  {amounts}"


# the command stands in the group of the ledger's other ones
COMMANDS: list[click.Command] = []
