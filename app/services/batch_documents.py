"""Documents for a whole batch: many files at once, matched to people by their names, the rest by hand.

One request is one transaction however many files and people it is about. A file that belongs to nobody yet is
kept with the batch until somebody says whose it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.clock import to_utc
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.services import outbox
from app.services.actions import BUSY
from app.services.actors import Actor, require
from app.services.batch_members import Members, members_of
from app.services.batch_sheets import Choice, Sheet, chosen, look_at, match_by_name, reason_words
from app.services.imports import get_batch
from app.services.material_needs import FORM
from app.services.materials import PREPARE, OpenedFile, max_files
from app.store import batch_people as store
from app.store import imports as batch_store
from app.store.batch_people import BatchFileRow
from app.store.constraints import is_passing
from app.store.crypto import decrypt_bytes
from app.store.events import EventRow, add_events
from app.store.files import file_store
from app.store.ids import new_id
from app.store.materials import MaterialRow, add_materials
from app.store.outbox import add_outbox
from app.store.session import after_commit, transaction

FIELD = "files"
FILES_AT_ONCE = 50
HELD_AT_MOST = 500
TAKEN, HELD, REFUSED = "taken", "held", "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one file: taken (for `people`, as `item`), held back, or refused with words."""

    file_name: str
    outcome: str
    people: Sequence[str] = ()
    item: str = ""
    message: str = ""


def take_files(
    actor: Actor,
    batch_id: int,
    files: Sequence[tuple[str, bytes]],
    now: datetime,
    item: str = "",
    everybody: bool = False,
) -> list[Answer]:
    """Take files (name, content) for the people of a batch; `item` and `everybody` where somebody says so.

    Shape: one answer per file, in order. Raises: Rejected (`files`), NotFound, Forbidden, Conflict.
    """
    members = _open(actor, batch_id)
    if not files or len(files) > FILES_AT_ONCE:
        words = f"一次最多上传{FILES_AT_ONCE}个文件，请分几次上传" if files else "请先选择文件"
        raise Rejected([FieldError(FIELD, "material.count", words)])
    if item and item not in members.items:
        raise NotFound("item")
    sheets = look_at(files, members, actor, now)
    for sheet in sheets:
        if not sheet.refused:
            match_by_name(sheet, members, item, everybody)
    return _keep(actor, members, sheets, now)


def assign(actor: Actor, batch_id: int, choices: Sequence[Choice], now: datetime) -> list[Answer]:
    """Give held documents to those whose they are.

    A choice that fits nobody, or several, is answered with words and stays. Raises: NotFound, Forbidden.
    """
    members = _open(actor, batch_id)
    by_id = {row.id: row for row in store.list_files(batch_id)}
    sheets = [chosen(by_id[choice.file_id], choice, members) for choice in choices if choice.file_id in by_id]
    return _keep(actor, members, sheets, now, held=True)


def drop_file(actor: Actor, batch_id: int, file_id: int) -> None:
    """Remove a document that belongs to nobody. Raises: NotFound, Forbidden, Conflict."""
    _open(actor, batch_id)
    with transaction():
        row = store.hold_file(batch_id, file_id)
        if row is None:
            raise NotFound("file")
        store.delete_files([file_id])
    forget_files([row])


def open_held(actor: Actor, batch_id: int, file_id: int) -> OpenedFile:
    """Return a document that belongs to nobody, for whoever has to say whose it is. Raises: NotFound."""
    get_batch(actor, batch_id)
    row = store.find_file(batch_id, file_id)
    if row is None:
        raise NotFound("file")
    return OpenedFile(decrypt_bytes(file_store().get(row.file_key)), row.media_type, row.file_name)


def forget_files(rows: Sequence[BatchFileRow]) -> None:
    """Remove the bytes of documents whose rows are gone, where no case has them."""
    for row in rows:
        if not store.is_document_used(row.file_key):
            file_store().delete(row.file_key)


def _open(actor: Actor, batch_id: int) -> Members:
    """A batch whose people may be given documents. Raises: NotFound, Forbidden, Conflict."""
    require(actor, "import.upload")
    require(actor, "declaration.file")
    members = members_of(get_batch(actor, batch_id))
    if not members.waiting:
        raise Conflict("本批申报没有等待材料的人员，请刷新页面")
    return members


