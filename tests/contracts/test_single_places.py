"""Things that may stand in one place only."""

import ast
import re

from tests.contracts.tree import ROOT, python_files, syntax

_SOURCES = {".py", ".html", ".js", ".mjs", ".css", ".txt", ".jinja"}


def test_only_the_session_commits() -> None:
    sites = {
        path.relative_to(ROOT).as_posix()
        for path in python_files("app", "jobs")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("commit", "begin_nested", "autocommit")
    }
    assert sites == {"app/store/session.py"}


def test_code_knows_no_region() -> None:
    regions = {
        path.stem
        for path in (ROOT / "bpmn" / "parameters").glob("*.yaml")
        if re.fullmatch(r"\d{6}", path.stem)
    }
    assert len(regions) >= 6
    literal = re.compile(rf"(?<!\d)({'|'.join(sorted(regions))})(?!\d)")
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for folder in ("app", "jobs")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in _SOURCES and "dist" not in path.parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if literal.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_vague_names() -> None:
    vague = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)$")
    found = [path for path in python_files("app", "jobs") if vague.search(path.stem)]
    assert not found
