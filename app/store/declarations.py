"""Rows of `declaration`, alone and with what belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, update

from app.domain.enrolment import COUNTER_CHANNEL
from app.extensions import db
from app.store import session
from app.store.instances import InstanceRow
from app.store.models import Declaration, DeclarationObject, Employer, HumanTask, ProcessInstance
from app.store.tasks import TaskRow


@dataclass(slots=True)
class DeclarationRow:
    """One row, as read and as it will be written."""

    id: int
    reference: str
    region: str
    employer_id: int
    kind: str
    status: str
    channel: str
    data_cipher: bytes
    created_by_id: int
    created_at_utc: datetime
    updated_at_utc: datetime
    open_key: str | None = None
    person_id: int | None = None
    person_hash: bytes | None = None
    person_name: str = ""
    id_masked: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    result_code: str = ""
    result_message: str = ""
    decision: str | None = None
    opinion: str = ""
    return_fields: list[str] = field(default_factory=list)
    batch_id: int | None = None
    copied_from_id: int | None = None
    submitted_by_id: int | None = None
    decided_by_id: int | None = None
    submitted_at_utc: datetime | None = None
    decided_at_utc: datetime | None = None
    lock_version: int = 1


@dataclass(frozen=True, slots=True)
class EmployerRow:
    """What every action needs to know of the employer."""

    id: int
    employer_no: str
    name: str
    status: str


@dataclass(slots=True)
class Loaded:
    """A case as the database has it: with its process, its employer and all its open tasks."""

    declaration: DeclarationRow
    instance: InstanceRow
    employer: EmployerRow
    tasks: list[TaskRow]


_NAMES = tuple(entry.name for entry in fields(DeclarationRow))
_TABLE = Declaration.__table__
_COLUMNS = tuple(_TABLE.c[name] for name in _NAMES)
_INSTANCE = tuple(ProcessInstance.__table__.c[entry.name] for entry in fields(InstanceRow))
_EMPLOYER = tuple(Employer.__table__.c[entry.name] for entry in fields(EmployerRow))
_TASK = tuple(HumanTask.__table__.c[entry.name] for entry in fields(TaskRow))
_STARTS = (
    0,
    len(_COLUMNS),
    len(_COLUMNS) + len(_INSTANCE),
    len(_COLUMNS) + len(_INSTANCE) + len(_EMPLOYER),
)

# what an action may change; the rest of a row is written once
CHANGING = (
    "status", "open_key", "person_id", "person_hash", "person_name", "id_masked", "data_cipher", "facts",
    "result_code", "result_message", "decision", "opinion", "return_fields", "submitted_by_id",
    "decided_by_id", "updated_at_utc", "submitted_at_utc", "decided_at_utc", "lock_version",
)  # fmt: skip

_CASES = (
    select(*_COLUMNS, *_INSTANCE, *_EMPLOYER, *_TASK)
    .select_from(Declaration.__table__)
    .join(ProcessInstance.__table__, ProcessInstance.declaration_id == Declaration.id)
    .join(Employer.__table__, Employer.id == Declaration.employer_id)
)
_OWN_TASKS = (HumanTask.__table__, HumanTask.declaration_id == Declaration.id)
_WAITING = _CASES.join(*_OWN_TASKS)
_ANY = _CASES.outerjoin(*_OWN_TASKS)
_UPDATE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in CHANGING})
)


_HELD_OBJECTS = DeclarationObject.__table__
_OPEN = (
    select(_TABLE.c.open_key, _TABLE.c.reference)
    .where(_TABLE.c.open_key.in_(bindparam("keys", expanding=True)))
    .union(
        select(_HELD_OBJECTS.c.open_key, _TABLE.c.reference)
        .join(_TABLE, _TABLE.c.id == _HELD_OBJECTS.c.declaration_id)
        .where(_HELD_OBJECTS.c.open_key.in_(bindparam("keys", expanding=True)))
    )
)
_ORDER = (Declaration.id, HumanTask.id)
_WAITING_BY_REFERENCE = _WAITING.where(
    Declaration.reference.in_(bindparam("references", expanding=True))
).order_by(*_ORDER)
_WAITING_BY_TASK = _WAITING.where(
    Declaration.id
    == select(HumanTask.declaration_id).where(HumanTask.id == bindparam("task_id")).scalar_subquery()
).order_by(*_ORDER)
_ANY_BY_ID = _ANY.where(Declaration.id.in_(bindparam("ids", expanding=True))).order_by(*_ORDER)
_ANY_BY_REFERENCE = _ANY.where(Declaration.reference == bindparam("reference")).order_by(*_ORDER)
_HELD = (Declaration.__table__, ProcessInstance.__table__)
_HELD_WAITING = {
    statement: statement.with_for_update(of=[*_HELD, HumanTask.__table__])
    for statement in (_WAITING_BY_REFERENCE, _WAITING_BY_TASK)
}
_HELD_DUE = _ANY_BY_ID.with_for_update(of=list(_HELD), skip_locked=True)


def load_waiting(references: Sequence[str]) -> dict[str, Loaded]:
    """Load and hold cases that wait for somebody, with all their tasks, in one statement.

    Whoever waited here for another's commit reads what that one left: an ended task is gone, and with its
    last task a case is left out.
    """
    return _load(_waiting(_WAITING_BY_REFERENCE), {"references": list(references)})


def find_waiting(references: Sequence[str]) -> dict[str, Loaded]:
    """Load cases that wait for somebody without holding them, to judge them before the database is held."""
    return _load(_WAITING_BY_REFERENCE, {"references": list(references)})


def hold_versions(batch_id: int, statuses: Sequence[str]) -> dict[int, int]:
    """Hold the cases of a batch that have one of these statuses: id -> version."""
    statement = (
        select(_TABLE.c.id, _TABLE.c.lock_version)
        .where(_TABLE.c.batch_id == batch_id, _TABLE.c.status.in_(statuses))
        .order_by(_TABLE.c.id)
    )
    return {row.id: row.lock_version for row in db.session.execute(session.lock(statement))}


def load_by_task(task_id: int) -> Loaded | None:
    """Load and hold the case of an open task; None where the task is gone."""
    for loaded in _load(_waiting(_WAITING_BY_TASK), {"task_id": task_id}).values():
        if any(task.id == task_id for task in loaded.tasks):
            return loaded
    return None


def load_due(ids: Sequence[int]) -> dict[str, Loaded]:
    """Load and hold cases for their timers; those that somebody else holds now are left out."""
    return _load(_HELD_DUE if session.is_postgresql() else _ANY_BY_ID, {"ids": list(ids)})


def find_case(reference: str) -> Loaded | None:
    """Find one case with everything, to look at it."""
    return _load(_ANY_BY_REFERENCE, {"reference": reference}).get(reference)


def find_declaration(reference: str) -> DeclarationRow | None:
    """Find a declaration alone."""
    row = db.session.execute(select(*_COLUMNS).where(Declaration.reference == reference)).first()
    return None if row is None else DeclarationRow(*row)


def find_reference(declaration_id: int) -> str | None:
    """Find the reference of a declaration."""
    return db.session.execute(select(Declaration.reference).where(Declaration.id == declaration_id)).scalar()


def find_open(keys: Iterable[str]) -> dict[str, str]:
    """Find who holds these keys of open objects: key -> reference."""
    rows = db.session.execute(_OPEN, {"keys": list(keys)})
    return {key: reference for key, reference in rows if key is not None}


def list_references(
    employer_id: int, kind: str, statuses: Sequence[str], after_id: int, limit: int
) -> list[tuple[int, str]]:
    """List an employer's own cases of a kind in the order they were made: (id, reference) after an id."""
    rows = db.session.execute(
        select(Declaration.id, Declaration.reference)
        .where(
            Declaration.employer_id == employer_id,
            Declaration.kind == kind,
            Declaration.status.in_(statuses),
            Declaration.channel != COUNTER_CHANNEL,
            Declaration.id > after_id,
        )
        .order_by(Declaration.id)
        .limit(limit)
    )
    return [(row.id, row.reference) for row in rows]


