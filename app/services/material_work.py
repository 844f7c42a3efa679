"""What is done with a document after it was taken: scanned, drawn, joined. Each may run more than once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from app.documents import opening, scanner
from app.documents.kinds import PDF
from app.documents.refused import DocumentRefused
from app.errors import NotFound
from app.services import outbox
from app.services.material_files import THUMBNAIL, delete_bytes, page_key
from app.store import materials as store
from app.store.batch_people import set_same_document
from app.store.crypto import decrypt_bytes, encrypt
from app.store.files import file_store
from app.store.materials import JOINING, READY, RECEIVED, REFUSED, MaterialRow
from app.store.outbox import OutboxRow, find_outbox
from app.store.session import end_read

Before = Callable[[], None] | None
Finish = Callable[[OutboxRow], None]


def prepare(outbox_id: int, now: datetime, before: Before = None) -> bool:
    """Scan a new document and draw its pages; False where that was done before.

    The work happens outside of any transaction; its outcome and the mark that it is done commit together.
    A scanner that is away counts as a failed attempt; the third one becomes an incident.
    """
    return _work(outbox_id, now, _prepared, "material", before)


def join(outbox_id: int, now: datetime, before: Before = None) -> bool:
    """Make one PDF of an item's pictures, which it replaces; False where that was done before."""
    return _work(outbox_id, now, _joined, "material_join", before)


def _work(
    outbox_id: int, now: datetime, work: Callable[[OutboxRow], Finish], action: str, before: Before
) -> bool:
    row = find_outbox(outbox_id)
    end_read()
    if row is None or row.done_at_utc is not None:
        return False
    try:
        finish = work(row)
    except Exception as error:  # noqa: BLE001 - raised again where the attempt is counted
        finish = _raising(error)
    return outbox.consume(outbox_id, now, finish, action, before)


def _raising(error: Exception) -> Finish:
    def finish(_row: OutboxRow) -> None:
        raise error

    return finish


def _nothing(_row: OutboxRow) -> None:
    """The document is gone, or was dealt with."""


def _prepared(row: OutboxRow) -> Finish:
    material = _received(row)
    end_read()
    if material is None:
        return _nothing
    try:
        content = _bytes_of(material)
        scan = _scanned(content)
        pages = _draw(material, content)
    except DocumentRefused as refused:
        return _refusing(material, refused)

    def finish(_row: OutboxRow) -> None:
        set_same_document(
            material.file_key,
            (RECEIVED,),
            state=READY,
            pages=pages,
            scan=scan,
            thumbnail_key=page_key(material, THUMBNAIL),
        )

    return finish


def _received(row: OutboxRow) -> MaterialRow | None:
    """The new document, by its row or by another one that it stands for; None where nothing is left to do."""
    place = store.find_place(int(row.payload["material_id"]))
    if place is not None and place.row.state == RECEIVED:
        return place.row
    return store.find_received(str(row.payload.get("file_key", "")))


def _bytes_of(material: MaterialRow) -> bytes:
    """A document's bytes; one that was never kept whole is told to whoever uploaded it.

    Raises: DocumentRefused.
    """
    try:
        return decrypt_bytes(file_store().get(material.file_key))
    except NotFound as error:
        raise DocumentRefused("damaged") from error


def _scanned(content: bytes) -> str:
    """`clean`, or `none` where nothing scans. Raises: DocumentRefused, ScannerAway."""
    if not scanner.is_configured():
        return "none"
    threat = scanner.find_threat(content)
    if threat is not None:
        raise DocumentRefused("infected", name=threat)
    return "clean"


def _draw(material: MaterialRow, content: bytes) -> int:
    pictures = opening.render(content, material.media_type)
    file_store().put(page_key(material, THUMBNAIL), encrypt(pictures.thumbnail))
    for number, page in enumerate(pictures.pages, 1):
        file_store().put(page_key(material, f"page-{number}"), encrypt(page))
    return pictures.total


def _refusing(material: MaterialRow, refused: DocumentRefused) -> Finish:
    if refused.code == "infected":
        delete_bytes(material)

    def finish(_row: OutboxRow) -> None:
        scan = "infected" if refused.code == "infected" else material.scan
        set_same_document(
            material.file_key, (RECEIVED, JOINING), state=REFUSED, message=str(refused), scan=scan
        )

    return finish


def _joined(row: OutboxRow) -> Finish:
    place = store.find_place(int(row.payload["material_id"]))
    found = [store.find_place(int(each)) for each in row.payload["sources"]]
    end_read()
    if place is None or place.row.state != JOINING:
        return _nothing
    material = place.row
    sources = [each.row for each in found if each is not None and each.row.state in (RECEIVED, READY)]
    if len(sources) < 2:
        return lambda _row: store.delete_materials([material.id])
    try:
        pictures = [(_bytes_of(each), each.media_type) for each in sources]
        for content, _ in pictures:
            scan = _scanned(content)
        joined = opening.join(pictures)
        file_store().put(material.file_key, encrypt(joined))
        pages = _draw(material, joined)
    except DocumentRefused as refused:
        return _refusing(material, refused)

    def finish(_row: OutboxRow) -> None:
        held = store.hold_material(material.id)
        if held is None or held.state != JOINING:
            return
        store.set_material(
            material.id,
            state=READY,
            media_type=PDF,
            size_bytes=len(joined),
            sha256=hashlib.sha256(joined).hexdigest(),
            pages=pages,
            scan=scan,
            thumbnail_key=page_key(material, THUMBNAIL),
        )
        # what was joined stays as it came, out of sight: the PDF is a copy of it
        for each in sources:
            store.set_material(each.id, state=store.REMOVED)

    return finish
