"""What a document is, by its content: a name or a declared type proves nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.documents.refused import DocumentRefused

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
PICTURES = (JPEG, PNG)
EXTENSIONS = {PDF: ".pdf", JPEG: ".jpg", PNG: ".png"}
_HEADS = ((b"%PDF-", PDF), (b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG))
# First bytes of what people rename, and its name in the refusal.
_OTHER_KINDS: Sequence[tuple[bytes, str]] = (
    (b"PK\x03\x04", "压缩文件或 Office 文档"),
    (b"\xd0\xcf\x11\xe0", "旧版 Office 文档"),
    (b"Rar!", "压缩文件"),
    (b"7z\xbc\xaf", "压缩文件"),
    (b"\x1f\x8b", "压缩文件"),
    (b"MZ", "可执行程序"),
    (b"\x7fELF", "可执行程序"),
    (b"GIF8", " GIF 图片"),
    (b"BM", " BMP 图片"),
    (b"RIFF", " WebP 图片或音视频"),
    (b"II*\x00", " TIFF 图片"),
    (b"MM\x00*", " TIFF 图片"),
    (b"<", "网页或 XML 文件"),
    (b"{", "文本文件"),
)
_HEIC = re.compile(rb"....ftyp(heic|heix|mif1|hevc|avif)", re.DOTALL)
# What a second reader would find in a file that says it is a picture or a PDF.
_ZIP_END = b"PK\x05\x06"
_ZIP_END_WITHIN = 66_000
_PDF_HEAD_WITHIN = 1024
_ACTIVE_PAGE = re.compile(rb"<\s*(script|html|iframe|svg|!doctype)\b|<\?php", re.IGNORECASE)
_PNG_END = b"IEND\xae\x42\x60\x82"
_JPEG_END = b"\xff\xd9"


def media_type(content: bytes) -> str:
    """Return the media type that the first bytes prove. Raises: DocumentRefused."""
    for head, kind in _HEADS:
        if content.startswith(head):
            return kind
    if not content:
        raise DocumentRefused("empty_file")
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if _HEIC.match(content):
        raise DocumentRefused("not_supported", kind=" HEIC 图片")
    kind = next((name for head, name in _OTHER_KINDS if start.startswith(head)), "其他格式")
    raise DocumentRefused("not_supported", kind=kind)


def refuse_mixed(content: bytes, kind: str) -> None:
    """Refuse a file that is two things at once: an archive, a page or a PDF behind a picture.

    Raises: DocumentRefused.
    """
    mixed = _ZIP_END in content[-_ZIP_END_WITHIN:]
    if kind == PDF:
        mixed = mixed or _ACTIVE_PAGE.search(content[:_PDF_HEAD_WITHIN]) is not None
    else:
        mixed = (
            mixed
            or b"%PDF-" in content[:_PDF_HEAD_WITHIN]
            or _ACTIVE_PAGE.search(_outside(content, kind)) is not None
        )
    if mixed:
        raise DocumentRefused("mixed_content")


def _outside(content: bytes, kind: str) -> bytes:
    """The beginning, where comments stand, and whatever follows the end of the picture."""
    mark = _PNG_END if kind == PNG else _JPEG_END
    end = content.rfind(mark)
    behind = content[end + len(mark) :] if end >= 0 else b""
    return content[: 64 * 1024] + behind
