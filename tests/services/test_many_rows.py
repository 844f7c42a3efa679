"""Many forms at once go the way of one: the same code, hardly more statements."""

from datetime import date

import pytest

from app.domain.identity import identity_check_digit
from app.services import declarations, filing
from app.services.cases import write
from app.store.models import Declaration, Enrolment, HumanTask
from app.store.people import add_people, person_values
from app.store.session import transaction
from tests.services.conftest import HUAIAN, NANTONG, citizen, huaian_form, nantong_form, rows


class Numbered:
    """Somebody with a made-up number."""

    def __init__(self, place: int) -> None:
        digits = (
            f"320601{1980 + place % 20}0{place // 20 % 9 + 1}{place // 180 % 28 + 1:02d}{place % 1000:03d}"
        )
        self.id_number = digits + identity_check_digit(digits)
        self.name = "示例人"


@pytest.fixture
def crowd():
    """A thousand people more in Nantong's registry."""
    people = [Numbered(place) for place in range(1000)]
    assert len({each.id_number for each in people}) == 1000
    with transaction():
        add_people(
            [
                person_values(
                    region=NANTONG, id_type="01", id_number=each.id_number, name=each.name, sex="1",
                    birth_date=date(1980, 1, 1),
                )
                for each in people
            ]
        )  # fmt: skip
    return people


def file_rows(actor, kind, forms, now, **more):
    target = filing.target_of(actor, kind, None)
    form = target.bundle.form(kind)
    values = [filing.typed(form, each, now) for each in forms]
    with transaction():
        answers = filing.file_rows(actor, target, values, now, **more)
        write([answer for answer in answers if not isinstance(answer, Exception)])
    return answers


def test_a_chunk_costs_the_statements_of_one(person, statement_counter, now):
    handler = person("huaian.handler")
    declarations.save_draft(handler, "enrol", {}, now)
    with statement_counter() as one:
        file_rows(handler, "enrol", [huaian_form(Numbered(999))], now, batch_id=7)
    with statement_counter() as chunk:
        answers = file_rows(
            handler, "enrol", [huaian_form(Numbered(place)) for place in range(200)], now, batch_id=7
        )
    assert len(answers) == 200
    assert chunk.total <= one.total <= 12
    assert {row.status for row in rows(Declaration, batch_id=7)} == {"submitted"}
    assert len(rows(HumanTask, batch_id=7)) == 201


def test_bad_rows_stop_no_good_ones_and_rows_see_each_other(nantong, now):
    first, second = citizen(NANTONG, "not_insured"), citizen(NANTONG, "not_insured", 1)
    refused = nantong_form(citizen(NANTONG, "flexible"))
    forms = [nantong_form(first), refused, nantong_form(second), nantong_form(first)]
    answers = file_rows(nantong, "enrol", forms, now)
    codes = [answer.errors[0].code if isinstance(answer, Exception) else "" for answer in answers]
    assert codes == ["", "enrol.active_flexible", "", "enrol.one_open"]
    assert [row.status for row in rows(Declaration)] == ["pending", "pending"]


def test_a_thousand_pending_records(nantong, crowd, statement_counter, now):
    for start in range(0, 1000, 500):
        file_rows(nantong, "enrol", [nantong_form(each) for each in crowd[start : start + 500]], now)
    assert declarations.discard_all(nantong, "enrol", now).done == 1000
    for start in range(0, 1000, 500):
        file_rows(nantong, "enrol", [nantong_form(each) for each in crowd[start : start + 500]], now)
    with statement_counter() as seen:
        result = declarations.submit_all(nantong, "enrol", now)
    assert (result.done, result.failed) == (1000, 0)
    assert max(len(each) for each in seen.writes) <= 12
    assert len(seen.writes) == 6
    assert {row.status for row in rows(Declaration)} == {"discarded", "submitted"}
    assert rows(Enrolment, declaration_id=rows(Declaration)[-1].id) == []


def test_every_region_of_the_platform_takes_the_same_rows(person, now):
    for city, region in (("huaian", HUAIAN), ("lianyungang", "320700")):
        handler = person(f"{city}.handler")
        (answer,) = file_rows(handler, "enrol", [huaian_form(citizen(region, "unknown"))], now)
        assert answer.declaration.status == "submitted"
