"""Settings: read from the environment, refused in words that name the variable."""

import base64
from datetime import datetime
from pathlib import Path

import pytest

from app import clock
from app.config import INSTANCE, ConfigError, database_url, from_environ, parse_key_ring

KEYS = "k1:" + base64.b64encode(b"k" * 32).decode()
SECRETS = {"SECRET_KEY": "s" * 40, "DATA_KEYS": KEYS}


def test_an_embedded_installation_needs_its_secrets_only():
    config = from_environ(SECRETS)
    assert config.demo
    assert config.embedded_database
    assert config.database_url == f"sqlite:///{INSTANCE / 'wangting.db'}"
    assert (config.host, config.port) == ("127.0.0.1", 8000)
    assert config.storage_url == f"file:{INSTANCE / 'files'}"


def test_an_installation_with_its_own_database_is_no_demo_by_itself():
    config = from_environ(
        {**SECRETS, "DATABASE_URL": "postgresql://u@h/d", "WANGTING_NOW": "2026-11-08T10:00:00"}
    )
    assert config.database_url == "postgresql+psycopg://u@h/d"
    assert not config.demo
    assert config.now is None
    demo = from_environ(
        {
            **SECRETS,
            "DATABASE_URL": "postgresql://u@h/d",
            "WANGTING_DEMO": "1",
            "WANGTING_NOW": "2026-11-08T10:00:00",
            "PORT": "9000",
            "HOST": "0.0.0.0",
            "STORAGE_URL": "s3://bucket/files",
            "WANGTING_INSTANCE": "/var/lib/x",
        }
    )
    assert demo.now == datetime(2026, 11, 8, 10)
    assert (demo.port, demo.host, demo.storage_url) == (9000, "0.0.0.0", "s3://bucket/files")
    assert demo.instance_dir == Path("/var/lib/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "80a"),
        ("PORT", "70000"),
        ("WANGTING_NOW", "yesterday"),
        ("WANGTING_NOW", "2026-11-08T10:00:00Z"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "http://x"),
        ("STORAGE_URL", "/files"),
        ("SECRET_KEY", "short"),
        ("DATA_KEYS", ""),
        ("DATA_KEYS", "k1:abc"),
        ("DATA_KEYS", f"{KEYS},{KEYS}"),
        ("DATA_KEYS", KEYS.replace("k1", "blind")),
        ("DEMO_PASSWORD", "123"),
        ("WANGTING_DEMO", "perhaps"),
    ],
)
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(ConfigError, match=name):
        from_environ({**SECRETS, name: value})


def test_secrets_are_not_shown():
    assert "s" * 40 not in repr(from_environ(SECRETS))
    assert KEYS not in repr(from_environ(SECRETS))


def test_both_spellings_of_base64_are_read():
    key = b"\xfb\xff" * 16
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert parse_key_ring(f"k:{encode(key).decode()}") == {"k": key}


def test_database_addresses_name_the_driver():
    assert database_url("postgres://h/d") == "postgresql+psycopg://h/d"
    assert database_url("sqlite:////tmp/x.db") == "sqlite:////tmp/x.db"


def test_the_clock_stands_still_and_runs():
    clock.configure(datetime(2026, 1, 1, 0, 30))
    try:
        assert clock.today().isoformat() == "2026-01-01"
        assert clock.utcnow().isoformat() == "2025-12-31T16:30:00+00:00"
        assert clock.to_region(clock.utcnow()) == clock.now()
        assert clock.real_utcnow() != clock.real_utcnow().replace(year=2000)
    finally:
        clock.configure(None)
    assert abs((clock.utcnow() - clock.real_utcnow()).total_seconds()) < 5
