"""The people of one batch file, what documents each of them has, and documents that nobody is known for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from app.extensions import db
from app.store import session
from app.store.materials import REMOVED, MaterialRow
from app.store.models import BatchFile, Declaration, HumanTask, ImportRow, Material
from app.store.rows import values_of

_CASE = Declaration.__table__.c
_FILE = BatchFile.__table__
_MATERIAL = Material.__table__
# SQLite and PostgreSQL take far more, but a statement should stay readable in a log
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BatchPerson:
    """One accepted row of a batch: its case, and the form that the case waits for (None: for nothing).

    `number_hash` is the blind index of the identity number.
    """

    row_number: int
    id: int
    reference: str
    name: str
    id_masked: str
    number_hash: bytes | None
    status: str
    facts: dict[str, Any]
    form: str | None


@dataclass(slots=True)
class BatchFileRow:
    """A document of a batch that belongs to nobody yet; `reason` says why it was not matched."""

    id: int
    batch_id: int
    file_name: str
    file_key: str
    media_type: str
    size_bytes: int
    sha256: str
    uploaded_by_id: int
    created_at_utc: datetime
    reason: str
    item: str = ""
    candidates: list[int] = field(default_factory=list)
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """How many documents of one state a case has for an item."""

    declaration_id: int
    item: str
    state: str
    count: int


_FILE_COLUMNS = tuple(_FILE.c[name] for name in BatchFileRow.__slots__)
_MATERIAL_COLUMNS = tuple(_MATERIAL.c[name] for name in MaterialRow.__slots__)


def list_people(batch_id: int, kind_form: str) -> list[BatchPerson]:
    """List all cases of a batch as they were made; `kind_form` is the form of the step looked for."""
    # numbers by case in a statement of their own: no index leads from a case to its row
    numbers = {
        row.declaration_id: row.row_number
        for row in db.session.execute(
            select(ImportRow.declaration_id, ImportRow.row_number).where(
                ImportRow.batch_id == batch_id, ImportRow.declaration_id.is_not(None)
            )
        )
    }
    task = HumanTask.__table__
    rows = db.session.execute(
        select(
            _CASE.id,
            _CASE.reference,
            _CASE.person_name,
            _CASE.id_masked,
            _CASE.person_hash,
            _CASE.status,
            _CASE.facts,
            task.c.form,
        )
        .outerjoin(task, (task.c.declaration_id == _CASE.id) & (task.c.form == kind_form))
        .where(_CASE.batch_id == batch_id)
        .order_by(_CASE.id)
    )
    return [BatchPerson(numbers.get(row.id, 0), *row) for row in rows]


def list_by_status(
    batch_id: int, statuses: Collection[str], after_id: int, limit: int
) -> list[tuple[int, str]]:
    """A page of a batch's cases that have one of these statuses: (id, reference), by id."""
    rows = db.session.execute(
        select(_CASE.id, _CASE.reference)
        .where(_CASE.batch_id == batch_id, _CASE.status.in_(list(statuses)), _CASE.id > after_id)
        .order_by(_CASE.id)
        .limit(limit)
    )
    return [(row.id, row.reference) for row in rows]


def list_waiting(batch_id: int, ids: Collection[int], form: str) -> dict[int, str]:
    """Which of these cases of a batch wait at a step, held until the commit: id -> reference."""
    found: dict[int, str] = {}
    for part in _parts(ids):
        statement = select(_CASE.id, _CASE.reference).where(
            _CASE.batch_id == batch_id,
            _CASE.id.in_(part),
            select(HumanTask.id).where(HumanTask.declaration_id == _CASE.id, HumanTask.form == form).exists(),
        )
        found |= {row.id: row.reference for row in db.session.execute(session.lock(statement))}
    return found


def list_documents(ids: Collection[int]) -> list[MaterialRow]:
    """List the documents of some cases that were not removed, oldest first."""
    found: list[MaterialRow] = []
    for part in _parts(ids):
        rows = db.session.execute(
            select(*_MATERIAL_COLUMNS)
            .where(_MATERIAL.c.declaration_id.in_(part), _MATERIAL.c.state != REMOVED)
            .order_by(_MATERIAL.c.id)
        )
        found += [MaterialRow(*row) for row in rows]
    return found


