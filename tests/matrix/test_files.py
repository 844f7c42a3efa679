"""Each city's batch file, taken over at the command line: the rows that the model accepts and no others."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from app.extensions import db
from app.services.demo.cases import DemoPerson
from app.store.models import Declaration
from tests.matrix import model, registry
from tests.matrix.conftest import Hall, actor_of
from tests.matrix.words import reasons
from tests.services.batch_files import FIRST_ROW, filled

START = "2026-08-01"
WITH_FILE = [code for code in model.REGIONS if not model.WAYS[code].wizard]
PEOPLE = (
    "not_insured", "flexible", "double_record", "past_age_male", "stopped", "active_elsewhere_employer",
    "active_elsewhere_region", "not_insured", "charged_partly", "retired", "unknown", "resident",
)  # fmt: skip


def cells_of(city: model.City, person: DemoPerson, wage: str) -> dict[str, str]:
    """A row as the city's file wants it; what the page asks once is not in it."""
    cells = {"id_number": person.id_number, "name": person.name, "wage_yuan": wage}
    if city.code == "320600":
        return {
            **cells,
            "post": "专业技术人员",
            "education": "大学本科毕业",
            "start_month": START[:7].replace("-", ""),
        }
    if city.code != "320500":
        cells["start_date"] = START.replace("-", "/")
    return {
        **cells,
        "phone": "13900000000",
        **({"id_type": "居民身份证(户口簿)"} if city.code != "320100" else {}),
    }


def form_of(city: model.City, person: DemoPerson, wage: str) -> model.Form:
    funds = None if city.code == "320600" else tuple(city.usual())
    return model.Form(person.id_number, START[:7], Decimal(wage), name=person.name, funds=funds)


@pytest.mark.parametrize("code", WITH_FILE)
def test_a_file_of_a_city(hall, code, tmp_path: Path):
    here = hall(code)
    _, cap = model.bounds(here.city, "2026-11")
    wages = ["8000"] * len(PEOPLE)
    wages[7] = str(cap + 100)
    forms = []
    people = [here.citizen(case) for case in PEOPLE]
    rows = [cells_of(here.city, *pair) for pair in zip(people, wages, strict=True)]
    # the last row names somebody of the first one again
    rows.append(cells_of(here.city, people[0], "8000"))
    file = tmp_path / "file.xlsx"
    file.write_bytes(filled(actor_of(here.hand.username), "enrol", rows))
    employer = here.employer
    for person, wage in zip(people, wages, strict=True):
        form = form_of(here.city, person, wage)
        known = registry.person_of(code, form.number)
        forms.append((form, known, model.judge(here.city, form, known, employer, here.today)))
    before = registry.mark()
    answer = take_over(here, file)
    refused = refusals_by_row(answer)
    again = refused.pop(len(PEOPLE), None)
    assert again, "one person twice in a file"
    for place, (form, known, judged) in enumerate(forms):
        if place == 0:
            # a number that stands twice is refused in both rows or in the later one
            continue
        assert refused.get(place, frozenset()) == judged.refusals, (PEOPLE[place], form, known)
    accepted = [place for place in range(len(PEOPLE)) if place not in refused]
    assert (answer["total"], answer["accepted"]) == (len(rows), len(accepted))
    assert answer["rejected"] == len(rows) - len(accepted)
    finish(here, before)
    compare_people(here, before, [forms[place][:2] for place in accepted], employer)


def take_over(here: Hall, file: Path) -> dict:
    given = ["--set", f"start_date={START}"] if here.city.code == "320500" else []
    runner = here.app.test_cli_runner()
    result = runner.invoke(
        args=["import", "enrol", str(file), "--employer", here.employer.number, *given, "--json"]
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    answer = json.loads(result.stdout)
    assert result.exit_code == (1 if answer["errors"] else 0)
    return answer


def refusals_by_row(answer: dict) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for error in answer["errors"]:
        assert error["message"], error
        found.setdefault(error["row"] - FIRST_ROW, set()).add(error["code"])
    return {place: reasons(codes) for place, codes in found.items()}


def finish(here: Hall, before: registry.Mark) -> None:
    """Hand pending rows over all at once, and approve what waits."""
    way = here.city.way
    if not way.audits:
        return
    assert registry.added_since(before).nothing
    if way.pending:
        here.hand.open("/pending?kind=enrol")
        here.hand.send("/pending/all/submit", [("csrf_token", here.hand.token()), ("kind", "enrol")])
        here.hand.press(action="/pending/all/submit")
    db.session.rollback()
    waiting = db.session.scalars(
        select(Declaration.reference).where(Declaration.employer_id == here.employer_id)
    ).all()
    for reference in waiting:
        assert here.status(reference) == "submitted"
        assert here.desk.decide(reference, "approve") == "approved"


def compare_people(here: Hall, before: registry.Mark, wanted, employer: model.Employer) -> None:
    """Hold each person's new rows against the model."""
    added = registry.added_since(before)
    owners = {row.person_id for row in added.enrolments}
    assert len(owners) == len(wanted)
    assert {row.person_id for row in added.lines} <= owners
    decided = here.today if here.city.way.audits else None
    matched = 0
    for form, known in wanted:
        number = registry.records_of(here.city.code, form.number)
        assert len(number) == 1
        mine = registry.Added(
            [], [row for row in added.enrolments if row.person_id == number[0]],
            [row for row in added.lines if row.person_id == number[0]],
        )  # fmt: skip
        day = None if here.city.code == "320600" else date.fromisoformat(START)
        expected = model.outcome(here.city, form, known, employer, here.today, decided)
        registry.compare(here.city, expected, mine, here.employer_id, day)
        matched += len(mine.enrolments)
    assert matched == len(added.enrolments)
