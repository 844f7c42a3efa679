"""A filled form in reading form: sections of titles and words, for the check page and the case page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.parameters import ParameterSet
from app.formspec.form import Field, Form
from app.services.forms import EMPLOYER_FUNDS, REGION_FUNDS
from app.services.updating import OLD, compared
from app.web.i18n import yuan

EMPTY = "（空）"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field in words; `flagged` marks what the auditor named or the correction changed."""

    name: str
    title: str
    text: str
    kind: str
    flagged: bool
    wide: bool
    old: str | None = None  # what it replaces, where the form shows both


@dataclass(frozen=True, slots=True)
class ReadingSection:
    """A section that has something filled in."""

    id: str
    title: str
    entries: Sequence[Entry]


def reading_sections(
    form: Form,
    data: Mapping[str, Any],
    parameters: ParameterSet,
    flagged: Collection[str] = (),
    hidden: Mapping[str, str] | None = None,
) -> list[ReadingSection]:
    """The filled fields of a form in its sections; `hidden` maps fields to what is shown in their place."""
    pairs = compared(form, data)
    beside = {OLD + name for name in pairs}
    sections = []
    for section in form.sections:
        entries = [
            _entry(field, data, parameters, pairs.get(field.name), field.name in flagged, hidden or {})
            for field in section.fields
            if field.name not in beside and _filled(field, data, pairs)
        ]
        if entries:
            sections.append(ReadingSection(section.id, section.title, entries))
    return sections


def _filled(field: Field, data: Mapping[str, Any], pairs: Mapping[str, tuple[Any, Any]]) -> bool:
    values = pairs.get(field.name, (data.get(field.name),))
    return field.kind != "hidden" and any(value not in (None, "", []) for value in values)


def _entry(
    field: Field,
    data: Mapping[str, Any],
    parameters: ParameterSet,
    pair: tuple[Any, Any] | None,
    flagged: bool,
    hidden: Mapping[str, str],
) -> Entry:
    before, value = pair or (None, data.get(field.name))
    text = hidden.get(field.name) or reading_words(field, value, parameters)
    old = None if pair is None else hidden.get(OLD + field.name) or reading_words(field, before, parameters)
    return Entry(
        field.name,
        plain_title(field.title) if pair else field.title,
        text,
        field.kind,
        flagged,
        field.width > 1,
        None if old == text else old,
    )


def plain_title(title: str) -> str:
    """The title of a field whose old value stands beside it, without the mark of the new one."""
    return title.removesuffix("（新值）")


def reading_words(field: Field, value: Any, parameters: ParameterSet) -> str:
    """A value in words, an empty one too."""
    return EMPTY if value in (None, "", []) else words_of(field, value, parameters)


def words_of(field: Field, value: Any, parameters: ParameterSet) -> str:
    """A stored value in words; funds take the region's names."""
    if field.options_from in (EMPLOYER_FUNDS, REGION_FUNDS) and "x-bundles" not in field.schema:
        field = field.with_options((fund.code, fund.name) for fund in parameters.funds)
    if field.kind == "money":
        return yuan(value)
    return field.label_of(value)
