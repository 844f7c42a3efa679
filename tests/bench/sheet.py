"""A filled template of the Jiangsu platform's enrolment: eleven columns, people whom nobody knows yet."""

from __future__ import annotations

from typing import Any

from app.definitions.current import current_bundle
from app.formspec.excel import build_template
from app.formspec.form import Form
from tests.bench import crowd

REGION = "320800"
FUNDS = ["310", "330", "510"]


def enrol_form() -> Form:
    """The published form of the platform's enrolment."""
    return current_bundle("enrol", REGION).form("enrol")


def row(place: int, number: str) -> dict[str, Any]:
    """The typed data of one line."""
    return {
        "id_type": "01",
        "id_number": number,
        "name": crowd.name(place),
        "sex": "1",
        "ethnicity": "01",
        "birth_date": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "nationality": "CHN",
        "wage_yuan": f"{6000 + place % 4000}.00",
        "start_date": "2026-11-01",
        "phone": f"139{place:08d}",
        "first_work_date": "2010-07-01",
    }


def workbook(form: Form, count: int, first: int = 0) -> bytes:
    """The template with `count` lines typed in, starting with the person at place `first`."""
    people = list(enumerate(crowd.numbers(REGION, first + count)))[first:]
    return build_template(form, "1", [row(place, number) for place, number in people])