def add_declarations(rows: Sequence[DeclarationRow]) -> None:
    """Insert new cases in one statement."""
    session.insert_rows(Declaration, [{name: getattr(row, name) for name in _NAMES} for row in rows])


def set_declarations(rows: Sequence[DeclarationRow]) -> None:
    """Write what actions may change, for all rows in one statement."""
    if rows:
        db.session.execute(
            _UPDATE, [{"b_id": row.id, **{f"b_{n}": getattr(row, n) for n in CHANGING}} for row in rows]
        )


def set_statuses(ids: Sequence[int], status: str, now_utc: datetime) -> None:
    """Change nothing but the status (a claim or a release)."""
    db.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(ids))
        .values(status=status, updated_at_utc=now_utc, lock_version=_TABLE.c.lock_version + 1)
    )


def _waiting(statement: Select[Any]) -> Select[Any]:
    return _HELD_WAITING[statement] if session.is_postgresql() else statement


def _load(statement: Select[Any], given: dict[str, Any]) -> dict[str, Loaded]:
    found: dict[str, Loaded] = {}
    for row in db.session.execute(statement, given):
        _take(found, row)
    return found


def _take(found: dict[str, Loaded], row: Row[Any]) -> None:
    values = tuple(row)
    _, instance, employer, task = _STARTS
    reference = values[1]
    loaded = found.get(reference)
    if loaded is None:
        loaded = found[reference] = Loaded(
            DeclarationRow(*values[:instance]),
            InstanceRow(*values[instance:employer]),
            EmployerRow(*values[employer:task]),
            [],
        )
    if values[task] is not None:
        loaded.tasks.append(TaskRow(*values[task:]))