def _keep(
    actor: Actor, members: Members, sheets: list[Sheet], now: datetime, held: bool = False
) -> list[Answer]:
    """Write what is settled and what is held in one transaction; bytes of what is not kept are removed."""
    try:
        with transaction():
            batch = batch_store.hold_batch(members.batch.id)
            if batch is None:
                raise NotFound("batch")
            if held:
                # somebody else may have given one away in the meantime
                there = {row.id for row in store.list_files(batch.id)}
                sheets = [sheet for sheet in sheets if sheet.row.id in there]
            _write(actor, members, sheets, now, held)
    except Exception as error:
        if not held:
            forget_files([sheet.row for sheet in sheets])
        if is_passing(error):
            raise Conflict(BUSY) from error
        raise
    if not held:
        forget_files([sheet.row for sheet in sheets if sheet.refused])
    return [_answer(sheet, members) for sheet in sheets]


def _write(actor: Actor, members: Members, sheets: list[Sheet], now: datetime, held: bool) -> None:
    rows: list[MaterialRow] = []
    concerned = {member.id for sheet in sheets if sheet.settled for member in sheet.people}
    waiting = store.list_waiting(members.batch.id, concerned, FORM)
    documents: dict[int, list[MaterialRow]] = {each: [] for each in concerned}
    for document in store.list_documents(concerned):
        documents[document.declaration_id].append(document)
    most = max_files(members.rules, members.batch.kind, now)
    firsts: list[MaterialRow] = []
    for sheet in sheets:
        if not sheet.settled:
            continue
        made = _rows_of(sheet, waiting, documents, most)
        rows += made
        firsts += made[:1]
    kept = [sheet for sheet in sheets if not sheet.refused and not sheet.settled]
    if held:
        gone = [sheet.row.id for sheet in sheets if sheet.settled or sheet in kept]
        store.delete_files(gone)
    _refuse_repeated(kept, members.batch.id)
    add_materials(rows)
    store.add_files([sheet.row for sheet in kept if not sheet.refused])
    add_events([_event(row, members, actor, now) for row in rows])
    # one document is prepared once, however many people it stands for
    jobs = [
        outbox.new_row(
            PREPARE,
            {"material_id": row.id, "declaration_id": row.declaration_id, "file_key": row.file_key},
            now,
        )
        for row in firsts
    ]
    add_outbox(jobs)
    if jobs:
        after_commit(lambda: outbox.enqueue([(job.id, job.topic) for job in jobs]))


def _rows_of(
    sheet: Sheet, waiting: Collection[int], documents: dict[int, list[MaterialRow]], most: int
) -> list[MaterialRow]:
    """The rows of a settled file; nobody gets the same document for an item twice, or more than the limit."""
    file, need = sheet.row, sheet.need
    made: list[MaterialRow] = []
    refusals: list[str] = []
    for member in sheet.people:
        mine = documents[member.id]
        if member.id not in waiting:
            refusals.append(f"{member.person.name}的申报已不在上传材料环节，不能再上传")
        elif any(each.sha256 == file.sha256 and each.item == file.item for each in mine):
            refusals.append(f"{member.person.name}的{need.name if need else ''}已经上传过相同的文件")
        elif len(mine) >= most:
            refusals.append(f"{member.person.name}最多上传{most}个文件")
        else:
            row = MaterialRow(
                id=new_id(),
                declaration_id=member.id,
                item=file.item,
                file_name=file.file_name,
                file_key=file.file_key,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                uploaded_by_id=file.uploaded_by_id,
                created_at_utc=file.created_at_utc,
                pages=file.pages,
            )
            made.append(row)
            mine.append(row)
    if not made:
        sheet.refused = refusals[0]
    return made


def _refuse_repeated(kept: Sequence[Sheet], batch_id: int) -> None:
    """Refuse to hold the same document twice, or more documents than anybody will look through."""
    there = store.list_files(batch_id)
    known = {row.sha256 for row in there}
    room = HELD_AT_MOST - len(there)
    for sheet in kept:
        if sheet.row.sha256 in known:
            sheet.refused = "相同的文件已在未匹配的文件中"
        elif room <= 0:
            sheet.refused = f"未匹配的文件最多保留{HELD_AT_MOST}个，请先处理后再上传"
        else:
            known.add(sheet.row.sha256)
            room -= 1


def _event(row: MaterialRow, members: Members, actor: Actor, now: datetime) -> EventRow:
    return EventRow(
        new_id(),
        row.declaration_id,
        "material_added",
        to_utc(now),
        element_name=members.items[row.item].name[:64],
        actor_id=actor.id,
        actor_name=actor.name,
        detail={"material": row.id, "item": row.item, "sha256": row.sha256},
    )


def _answer(sheet: Sheet, members: Members) -> Answer:
    name = sheet.row.file_name
    if sheet.refused:
        return Answer(name, REFUSED, message=sheet.refused)
    if sheet.settled and sheet.need is not None:
        people = [member.person.name for member in sheet.people]
        return Answer(name, TAKEN, people, sheet.need.name)
    return Answer(name, HELD, message=reason_words(sheet.row, members.items))
