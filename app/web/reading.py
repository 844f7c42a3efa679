"""A filled form in reading form: sections of titles and words, for the check page and the case page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.parameters import ParameterSet
from app.formspec.form import Field, Form
from app.services.forms import EMPLOYER_FUNDS
from app.web.i18n import yuan


@dataclass(frozen=True, slots=True)
class Entry:
    """One field in words; `flagged` marks what the auditor named or the correction changed."""

    name: str
    title: str
    text: str
    kind: str
    flagged: bool
    wide: bool


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
    sections = []
    for section in form.sections:
        entries = [
            Entry(
                field.name,
                field.title,
                (hidden or {}).get(field.name) or words_of(field, data[field.name], parameters),
                field.kind,
                field.name in flagged,
                field.width > 1,
            )
            for field in section.fields
            if data.get(field.name) not in (None, "", [])
        ]
        if entries:
            sections.append(ReadingSection(section.id, section.title, entries))
    return sections


def words_of(field: Field, value: Any, parameters: ParameterSet) -> str:
    """A stored value in words; funds take the region's names."""
    if field.options_from == EMPLOYER_FUNDS and "x-bundles" not in field.schema:
        field = field.with_options((fund.code, fund.name) for fund in parameters.funds)
    if field.kind == "money":
        return yuan(value)
    return field.label_of(value)
