"""Check typed data against a form and say in plain words what is wrong, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from app.domain.identity import CITIZEN_CARD, RESIDENCE_PERMIT, check_document
from app.errors import FieldError
from app.formspec.derive import document_type, facts_of
from app.formspec.messages import MESSAGES
from app.formspec.resolve import FormDocumentError

if TYPE_CHECKING:
    from app.formspec.form import Field, Form

# Keyword of the schema → code of the refusal, where the keyword alone decides it.
_CODE_OF_KEYWORD = {
    "enum": "not_in_list",
    "const": "not_in_list",
    "minItems": "too_few",
    "maxItems": "too_many",
    "uniqueItems": "twice",
    "maxLength": "too_long",
    "minLength": "too_short",
    "minimum": "too_small",
    "maximum": "too_large",
}
_CODE_OF_FORMAT = {
    "date": "date",
    "month": "month",
    "money": "money",
    "whole-yuan": "whole_yuan",
    "phone": "phone",
    "account": "account",
    "email": "email",
    "identity": "identity",
}
_CODE_OF_IDENTITY_REASON = {
    "length": "identity_length",
    "fifteen": "identity_length",
    "characters": "identity_characters",
    "date": "identity_birth_date",
    "future": "identity_birth_date",
    "check_digit": "identity_check_digit",
    "prefix": "identity",
    "pattern": "identity",
}


def compile_validator(form: Form) -> jsonschema_rs.Draft202012Validator:
    """Compile the form's schema; patterns run in linear time, so look-around and back references are refused.

    Raises: FormDocumentError for a schema that is no valid 2020-12 schema.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            form.schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise FormDocumentError(form.name, "#", str(error).splitlines()[0]) from error


def validate(
    form: Form,
    data: Mapping[str, Any],
    partial: bool = False,
    today: date | None = None,
    texts: Mapping[str, str] = MESSAGES,
) -> list[FieldError]:
    """Return the refusals in page order, the first one of each field; an empty list means acceptable.

    Shape: `partial` (a draft) does not ask for missing fields; `today` refuses later days where the form
    asks for past ones; `texts` are the words by code, translated where the page is not Chinese.
    """
    found: dict[str, FieldError] = {}
    for error in form.validator.iter_errors(data):
        for name, code, message in _translate(form, data, error, texts):
            if not (partial and code.startswith(("required", "too_few"))):
                found.setdefault(name, FieldError(name, code, message))
    for refusal in (*_check_documents(form, data, today, texts), *_check_days(form, data, today, texts)):
        found.setdefault(refusal.field, refusal)
    for refusal in () if partial else _check_bundles(form, data, texts):
        found.setdefault(refusal.field, refusal)
    if len(found) < 2:
        return list(found.values())
    order = {entry.name: place for place, entry in enumerate(form.fields)}
    return sorted(found.values(), key=lambda refusal: order.get(refusal.field, len(order)))


def _check_days(
    form: Form, data: Mapping[str, Any], today: date | None, texts: Mapping[str, str]
) -> Iterator[FieldError]:
    """Days that no schema can compare: with today, and with each other."""
    for entry in form.dated:
        day = data.get(entry.name)
        if not isinstance(day, str) or not day:
            continue
        if entry.past and today is not None and day > today.isoformat():
            yield field_error(form, entry.name, "past", texts, today=today.isoformat())
        elif entry.not_before and day < str(data.get(entry.not_before) or ""):
            other = _title(form, entry.not_before)
            yield field_error(form, entry.name, "not_before", texts, other=other)


def field_error(
    form: Form, name: str, code: str, texts: Mapping[str, str] = MESSAGES, **params: Any
) -> FieldError:
    """Make a refusal of one field in the form's own words."""
    entry = form.by_name.get(name)
    return FieldError(name, code, texts[code].format(title=entry.title if entry else name, **params))


def _translate(
    form: Form, data: Mapping[str, Any], error: jsonschema_rs.ValidationError, texts: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    kind = error.kind
    if isinstance(kind, Kind.Required):
        name = kind.property
        code = _required_code(form.by_name.get(name))
        yield name, code, texts[code].format(title=_title(form, name))
    elif isinstance(kind, Kind.AdditionalProperties | Kind.UnevaluatedProperties):
        for name in kind.unexpected:
            yield name, "unknown_field", texts["unknown_field"].format(field=name)
    elif error.instance_path:
        name = str(error.instance_path[0])
        code = _code(form.by_name.get(name), kind)
        yield name, code, _words(form, name, code, kind, texts)
    else:
        yield "", "bad_type", texts["bad_type"].format(title=form.title)


def _words(form: Form, name: str, code: str, kind: Kind, texts: Mapping[str, str]) -> str:
    entry = form.by_name.get(name)
    if code == "pattern" and entry is not None and entry.message:
        return f"{entry.title}：{texts.get(entry.message, entry.message)}"
    return texts[code].format(title=_title(form, name), limit=kind.as_dict().get("limit", ""))


def _required_code(entry: Field | None) -> str:
    if entry is None:
        return "required"
    if entry.kind == "file":
        return "required_file"
    if entry.kind == "check":
        return "required_check"
    return "required_choice" if entry.choice or entry.kind in ("date", "month") else "required"


def _code(entry: Field | None, kind: Kind) -> str:
    keyword = kind.name
    by_format = _CODE_OF_FORMAT.get(entry.schema.get("format", "")) if entry is not None else None
    if keyword in ("minLength", "minItems") and kind.as_dict().get("limit") == 1:
        return _required_code(entry)
    if keyword in _CODE_OF_KEYWORD:
        return _CODE_OF_KEYWORD[keyword]
    if keyword in ("pattern", "format", "type") and by_format is not None:
        return by_format
    if keyword == "type":
        return "integer" if entry is not None and entry.kind == "integer" else "bad_type"
    return "pattern"


def _title(form: Form, name: str) -> str:
    entry = form.by_name.get(name)
    return entry.title if entry is not None else name


def _check_documents(
    form: Form, data: Mapping[str, Any], today: date | None, texts: Mapping[str, str]
) -> Iterator[FieldError]:
    """The checks that no schema can express: the number fits its document type, and what follows from it."""
    for entry in form.identities:
        number = data.get(entry.name)
        if not isinstance(number, str) or not number:
            continue
        id_type = document_type(data, entry.name)
        identity = check_document(id_type, number, today)
        if not identity.valid:
            code = _CODE_OF_IDENTITY_REASON.get(identity.reason or "", "identity")
            yield field_error(form, entry.name, code, texts)
        elif id_type in (CITIZEN_CARD, RESIDENCE_PERMIT):
            facts = facts_of(identity)
            for target, fact in entry.derive.items():
                if data.get(target) not in (None, "", facts.get(fact)):
                    yield field_error(form, target, "derived_mismatch", texts)


def _check_bundles(form: Form, data: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[FieldError]:
    """One box of the page stands for several values: they are taken together or not at all."""
    for entry in form.fields:
        chosen = data.get(entry.name)
        if "x-bundles" not in entry.schema or not isinstance(chosen, list):
            continue
        for bundle in entry.schema["x-bundles"]:
            if set(bundle["values"]) & set(chosen) and not set(bundle["values"]) <= set(chosen):
                yield field_error(form, entry.name, "bundle_split", texts, label=bundle["label"])
