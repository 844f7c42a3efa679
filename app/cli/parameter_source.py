"""Where the commands take parameters from: what is published, else the repository's own files."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.config import ROOT
from app.definitions import current
from app.domain.parameters import ParameterSet, from_documents
from app.errors import NotFound
from app.store.schema import has_table

FOLDER = ROOT / "bpmn" / "parameters"


class UnknownRegion(LookupError):
    """No parameters are published for the region and no file holds them."""


def parameters(region: str) -> ParameterSet:
    """Return a region's parameters; an empty region gives the country-wide ones. Raises UnknownRegion."""
    if not region or not has_table("definition_version"):
        return from_files(region)
    try:
        return current.parameters(region)
    except NotFound:
        return from_files(region)


@cache
def from_files(region: str) -> ParameterSet:
    """Return the parameters as the repository's files state them. Raises UnknownRegion."""
    path = FOLDER / f"{region}.yaml"
    if region and not (region.isascii() and region.isdigit() and path.is_file()):
        raise UnknownRegion(region)
    return from_documents(_document(path) if region else {}, _document(FOLDER / "common.yaml"))


def _document(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document
