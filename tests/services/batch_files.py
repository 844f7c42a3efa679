"""Batch files for tests: the template of an employer, filled row by row as a person fills it."""

from io import BytesIO

from openpyxl import load_workbook

from app.services import templates
from tests.fixtures.database import TEST_NOW

FIRST_ROW = 4


def filled(actor, kind, people, employer_id=None):
    """The employer's template with these rows; `people` are cells by field name."""
    book = load_workbook(BytesIO(templates.template_of(actor, kind, TEST_NOW, employer_id).content))
    sheet = book.active
    places = {cell.value: cell.column for cell in sheet[2]}
    for number, cells in enumerate(people, FIRST_ROW):
        for name, value in cells.items():
            sheet.cell(number, places[name]).value = value
    return saved(book)


def saved(book):
    """A workbook as bytes."""
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def nantong_cells(found, **more):
    """A row of Nantong's file."""
    return {
        "id_number": found.id_number, "name": found.name, "post": "专业技术人员", "education": "大学本科毕业",
        "start_month": "202611", "wage_yuan": "8000", **more,
    }  # fmt: skip


def platform_cells(found, **more):
    """A row of the platform's file (and Suzhou's)."""
    return {
        "id_type": "居民身份证(户口簿)", "id_number": found.id_number, "name": found.name,
        "wage_yuan": "9805", "phone": "13900000000", **more,
    }  # fmt: skip
