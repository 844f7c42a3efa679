"""`flask template KIND`: the batch template of an employer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from app import clock
from app.errors import WangtingError
from app.services import templates
from app.services.operators import operator_of


@click.command("template", help="Write the batch template of a kind for an employer.")
@click.argument("kind")
@click.option("--employer", "employer_no", required=True, help="Employer number.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--user", help="Sign-in name; an operator of the employer where it is left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def template(kind: str, employer_no: str, out: Path, user: str | None, as_json: bool) -> None:
    """Write the batch template of a kind for an employer."""
    try:
        actor = operator_of(employer_no, user, clock.real_utcnow())
        made = templates.template_of(actor, kind, clock.now())
    except WangtingError as error:
        words = f"no template {kind} for {employer_no}: {error or type(error).__name__}"
        click.echo(json.dumps({"error": words}) if as_json else words, err=not as_json)
        sys.exit(1)
    out.write_bytes(made.content)
    answer = {"file": str(out), "form_version": made.form_version}
    click.echo(json.dumps(answer) if as_json else f"{out} (form version {made.form_version})")


COMMANDS = [template]
