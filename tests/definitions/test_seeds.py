"""Files become versions: once, again when they change, and never over a designer's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from app.definitions import current, seeds
from app.definitions.files import Key, UnknownDefinitionFile, key_of, read_folders, sha256_of
from app.definitions.versions import DESIGNER, version_row
from app.store import definitions as store
from app.store.session import transaction
from tests.fixtures.database import TEST_NOW

AUDIT = Key("process", "audit")


def versions(key: Key) -> list[tuple[int, str, str]]:
    return [
        (row.version, row.status, row.origin) for row in store.list_versions(key.kind, key.name, key.region)
    ]


def change(folder: Path, key: Key, before: str, after: str) -> bytes:
    path = folder / key.path
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    return path.read_bytes()


def publish_as_designer(key: Key, content: bytes) -> None:
    with transaction():
        history = store.list_versions(key.kind, key.name, key.region)
        store.retire_versions([row.id for row in history])
        row = version_row(key, content, history, status=store.PUBLISHED, origin=DESIGNER, now=TEST_NOW)
        store.add_versions([row])
    current.forget()


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("bpmn/processes/enrol.bpmn", Key("process", "enrol", "")),
        ("bpmn/processes/enrol.610500.bpmn", Key("process", "enrol", "610500")),
        ("bpmn/decisions/policy.dmn", Key("decision", "policy", "")),
        ("forms/enrol.320600.json", Key("form", "enrol", "320600")),
        ("forms/shared/person.json", Key("form", "shared/person", "")),
        ("bpmn/parameters/320500.yaml", Key("parameters", "320500", "320500")),
        ("bpmn/parameters/common.yaml", Key("parameters", "common", "")),
    ],
)
def test_a_path_names_its_definition_and_back(path: str, key: Key) -> None:
    assert key_of(path) == key
    assert key.path == path


@pytest.mark.parametrize("path", ["enrol.txt", "my enrol.bpmn", "enrol.12.bpmn", "other.yaml", "../x/.bpmn"])
def test_other_names_are_refused(path: str) -> None:
    with pytest.raises(UnknownDefinitionFile):
        key_of(path)


def test_every_seed_is_published_once(seeded: Flask, folder: Path) -> None:
    files = read_folders(folder)
    published = {Key(row.kind, row.name, row.region): row.sha256 for row in store.published_versions()}
    assert published == {key: sha256_of(content) for key, content in files.items()}
    before = len(store.list_versions())
    report = seeds.sync(folder, now=TEST_NOW)
    assert (report.published, report.held_back, report.missing) == ([], [], [])
    assert sorted(report.unchanged) == sorted(files)
    assert len(store.list_versions()) == before


def test_a_changed_file_becomes_the_next_version(seeded: Flask, folder: Path) -> None:
    old = current.published().get("process", "audit", "")
    content = change(folder, AUDIT, "超时", "已超时")
    report = seeds.sync(folder, now=TEST_NOW)
    assert report.published == [AUDIT]
    assert versions(AUDIT)[-2:] == [
        (old.number, "retired", "seed"), (old.number + 1, "published", "seed"),
    ]  # fmt: skip
    assert current.published().get("process", "audit", "").content == content


def test_a_designers_version_keeps_the_changed_file_back(seeded: Flask, folder: Path) -> None:
    own = (folder / AUDIT.path).read_bytes().replace("超时".encode(), "逾期".encode())
    publish_as_designer(AUDIT, own)
    assert seeds.sync(folder, now=TEST_NOW).held_back == []  # the file itself has not changed
    for text, expected in (("已超时", 1), ("超过时限", 1)):
        change(folder, AUDIT, 'id="first_overdue" name="', f'id="first_overdue" name="{text}')
        report = seeds.sync(folder, now=TEST_NOW)
        assert (report.published, report.held_back) == ([], [AUDIT])
        assert [state for _, state, _ in versions(AUDIT)].count("held_back") == expected
    assert seeds.held_back() == [AUDIT]
    assert seeds.sync(folder, now=TEST_NOW).held_back == [AUDIT]  # still said, nothing new
    assert current.published().get("process", "audit", "").content == own


def test_a_file_that_catches_up_with_the_designer_is_no_news(seeded: Flask, folder: Path) -> None:
    content = change(folder, AUDIT, "超时", "逾期")
    publish_as_designer(AUDIT, content)
    before = versions(AUDIT)
    report = seeds.sync(folder, now=TEST_NOW)
    assert AUDIT in report.unchanged
    assert versions(AUDIT) == before


def test_a_seed_without_a_file_stays_in_use_and_is_reported(seeded: Flask, folder: Path) -> None:
    gone = Key("process", "enrol", "610500")
    (folder / gone.path).unlink()
    report = seeds.sync(folder, now=TEST_NOW)
    assert report.missing == [gone]
    assert current.published().get("process", "enrol", "610500").key == gone


def test_a_later_root_wins(seeded: Flask, folder: Path, tmp_path: Path) -> None:
    over = tmp_path / "over"
    (over / "bpmn" / "processes").mkdir(parents=True)
    content = (folder / AUDIT.path).read_bytes().replace("超时".encode(), "逾期".encode())
    (over / AUDIT.path).write_bytes(content)
    assert seeds.sync([folder, over], now=TEST_NOW).published == [AUDIT]
    assert current.published().get("process", "audit", "").content == content


def test_roots_named_in_the_environment_are_read(folder: Path, seventh: Path, monkeypatch) -> None:
    monkeypatch.setenv("WANGTING_DEFINITIONS", str(seventh))
    assert read_folders().keys() == read_folders([folder, seventh]).keys()


def test_an_empty_folder_is_a_mistake(seeded: Flask, tmp_path: Path) -> None:
    with pytest.raises(seeds.NoSeeds):
        seeds.sync(tmp_path / "nothing", now=TEST_NOW)
