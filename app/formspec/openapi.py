"""The form as an OpenAPI 3.1 component: plain JSON Schema 2020-12 without our own keys."""

from __future__ import annotations

from typing import Any

from app.formspec.form import Form


def component_schema(form: Form) -> dict[str, Any]:
    """Return the schema of the form's data for the API description: references resolved, `x-` keys dropped.

    Read-only fields stay, marked as such; code lists appear as `enum` with their words in the description.
    """
    schema: dict[str, Any] = _without_own_keys(form.schema)
    for entry in form.fields:
        if entry.options and "x-bundles" not in entry.schema:
            words = "；".join(f"{option.value} {option.label}" for option in entry.options)
            target = schema["properties"][entry.name]
            target["description"] = "。".join(part for part in (target.get("description", ""), words) if part)
    return schema


def component_name(form: Form) -> str:
    """Return the component's name: letters, digits, dots, dashes and underscores only."""
    return form.name.replace("/", "-").replace("#", "-")


def _without_own_keys(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_own_keys(value) for key, value in node.items() if not str(key).startswith("x-")}
    if isinstance(node, list):
        return [_without_own_keys(item) for item in node]
    return node
