"""Which file holds which definition, and reading folders of them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from app.config import ROOT
from app.errors import WangtingError

PROCESS, DECISION, FORM, PARAMETERS = "process", "decision", "form", "parameters"
COMMON, SHARED = "common", "shared/"
# the form that says what every form asks in addition at the counter
AT_COUNTER = "counter"
# what a form is judged by whose kind has no rules in Python: a decision table <kind>_rules
RULES = "_rules"
EXTRA_ROOTS = "WANGTING_DEFINITIONS"

_FOLDERS = MappingProxyType(
    {
        PROCESS: ("bpmn/processes", ".bpmn"),
        DECISION: ("bpmn/decisions", ".dmn"),
        FORM: ("forms", ".json"),
        PARAMETERS: ("bpmn/parameters", ".yaml"),
    }
)
_KINDS = MappingProxyType({extension: kind for kind, (_, extension) in _FOLDERS.items()})
_NAME = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?:\.(?P<region>\d{6}))?")
_REGION = re.compile(r"\d{6}")


class UnknownDefinitionFile(WangtingError):
    """A file's name does not say which definition it holds."""


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """What a definition is: kind (process, decision, form, parameters), name, region ("" province-wide)."""

    kind: str
    name: str
    region: str = ""

    @property
    def path(self) -> str:
        """The definition's place in a folder of definitions, with forward slashes."""
        folder, extension = _FOLDERS[self.kind]
        if self.kind == PARAMETERS or not self.region:
            return f"{folder}/{self.name}{extension}"
        return f"{folder}/{self.name}.{self.region}{extension}"


def key_of(path: str | PurePosixPath) -> Key:
    """Return the definition that a file name stands for; shared forms lie in a folder `shared`.

    Raises: UnknownDefinitionFile.
    """
    file = PurePosixPath(path)
    kind = _KINDS.get(file.suffix)
    stem = file.name.removesuffix(file.suffix)
    if kind == PARAMETERS and _REGION.fullmatch(stem):
        return Key(PARAMETERS, stem, stem)
    match = _NAME.fullmatch(stem)
    if kind is None or match is None or (kind == PARAMETERS and stem != COMMON):
        raise UnknownDefinitionFile(f"{path}: expected <name>[.<region>] with .bpmn, .dmn, .json or .yaml")
    name = SHARED + match["name"] if kind == FORM and file.parent.name == "shared" else match["name"]
    return Key(kind, name, match["region"] or "")


def sha256_of(content: bytes) -> str:
    """Return the digest that tells two versions apart."""
    return hashlib.sha256(content).hexdigest()


def default_roots() -> list[Path]:
    """List the repository's own folder and those named in WANGTING_DEFINITIONS, later ones winning."""
    extra = os.environ.get(EXTRA_ROOTS, "").strip()
    return [ROOT, *(Path(part) for part in extra.split(os.pathsep) if part)]


def read_folders(roots: Path | Iterable[Path] | None = None) -> dict[Key, bytes]:
    """Read every definition below one or several roots (default: the seeds); a later root wins.

    Shape: each root holds `bpmn/processes`, `bpmn/decisions`, `bpmn/parameters` and `forms`, as far as used.
    Raises: UnknownDefinitionFile.
    """
    found: dict[Key, bytes] = {}
    for root in _listed(roots):
        for folder, extension in _FOLDERS.values():
            for path in sorted((root / folder).rglob(f"*{extension}")):
                found[key_of(path.relative_to(root).as_posix())] = path.read_bytes()
    return found


def by_path(contents: Mapping[Key, bytes]) -> dict[str, bytes]:
    """Return the same contents under the paths that files have in a folder of definitions."""
    return {key.path: contents[key] for key in sorted(contents)}


def _listed(roots: Path | Iterable[Path] | None) -> Sequence[Path]:
    if roots is None:
        return default_roots()
    return [roots] if isinstance(roots, Path) else list(roots)
