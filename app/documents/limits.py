"""What one document may cost."""

from __future__ import annotations

from dataclasses import dataclass

_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Units: bytes, pixels, pages, seconds, pixels of the longer side."""

    file_bytes: int = 10 * _MEGABYTE
    pixels: int = 60_000_000
    pages: int = 200
    shown_pages: int = 60
    page_side: int = 1800
    thumbnail_side: int = 240
    memory_bytes: int = 1024 * _MEGABYTE
    output_bytes: int = 32 * _MEGABYTE
    inspect_seconds: int = 15
    render_seconds: int = 90
