"""`flask template` and `flask import`: what they print, write and end with."""

import json
from io import BytesIO

import pytest
from openpyxl import load_workbook

from app.store.models import Declaration
from tests.services.batch_files import nantong_cells, saved
from tests.services.conftest import NANTONG, citizen, rows

EMPLOYER = "32060000001"


@pytest.fixture
def flask(app):
    """`flask("template", …)` runs a command; gives the exit code and what was printed as JSON."""

    def run(*arguments):
        done = app.test_cli_runner().invoke(args=[*map(str, arguments), "--json"])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.output) if done.exit_code != 2 else done.output

    return run


@pytest.fixture
def file(app, flask, tmp_path):
    """A filled template: two good rows and a bad one."""
    path = tmp_path / "psnAdd.xlsx"
    assert flask("template", "enrol", "--employer", EMPLOYER, "--out", path)[0] == 0
    book = load_workbook(BytesIO(path.read_bytes()))
    places = {cell.value: cell.column for cell in book.active[2]}
    with app.app_context():
        people = [citizen(NANTONG, "not_insured", place) for place in range(2)] + [
            citizen(NANTONG, "flexible")
        ]
    for row, person in enumerate(people, 4):
        for name, value in nantong_cells(person).items():
            book.active.cell(row, places[name]).value = value
    path.write_bytes(saved(book))
    return path


def test_a_template_names_its_file_and_version(flask, tmp_path):
    path = tmp_path / "a.xlsx"
    code, printed = flask("template", "enrol", "--employer", EMPLOYER, "--out", path)
    assert (code, printed) == (0, {"file": str(path), "form_version": printed["form_version"]})
    assert path.read_bytes().startswith(b"PK")
    assert flask("template", "enrol", "--employer", "61050000001", "--out", path)[0] == 1
    assert flask("template", "enrol", "--employer", "nobody", "--out", path)[0] == 1
    assert flask("template", "enrol", "--out", path)[0] == 2


def test_an_import_says_what_became_of_each_row(app, flask, file):
    code, printed = flask("import", "enrol", file, "--employer", EMPLOYER)
    assert code == 1
    assert (printed["total"], printed["accepted"], printed["rejected"]) == (3, 2, 1)
    (error,) = printed["errors"]
    assert (error["row"], error["field"], error["code"]) == (6, "id_number", "enrol.active_flexible")
    assert error["message"]
    with app.app_context():
        found = rows(Declaration, batch_id=printed["batch"])
        assert {row.status for row in found} == {"pending"}


def test_an_import_as_a_named_operator(flask, file):
    code, printed = flask("import", "enrol", file, "--employer", EMPLOYER, "--user", "nantong.admin")
    assert (code, printed["accepted"]) == (1, 2)
    code, printed = flask("import", "enrol", file, "--employer", EMPLOYER, "--user", "suzhou.handler")
    assert (code, printed["batch"], printed["total"]) == (1, None, 0)


def test_a_file_that_is_none_is_said_so(flask, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"%PDF-1.7")
    code, printed = flask("import", "enrol", path, "--employer", EMPLOYER)
    assert code == 1
    assert [(error["row"], error["code"]) for error in printed["errors"]] == [(0, "failed")]
    assert "PDF" in printed["errors"][0]["message"]


def test_the_funds_of_a_file_are_the_usual_ones(app, flask, tmp_path):
    path = tmp_path / "a.xlsx"
    flask("template", "enrol", "--employer", "32080000001", "--out", path)
    book = load_workbook(BytesIO(path.read_bytes()))
    places = {cell.value: cell.column for cell in book.active[2]}
    with app.app_context():
        person = citizen("320800", "unknown")
    cells = {"id_number": person.id_number, "name": person.name, "wage_yuan": "8000", "phone": "13900000000"}
    for name, value in cells.items():
        book.active.cell(4, places[name]).value = value
    path.write_bytes(saved(book))
    code, printed = flask("import", "enrol", path, "--employer", "32080000001")
    assert (code, printed["accepted"], printed["errors"]) == (0, 1, [])
    code, printed = flask("import", "enrol", path, "--employer", "32080000001", "--set", "funds=999")
    assert (code, printed["accepted"]) == (1, 0)


@pytest.mark.parametrize("user", ["suzhou.handler", "nantong.auditor", "nobody.at.all"])
def test_whoever_does_not_act_for_the_employer_is_told_so(flask, tmp_path, user):
    code, printed = flask(
        "template", "enrol", "--employer", EMPLOYER, "--user", user, "--out", tmp_path / "a"
    )
    assert code == 1
    assert f"{user} does not act for employer {EMPLOYER}" in printed["error"]


def test_what_the_page_does_not_ask_is_a_wrong_use(app, flask, file):
    code, printed = flask("import", "enrol", file, "--employer", EMPLOYER, "--set", "start_day=2026-11-01")
    assert code == 2
    assert "--set" in printed
    with app.app_context():
        assert rows(Declaration) == []
