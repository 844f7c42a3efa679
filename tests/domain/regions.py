"""The repository's own parameters, read from its files."""

import functools
from pathlib import Path

import yaml

from app.domain.parameters import ParameterSet, from_documents

FOLDER = Path(__file__).parents[2] / "bpmn" / "parameters"
REGIONS = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "common")


@functools.cache
def document(name: str) -> dict:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))


@functools.cache
def load_region(region: str) -> ParameterSet:
    return from_documents(document(region) if region else {}, document("common"))
