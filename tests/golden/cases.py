"""Case files beside this module, readable by those who know the business."""

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent


def table(name: str) -> list[Any]:
    """Return the rows of a CSV file as parameters, each named by its first columns."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        pytest.param(row, id=f"{line}:{'/'.join(list(row.values())[:3])}") for line, row in enumerate(rows, 2)
    ]


def document(name: str) -> Any:
    """Return a YAML case file."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
