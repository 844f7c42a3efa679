"""Files on their way into a batch: looked into, and whose they are, by name or by what somebody said."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from app.clock import to_utc
from app.documents import opening
from app.documents.kinds import EXTENSIONS
from app.documents.limits import Limits
from app.documents.refused import DocumentRefused
from app.errors import NotFound
from app.services.actors import Actor
from app.services.batch_members import EVERYBODY, Member, Members
from app.services.material_files import ORIGINAL, safe_name
from app.services.material_needs import Need
from app.services.materials import MEGABYTE
from app.store.batch_people import BatchFileRow
from app.store.crypto import encrypt
from app.store.files import file_store
from app.store.ids import new_id

LOOKERS = 2
CANDIDATES_KEPT = 50
# why a file belongs to nobody yet
UNKNOWN, SEVERAL, NO_ITEM = "unknown", "several", "no_item"


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose a held document is, as somebody said: `who` typed or the id of a candidate, or EVERYBODY."""

    file_id: int
    who: str
    item: str


@dataclass(slots=True)
class Sheet:
    """A file on its way: looked at, and whose it is; `refused` in words where it is not taken."""

    row: BatchFileRow
    people: list[Member]
    need: Need | None = None
    refused: str = ""

    @property
    def settled(self) -> bool:
        return not self.refused and bool(self.people) and self.need is not None


def look_at(files: Sequence[tuple[str, bytes]], members: Members, actor: Actor, now: datetime) -> list[Sheet]:
    """Look into every file, two at a time: each is opened in a process of its own."""
    limits = Limits(file_bytes=members.rules.integer("material.max_megabytes", now) * MEGABYTE)

    def look(content: bytes) -> tuple[str, int] | DocumentRefused:
        try:
            facts = opening.inspect(content, limits)
        except DocumentRefused as refused:
            return refused
        return facts.media_type, facts.pages

    with ThreadPoolExecutor(LOOKERS) as lookers:
        found = list(lookers.map(look, [content for _, content in files]))
    sheets = []
    for (name, content), facts in zip(files, found, strict=True):
        number = new_id()
        row = BatchFileRow(
            id=number,
            batch_id=members.batch.id,
            file_name=safe_name(name, "" if isinstance(facts, DocumentRefused) else EXTENSIONS[facts[0]]),
            file_key=f"materials/batch/{members.batch.id}/{number}/{ORIGINAL}",
            media_type="" if isinstance(facts, DocumentRefused) else facts[0],
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            uploaded_by_id=actor.id or 0,
            created_at_utc=to_utc(now),
            reason=UNKNOWN,
            pages=0 if isinstance(facts, DocumentRefused) else facts[1],
        )
        if isinstance(facts, DocumentRefused):
            sheets.append(Sheet(replace(row, file_name=name), [], refused=str(facts)))
            continue
        # the bytes come first: a row without bytes would be a promise, bytes without a row are only waste
        file_store().put(row.file_key, encrypt(content))
        sheets.append(Sheet(row, []))
    return sheets


def match_by_name(sheet: Sheet, members: Members, item: str, everybody: bool) -> None:
    """Say whose a new file is, by its name and by what was chosen for all files of the request."""
    found = members.match(sheet.row.file_name)
    wanted = item or found.item
    if everybody:
        settle(sheet, members.waiting, members, wanted)
        return
    people = [members.by_id[each] for each in found.people]
    sheet.row.item = wanted
    sheet.row.candidates = [each.id for each in people[:CANDIDATES_KEPT]]
    if len(people) > 1:
        sheet.row.reason = SEVERAL
    elif people:
        settle(sheet, people, members, wanted)


def chosen(row: BatchFileRow, choice: Choice, members: Members) -> Sheet:
    """Say whose a held document is, as somebody chose."""
    sheet = Sheet(row, [])
    item = choice.item or row.item
    if item and item not in members.items:
        raise NotFound("item")
    if choice.who == EVERYBODY:
        settle(sheet, members.waiting, members, item)
        return sheet
    typed = int(choice.who) if choice.who.isascii() and choice.who.isdigit() else 0
    ids = [typed] if typed in members.by_id else members.typed(choice.who)
    if len(ids) == 1:
        settle(sheet, [members.by_id[ids[0]]], members, item)
    elif ids:
        row.candidates, row.reason = ids[:CANDIDATES_KEPT], SEVERAL
    else:
        sheet.refused = f"本批中没有“{choice.who[:30]}”，请填写本批人员的姓名或证件号码"
    return sheet


def settle(sheet: Sheet, people: Sequence[Member], members: Members, item: str) -> None:
    """Put a file with people as an item: held where the item is not known, refused where none fits."""
    here = [each for each in people if each.waiting]
    if not here:
        sheet.refused = f"{people[0].person.name}的申报已不在上传材料环节，不能再上传"
        return
    codes = {need.code for each in here for need in each.needs}
    if not item and len(codes) == 1:
        item = next(iter(codes))
    if not item:
        sheet.row.reason = NO_ITEM
        sheet.row.candidates = [each.id for each in here[:CANDIDATES_KEPT]] if len(people) == 1 else []
        return
    sheet.people = [each for each in here if each.need(item) is not None]
    if not sheet.people:
        sheet.refused = f"{here[0].person.name}不需要提交{members.items[item].name}"
        return
    sheet.need = sheet.people[0].need(item)
    sheet.row.item = item


def reason_words(row: BatchFileRow, items: Collection[str]) -> str:
    """Why a document belongs to nobody yet, and what to do."""
    if row.reason == SEVERAL:
        return f"文件名对应本批中的{len(row.candidates)}个人，请选择"
    if row.reason == NO_ITEM:
        return "请选择是哪一项材料"
    if len(items) > 1 and not row.item:
        return "文件名中没有本批人员的姓名或证件号码，请指定人员和材料"
    return "文件名中没有本批人员的姓名或证件号码，请指定人员"
