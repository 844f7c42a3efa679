"""The repository's own forms, with the country-wide code lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.codes import code_list, code_list_names
from app.formspec.form import Form

FORMS = Path(__file__).parents[2] / "forms"


def shared_documents() -> dict[str, dict]:
    return {
        f"shared/{path.stem}": json.loads(path.read_text("utf-8"))
        for path in (FORMS / "shared").glob("*.json")
    }


def all_codes() -> dict:
    return {name: code_list(name) for name in code_list_names()}


def load_form(name: str) -> Form:
    document = json.loads((FORMS / f"{name}.json").read_text("utf-8"))
    return Form.from_documents(name, document, shared_documents(), all_codes())


@pytest.fixture(scope="session")
def forms() -> dict[str, Form]:
    return {path.stem: load_form(path.stem) for path in sorted(FORMS.glob("*.json"))}
