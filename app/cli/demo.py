"""`flask demo`: fill an installation with made-up people, and say who is who."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask import current_app
from flask.cli import AppGroup

from app import clock
from app.errors import Forbidden
from app.services import demo

group = AppGroup("demo", help="The demonstration's employers, people and accounts.")


@group.command("load")
@click.option(
    "--people", nargs=3, type=click.IntRange(1), default=demo.PEOPLE, help="Sizes of the employers."
)
@click.option(
    "--months", type=click.IntRange(1, 24), default=demo.MONTHS, help="Months charged for everybody."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def load_command(people: tuple[int, int, int], months: int, as_json: bool) -> None:
    """Fill every region that is still empty; what is there stays as it is."""
    try:
        report = demo.load(current_app.extensions["wangting"], clock.now(), people, months)
    except Forbidden as error:
        click.echo(json.dumps({"error": str(error)}) if as_json else str(error), err=not as_json)
        raise click.exceptions.Exit(1) from None
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    click.echo(f"loaded {len(report.loaded)} regions, {len(report.present)} were there, {report.seconds} s")
    for name, count in report.rows.items():
        click.echo(f"  {name:<12}{count:>10,}")


@group.command("people")
@click.option("--region", required=True, help="Region code.")
@click.option("--case", help="Only this case; `unknown` are people without any record.")
@click.option("--count", type=click.IntRange(1, 20_000), default=10, help="At most so many of each case.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def people_command(region: str, case: str | None, count: int, as_json: bool) -> None:
    """List the people that meet a rule: refused, warned about, or paid back for."""
    people = demo.demo_people(region, case, count)
    if as_json:
        rows = [{**asdict(person), "birth_date": person.birth_date.isoformat()} for person in people]
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for person in people:
            click.echo(f"{person.case:<28}{person.id_number}  {person.name}  {person.phone}  {person.note}")
    if not people:
        raise click.exceptions.Exit(1)


COMMANDS = [group]
