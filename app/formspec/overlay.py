"""What a form asks in addition at the counter: every kind of document, typed birth date and sex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBER, TYPE = "id_number", "id_type"
_PROOF = ("birth_date", "sex")
# of an own field only these stay where the overlay describes it anew
_KEPT = ("x-section", "x-width", "x-excel", "title", "description", "default")


def lay_over(schema: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's document as the counter has it; a form without an identity number stays as it is.

    A form that takes one kind of document takes all of them: its type is asked, and where birth date and
    sex can be typed they must be typed for documents that do not hold them.
    """
    own: Mapping[str, Any] = schema["properties"]
    if NUMBER not in own:
        return dict(schema)
    asked = overlay["properties"]
    properties: dict[str, Any] = {}
    for name, spec in own.items():
        if name == NUMBER and TYPE not in own:
            section = {key: spec[key] for key in ("x-section",) if key in spec}
            properties[TYPE] = {**asked[TYPE], **section}
            kept = {key: spec[key] for key in _KEPT if key in spec and key != "title"}
            properties[NUMBER] = {**asked[NUMBER], **kept}
        elif name == TYPE and "enum" in spec:
            properties[TYPE] = {**asked[TYPE], **{key: spec[key] for key in _KEPT if key in spec}}
        else:
            properties[name] = spec
    laid = {**schema, "properties": properties}
    if all(name in own and not own[name].get("readOnly") for name in _PROOF):
        laid["allOf"] = [*schema.get("allOf", ()), *overlay.get("allOf", ())]
    said = {item["title"]: item for item in overlay.get("x-guide", ())}
    laid["x-guide"] = [said.pop(item["title"], item) for item in schema.get("x-guide", ())]
    laid["x-guide"] += said.values()
    return laid
