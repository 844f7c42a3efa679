"""What the contract tests look at: the files of the repository."""

import ast
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BINARY = {".png", ".ico", ".woff", ".woff2", ".xlsx", ".xls", ".pdf", ".jpg", ".webp", ".gz"}


def python_files(*folders: str) -> list[Path]:
    """Every Python file under the given folders, in order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@lru_cache
def syntax(path: Path) -> ast.Module:
    """The parsed source of one file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def committed_texts() -> Iterator[tuple[str, str]]:
    """Name and content of every text file that git keeps, those about to be added included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix not in _BINARY and path.is_file():
            yield name, path.read_text("utf-8")
