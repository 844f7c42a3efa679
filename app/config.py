"""Settings of one installation, read from the environment once and checked in plain words."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.errors import WangtingError

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"
DEMO_PASSWORD = "Wangting-2026"  # noqa: S105 - printed at every start of a demonstration
KEY_BYTES = 32
_URL_SAFE = str.maketrans("-_", "+/")
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"", "0", "false", "no", "off"}


class ConfigError(WangtingError):
    """A setting is missing or cannot be understood; the message names the variable and what it wants."""


@dataclass(frozen=True)
class Config:
    """Everything the environment decides. `now` stands still and is only ever set in demo or test mode."""

    instance_dir: Path
    database_url: str
    redis_url: str
    storage_url: str
    secret_key: str = field(repr=False)
    data_keys: str = field(repr=False)
    demo: bool = False
    testing: bool = False
    demo_password: str = field(default=DEMO_PASSWORD, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    now: datetime | None = None
    https: bool = False
    clamd: str = ""
    sms_url: str = "local:"
    keep_code_days: int = 7
    keep_message_days: int = 30
    keep_outbox_days: int = 30

    @property
    def embedded_database(self) -> bool:
        """Whether the database is the SQLite file that comes without a server."""
        return self.database_url.startswith("sqlite")


def from_environ(environ: Mapping[str, str] | None = None) -> Config:
    """Read and check the settings; without a database of its own, an installation lives under `instance`.

    Raises: ConfigError.
    """
    env = os.environ if environ is None else environ
    instance = Path(env.get("WANGTING_INSTANCE", "").strip() or INSTANCE)
    given_database = env.get("DATABASE_URL", "").strip()
    testing = _flag(env, "WANGTING_TESTING", default=False)
    demo = _flag(env, "WANGTING_DEMO", default=not given_database)
    return Config(
        instance_dir=instance,
        database_url=database_url(given_database or f"sqlite:///{instance / 'wangting.db'}"),
        redis_url=_redis_url(env.get("REDIS_URL", "").strip() or f"unix://{instance / 'redis.sock'}"),
        storage_url=_storage_url(env.get("STORAGE_URL", "").strip() or f"file:{instance / 'files'}"),
        secret_key=_secret_key(env),
        data_keys=_data_keys(env),
        demo=demo,
        testing=testing,
        demo_password=_demo_password(env),
        host=env.get("HOST", "").strip() or "127.0.0.1",
        port=_port(env.get("PORT", "").strip() or "8000"),
        now=_now(env.get("WANGTING_NOW", "").strip(), honoured=demo or testing),
        https=_flag(env, "WANGTING_HTTPS", default=False),
        clamd=env.get("CLAMD_ADDRESS", "").strip(),
        sms_url=env.get("SMS_URL", "").strip() or "local:",
        keep_code_days=_days(env, "KEEP_CODE_DAYS", 7),
        keep_message_days=_days(env, "KEEP_MESSAGE_DAYS", 30),
        keep_outbox_days=_days(env, "KEEP_OUTBOX_DAYS", 30),
    )


def database_url(url: str) -> str:
    """Name the driver: `postgresql://` and `postgres://` mean psycopg 3."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        raise ConfigError("DATABASE_URL must look like sqlite:///path/file.db or postgresql://user@host/name")
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite":
        return url
    raise ConfigError(f"DATABASE_URL: {scheme} is not supported, use sqlite or postgresql")


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    if name not in env:
        return default
    word = env[name].strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ConfigError(f"{name} must be 1 or 0, not {env[name]!r}")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ConfigError(f"PORT must be a number from 0 to 65535, not {text!r}")
    return int(text)


def _days(env: Mapping[str, str], name: str, usual: int) -> int:
    text = env.get(name, "").strip() or str(usual)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise ConfigError(f"{name} must be a number of days from 1 to 36500, not {text!r}")
    return int(text)


def _now(text: str, *, honoured: bool) -> datetime | None:
    if not text or not honoured:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"WANGTING_NOW must look like 2026-11-08T10:00:00, not {text!r}") from None
    if moment.tzinfo is not None:
        raise ConfigError("WANGTING_NOW is the region's wall clock and carries no time zone")
    return moment


def _demo_password(env: Mapping[str, str]) -> str:
    word = env.get("DEMO_PASSWORD", "") or DEMO_PASSWORD
    if len(word) < 6:
        raise ConfigError("DEMO_PASSWORD must have at least 6 characters")
    return word


def _redis_url(url: str) -> str:
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError("REDIS_URL must start with redis://, rediss:// or unix://")
    return url


def _storage_url(url: str) -> str:
    if not url.startswith(("file:", "s3://")):
        raise ConfigError("STORAGE_URL must be file:<folder> or s3://<bucket>/<prefix>")
    return url


def _secret_key(env: Mapping[str, str]) -> str:
    key = env.get("SECRET_KEY", "").strip()
    if len(key) < 32:
        raise ConfigError("SECRET_KEY must be set, with at least 32 characters")
    return key


def _data_keys(env: Mapping[str, str]) -> str:
    keys = env.get("DATA_KEYS", "").strip()
    parse_key_ring(keys)
    return keys


def parse_key_ring(text: str) -> dict[str, bytes]:
    """Read DATA_KEYS: `id:base64key,…`, each key 32 bytes; the first encrypts, all decrypt.

    An entry named `blind` is the blind index's own key; without it that key comes from the last entry.
    """
    form = "DATA_KEYS must be id:base64key,… with keys of 32 bytes, the key in use first"
    ring: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded.translate(_URL_SAFE), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(form) from None
        if not name.isascii() or not 1 <= len(name) <= 32 or len(key) != KEY_BYTES or name in ring:
            raise ConfigError(form)
        ring[name] = key
    if not set(ring) - {"blind"}:
        raise ConfigError(form)
    return ring
