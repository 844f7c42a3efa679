"""Open documents that came from outside, trusting nothing in them: the work is done in a child process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from app.documents.kinds import PICTURES, media_type, refuse_mixed
from app.documents.limits import Limits
from app.documents.refused import WORDS, DocumentRefused

_READER = Path(__file__).with_name("reader.py")
_MEGABYTE = 1 << 20
# Each child may take a gigabyte: no more than this many at once in one process.
_AT_ONCE = BoundedSemaphore(2)
USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sound document is."""

    media_type: str
    pages: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is shown of a document: thumbnail and pages, all JPEG; `total` counts pages not shown too."""

    thumbnail: bytes
    pages: Sequence[bytes]
    total: int


def inspect(content: bytes, limits: Limits = USUAL) -> Facts:
    """Return what a document is, or refuse it: by size, type, soundness and what it carries along.

    Raises: DocumentRefused.
    """
    if len(content) > limits.file_bytes:
        raise DocumentRefused("too_big", limit=limits.file_bytes // _MEGABYTE)
    kind = media_type(content)
    refuse_mixed(content, kind)
    with tempfile.TemporaryDirectory(prefix="material-") as folder:
        source = _put(folder, "source", content)
        job = {"task": "inspect", "sources": [source], "media_type": kind}
        answer = _run(job, folder, limits, limits.inspect_seconds)
    return Facts(kind, answer["pages"])


def render(content: bytes, kind: str, limits: Limits = USUAL) -> Pictures:
    """Draw a document's pages and thumbnail. Raises: DocumentRefused."""
    with tempfile.TemporaryDirectory(prefix="material-") as folder:
        source = _put(folder, "source", content)
        job = {"task": "render", "sources": [source], "media_type": kind}
        answer = _run(job, folder, limits, limits.render_seconds)
        place = Path(folder)
        return Pictures(
            (place / "thumbnail.jpg").read_bytes(),
            [(place / f"page-{number}.jpg").read_bytes() for number in range(1, answer["shown"] + 1)],
            answer["pages"],
        )


def join(pictures: Sequence[tuple[bytes, str]], limits: Limits = USUAL) -> bytes:
    """Make one PDF of pictures, one to a page. Shape: (content, media type). Raises: DocumentRefused."""
    if any(kind not in PICTURES for _, kind in pictures):
        raise ValueError("only pictures are joined")
    with tempfile.TemporaryDirectory(prefix="material-") as folder:
        sources = [_put(folder, f"source-{place}", content) for place, (content, _) in enumerate(pictures)]
        job = {"task": "join", "sources": sources, "media_types": [kind for _, kind in pictures]}
        _run(job, folder, limits, limits.render_seconds)
        return (Path(folder) / "joined.pdf").read_bytes()


def _put(folder: str, name: str, content: bytes) -> str:
    path = Path(folder) / name
    path.write_bytes(content)
    return str(path)


def _run(job: dict[str, Any], folder: str, limits: Limits, seconds: int) -> dict[str, Any]:
    order = {**job, "folder": folder, "limits": asdict(limits), "seconds": seconds}
    with _AT_ONCE:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_READER)],
                input=json.dumps(order).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=seconds * 2,
                close_fds=True,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DocumentRefused("too_complex") from error
    if done.returncode != 0:
        raise DocumentRefused("too_complex")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        code = answer["error"]
        raise DocumentRefused(code if code in WORDS else "damaged", **answer["params"])
    return answer
