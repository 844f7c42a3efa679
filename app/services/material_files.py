"""Where the bytes of a document lie, with the pictures made of it, and what it is called when it is saved."""

from __future__ import annotations

import re
import unicodedata

from app.documents import opening
from app.store.files import file_store
from app.store.materials import MaterialRow

WHOLE, THUMBNAIL, ORIGINAL = "file", "thumbnail", "original"
NAME_LENGTH = 80
_BAD_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def page_key(material: MaterialRow, part: str) -> str:
    """Where a picture that was made of a document lies: beside it, however often it is made.

    A document that stands for several people of a batch lies in one place for all of them.
    """
    return f"{material.file_key.rpartition('/')[0]}/{part}"


def delete_bytes(material: MaterialRow) -> None:
    """Remove a document's bytes and its pictures."""
    names = [ORIGINAL, THUMBNAIL, *(f"page-{number}" for number in range(1, shown(material.pages) + 1))]
    for name in names:
        file_store().delete(page_key(material, name))


def shown(pages: int) -> int:
    """How many pages of a document are drawn."""
    return min(pages, opening.USUAL.shown_pages)


def key_of(declaration_id: int, material_id: int, name: str) -> str:
    """Where a document of one case lies."""
    return f"materials/{declaration_id}/{material_id}/{name}"


def safe_name(given: str, extension: str) -> str:
    """A name to download under: the given one without paths and marks, with the extension of the content."""
    text = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    stem = _BAD_IN_NAMES.sub("", text)
    stem = "".join(letter for letter in stem if unicodedata.category(letter)[0] != "C").strip(" .")
    stem = re.sub(r"\.(pdf|jpe?g|png)$", "", stem, flags=re.IGNORECASE)
    return (stem[:NAME_LENGTH].strip(" .") or "材料") + extension
