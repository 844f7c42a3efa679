"""`flask definitions …`: seeds, checks, publishing. Exit 0 fine, 1 problems found, 2 usage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click
from flask.cli import AppGroup

from app import clock
from app.definitions import files, seeds, versions
from app.definitions.checks import Problem
from app.definitions.gather import check_paths
from app.definitions.publish import DefinitionRefused, publish
from app.errors import WangtingError
from app.services.service_tasks import SERVICES

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


@definitions.command("check")
@click.argument("paths", nargs=-1, type=_EXISTING)
@json_option
def check_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check files among their neighbours; without PATHS everything the product ships with."""
    _show_problems(as_json, check_paths(paths, SERVICES))


@definitions.command("publish")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--region", help="Publish as this region's own.")
@click.option("--note", default="", help="Why, for the list of versions.")
@json_option
def publish_command(path: Path, region: str | None, note: str, as_json: bool) -> None:
    """Check a file among the published ones and publish it for new cases."""
    try:
        version = publish(
            path.resolve().as_posix(),
            path.read_bytes(),
            now=clock.now(),
            services=SERVICES,
            region=region,
            note=note,
        )
    except DefinitionRefused as refused:
        _show_problems(as_json, refused.problems)
        return
    except WangtingError as error:
        _stop(as_json, error)
    _show(as_json, _listed(version), [f"{version.key.path} version {version.version} is published"])


def _show_problems(as_json: bool, problems: Sequence[Problem]) -> None:
    document = {"problems": [asdict(problem) for problem in problems]}
    lines = [f"{p.file}: {p.element}: {p.code}: {p.message}" for p in problems] or ["no problems"]
    _show(as_json, document, lines)
    if problems:
        raise SystemExit(PROBLEMS)


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
