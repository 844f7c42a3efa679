"""The rule of tests/conftest.py, tried: whoever skips fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.tree import ROOT

_SKIPPERS = {
    "in the test": "import pytest\ndef test_it():\n    pytest.skip('no server')\n",
    "by a mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it():\n    pass\n",
    "the whole module": "import pytest\npytest.importorskip('no_such_module')\n",
}


@pytest.mark.parametrize("source", _SKIPPERS.values(), ids=_SKIPPERS)
def test_a_skip_fails_the_run(source: str, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "nothing may be skipped here" in done.stdout
