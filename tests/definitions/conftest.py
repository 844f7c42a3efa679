"""Definitions in a migrated database, and folders of files that tests may change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask

from app.config import ROOT
from app.definitions import current, seeds
from tests.fixtures.database import TEST_NOW

ORDINARY = "320800"
SEVENTH = "999900"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the repository's definitions."""
    for part in ("bpmn", "forms"):
        shutil.copytree(ROOT / part, tmp_path / "seeds" / part)
    return tmp_path / "seeds"


@pytest.fixture
def seeded(app: Flask, folder: Path) -> Iterator[Flask]:
    """The application with exactly the folder's definitions published."""
    with app.app_context():
        seeds.sync(folder, now=TEST_NOW)
        current.forget()
        yield app


@pytest.fixture
def seventh(tmp_path: Path) -> Path:
    """A folder with nothing but the parameters and the policy of a region that the product has never seen."""
    root = tmp_path / "seventh"
    target = root / "bpmn" / "parameters" / f"{SEVENTH}.yaml"
    target.parent.mkdir(parents=True)
    text = (ROOT / "bpmn" / "parameters" / f"{ORDINARY}.yaml").read_text("utf-8")
    target.write_text(text.replace(ORDINARY, SEVENTH), "utf-8")
    (root / "bpmn" / "decisions").mkdir()
    own = root / "bpmn" / "decisions" / f"policy.{SEVENTH}.dmn"
    own.write_bytes(one_answer(pending="True", audits="2", recall="True"))
    return root


def one_answer(**answers: str) -> bytes:
    """A policy that answers the same to everything: the repository's, cut down to one rule."""
    dmn = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
    tree = ElementTree.parse(ROOT / "bpmn" / "decisions" / "policy.dmn")
    table = tree.find(f".//{dmn}decisionTable")
    rule, *others = table.findall(f"{dmn}rule")
    for other in others:
        table.remove(other)
    for text in rule.findall(f"{dmn}inputEntry/{dmn}text"):
        text.text = ""
    names = [output.get("name") for output in table.findall(f"{dmn}output")]
    for name, text in zip(names, rule.findall(f"{dmn}outputEntry/{dmn}text"), strict=True):
        text.text = answers.get(name, text.text)
    return ElementTree.tostring(tree.getroot(), encoding="utf-8", xml_declaration=True)
