"""Imports point down, and the pure rules stand alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.tree import ROOT, python_files, syntax

_BLOCKED = (
    "SpiffWorkflow", "alembic", "flask", "flask_babel", "flask_login", "flask_migrate", "flask_sqlalchemy",
    "flask_wtf", "openpyxl", "psycopg", "python_calamine", "redis", "rq", "sqlalchemy", "werkzeug",
)  # fmt: skip
_IMPORT_ALL = f"""
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {_BLOCKED!r}:
            raise ImportError(name + " must not be needed here")

sys.meta_path.insert(0, Blocker())
package = importlib.import_module(sys.argv[1])
names = [info.name for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_imports_point_down() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("package", ["app.domain", "app.formspec"])
def test_a_tool_loads_without_the_rest(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL.replace("'openpyxl', ", "").replace("'python_calamine', ", "")
         if package == "app.formspec" else _IMPORT_ALL, package],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3


def test_domain_asks_neither_clock_nor_environment() -> None:
    forbidden = {"now", "utcnow", "today", "getenv", "environ", "monotonic"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path in python_files("app/domain")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and node.attr in forbidden
    ]
    assert not found, found


def test_the_root_package_stays_empty() -> None:
    assert (ROOT / "app" / "__init__.py").read_text("utf-8").strip() == ""
