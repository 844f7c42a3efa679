"""`flask definitions …`: seeds, checks, publishing. Exit 0 fine, 1 problems found, 2 usage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
from flask.cli import AppGroup

from app import clock
from app.definitions import files, seeds, versions
from app.errors import WangtingError

PROBLEMS = 1

definitions = AppGroup("definitions", help="Processes, decisions, forms and parameters.")
COMMANDS = [definitions]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_EXISTING = click.Path(exists=True, path_type=Path)


@definitions.command("seed")
@click.option("--root", "roots", multiple=True, type=_EXISTING, help="Folder of definitions; later ones win.")
@json_option
def seed_command(roots: tuple[Path, ...], as_json: bool) -> None:
    """Bring the published versions up to the files."""
    try:
        report = seeds.sync(roots or None, now=clock.now())
    except WangtingError as error:
        _stop(as_json, error)
    document: dict[str, Any] = {
        "published": [key.path for key in report.published],
        "unchanged": len(report.unchanged),
        "held_back": [key.path for key in report.held_back],
        "missing": [key.path for key in report.missing],
    }
    lines = [f"published {path}" for path in document["published"]]
    lines += [f"held back (a designer's version is newer): {path}" for path in document["held_back"]]
    lines += [f"in use without a file: {path}" for path in document["missing"]]
    lines.append(f"{len(report.published)} new, {document['unchanged']} unchanged")
    _show(as_json, document, lines)


@definitions.command("list")
@click.option("--kind", type=click.Choice([files.PROCESS, files.DECISION, files.FORM, files.PARAMETERS]))
@click.option("--all", "everything", is_flag=True, help="Retired versions too.")
@json_option
def list_command(kind: str | None, everything: bool, as_json: bool) -> None:
    """List what is published and what is held back."""
    listed = [
        version
        for version in versions.list_versions()
        if (kind is None or version.key.kind == kind) and (everything or version.status != "retired")
    ]
    lines = [
        f"{version.key.path:<44} {version.version:>4}  {version.status:<10} {version.origin}"
        for version in listed
    ]
    _show(as_json, {"definitions": [_listed(version) for version in listed]}, lines)


def _listed(version: versions.Listed) -> dict[str, Any]:
    return {
        "id": version.id,
        "kind": version.key.kind,
        "name": version.key.name,
        "region": version.key.region,
        "path": version.key.path,
        "version": version.version,
        "status": version.status,
        "origin": version.origin,
        "sha256": version.sha256,
        "note": version.note,
        "effective_from": clock.to_region(version.effective_from_utc).isoformat(timespec="seconds"),
    }


def _show(as_json: bool, document: Mapping[str, Any], lines: Iterable[str]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else "\n".join(lines))


def _stop(as_json: bool, error: WangtingError) -> NoReturn:
    _show(as_json, {"error": str(error)}, [str(error)])
    raise SystemExit(PROBLEMS)
