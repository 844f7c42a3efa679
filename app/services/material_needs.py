"""Which materials a case needs, as its decision table has answered, and whether they are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.parameters import ParameterSet
from app.errors import FieldError, Rejected
from app.services.cases import Case
from app.store import materials as store
from app.store.declarations import DeclarationRow
from app.store.materials import READY, RECEIVED

FORM = "materials"
FIELD = "material_{code}"
_COUNTS = (READY, RECEIVED)


@dataclass(frozen=True, slots=True)
class Need:
    """One named item; `required` ones must be there before the case goes on."""

    code: str
    name: str
    required: bool

    @property
    def field(self) -> str:
        """Where refusals about the item stand on its page."""
        return FIELD.format(code=self.code)


def needs_of(row: DeclarationRow, rules: ParameterSet) -> tuple[Need, ...]:
    """The items of a case in the table's order; none before the table was asked."""
    return needs_from(row.facts, rules)


def needs_from(facts: Mapping[str, Any], rules: ParameterSet) -> tuple[Need, ...]:
    """The items that a case's routing facts name, in the table's order."""
    words = rules.codes("material")
    return tuple(
        Need(code, words.label(code) if code in words else code, bool(required))
        for code, required in facts.get("materials", ())
    )


def missing(needs: Collection[Need], provided: Collection[str], refused: Collection[str]) -> list[FieldError]:
    """What must still be done: required items without a document, and documents that were not taken."""
    errors = [
        FieldError(need.field, "material.missing", f"请上传{need.name}")
        for need in needs
        if need.required and need.code not in provided and need.code not in refused
    ]
    errors += [
        FieldError(need.field, "material.refused", f"{need.name}中有文件未通过检查，请删除后重新上传")
        for need in needs
        if need.code in refused
    ]
    return errors


def refuse_incomplete(case: Case) -> None:
    """Refuse a case to go on without its materials. Raises: Rejected."""
    needs = needs_of(case.declaration, case.parameters)
    if not needs:
        return
    rows = [row for row, _ in store.list_materials(case.declaration.id)]
    provided = {row.item for row in rows if row.state in _COUNTS}
    errors = missing(needs, provided, {row.item for row in rows if row.state == store.REFUSED})
    if errors:
        raise Rejected(errors)
