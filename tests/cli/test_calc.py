"""Where the calculating commands take their figures from."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from app.cli import parameter_source
from app.errors import NotFound
from tests.contracts.tree import ROOT


def test_a_new_installation_quotes_from_the_repositorys_files(tmp_path) -> None:
    arguments = ("quote", "--region", "320500", "--month", "2022-08", "--wage", "9805", "--json")
    found = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={"WANGTING_INSTANCE": str(tmp_path / "instance"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    totals = {"employer": "764.79", "employee": "201.10", "allocation": "294.15"}
    assert json.loads(found.stdout)["totals"] == totals


@pytest.fixture
def published(monkeypatch):
    """Pretend that the table is there; the given regions are published."""

    def publish(**regions: object) -> None:
        def parameters(region: str) -> object:
            if region not in regions:
                raise NotFound(region)
            return regions[region]

        monkeypatch.setattr(parameter_source, "has_table", lambda name: True)
        monkeypatch.setattr(parameter_source, "current", SimpleNamespace(parameters=parameters))

    return publish


def test_what_is_published_wins_over_the_files(published) -> None:
    mine = object()
    published(**{"320500": mine})
    assert parameter_source.parameters("320500") is mine
    assert parameter_source.parameters("320600").name == "南通"


@pytest.mark.parametrize("region", ["999999", "../common", "common", "３２０５００"])
def test_an_unknown_region_is_told(published, region: str) -> None:
    published()
    with pytest.raises(parameter_source.UnknownRegion):
        parameter_source.parameters(region)
