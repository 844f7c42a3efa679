"""Makes the committed batch files in `fixtures/` with LibreOffice, as people would save them.

Run by hand where soffice is installed:
    python tests/e2e/make_fixtures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.formspec.excel import build_template  # noqa: E402
from app.services.demo.identities import Identity, unknown_people  # noqa: E402
from tests.formspec.conftest import load_form  # noqa: E402

TARGET = Path(__file__).parent / "fixtures"
ROWS = 2_000
SUZHOU, NANTONG = "320500", "320600"


def people(region: str, count: int = ROWS) -> Iterator[Identity]:
    """The people of a region's file: nobody knows them until a test registers them."""
    return islice(unknown_people(region), count)


def suzhou_row(person: Identity, place: int) -> dict:
    return {
        "id_type": "01",
        "id_number": person.number,
        "name": person.name,
        "ethnicity": "01",
        "wage_yuan": str(5000 + place % 40 * 100),
        "phone": person.phone,
    }


def nantong_row(person: Identity, place: int) -> dict:
    return {
        "id_number": person.number,
        "name": person.name,
        "post": "02",
        "education": "21",
        "start_month": "2026-11",
        "wage_yuan": str(6000 + place % 40 * 100),
    }


FILES = (
    ("suzhou_enrol_2000", "xlsx:Calc MS Excel 2007 XML", "enrol.320500", SUZHOU, suzhou_row),
    ("nantong_enrol_2000", "xls:MS Excel 97", "enrol.320600", NANTONG, nantong_row),
)


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, target, form, region, row_of in FILES:
            rows = [row_of(person, place) for place, person in enumerate(people(region))]
            facts = {"kind": "enrol", "region": region, "employer": f"{region}00001"}
            path = Path(folder) / f"{name}.xlsx"
            path.write_bytes(build_template(load_form(form), "1", rows=rows, facts=facts))
            command = ["soffice", "--headless", "--convert-to", target, "--outdir", str(TARGET), str(path)]
            subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
