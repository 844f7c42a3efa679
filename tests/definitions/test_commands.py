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


def test_the_products_own_files_pass(seeded: Flask) -> None:
    assert run(seeded, "check") == (0, {"problems": []})


def test_a_copy_of_the_folder_passes_and_a_fault_in_it_is_named(seeded: Flask, folder: Path) -> None:
    assert run(seeded, "check", str(folder)) == (0, {"problems": []})
    audit = folder / "bpmn" / "processes" / "audit.bpmn"
    audit.write_text(audit.read_text("utf-8").replace('value="audit.json"', 'value="none.json"', 1), "utf-8")
    for path in (folder, audit.parent, audit):
        code, said = run(seeded, "check", str(path))
        assert code == 1
        assert [(p["element"], p["code"]) for p in said["problems"]] == [("first_audit", "form_missing")]
        assert said["problems"][0]["file"] == str(audit)
        assert said["problems"][0]["message"]
    assert run(seeded, "check", str(folder / "bpmn" / "decisions")) == (0, {"problems": []})


def test_a_file_that_lies_alone_is_checked_among_the_products_own(seeded: Flask, folder: Path) -> None:
    lone = folder.parent / "audit.bpmn"
    text = (folder / "bpmn" / "processes" / "audit.bpmn").read_text("utf-8")
    lone.write_text(text, "utf-8")
    assert run(seeded, "check", str(lone)) == (0, {"problems": []})
    lone.write_text(text.replace('"notice.send"', '"notice.none"'), "utf-8")
    code, said = run(seeded, "check", str(lone))
    assert (code, {problem["code"] for problem in said["problems"]}) == (1, {"service"})
    strange = folder.parent / "Strange Name.bpmn"
    strange.write_text(text, "utf-8")
    code, said = run(seeded, "check", str(strange))
    assert (code, [problem["code"] for problem in said["problems"]]) == (1, ["file_name"])


def test_publishing_makes_a_version_for_new_cases(seeded: Flask, folder: Path) -> None:
    audit = folder / "bpmn" / "processes" / "audit.bpmn"
    text = audit.read_text("utf-8")
    audit.write_text(text.replace('name="初审"', 'name="经办初审"'), "utf-8")
    code, said = run(seeded, "publish", str(audit), "--note", "words")
    assert (code, said["path"], said["version"], said["origin"]) == (
        0, "bpmn/processes/audit.bpmn", 2, "designer",
    )  # fmt: skip
    assert run(seeded, "publish", str(audit))[1]["version"] == 2
    code, said = run(seeded, "publish", str(audit), "--region", "320600")
    assert (code, said["path"], said["version"]) == (0, "bpmn/processes/audit.320600.bpmn", 1)
    audit.write_text(text.replace('"notice.send"', '"notice.none"'), "utf-8")
    code, said = run(seeded, "publish", str(audit))
    assert (code, {problem["code"] for problem in said["problems"]}) == (1, {"service"})
    kept = [
        row for row in run(seeded, "list", "--kind", "process")[1]["definitions"] if row["name"] == "audit"
    ]
    assert {(row["region"], row["version"]) for row in kept} == {("", 2), ("320600", 1)}


def test_a_missing_file_is_wrong_usage(seeded: Flask) -> None:
    assert run(seeded, "check", "nothing.bpmn")[0] == 2
    assert run(seeded, "publish", "nothing.bpmn")[0] == 2
