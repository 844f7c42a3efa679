"""What somebody confirms for a whole file once it is imported, before its materials: the month it is made in.

The form says which of the file's settings these are. They start with what the kind proposes, and may be
changed while nobody of the file is submitted; the forms of all its people change with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.clock import to_utc
from app.definitions.current import get_bundle
from app.domain.declaration import DISCARDED
from app.domain.problem import Problem
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.formspec.fields import Field
from app.formspec.form import Form
from app.formspec.validate import field_error, validate
from app.services import batch_steps, host
from app.services.actors import Actor, require
from app.services.cases import Case, loaded_case
from app.services.imports import get_batch
from app.services.kinds import handling
from app.services.registry import Registry
from app.services.subjects import field_errors
from app.store import batch_people, declarations, imports
from app.store.crypto import decrypt_json, encrypt_json
from app.store.events import add_events
from app.store.imports import BatchRow
from app.store.queries.batch_checklist import count_cases, count_status
from app.store.session import end_read, transaction

CHUNK = 500
ON_ITS_WAY = "本批已有人员提交，不能再更改"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a file's page asks to be confirmed, with the values as they stand; `waiting`: not yet."""

    batch: BatchRow
    fields: Sequence[Field]
    values: Mapping[str, Any]
    waiting: bool
    changeable: bool


def confirmation(actor: Actor, batch_id: int) -> Confirmation | None:
    """What is confirmed for a batch; None where its form asks for nothing. Raises: NotFound, Forbidden."""
    batch = get_batch(actor, batch_id)
    form = get_bundle(batch.bundle_id).form(batch.kind)
    names = form.batch.confirm if form.batch else ()
    if not names:
        return None
    return Confirmation(
        batch,
        [form.by_name[name] for name in names],
        _settings(batch),
        waiting=batch.confirmed_at_utc is None,
        changeable=not _on_its_way(batch_id),
    )


def confirm(actor: Actor, batch_id: int, posted: Mapping[str, Any], now: datetime) -> None:
    """Confirm what the page shows, or change it for everybody of the file.

    Raises: Rejected (fields), Conflict (somebody is submitted), NotFound, Forbidden.
    """
    require(actor, "declaration.file")
    batch = get_batch(actor, batch_id)
    form = get_bundle(batch.bundle_id).form(batch.kind)
    if form.batch is None or not form.batch.confirm:
        raise NotFound("batch")
    values = _read(form, form.batch.confirm, posted, now)
    _refuse_wrong(batch, values, now)
    end_read()
    with transaction():
        held = imports.hold_batch(batch_id)
        if held is None:
            raise NotFound("batch")
        if _on_its_way(batch_id):
            raise Conflict(ON_ITS_WAY)
        before = _settings(held)
        if any(before.get(name) != value for name, value in values.items()):
            _change_forms(actor, batch_id, values, now)
        imports.set_batch(
            batch_id,
            settings_cipher=encrypt_json({**before, **values}),
            confirmed_at_utc=to_utc(now),
        )


def _settings(batch: BatchRow) -> dict[str, Any]:
    return decrypt_json(batch.settings_cipher) if batch.settings_cipher else {}


def _on_its_way(batch_id: int) -> bool:
    open_now = count_status(batch_id, (*batch_steps.SUBMITTABLE, DISCARDED))
    return count_cases(batch_id) != open_now


def _read(form: Form, names: Sequence[str], posted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    typed = form.parse(posted)
    values = {name: typed[name] for name in names if typed.get(name) not in (None, "", [])}
    errors = validate(form, values, partial=True, today=now.date())
    errors += [field_error(form, name, "required") for name in names if name not in values]
    if errors:
        raise Rejected(errors)
    return values


def _refuse_wrong(batch: BatchRow, values: Mapping[str, Any], now: datetime) -> None:
    """Ask the rules of the kind, for one of the people: what is confirmed is the same for all of them."""
    page = batch_people.list_by_status(batch.id, batch_steps.SUBMITTABLE, 0, 1)
    found = declarations.find_waiting([reference for _, reference in page])
    if not found:
        raise Conflict(host.STALE)
    (loaded,) = found.values()
    case = loaded_case(loaded, Registry())
    case.data |= values
    verdict = handling(batch.kind).judge(case, now.date())
    errors = _errors_at([each for each in verdict.problems if each.field in values], case)
    if errors:
        raise Rejected(errors)


def _errors_at(problems: Sequence[Problem], case: Case) -> list[FieldError]:
    return field_errors(problems, case.parameters, case.bundle.form(case.declaration.kind))


def _change_forms(actor: Actor, batch_id: int, values: Mapping[str, Any], now: datetime) -> None:
    after = 0
    while page := batch_people.list_by_status(batch_id, batch_steps.SUBMITTABLE, after, CHUNK):
        found = declarations.load_waiting([reference for _, reference in page])
        cases = [loaded_case(each, Registry()) for each in found.values()]
        for case in cases:
            host.take_data(case, {**case.data, **values})
            case.declaration.updated_at_utc = to_utc(now)
            case.declaration.lock_version += 1
            case.note("saved", actor, now)
        declarations.set_declarations([case.declaration for case in cases])
        add_events([event for case in cases for event in case.events])
        after = page[-1][0]
