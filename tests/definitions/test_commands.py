"""The commands as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask


def run(app: Flask, *arguments: str) -> tuple[int, dict]:
    result = app.test_cli_runner().invoke(args=["definitions", *arguments, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, json.loads(result.output) if result.exit_code < 2 else {}


def test_seed_then_list(seeded: Flask, folder: Path) -> None:
    path = folder / "bpmn" / "processes" / "audit.bpmn"
    path.write_text(path.read_text("utf-8").replace("超时", "逾期"), "utf-8")
    code, done = run(seeded, "seed", "--root", str(folder))
    assert (code, done["published"], done["held_back"]) == (0, ["bpmn/processes/audit.bpmn"], [])
    assert run(seeded, "seed", "--root", str(folder))[1]["published"] == []

    code, listed = run(seeded, "list", "--kind", "process")
    assert code == 0
    audit = [row for row in listed["definitions"] if row["name"] == "audit"]
    assert [(row["status"], row["origin"], row["region"]) for row in audit] == [("published", "seed", "")]
    everything = run(seeded, "list", "--kind", "process", "--all")[1]["definitions"]
    assert len(everything) == len(listed["definitions"]) + 1
    assert {row["kind"] for row in everything} == {"process"}


def test_an_empty_folder_is_a_problem(seeded: Flask, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    code, said = run(seeded, "seed", "--root", str(empty))
    assert code == 1
    assert said["error"]


def test_wrong_usage(seeded: Flask) -> None:
    assert run(seeded, "list", "--kind", "nonsense")[0] == 2
