"""A form as its schema describes it: ordered fields that a page, a template, a check and an API can use.

A form is a JSON Schema 2020-12 object. Standard keywords say most: `title`, `description` (help under
the field), `default`, `readOnly` (shown, never taken from the client), `required`, `enum`, `format`.
What a schema cannot say stands in these keys:

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
  x-past          a day that cannot lie after today
  x-not-before    the date field that this one cannot lie before
  x-excel         {title, note, default, sample, required, format, codes}: the field's column in the template
form
  x-sections      [{id, title}] in page order
  x-messages      {code: words} of the form's own kind; a region's parameters may say them in another way
  x-several       an employer may have several of them under way
  x-guide         [{title, text}]: the guide line above the form
  x-roster        active or retired: the person is picked from the employer's own people
  x-people        active or retired: many people are picked from the employer's own, into the field `people`
  x-batch         {file, sheet, title, instructions, columns, settings, optional, prefill, wage, locked,
                  confirm, only}: the batch file. Settings are asked once for the whole file, `confirm` are
                  those of them that are proposed and confirmed after the import, `optional` may be
                  missing in a row though the page asks for it, prefill "roster" hands out the insured staff
                  with their present wage in the columns that `wage` names, `locked` is not edited, `only`:
                  employers file the form in no other way
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from app.formspec.derive import fill_derived
from app.formspec.fields import Batch, Field, Option, Section, make_field
from app.formspec.parse import PARSERS, clean_text, parse_values
from app.formspec.resolve import CodeList, FormDocumentError, resolve_schema
from app.formspec.validate import compile_validator

__all__ = ["Batch", "Field", "Form", "FormDocumentError", "Option", "Section"]

# how a column's title may end: (格式如2020/01/01)
_REMARK = re.compile(r"[(（].*$")

# What a page posts beside the fields.
CONTROL_NAMES = frozenset({"csrf_token", "action", "lock_version", "next"})


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
            make_field(name, key, spec, key in required, codes) for key, spec in schema["properties"].items()
        )
        self.by_name: dict[str, Field] = {entry.name: entry for entry in self.fields}
        self.identities = tuple(entry for entry in self.fields if entry.kind == "identity")
        self.dated = tuple(entry for entry in self.fields if entry.past or entry.not_before)
        self.deriving = tuple(entry for entry in self.fields if entry.derive)

    @classmethod
    def from_documents(
        cls,
        name: str,
        schema: Mapping[str, Any],
        shared: Mapping[str, Mapping[str, Any]],
        codes: Mapping[str, CodeList],
    ) -> Form:
        """Build the form from its document, the shared documents and the region's code lists.

        Shape: `shared` maps "shared/<name>" to documents; `codes` maps list names to (code, label) pairs.
        Raises: FormDocumentError for a document that cannot be used.
        """
        if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
            raise FormDocumentError(name, "#", "a form is a schema of type object with properties")
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
    def codes_by_text(self) -> dict[str, dict[str, str]]:
        """For each choice: what a cell may hold (word, code, "code-word") → code."""
        return {
            entry.name: {
                text: option.value
                for option in reversed(entry.options)
                for text in (option.label, f"{option.value}-{option.label}", option.value)
            }
            for entry in self.fields
            if entry.choice
        }

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
            optional=frozenset(spec.get("optional", ())),
            prefill=spec.get("prefill", ""),
            locked=tuple(spec.get("locked", ())),
            confirm=tuple(spec.get("confirm", ())),
        )

    @property
    def batch_only(self) -> bool:
        """Whether employers file the form by a file alone."""
        return bool(self.schema.get("x-batch", {}).get("only"))

    @cached_property
    def batch_form(self) -> Form:
        """The same form as a batch row has it: only what columns and settings ask can be missing, and each
        field goes by its column's title, without the remark that a title may end in.

        Raises: FormDocumentError where the form has no batch file.
        """
        if self.batch is None:
            raise FormDocumentError(self.name, "#/x-batch", "this form has no batch file")
        asked = {*self.batch.columns, *self.batch.settings} - {*self.batch.optional}
        required = [key for key in self.schema.get("required", ()) if key in asked]
        columns = (self.by_name[name] for name in self.batch.columns)
        required += [
            entry.name
            for entry in columns
            if entry.column is not None and entry.column.required and entry.name not in required
        ]
        titles = {
            entry.name: _REMARK.sub("", entry.column.title)
            for entry in map(self.by_name.__getitem__, self.batch.columns)
            if entry.column is not None
        }
        properties = {
            name: {**entry, "title": titles[name]} if titles.get(name) else entry
            for name, entry in self.schema["properties"].items()
        }
        schema = {**self.schema, "properties": properties, "required": required}
        return Form(f"{self.name}#batch", schema, self.codes)

    @cached_property
    def validator(self) -> Any:
        """The compiled check, made once per form."""
        return compile_validator(self)

    def parse(self, raw: Mapping[str, Any], ignore: Iterable[str] = CONTROL_NAMES) -> dict[str, Any]:
        """Return the typed data of a posted form: trimmed, half-width, dates and money in their inner shape.

        What does not fit its kind stays as typed, so that the page can show it again and the check refuse it.
        Empty fields are left out, read-only ones are not taken, unknown ones stay for the check to refuse.
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
