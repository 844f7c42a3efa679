"""Where uploaded files lie: a folder, or a store of another kind behind the same five functions.

A key is a relative path such as `imports/2026/123.bin`. What is put is whole or not there at all; who reads
a key that is not there gets NotFound. Callers seal what is personal before they put it.
"""

from __future__ import annotations

import os
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from app.config import ConfigError
from app.errors import NotFound, WangtingError

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_.-]*)*", re.ASCII)
_KEY_LENGTH = 255


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


class FolderStore:
    """Files in a folder that only this user can enter."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=".draft-", dir=path.parent)
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

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


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
    raise ConfigError(f"STORAGE_URL: {scheme} is not supported, use file:<folder>")


_url = ""


def configure(url: str) -> None:
    """Say where files lie; the store opens at first use."""
    global _url
    _url = url


def file_store() -> FileStore:
    """The installation's store."""
    return store_at(_url)
