"""The store of files: whole or not at all, and never outside its folder."""

import os
import stat

import pytest

from app.config import ConfigError
from app.errors import NotFound
from app.store.files import BadKeyError, FolderStore, check_key, file_store, store_at


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "files")


def test_put_get_open_delete(store):
    store.put("imports/202611/1.sealed", b"one")
    store.put("imports/202611/1.sealed", b"two")
    assert store.get("imports/202611/1.sealed") == b"two"
    with store.open("imports/202611/1.sealed") as file:
        assert file.read() == b"two"
    assert store.exists("imports/202611/1.sealed")
    store.delete("imports/202611/1.sealed")
    store.delete("imports/202611/1.sealed")
    assert not store.exists("imports/202611/1.sealed")
    with pytest.raises(NotFound):
        store.get("imports/202611/1.sealed")


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "a\0b", "a/.draft", "A/b", "x" * 256, "a b", "a/"],
)
def test_keys_that_could_leave_the_folder_are_refused(store, key):
    for act in (store.get, store.delete, store.exists, check_key):
        with pytest.raises(BadKeyError):
            act(key)
    with pytest.raises(BadKeyError):
        store.put(key, b"x")


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(store, tmp_path, monkeypatch):
    store.put("a/b", b"old")

    def fail(*_args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        store.put("a/b", b"new")
    monkeypatch.undo()
    assert store.get("a/b") == b"old"
    assert [path.name for path in (tmp_path / "files" / "a").iterdir()] == ["b"]


def test_only_this_user_can_read(store, tmp_path):
    store.put("a/b", b"x")
    assert stat.S_IMODE((tmp_path / "files" / "a" / "b").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "files" / "a").stat().st_mode) == 0o700


def test_the_address_names_the_store(app):
    assert isinstance(file_store(), FolderStore)
    with pytest.raises(ConfigError):
        store_at("ftp://somewhere")
