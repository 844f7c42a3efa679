"""Where uploaded files lie: a folder, or a store of another kind behind the same few functions.

A key is a relative path such as `imports/2026/123.bin`. What is put is whole or not there at all; who reads
a key that is not there gets NotFound. Callers seal what is personal before they put it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qsl, urlsplit

from app.config import ConfigError
from app.errors import NotFound, WangtingError

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_.-]*)*", re.ASCII)
_KEY_LENGTH = 255
DRAFT = ".draft-"


class BadKeyError(WangtingError):
    """A key that no caller of ours would make: it could name a file outside the store."""


class FileStore(Protocol):
    """What every kind of store can do."""

    def put(self, key: str, content: bytes) -> None:
        """Keep a file; one of the same key is replaced."""

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading; the caller closes it. Raises: NotFound."""

    def get(self, key: str) -> bytes:
        """Return a file's content. Raises: NotFound."""

    def delete(self, key: str) -> None:
        """Remove a file; it may be gone already."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""

    def list_keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Every file below a folder with the machine's time of its last change."""

    def drop_drafts(self, before: datetime) -> None:
        """Remove what a kill left of files that were never put whole, older than a moment."""


class FolderStore:
    """Files in a folder that only this user can enter."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=DRAFT, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise NotFound(key) from None

    def get(self, key: str) -> bytes:
        with self.open(key) as file:
            return file.read()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def list_keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        for path, changed in self._walk(self._path(folder)):
            if not path.name.startswith(DRAFT):
                yield path.relative_to(self._root).as_posix(), changed

    def drop_drafts(self, before: datetime) -> None:
        for path, changed in self._walk(self._root):
            if path.name.startswith(DRAFT) and changed < before:
                path.unlink(missing_ok=True)

    def _walk(self, top: Path) -> Iterator[tuple[Path, datetime]]:
        for place, _folders, names in os.walk(top):
            for name in names:
                path = Path(place) / name
                # a file may be gone since its folder was read
                with suppress(FileNotFoundError):
                    yield path, datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


class BucketStore:
    """Files as objects of an S3-compatible store; a prefix keeps several installations apart."""

    def __init__(self, bucket: str, prefix: str, endpoint: str, region: str) -> None:
        # loaded where it is used: most installations keep files in a folder
        from obstore.store import S3Store

        options: dict[str, Any] = {"region": region or "us-east-1"}
        if endpoint:
            options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        if endpoint.startswith("http://"):
            options["client_options"] = {"allow_http": True}
        # the key pair comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from the machine's role
        self._store = S3Store(bucket, prefix=prefix or None, **options)

    def put(self, key: str, content: bytes) -> None:
        self._store.put(check_key(key), content)

    def open(self, key: str) -> BinaryIO:
        return BytesIO(self.get(key))

    def get(self, key: str) -> bytes:
        try:
            return bytes(self._store.get(check_key(key)).bytes())
        except FileNotFoundError:
            raise NotFound(key) from None

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._store.delete(check_key(key))

    def exists(self, key: str) -> bool:
        try:
            self._store.head(check_key(key))
        except FileNotFoundError:
            return False
        return True

    def list_keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        for part in self._store.list(f"{check_key(folder)}/"):
            for entry in part:
                yield entry["path"], entry["last_modified"]

    def drop_drafts(self, before: datetime) -> None:
        """An object is there whole or not at all."""


def check_key(key: str) -> str:
    """Return the key. Raises: BadKeyError."""
    if len(key) > _KEY_LENGTH or not _KEY.fullmatch(key) or ".." in key:
        raise BadKeyError(key[:80])
    return key


@lru_cache(maxsize=4)
def store_at(url: str) -> FileStore:
    """The store that STORAGE_URL names. Raises: ConfigError for a kind that is not built in."""
    scheme, _, rest = url.partition(":")
    if scheme == "file":
        return FolderStore(Path(rest.removeprefix("//")))
    parts = urlsplit(url)
    if scheme == "s3" and parts.netloc:
        asked = dict(parse_qsl(parts.query))
        return BucketStore(
            parts.netloc, parts.path.strip("/"), asked.get("endpoint", ""), asked.get("region", "")
        )
    form = "file:<folder> or s3://<bucket>/<prefix>?endpoint=https://…&region=…"
    raise ConfigError(f"STORAGE_URL: {scheme} is not supported, use {form}")


_url = ""


def configure(url: str) -> None:
    """Say where files lie; the store opens at first use."""
    global _url
    _url = url


def file_store() -> FileStore:
    """The installation's store."""
    return store_at(_url)
