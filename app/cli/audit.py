"""`flask audit verify`: does the chain of account events hold?"""

from __future__ import annotations

import json
import sys

import click
from flask.cli import AppGroup

from app.services import account_log

audit = AppGroup("audit", help="The record of what happened to accounts.")


@audit.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(as_json: bool) -> None:
    """Go through the chain; exit 1 where a row was changed, added or taken out."""
    report = account_log.verify()
    fine = not report.broken
    if as_json:
        document = {"ok": fine, "events": report.events, "head": report.head, "broken": report.broken}
        click.echo(json.dumps(document))
    elif fine:
        click.echo(f"{report.events} events, newest seal {report.head}")
    else:
        click.echo(f"the chain is broken at {', '.join(map(str, report.broken))}")
    sys.exit(0 if fine else 1)


COMMANDS = [audit]