def list_documents_of(references: Collection[str]) -> list[MaterialRow]:
    """List the documents of some cases, by their references, that were not removed, oldest first."""
    rows = db.session.execute(
        select(*_MATERIAL_COLUMNS)
        .join(Declaration.__table__, _CASE.id == _MATERIAL.c.declaration_id)
        .where(_CASE.reference.in_(list(references)), _MATERIAL.c.state != REMOVED)
        .order_by(_MATERIAL.c.id)
    )
    return [MaterialRow(*row) for row in rows]


def list_forms(ids: Collection[int]) -> dict[int, bytes]:
    """The encrypted forms of some cases: id -> ciphertext."""
    found: dict[int, bytes] = {}
    for part in _parts(ids):
        rows = db.session.execute(select(_CASE.id, _CASE.data_cipher).where(_CASE.id.in_(part)))
        found |= {row.id: row.data_cipher for row in rows}
    return found


def count_drafts(batch_ids: Collection[int]) -> dict[int, int]:
    """How many cases of each batch are still in the employer's hands, before any submission."""
    rows = db.session.execute(
        select(_CASE.batch_id, func.count())
        .where(_CASE.batch_id.in_(list(batch_ids)), _CASE.status == "draft")
        .group_by(_CASE.batch_id)
    )
    return {int(batch_id): int(count) for batch_id, count in rows}


def add_files(rows: Sequence[BatchFileRow]) -> None:
    """Insert documents that belong to nobody yet."""
    session.insert_rows(BatchFile, [values_of(row) for row in rows])


def list_files(batch_id: int, after_id: int = 0, limit: int | None = None) -> list[BatchFileRow]:
    """List a batch's documents that belong to nobody yet, oldest first."""
    rows = db.session.execute(
        select(*_FILE_COLUMNS)
        .where(_FILE.c.batch_id == batch_id, _FILE.c.id > after_id)
        .order_by(_FILE.c.id)
        .limit(limit)
    )
    return [BatchFileRow(*row) for row in rows]


def count_files(batch_id: int) -> int:
    """How many documents of a batch belong to nobody yet."""
    return int(db.session.execute(select(func.count()).where(_FILE.c.batch_id == batch_id)).scalar_one())


def find_file(batch_id: int, file_id: int) -> BatchFileRow | None:
    """Find one document that belongs to nobody yet."""
    row = db.session.execute(
        select(*_FILE_COLUMNS).where(_FILE.c.batch_id == batch_id, _FILE.c.id == file_id)
    ).first()
    return None if row is None else BatchFileRow(*row)


def hold_file(batch_id: int, file_id: int) -> BatchFileRow | None:
    """Load one of these documents and hold it until the commit; None where it is gone."""
    statement = select(*_FILE_COLUMNS).where(_FILE.c.batch_id == batch_id, _FILE.c.id == file_id)
    row = db.session.execute(session.lock(statement)).first()
    return None if row is None else BatchFileRow(*row)


def delete_files(ids: Collection[int]) -> None:
    """Remove documents from the list of those that belong to nobody."""
    for part in _parts(ids):
        db.session.execute(delete(_FILE).where(_FILE.c.id.in_(part)))


def set_same_document(file_key: str, states: Collection[str], **values: Any) -> None:
    """Change all rows of one document, however many cases it stands for, that are in one of these states."""
    db.session.execute(
        update(_MATERIAL)
        .where(_MATERIAL.c.file_key == file_key, _MATERIAL.c.state.in_(list(states)))
        .values(**values)
    )


def is_document_used(file_key: str) -> bool:
    """Whether any case, or any batch, still has this document."""
    for table in (_MATERIAL, _FILE):
        if db.session.execute(select(table.c.id).where(table.c.file_key == file_key).limit(1)).first():
            return True
    return False


def _parts(ids: Iterable[int]) -> Iterable[list[int]]:
    wanted = list(ids)
    return (wanted[start : start + _IDS_AT_ONCE] for start in range(0, len(wanted), _IDS_AT_ONCE))
