"""Which files a check of some paths is about, and the set they are checked in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config import ROOT
from app.definitions.checks import Problem, ServiceTable, check_files
from app.definitions.files import Key, UnknownDefinitionFile, by_path, key_of, read_folders

_SUFFIXES = frozenset([".bpmn", ".dmn", ".json", ".yaml"])


@dataclass(frozen=True, slots=True)
class _Named:
    """A file as the caller named it."""

    path: Path
    shown: str


def check_paths(paths: Sequence[Path], services: ServiceTable | None = None) -> list[Problem]:
    """List what is wrong in the given files and folders (default: everything the product ships with).

    A file is looked at among its neighbours: the folder of definitions it lies in, over the product's own.
    """
    if not paths:
        return check_files(by_path(read_folders()), services)
    contents = read_folders([ROOT, *(root for path in paths if (root := _root_of(path)))])
    shown: dict[str, str] = {}
    problems: list[Problem] = []
    for named in _files(paths):
        try:
            key: Key = key_of(named.path.as_posix())
        except UnknownDefinitionFile:
            problems.append(
                Problem(named.shown, "", "file_name", "文件名不符合规则：<名称>[.<统筹区>].<扩展名>")
            )
            continue
        contents[key] = named.path.read_bytes()
        shown[key.path] = named.shown
    found = check_files(by_path(contents), services)
    problems += [
        Problem(shown[problem.file], problem.element, problem.code, problem.message)
        for problem in found
        if problem.file in shown
    ]
    return sorted(problems)


def _root_of(path: Path) -> Path | None:
    """Find the folder of definitions around a path, unless it is the product's own."""
    for folder in (path.resolve(), *path.resolve().parents):
        if (folder / "bpmn").is_dir() or (folder / "forms").is_dir():
            return None if folder == ROOT else folder
    return None


def _files(paths: Sequence[Path]) -> Iterator[_Named]:
    for path in paths:
        if path.is_file():
            yield _Named(path.resolve(), path.as_posix())
            continue
        folders = [path / "bpmn", path / "forms"]
        for folder in [folder for folder in folders if folder.is_dir()] or [path]:
            for file in sorted(folder.rglob("*")):
                if file.suffix in _SUFFIXES and file.is_file():
                    yield _Named(file.resolve(), file.as_posix())
