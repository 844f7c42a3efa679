"""What a form's fields are made of: kinds of control, choices, template columns, sections, batch files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.formspec.parse import PARSERS
from app.formspec.resolve import CodeList, FormDocumentError

KINDS = tuple(PARSERS)
_MULTIPLE = frozenset({"multiselect", "checkboxes"})
_CHOICES = frozenset({"select", "radios", *_MULTIPLE})
_SEARCHABLE_FROM = 12
# Format of a string property → kind of control.
_KIND_OF_FORMAT = {
    "date": "date",
    "month": "month",
    "money": "money",
    "whole-yuan": "money",
    "identity": "identity",
    "phone": "phone",
    "account": "account",
    "email": "email",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice; a bundle's value joins several codes with commas."""

    value: str
    label: str

    @property
    def values(self) -> list[str]:
        return self.value.split(",")


@dataclass(frozen=True, slots=True)
class Column:
    """A field's column in the batch template."""

    title: str
    note: str = ""
    default: str | None = None
    sample: str = ""
    required: bool = False
    format: str = ""
    show_codes: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """All that a page needs to show one field; `kind` chooses the macro."""

    name: str
    title: str
    kind: str
    required: bool = False
    help: str = ""
    section: str = ""
    width: int = 1
    options: tuple[Option, ...] = ()
    options_from: str = ""
    searchable: bool = False
    readonly: bool = False
    default: Any = None
    sensitive: bool = False
    placeholder: str = ""
    trial: bool = False
    derive: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    past: bool = False
    not_before: str = ""
    max_length: int | None = None
    column: Column | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def multiple(self) -> bool:
        return self.kind in _MULTIPLE

    @property
    def choice(self) -> bool:
        return self.kind in _CHOICES

    def label_of(self, value: Any) -> str:
        """Return the words for a stored value, for reading pages and exports: labels, never codes."""
        if isinstance(value, list | tuple):
            return "、".join(self._labels_of_list([str(item) for item in value]))
        if isinstance(value, bool):
            return "是" if value else "否"
        text = "" if value is None else str(value)
        return next((option.label for option in self.options if option.value == text), text)

    def selected(self, option: Option, value: Any) -> bool:
        """Tell whether an option (or a whole bundle) is among the stored values."""
        held = [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]
        return all(code in held for code in option.values)

    def with_options(self, options: Iterable[tuple[str, str]]) -> Field:
        """Return the field with the choices that the page's own data give, such as the employer's funds."""
        return replace(self, options=tuple(Option(value, label) for value, label in options))

    def _labels_of_list(self, held: Sequence[str]) -> list[str]:
        labels = [option.label for option in self.options if all(code in held for code in option.values)]
        named = {code for option in self.options for code in option.values}
        return labels + [code for code in held if code not in named]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of fields on the page."""

    id: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """The batch file of a form: its columns, and what is asked once for the whole file."""

    title: str
    file_name: str
    sheet: str
    instructions: str
    columns: tuple[str, ...]
    settings: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    prefill: str = ""
    locked: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()


def make_field(
    form: str, name: str, spec: Mapping[str, Any], required: bool, codes: Mapping[str, CodeList]
) -> Field:
    """Describe one property of a resolved form schema.

    Raises: FormDocumentError for a control that does not exist.
    """
    options = _options(spec, codes)
    kind = _kind(form, name, spec, options)
    excel = spec.get("x-excel")
    title = spec.get("title", name)
    return Field(
        name=name,
        title=title,
        kind=kind,
        required=required,
        help=spec.get("description", ""),
        section=spec.get("x-section", ""),
        width=int(spec.get("x-width", 1)),
        options=options,
        options_from=spec.get("x-options-from", ""),
        searchable=kind in ("select", "multiselect") and len(options) > _SEARCHABLE_FROM,
        readonly=bool(spec.get("readOnly", False)),
        default=spec.get("default"),
        sensitive=bool(spec.get("x-sensitive", False)),
        placeholder=spec.get("x-placeholder", ""),
        trial=bool(spec.get("x-trial", False)),
        derive=spec.get("x-derive", {}),
        message=spec.get("x-message", ""),
        past=bool(spec.get("x-past", False)),
        not_before=spec.get("x-not-before", ""),
        max_length=spec.get("maxLength"),
        column=_column(title, excel, required) if excel is not None else None,
        schema=spec,
    )


def _column(title: str, excel: Mapping[str, Any], required: bool) -> Column:
    default = excel.get("default")
    return Column(
        title=excel.get("title", title),
        note=excel.get("note", ""),
        default=default,
        sample=str(excel.get("sample", "")),
        required=bool(excel.get("required", required and default is None)),
        format=excel.get("format", ""),
        show_codes=bool(excel.get("codes", False)),
    )


def _options(spec: Mapping[str, Any], codes: Mapping[str, CodeList]) -> tuple[Option, ...]:
    if "x-bundles" in spec:
        return tuple(Option(",".join(entry["values"]), entry["label"]) for entry in spec["x-bundles"])
    holder = spec.get("items", {}) if spec.get("type") == "array" else spec
    if "enum" not in holder:
        return ()
    labels = dict(codes[spec["x-codes"]]) if "x-codes" in spec else spec.get("x-labels", {})
    return tuple(Option(str(code), labels.get(code, str(code))) for code in holder["enum"])


def _kind(form: str, name: str, spec: Mapping[str, Any], options: Sequence[Option]) -> str:
    kind = spec.get("x-widget") or _kind_of_type(spec, options)
    if kind not in PARSERS:
        raise FormDocumentError(form, f"#/properties/{name}", f"no control is called {kind}")
    return str(kind)


def _kind_of_type(spec: Mapping[str, Any], options: Sequence[Option]) -> str:
    match spec.get("type", "string"):
        case "array":
            return "checkboxes" if len(options) <= _SEARCHABLE_FROM else "multiselect"
        case "boolean":
            return "check"
        case "integer":
            return "integer"
    if options or "x-options-from" in spec:
        return "select"
    return _KIND_OF_FORMAT.get(spec.get("format", ""), "text")
