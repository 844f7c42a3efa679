"""`flask doctor`: is the installation well?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click
from alembic.script import ScriptDirectory
from flask.cli import with_appcontext

from app.config import ROOT
from app.services.doctor import PROBLEM, examine

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check the whole installation; exit 1 where something is wrong."""
    findings = examine(ScriptDirectory(str(ROOT / "migrations")).get_current_head())
    if as_json:
        document = {
            "checks": [asdict(each) for each in findings],
            "problems": [asdict(each) for each in findings if each.level == PROBLEM],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for each in findings:
            click.echo(f"{_MARKS[each.level]}{each.check}: {each.message}")
    sys.exit(1 if any(each.level == PROBLEM for each in findings) else 0)


COMMANDS = [doctor]
