"""A form as its schema describes it: ordered fields that a page, a template, a check and an API can use.

A form is a JSON Schema 2020-12 object. Standard keywords say most: `title`, `description` (help under the
field), `default`, `readOnly` (shown, never taken from the client), `required`, `enum`, `format`. What a schema
cannot say stands in these keys:

field
  x-widget        kind of control where type and format do not decide it (see `KINDS`)
  x-section       id of the section the field stands in
  x-width         columns it takes, 1 to 3
  x-placeholder   grey hint inside the control
  x-codes         name of the code list that fills `enum` and the options (an `enum` beside it is a selection)
  x-options-from  name of a list that is only known when the page is made, such as the employer's funds
  x-bundles       [{label, values}]: boxes that stand for several values at once
  x-sensitive     personal data that lists mask and tables encrypt
  x-derive        {field: fact}: fields that a valid identity card number fills (birth_date, sex, nationality)
  x-trial         the trial amounts follow this field
  x-message       the refusal's words when `pattern` does not fit
  x-excel         {title, note, default, sample, required, format, codes}: the field's column in the template
form
  x-sections      [{id, title}] in page order
  x-guide         [{title, text}]: the guide line above the form
  x-batch         {file, sheet, title, instructions, columns, settings, prefill, locked}: the batch file
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from app.formspec.derive import fill_derived
from app.formspec.parse import PARSERS, clean_text, parse_values
from app.formspec.resolve import CodeList, FormProblem, resolve_schema
from app.formspec.validate import compile_validator

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
# What a page posts beside the fields.
CONTROL_NAMES = frozenset({"csrf_token", "action", "decision_task", "lock_version", "next"})


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
    prefill: str = ""
    locked: tuple[str, ...] = ()


class Form:
    """One published form, resolved; compiled validators hang on it, so keep one per published version."""

    def __init__(self, name: str, schema: dict[str, Any], codes: Mapping[str, CodeList]) -> None:
        self.name = name
        self.schema = schema
        self.codes = codes
        self.title: str = schema.get("title", name)
        self.guide: list[dict[str, str]] = schema.get("x-guide", [])
        required = frozenset(schema.get("required", ()))
        self.fields: tuple[Field, ...] = tuple(
            _field(name, key, spec, key in required, codes) for key, spec in schema["properties"].items()
        )
        self.by_name: dict[str, Field] = {entry.name: entry for entry in self.fields}
        self.identities = tuple(entry for entry in self.fields if entry.kind == "identity")
        self.deriving = tuple(entry for entry in self.fields if entry.derive)

    @classmethod
    def from_documents(
        cls,
        name: str,
        schema: Mapping[str, Any],
        shared: Mapping[str, Mapping[str, Any]],
        codes: Mapping[str, CodeList],
    ) -> Form:
        """Build the form from its document, the shared documents ("shared/<name>") and the region's code lists.

        Raises: FormProblem for a document that cannot be used.
        """
        if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
            raise FormProblem(name, "#", "a form is a schema of type object with properties")
        return cls(name, resolve_schema(name, schema, shared, codes), codes)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The fields in page order; those without a section come first, under no title."""
        named = [(entry["id"], entry["title"]) for entry in self.schema.get("x-sections", [])]
        order = [("", ""), *named]
        grouped = [
            Section(key, title, tuple(entry for entry in self.fields if entry.section == key))
            for key, title in order
        ]
        return tuple(section for section in grouped if section.fields)

    @cached_property
    def sensitive_names(self) -> frozenset[str]:
        return frozenset(entry.name for entry in self.fields if entry.sensitive)

    @cached_property
    def trial_names(self) -> tuple[str, ...]:
        """Fields whose change asks for new trial amounts."""
        return tuple(entry.name for entry in self.fields if entry.trial)

    @cached_property
    def batch(self) -> Batch | None:
        """How the form goes into a workbook, or None where it has no batch file."""
        spec = self.schema.get("x-batch")
        if spec is None:
            return None
        return Batch(
            title=spec.get("title", self.title),
            file_name=spec["file"],
            sheet=spec.get("sheet", self.title),
            instructions=spec.get("instructions", ""),
            columns=tuple(spec["columns"]),
            settings=tuple(spec.get("settings", ())),
            prefill=spec.get("prefill", ""),
            locked=tuple(spec.get("locked", ())),
        )

    @cached_property
    def batch_form(self) -> Form:
        """The same form as a batch row has it: only what columns and settings ask can be missing.

        Raises: FormProblem where the form has no batch file.
        """
        if self.batch is None:
            raise FormProblem(self.name, "#/x-batch", "this form has no batch file")
        asked = {*self.batch.columns, *self.batch.settings}
        schema = dict(self.schema)
        schema["required"] = [key for key in self.schema.get("required", ()) if key in asked]
        return Form(f"{self.name}#batch", schema, self.codes)

    @cached_property
    def validator(self) -> Any:
        """The compiled check, made once per form."""
        return compile_validator(self)

    def parse(self, raw: Mapping[str, Any], ignore: Iterable[str] = CONTROL_NAMES) -> dict[str, Any]:
        """Return the typed data of a posted form: trimmed, half-width, dates and money in their inner shape.

        What does not fit its kind stays as typed, so that the page can show it again and the check refuse it.
        Empty fields are left out, read-only ones are not taken, unknown ones are kept for the check to refuse.
        A valid identity card number fills the fields that follow from it where they are empty.
        """
        skipped = frozenset(ignore)
        data: dict[str, Any] = {}
        for key in raw:
            if key in skipped:
                continue
            entry = self.by_name.get(key)
            if entry is None:
                data[key] = _all_values(raw, key)[-1]
            elif not entry.readonly:
                _parse_into(data, entry, _all_values(raw, key))
        return fill_derived(self, {name: data[name] for name in self._ordered(data)})

    def defaults(self) -> dict[str, Any]:
        """Return what a new form starts with."""
        return {entry.name: entry.default for entry in self.fields if entry.default is not None}

    def reading(self, data: Mapping[str, Any]) -> list[tuple[Field, str]]:
        """Return the filled fields with their values in words, for the check page and the case page."""
        return [(entry, entry.label_of(data[entry.name])) for entry in self.fields if entry.name in data]

    def _ordered(self, data: Mapping[str, Any]) -> list[str]:
        known = [entry.name for entry in self.fields if entry.name in data]
        return known + [key for key in data if key not in self.by_name]


def _all_values(raw: Mapping[str, Any], key: str) -> list[str]:
    getlist = getattr(raw, "getlist", None)
    values = getlist(key) if getlist is not None else raw[key]
    if isinstance(values, list | tuple):
        return [str(value) for value in values] or [""]
    return [str(values)]


def _parse_into(data: dict[str, Any], entry: Field, values: Sequence[str]) -> None:
    if entry.multiple:
        chosen = parse_values(entry.kind, values)
        if chosen:
            data[entry.name] = chosen
        return
    typed = values[-1]
    if clean_text(typed):
        data[entry.name] = PARSERS[entry.kind](typed)


def _field(form: str, name: str, spec: Mapping[str, Any], required: bool, codes: Mapping[str, CodeList]) -> Field:
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
        raise FormProblem(form, f"#/properties/{name}", f"no control is called {kind}")
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
