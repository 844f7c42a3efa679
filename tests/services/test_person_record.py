"""Nanjing's registration: a person without a record is refused, registered, and then enrolled."""

import pytest

from app.errors import NotFound, Rejected
from app.services import declarations
from app.store.models import Declaration, Effect, Enrolment, Person
from app.store.people import id_number
from tests.services.conftest import citizen, huaian_form, rows

NANJING = "320100"


@pytest.fixture
def handler(person):
    return person("nanjing.handler")


def record(found, **more):
    return {
        "id_type": "01", "id_number": found.id_number, "name": found.name, "ethnicity": "01",
        "phone": "13900000000", "nationality": "CHN", "id_valid_from": "2020-01-01", **more,
    }  # fmt: skip


def enrolment(found):
    given = huaian_form(found, "2026-11-01", funds=["310,510", "330", "410"])
    wanted = ("id_number", "start_date", "phone", "wage_yuan", "funds")
    return {name: given[name] for name in wanted}


def refusals(handler, form, now, kind="person_record"):
    with pytest.raises(Rejected) as refused:
        declarations.file(handler, kind, form, now)
    return [(error.field, error.code, error.message) for error in refused.value.errors]


def test_unknown_then_registered_then_enrolled(handler, now):
    found = citizen(NANJING, "unknown")
    assert refusals(handler, enrolment(found), now, "enrol")[0][1] == "enrol.person_unknown"
    check = declarations.check(handler, "person_record", record(found), now)
    assert check.ok
    assert check.amounts is None
    receipt = declarations.file(handler, "person_record", record(found), now)
    assert receipt.status == "done"
    assert receipt.message == "人员基础信息采集成功，现在可以办理参保。"
    (made,) = rows(Person, name=found.name, region=NANJING)
    assert id_number(made) == found.id_number
    assert (made.sex, made.birth_date.isoformat()) == (
        "1" if int(found.id_number[16]) % 2 else "2",
        f"{found.id_number[6:10]}-{found.id_number[10:12]}-{found.id_number[12:14]}",
    )
    assert made.details == {"id_valid_from": "2020-01-01"}
    assert rows(Enrolment, person_id=made.id) == []
    (case,) = rows(Declaration, reference=receipt.reference)
    assert case.person_id == made.id
    assert [effect.effect for effect in rows(Effect, declaration_id=case.id)] == ["person.apply"]
    enrolled = declarations.file(handler, "enrol", enrolment(found), now)
    assert enrolled.status == "done"
    assert {each.fund for each in rows(Enrolment, person_id=made.id)} == {"310", "330", "410", "510"}


def test_a_second_record_is_refused(handler, now):
    found = citizen(NANJING, "not_insured")
    (first, *_) = refusals(handler, record(found), now)
    assert first[:2] == ("id_number", "person_record.exists")
    assert first[2] == "该人员已有基础信息，不需要重复采集，可以直接办理参保。"
    assert refusals(handler, record(found, name="别人"), now)[0][1] == "person_record.exists_other_name"
    new = citizen(NANJING, "unknown")
    declarations.file(handler, "person_record", record(new), now)
    assert refusals(handler, record(new), now)[0][1] == "person_record.exists"
    assert len(rows(Person, name=new.name, region=NANJING)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id_type": "08", "id_number": "E12345678"}, "id_type"),
        ({"id_number": "11010519491231002Y"}, "id_number"),
        ({"birth_date": "1999-01-01"}, "birth_date"),
        ({"name": ""}, "name"),
        ({"phone": "1"}, "phone"),
    ],
)
def test_refused_at_the_field(handler, now, change, field):
    found = citizen(NANJING, "unknown")
    assert field in {each for each, _, _ in refusals(handler, record(found, **change), now)}
    assert rows(Person, name=found.name, region=NANJING) == []


def test_the_document_tells_birth_date_and_sex(handler, now):
    found = citizen(NANJING, "unknown")
    wrong = "2" if int(found.id_number[16]) % 2 else "1"
    assert "sex" in {each for each, _, _ in refusals(handler, record(found, sex=wrong), now)}


def test_elsewhere_it_is_not_offered(person, now):
    for city in ("suzhou", "huaian", "weinan"):
        with pytest.raises(NotFound):
            declarations.file(person(f"{city}.handler"), "person_record", {}, now)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2020-01-01", "2019-12-31", "证件有效期（截止日期）：不能早于证件有效期（起始日期）"),
        ("2020-01-01", "2020-01-01", "证件已过有效期（至2020-01-01），请核对有效期，或更换证件后再办理。"),
        ("2016-11-11", "2026-11-11", "证件已过有效期（至2026-11-11），请核对有效期，或更换证件后再办理。"),
    ],
)
def test_only_a_valid_document_is_registered(handler, now, first, last, words):
    form = record(citizen(NANJING, "unknown"), id_valid_from=first, id_valid_to=last)
    assert [each[::2] for each in refusals(handler, form, now)] == [("id_valid_to", words)]


def test_a_document_is_valid_on_its_last_day(handler, now):
    found = citizen(NANJING, "unknown")
    made = declarations.file(handler, "person_record", record(found, id_valid_to=now.date().isoformat()), now)
    assert made.status == "done"
