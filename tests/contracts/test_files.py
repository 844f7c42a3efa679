"""Files as a whole: migrations in a row, definitions that pass their checks, nothing of one machine."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from tests.contracts.tree import ROOT, committed_texts, syntax


def test_migrations_are_numbered_in_a_row() -> None:
    paths = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    assert paths
    before = None
    for number, path in enumerate(paths, 1):
        assert re.fullmatch(rf"{number:04d}_[a-z0-9_]+", path.stem), path.name
        values = _assigned(path)
        assert values["revision"] == f"{number:04d}", path.name
        assert values["down_revision"] == before, path.name
        before = values["revision"]


def test_the_published_files_pass_the_checks() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "definitions", "check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_names_a_machine_or_a_registry() -> None:
    """Paths of somebody's machine and hosts of package registries do not belong into a repository."""
    words = [
        "/" + "work/main", "/" + "work/shared", "/" + "root/", "/" + "home/[a-z]", "registry" + r"\.npmjs",
        "pypi" + r"\.org",
        "files" + r"\.pythonhosted", "deb" + r"\.debian\.org", "proxy" + r"\.golang",
    ]  # fmt: skip
    forbidden = re.compile("|".join(words))
    found = [
        f"{name}:{number} {line.strip()[:100]}"
        for name, text in committed_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    ]
    assert not found, "\n".join(found)


def test_requirements_are_pinned() -> None:
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text("utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][0-9a-z.]*(; python_.+)?", line), (
                    f"{path.name}: {line}"
                )


def _assigned(path: Path) -> dict[str, object]:
    return {
        target.id: ast.literal_eval(node.value)
        for node in syntax(path).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
