"""Forms: every reference and code list resolves wherever the form is used, and the schema compiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.definitions.bundle import RegionCodes
from app.definitions.checks.problem import Files, Problem
from app.definitions.files import FORM, SHARED, Key
from app.formspec.form import Form, FormDocumentError
from app.formspec.validate import compile_validator


def check_form(key: Key, known: Files) -> Iterator[Problem]:
    """List what keeps a form from being used; shared documents are looked at through the forms."""
    if key.name.startswith(SHARED):
        return
    for region in known.regions_of(key):
        parameters = known.parameters.get(region)
        codes = RegionCodes(parameters) if parameters is not None else {}
        if parameters is None and known.parameters:
            yield Problem(key.path, "", "region", f"没有统筹区 {region} 的参数文件")
            return
        try:
            form = Form.from_documents(key.name, known.documents[key], shared_of(known, region), codes)
            compile_validator(form)
        except FormDocumentError as error:
            yield Problem(key.path, error.place, "form", f"表单无法使用：{error.reason}")
            return
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            yield Problem(key.path, "", "form", f"表单结构有误：{type(error).__name__} {error}")
            return


def shared_of(known: Files, region: str) -> dict[str, Mapping[str, Any]]:
    """Return the shared documents to which forms of a region may refer."""
    names = {key.name for key in known.documents if key.name.startswith(SHARED)}
    found = {name: known.find(FORM, name, region) for name in names}
    return {name: known.documents[key] for name, key in found.items() if key in known.documents and key}


def fields_of(key: Key, known: Files) -> set[str]:
    """Name the fields of a form, as far as its document shows them."""
    properties = known.documents.get(key, {}).get("properties")
    return set(properties) if isinstance(properties, Mapping) else set()
