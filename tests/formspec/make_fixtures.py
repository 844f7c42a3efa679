"""Makes the committed workbooks in `fixtures/` with LibreOffice, as people would save them.

Run by hand where soffice and its Python bridge are installed:
    python tests/formspec/make_fixtures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from datetime import date
from io import BytesIO
from pathlib import Path

import openpyxl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.formspec.excel import build_template  # noqa: E402
from tests.formspec.conftest import load_form  # noqa: E402
from tests.formspec.people import jiangsu_rows, nantong_rows  # noqa: E402

TARGET = Path(__file__).parent / "fixtures"
FORMATS = {"xlsx": "Calc MS Excel 2007 XML", "xls": "MS Excel 97"}
PASSWORD_SCRIPT = """
import sys, time, subprocess, uno
from com.sun.star.beans import PropertyValue
server = subprocess.Popen(["soffice", "--headless", "--norestore", "--accept=pipe,name=fixtures;urp;"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
import atexit; atexit.register(server.kill)
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for _ in range(100):
    try:
        context = resolver.resolve("uno:pipe,name=fixtures;urp;StarOffice.ComponentContext")
        break
    except Exception:
        time.sleep(0.2)
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
prop = lambda name, value: PropertyValue(name, 0, value, 0)
source = uno.systemPathToFileUrl(sys.argv[1])
document = desktop.loadComponentFromURL(source, "_blank", 0, (prop("Hidden", True),))
for path, kind in zip(sys.argv[2::2], sys.argv[3::2]):
    target = uno.systemPathToFileUrl(path)
    document.storeToURL(target, (prop("FilterName", kind), prop("Password", "secret")))
document.close(True)
try:
    desktop.terminate()
except Exception:
    pass
server.wait(20)
"""


def workbook(form_name: str, rows: list[dict]) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(build_template(load_form(form_name), "1", rows=rows)))


def good() -> openpyxl.Workbook:
    return workbook("enrol.320600", nantong_rows(12))


def odd() -> openpyxl.Workbook:
    """Everything that is unusual and still right."""
    rows = jiangsu_rows(6)
    book = workbook("enrol", rows)
    sheet = book.active
    columns = {cell.value: cell.column for cell in sheet[2]}
    sheet.insert_rows(4, 2)
    sheet.cell(6, columns["id_number"]).value = f" {rows[0]['id_number'].lower()} "
    wide = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}
    sheet.cell(7, columns["phone"]).value = rows[1]["phone"].translate(wide)
    for column, value in (("start_date", date(2026, 11, 1)), ("wage_yuan", 8000), ("phone", 13900000002)):
        cell = sheet.cell(8, columns[column])
        cell.number_format = "yyyy/mm/dd" if column == "start_date" else "General"
        cell.value = value
    sheet.cell(40, columns["name"]).value = "   "
    extra = book.create_sheet("自己的算式", 0)
    extra["A1"], extra["A2"] = 1, "=A1+1"
    return book


def changed(edit) -> openpyxl.Workbook:
    book = workbook("enrol.320600", nantong_rows(3))
    edit(book.active)
    return book


def with_formula(sheet) -> None:
    sheet["F5"].number_format = "General"
    sheet["F5"] = "=8000+1"


def with_numbers(sheet) -> None:
    sheet["A5"].number_format = "General"
    sheet["A5"].value = int(sheet["A5"].value[:17] + "0")


FIXTURES = {
    "nantong": good,
    "odd": odd,
    "formula": lambda: changed(with_formula),
    "merged": lambda: changed(lambda sheet: sheet.merge_cells("B5:B6")),
    "number": lambda: changed(with_numbers),
    "first_row_deleted": lambda: changed(lambda sheet: sheet.delete_rows(1)),
    "column_moved": lambda: changed(lambda sheet: sheet.delete_cols(2)),
}


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, make in FIXTURES.items():
            path = Path(folder) / f"{name}.xlsx"
            make().save(path)
            for extension, kind in FORMATS.items():
                target = f"{extension}:{kind}"
                command = [
                    "soffice",
                    "--headless",
                    "--convert-to",
                    target,
                    "--outdir",
                    str(TARGET),
                    str(path),
                ]
                subprocess.run(command, check=True, capture_output=True)
        script = Path(folder) / "password.py"
        script.write_text(textwrap.dedent(PASSWORD_SCRIPT), "utf-8")
        # Only the old format: for .xlsx the bridge wants more than a password.
        outputs = [str(TARGET / "password.xls"), FORMATS["xls"]]
        subprocess.run(
            ["/usr/bin/python3", str(script), str(TARGET / "nantong.xlsx"), *outputs], check=True, timeout=60
        )


if __name__ == "__main__":
    main()
