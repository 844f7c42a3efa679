"""`flask import KIND FILE`: a batch file taken over at once, in this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from app import clock
from app.errors import Rejected, WangtingError
from app.services import batch_run, imports
from app.services.actors import Actor
from app.services.batch_results import errors_of
from app.services.forms import setting_of
from app.services.operators import operator_of


@click.command("import", help="Take over a batch file for an employer.")
@click.argument("kind")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--employer", "employer_no", required=True, help="Employer number.")
@click.option("--user", help="Sign-in name; an operator of the employer where it is left out.")
@click.option(
    "--set", "given", multiple=True, metavar="NAME=VALUE",
    help="What the page asks once for the file, such as start_date=2026-11-01; funds by several.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def import_file(
    kind: str, file: Path, employer_no: str, user: str | None, given: tuple[str, ...], as_json: bool
) -> None:
    """Take over a batch file; good rows become declarations, bad ones are listed."""
    try:
        actor = operator_of(employer_no, user, clock.real_utcnow())
        answer = _import(actor, kind, file, given)
    except Rejected as error:
        answer = _refused(
            [{"row": 0, "field": e.field, "code": e.code, "message": e.message} for e in error.errors]
        )
    except WangtingError as error:
        words = f"cannot import {kind} for {employer_no}: {error or type(error).__name__}"
        answer = _refused([{"row": 0, "field": "", "code": type(error).__name__, "message": words}])
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _text(answer))
    sys.exit(1 if answer["errors"] else 0)


def _import(actor: Actor, kind: str, file: Path, given: tuple[str, ...]) -> dict[str, Any]:
    now = clock.now()
    # what nobody names is as the page offers it
    setting = setting_of(actor, kind, now)
    asked = setting.form.batch.settings if setting.form.batch else ()
    settings = setting.defaults(now)
    for entry in given:
        name, _, value = entry.partition("=")
        if name not in asked:
            raise click.BadParameter(f"{kind} asks for {', '.join(asked) or 'nothing'}", param_hint="--set")
        settings[name] = value.split(",") if isinstance(settings.get(name), list) else value
    made = imports.upload(actor, kind, file.name, file.read_bytes(), settings, now, again=True, queued=False)
    batch_run.run(made.batch.id)
    batch = imports.get_batch(actor, made.batch.id)
    errors: list[dict[str, Any]] = [{"row": row, **error} for row, error in errors_of(batch.id)]
    if batch.state != "finished":
        errors.append({"row": 0, "field": "", "code": batch.state, "message": batch.message})
    return {
        "batch": batch.id,
        "total": batch.total_rows,
        "accepted": batch.accepted_rows,
        "rejected": batch.rejected_rows,
        "errors": errors,
    }


def _refused(errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"batch": None, "total": 0, "accepted": 0, "rejected": 0, "errors": errors}


def _text(answer: dict[str, Any]) -> str:
    numbers = ", ".join(f"{answer[name]} {name}" for name in ("total", "accepted", "rejected"))
    head = f"batch {answer['batch']}: {numbers}"
    lines = [f"  row {each['row']:>6}  {each['field']:<14} {each['message']}" for each in answer["errors"]]
    return "\n".join([head, *lines])


COMMANDS = [import_file]
