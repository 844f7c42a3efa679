"""People, enrolments, lines and employers: found and added many at a time, statements counted."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.errors import NotFound
from app.store import crypto
from app.store.employers import (
    add_employers,
    find_employer_by_no,
    funds_of,
    get_employer,
    get_employer_by_no,
)
from app.store.enrolments import (
    add_enrolments,
    charged_months,
    end_enrolments,
    enrolment_values,
    enrolments_of,
)
from app.store.ids import new_id
from app.store.ledger import add_lines, line_values, lines_of_declaration, totals
from app.store.models import Enrolment, Person
from app.store.people import add_people, find_people, get_person, id_number, person_values
from app.store.session import transaction

HERE, THERE = "900100", "900200"
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def employer_id(db_session):
    row_id = new_id()
    row = {
        "id": row_id,
        "region": HERE,
        "employer_no": "E-1",
        "credit_code": "X",
        "name": "单位",
        "unit_type": "企业",
    }
    funds = [
        {"employer_id": row_id, "fund": "310", "from_month": "2020-01", "to_month": None},
        {"employer_id": row_id, "fund": "320", "from_month": "2020-01", "to_month": "2022-06"},
    ]
    with transaction():
        add_employers([row], funds)
    return row_id


def person(number: str, region: str = HERE) -> dict[str, object]:
    return person_values(
        region=region,
        id_type="01",
        id_number=number,
        name="王伟",
        sex="1",
        birth_date=date(1990, 1, 1),
        phone="13800000001",
    )


def enrolment(
    person_id: int, employer_id: int | None, fund: str = "310", **more: object
) -> dict[str, object]:
    return enrolment_values(
        id=new_id(),
        region=HERE,
        person_id=person_id,
        employer_id=employer_id,
        fund=fund,
        person_type="1101",
        from_month="2026-01",
        wage_fen=500000,
        base_fen=500000,
        **more,
    )


def line(person_id: int, employer_id: int, month: str, declaration_id: int | None = None, **more) -> dict:
    return line_values(
        **{
            "region": HERE,
            "person_id": person_id,
            "employer_id": employer_id,
            "fund": "310",
            "party": "employee",
            "due_type": "10",
            "due_month": month,
            "accrual_month": month,
            "base_fen": 500000,
            "rate": "0.02",
            "fixed_fen": None,
            "amount_fen": 10000,
            "declaration_id": declaration_id,
            "created_at_utc": AT,
            **more,
        }
    )


def test_people_are_found_by_number_in_one_statement(db_session, statement_counter):
    rows = [person(f"1101011990010100{place:02d}") for place in range(60)]
    other = person("110101199001010000", THERE)
    with statement_counter() as seen, transaction():
        add_people([*rows, other])
    assert seen.total == 1
    hashes = [crypto.blind(f"1101011990010100{place:02d}") for place in range(70)]
    with statement_counter() as seen:
        here = find_people(HERE, hashes)
        everywhere = find_people(None, hashes)
    assert len(seen.reads) == 2
    assert len(here) == len(everywhere) == 60
    assert [row.region for row in everywhere[hashes[0]]] == [HERE, THERE]
    found = here[hashes[7]][0]
    assert (found.name, found.id_masked) == ("王伟", "1101*****0007")
    assert find_people(HERE, []) == {}
    assert id_number(get_person(found.id)) == "110101199001010007"
    with pytest.raises(NotFound):
        get_person(1)


def test_nothing_personal_is_stored_in_the_clear(db_session):
    with transaction():
        add_people([person("110101199001010000")])
    stored = db_session.execute(select(Person.__table__).where(Person.region == HERE)).one()
    text = " ".join(str(value) for value in stored) + " ".join(
        value.decode("latin1") for value in stored if isinstance(value, bytes)
    )
    assert "110101199001010000" not in text
    assert "13800000001" not in text


def test_merged_records_are_left_out(db_session):
    survivor, alias = person("110101199001010000"), person("110101199001010000")
    with transaction() as work:
        add_people([survivor, alias])
        work.get(Person, alias["id"]).merged_into_id = survivor["id"]
    found = find_people(HERE, [crypto.blind("110101199001010000")])
    assert [[row.id for row in rows] for rows in found.values()] == [[survivor["id"]]]


def test_enrolments_of_a_person_include_other_regions(db_session, employer_id, statement_counter):
    here, there = person("110101199001010000"), person("110101199001010000", THERE)
    with transaction():
        add_people([here, there])
        add_enrolments([enrolment(there["id"], employer_id)])
    with statement_counter() as seen:
        found = enrolments_of([here["id"]])
    assert len(seen.reads) == 1
    assert [(row.person_id, row.employer_no) for row in found[here["id"]]] == [(there["id"], "E-1")]


def test_a_second_open_enrolment_is_refused_by_the_database(db_session, employer_id):
    one = person("110101199001010000")
    with transaction():
        add_people([one])
        add_enrolments([enrolment(one["id"], employer_id)])
    with pytest.raises(IntegrityError), transaction():
        add_enrolments([enrolment(one["id"], employer_id)])
    with transaction():
        ids = [row.id for row in enrolments_of([one["id"]])[one["id"]]]
        assert end_enrolments(ids, "2026-10", "6301", None) == 1
        assert end_enrolments(ids, "2026-11", "6301", None) == 0
        add_enrolments([enrolment(one["id"], employer_id)])
    assert db_session.scalar(select(func.count()).where(Enrolment.person_id == one["id"])) == 2


def test_a_month_is_charged_once_unless_it_was_reversed(db_session, employer_id):
    one = person("110101199001010000")
    with transaction():
        add_people([one])
        first = line(one["id"], employer_id, "2026-09")
        add_lines([first, line(one["id"], employer_id, "2026-10")])
    assert charged_months([one["id"]]) == {
        one["id"]: {"2026-09": frozenset({"310"}), "2026-10": frozenset({"310"})}
    }
    assert list(charged_months([one["id"]], ["2026-10"])[one["id"]]) == ["2026-10"]
    with pytest.raises(IntegrityError), transaction():
        add_lines([line(one["id"], employer_id, "2026-10", due_type="31")])


def test_lines_of_a_declaration_and_totals(db_session, employer_id):
    one, declaration_id = person("110101199001010000"), new_id()
    with transaction():
        add_people([one])
        add_lines(
            [
                line(one["id"], employer_id, "2026-10", declaration_id),
                line(one["id"], employer_id, "2026-10", declaration_id, party="employer", amount_fen=30001),
                line(one["id"], employer_id, "2026-10", fund="330", rate=None, fixed_fen=500, amount_fen=500),
            ]
        )
    made = lines_of_declaration(declaration_id)
    assert [(row.party, row.amount_fen, row.rate) for row in made] == [
        ("employee", 10000, "0.02"),
        ("employer", 30001, "0.02"),
    ]
    assert totals(employer_id, "2026-10") == {
        ("310", "employee", "10"): 10000,
        ("310", "employer", "10"): 30001,
        ("330", "employee", "10"): 500,
    }


def test_funds_are_dated(db_session, employer_id):
    assert funds_of(employer_id, "2021-01") == ["310", "320"]
    assert funds_of(employer_id, "2022-07") == ["310"]
    assert funds_of(employer_id, "2019-12") == []
    assert get_employer(employer_id).employer_no == get_employer_by_no("E-1").employer_no
    assert find_employer_by_no("E-2") is None
    with pytest.raises(NotFound):
        get_employer_by_no("E-2")
