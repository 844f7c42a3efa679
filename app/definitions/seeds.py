"""The repository's files as first versions, and as new ones when they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from app.definitions import current
from app.definitions.files import Key, read_folders, sha256_of
from app.definitions.versions import SEED, version_row
from app.errors import WangtingError
from app.store import definitions as store
from app.store.models import DefinitionVersion
from app.store.session import transaction


class NoSeeds(WangtingError):
    """The folders hold no definition: a wrong path, not an empty product."""


@dataclass(frozen=True)
class SeedReport:
    """What a synchronisation found.

    Shape: `published` are new versions in use; `held_back` are files that changed while a designer's newer
    version stands; `missing` are published seeds without a file, which stay in use.
    """

    published: list[Key] = field(default_factory=list)
    unchanged: list[Key] = field(default_factory=list)
    held_back: list[Key] = field(default_factory=list)
    missing: list[Key] = field(default_factory=list)


def sync(roots: Path | Iterable[Path] | None = None, *, now: datetime) -> SeedReport:
    """Bring the published versions up to the files; a second run changes nothing.

    A designer's newer version is never replaced: the file is then kept back, which `doctor` reports.
    Shape: `roots` default to the repository and WANGTING_DEFINITIONS, later ones winning; `now` is naive.
    Raises: NoSeeds, UnknownDefinitionFile.
    """
    files = read_folders(roots)
    if not files:
        raise NoSeeds("no definitions were found in the given folders")
    report, rows, retired = SeedReport(), list[dict[str, Any]](), list[int]()
    with transaction():
        known = _by_key(store.list_versions())
        for key, content in sorted(files.items()):
            history = known.get(key, [])
            status = _status(history, sha256_of(content))
            if status is None:
                (report.held_back if _is_held_back(history) else report.unchanged).append(key)
                continue
            replaced = {store.HELD_BACK} if status == store.HELD_BACK else {store.PUBLISHED, store.HELD_BACK}
            retired += [version.id for version in history if version.status in replaced]
            rows.append(version_row(key, content, history, status=status, origin=SEED, now=now))
            (report.held_back if status == store.HELD_BACK else report.published).append(key)
        report.missing.extend(
            key for key, history in known.items() if key not in files and _last_published(history, SEED)
        )
        store.retire_versions(retired)
        store.add_versions(rows)
    current.forget()
    return report


def held_back() -> list[Key]:
    """List the seeds that changed while a designer's version stands, for `doctor`."""
    return sorted(key for key, history in _by_key(store.list_versions()).items() if _is_held_back(history))


def _status(history: list[DefinitionVersion], sha256: str) -> str | None:
    """Say what a file becomes: published, held back, or None where nothing is new."""
    published = [version for version in history if version.status == store.PUBLISHED]
    seeds = [version for version in history if version.origin == SEED]
    if published and published[-1].sha256 == sha256:
        return None
    if seeds and seeds[-1].sha256 == sha256:
        return None
    return store.HELD_BACK if published and published[-1].origin != SEED else store.PUBLISHED


def _is_held_back(history: list[DefinitionVersion]) -> bool:
    return any(version.status == store.HELD_BACK for version in history)


def _last_published(history: list[DefinitionVersion], origin: str) -> bool:
    published = [version for version in history if version.status == store.PUBLISHED]
    return bool(published) and published[-1].origin == origin


def _by_key(versions: list[DefinitionVersion]) -> dict[Key, list[DefinitionVersion]]:
    def key(version: DefinitionVersion) -> Key:
        return Key(version.kind, version.name, version.region)

    return {found: list(group) for found, group in groupby(sorted(versions, key=_order), key)}


def _order(version: DefinitionVersion) -> tuple[str, str, str, int]:
    return version.kind, version.name, version.region, version.version
