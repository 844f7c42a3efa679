"""The supporting documents of a case: taken, listed, removed, joined, and opened by who may see the case."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.clock import to_region, to_utc
from app.definitions.current import parameters
from app.documents import opening, scanner
from app.documents.kinds import EXTENSIONS, PICTURES
from app.documents.limits import Limits
from app.documents.refused import DocumentRefused
from app.domain.declaration import RETURNED
from app.domain.parameters import ParameterSet
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.services import filing, outbox
from app.services.actions import BUSY, STALE, load_cases
from app.services.actors import Actor, require, require_row
from app.services.cases import Case
from app.services.material_files import (
    ORIGINAL,
    THUMBNAIL,
    WHOLE,
    delete_bytes,
    key_of,
    page_key,
    safe_name,
    shown,
)
from app.services.material_needs import FORM, Need, missing, needs_of
from app.services.views import reaches
from app.store import declarations as declaration_store
from app.store import materials as store
from app.store.batch_people import is_document_used
from app.store.constraints import is_passing
from app.store.crypto import decrypt_bytes, encrypt
from app.store.events import EventRow, add_events
from app.store.files import file_store
from app.store.ids import new_id
from app.store.materials import JOINING, READY, RECEIVED, REFUSED, REMOVED, MaterialRow
from app.store.outbox import OutboxRow, add_outbox
from app.store.session import after_commit, transaction

MEGABYTE = 1 << 20
PREPARE, JOIN = "material", "material_join"
_PAGE = re.compile(r"page-([1-9][0-9]{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class MaterialFile:
    """One document for a page; `state` is received, joining, ready or refused, `message` says why refused."""

    id: int
    item: str
    file_name: str
    media_type: str
    size_bytes: int
    state: str
    pages: int
    shown_pages: int
    message: str
    scan: str
    uploaded_by: str
    created_at: datetime

    @property
    def is_picture(self) -> bool:
        return self.media_type in PICTURES

    @property
    def waiting(self) -> bool:
        return self.state in (RECEIVED, JOINING)


@dataclass(frozen=True, slots=True)
class MaterialItem:
    """A named item with its documents."""

    need: Need
    files: Sequence[MaterialFile]

    @property
    def joinable(self) -> bool:
        """Whether there are several pictures that could become one PDF."""
        usable = [file for file in self.files if file.is_picture and file.state in (RECEIVED, READY)]
        return len(usable) > 1 and all(file.state != JOINING for file in self.files)


@dataclass(frozen=True, slots=True)
class MaterialList:
    """All items of a case. `changeable`: documents may be added and removed by this actor now; `at_step`:
    the case waits for them; `errors` are what is still missing."""

    items: Sequence[MaterialItem]
    changeable: bool
    at_step: bool
    max_megabytes: int
    max_files: int
    pictures_only: bool
    errors: Sequence[FieldError]

    @property
    def files(self) -> list[MaterialFile]:
        return [file for item in self.items for file in item.files]

    @property
    def waiting(self) -> bool:
        return any(file.waiting for file in self.files)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """Bytes for a browser; the name is a safe one."""

    content: bytes
    media_type: str
    file_name: str


def list_items(actor: Actor, reference: str, now: datetime) -> MaterialList:
    """Return a case's items with their documents. Raises: NotFound outside the actor's scope."""
    found = declaration_store.find_case(reference)
    if found is None or not reaches(actor, found):
        raise NotFound("declaration")
    row = found.declaration
    rules = parameters(row.region)
    needs = needs_of(row, rules)
    listed = [_file(material, name) for material, name in store.list_materials(row.id)]
    at_step = any(task.form == FORM for task in found.tasks)
    mine = (row.channel == filing.CHANNEL_COUNTER) == (actor.side != "employer")
    changeable = (
        bool(needs) and mine and actor.may("declaration.file") and (at_step or row.status == RETURNED)
    )
    provided = {file.item for file in listed if file.state in (READY, RECEIVED)}
    refused = {file.item for file in listed if file.state == REFUSED}
    return MaterialList(
        items=[MaterialItem(need, [each for each in listed if each.item == need.code]) for need in needs],
        changeable=changeable,
        at_step=at_step,
        max_megabytes=rules.integer("material.max_megabytes", now),
        max_files=max_files(rules, row.kind, now),
        pictures_only=pictures_only(rules, row.kind, now),
        errors=missing(needs, provided, refused),
    )


def upload(
    actor: Actor, reference: str, item: str, file_name: str, content: bytes, now: datetime
) -> MaterialFile:
    """Take one document for an item: looked at, sealed, kept, and put in line to be prepared.

    Raises: Rejected (the item's field) with words, Conflict, NotFound, Forbidden.
    """
    require(actor, "declaration.file")
    row = _visible(actor, reference)
    rules = parameters(row.region)
    need = _need(needs_of(row, rules), item)
    kind, pages = _look(content, need, rules, now)
    if kind not in PICTURES and pictures_only(rules, row.kind, now):
        words = "本事项只能上传图片（JPG、PNG），请将几份材料拼接在一张图片中再上传"
        raise Rejected([FieldError(need.field, "material.pictures_only", words)])
    name = safe_name(file_name, EXTENSIONS[kind])
    number = new_id()
    material = MaterialRow(
        id=number,
        declaration_id=row.id,
        item=item,
        file_name=name,
        file_key=key_of(row.id, number, ORIGINAL),
        media_type=kind,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_by_id=actor.id or 0,
        created_at_utc=to_utc(now),
        pages=pages,
    )
    # the bytes come first: a row without bytes would be a promise, bytes without a row are only waste
    file_store().put(material.file_key, encrypt(content))

    def write(case: Case) -> None:
        _refuse_more(material, need, max_files(rules, row.kind, now))
        store.add_material(material)
        _note(case, "material_added", actor, now, material)
        _send(PREPARE, {"material_id": number, "declaration_id": row.id}, now)

    try:
        _change(actor, reference, write)
    except BaseException:
        file_store().delete(material.file_key)
        raise
    return _file(material, actor.name)


def remove(actor: Actor, reference: str, material_id: int, now: datetime) -> None:
    """Take a document away. What an auditor may have seen is kept, out of sight, as evidence.

    Raises: NotFound, Conflict, Forbidden.
    """
    gone: list[MaterialRow] = []

    def write(case: Case) -> None:
        material = store.hold_material(material_id)
        if material is None or material.declaration_id != case.declaration.id or material.state == REMOVED:
            raise NotFound("material")
        _note(case, "material_removed", actor, now, material)
        if case.declaration.submitted_at_utc is None:
            store.delete_materials([material_id])
            gone.append(material)
        else:
            store.set_material(material_id, state=REMOVED)

    _change(actor, reference, write)
    for material in gone:
        if not is_document_used(material.file_key):
            delete_bytes(material)


def join(actor: Actor, reference: str, item: str, now: datetime) -> None:
    """Have the pictures of an item made into one PDF, in the order they were uploaded.

    Raises: Rejected, Conflict, NotFound, Forbidden.
    """

    def write(case: Case) -> None:
        need = _need(needs_of(case.declaration, case.parameters), item)
        rows = [row for row, _ in store.list_materials(case.declaration.id) if row.item == item]
        pictures = [row.id for row in rows if row.media_type in PICTURES and row.state in (RECEIVED, READY)]
        if len(pictures) < 2 or any(row.state == JOINING for row in rows):
            raise Rejected([FieldError(need.field, "material.nothing_to_join", "没有可以合并的多张图片")])
        number = new_id()
        declaration_id = case.declaration.id
        store.add_material(
            MaterialRow(
                id=number,
                declaration_id=declaration_id,
                item=item,
                file_name=safe_name(need.name, EXTENSIONS["application/pdf"]),
                file_key=key_of(declaration_id, number, ORIGINAL),
                media_type="application/pdf",
                size_bytes=0,
                sha256="",
                uploaded_by_id=actor.id or 0,
                created_at_utc=to_utc(now),
                state=JOINING,
            )
        )
        payload = {"material_id": number, "declaration_id": declaration_id, "sources": pictures}
        _send(JOIN, payload, now)

    _change(actor, reference, write)


def open_file(actor: Actor, reference: str, material_id: int, part: str = WHOLE) -> OpenedFile:
    """Return a document (`file`), its `thumbnail` or a page (`page-2`); the last two are our own pictures.

    Raises: NotFound outside the actor's scope and while the document is not ready.
    """
    place = store.find_place(material_id)
    if place is None or place.reference != reference or not actor.sees_case(place):
        raise NotFound("material")
    row = place.row
    if row.state != READY:
        raise NotFound("material")
    if part == WHOLE:
        return OpenedFile(decrypt_bytes(file_store().get(row.file_key)), row.media_type, row.file_name)
    if part != THUMBNAIL and not _PAGE.fullmatch(part):
        raise NotFound("part")
    content = decrypt_bytes(file_store().get(page_key(row, part)))
    return OpenedFile(content, "image/jpeg", f"{part}.jpg")


def max_files(rules: ParameterSet, kind: str, now: datetime) -> int:
    """How many documents a case of a kind may have."""
    own = f"material.max_files.{kind}"
    return rules.integer(own if rules.has(own) else "material.max_files", now)


def pictures_only(rules: ParameterSet, kind: str, now: datetime) -> bool:
    """Whether a case of a kind takes pictures and nothing else. Source: Nanjing manual 04."""
    return kind in rules.listed("material.picture_kinds", now)


def _visible(actor: Actor, reference: str) -> declaration_store.DeclarationRow:
    row = declaration_store.find_declaration(reference)
    if row is None or not actor.sees_case(row):
        raise NotFound("declaration")
    return row


def _need(needs: Sequence[Need], item: str) -> Need:
    for need in needs:
        if need.code == item:
            return need
    raise NotFound("item")


def _look(content: bytes, need: Need, rules: ParameterSet, now: datetime) -> tuple[str, int]:
    limits = Limits(file_bytes=rules.integer("material.max_megabytes", now) * MEGABYTE)
    try:
        facts = opening.inspect(content, limits)
    except DocumentRefused as refused:
        words = f"{need.name}：{refused}"
        raise Rejected([FieldError(need.field, f"material.{refused.code}", words)]) from refused
    return facts.media_type, facts.pages


def _refuse_more(material: MaterialRow, need: Need, most: int) -> None:
    held = [row for row, _ in store.list_materials(material.declaration_id)]
    if any(row.item == material.item and row.sha256 == material.sha256 for row in held):
        words = f"{need.name}：已经上传过相同的文件“{material.file_name}”"
        raise Rejected([FieldError(need.field, "material.duplicate", words)])
    if len(held) >= most:
        raise Rejected([FieldError(need.field, "material.too_many", f"最多上传{most}个文件")])


def _change(actor: Actor, reference: str, write: Callable[[Case], None]) -> None:
    """Change the documents of a case that waits for them, with the case held. Raises: Conflict."""
    require(actor, "declaration.file")
    try:
        with transaction():
            cases = load_cases([reference])
            if not cases:
                _visible(actor, reference)
                raise Conflict(STALE)
            (case,) = cases
            require_row(actor, case.declaration.region, case.declaration.employer_id)
            filing.require_filer(actor, case)
            if case.declaration.status != RETURNED and all(task.form != FORM for task in case.tasks):
                raise Conflict(STALE)
            write(case)
    except Exception as error:
        if is_passing(error):
            raise Conflict(BUSY) from error
        raise


def _note(case: Case, action: str, actor: Actor, now: datetime, material: MaterialRow) -> None:
    need = _need(needs_of(case.declaration, case.parameters), material.item)
    detail = {"material": material.id, "item": material.item, "sha256": material.sha256}
    add_events(
        [
            EventRow(
                new_id(), case.declaration.id, action, to_utc(now), element_name=need.name[:64],
                actor_id=actor.id, actor_name=actor.name, detail=detail,
            )
        ]
    )  # fmt: skip


def _send(topic: str, payload: Mapping[str, Any], now: datetime) -> None:
    row: OutboxRow = outbox.new_row(topic, payload, now)
    add_outbox([row])
    after_commit(lambda: outbox.enqueue([(row.id, row.topic)]))


def _file(row: MaterialRow, uploader: str) -> MaterialFile:
    return MaterialFile(
        id=row.id,
        item=row.item,
        file_name=row.file_name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        state=row.state,
        pages=row.pages,
        shown_pages=shown(row.pages),
        message=row.message,
        scan=row.scan if scanner.is_configured() or row.scan != "none" else "none",
        uploaded_by=uploader,
        created_at=to_region(row.created_at_utc),
    )
