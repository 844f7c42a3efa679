"""People for benches: as many as asked for, with valid numbers, known to a region or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from app.domain.identity import identity_check_digit
from app.store.crypto import blind
from app.store.employers import get_employer_by_no
from app.store.enrolments import add_enrolments, enrolment_values
from app.store.facts import employer_records, person_records
from app.store.ids import new_id
from app.store.people import add_people, person_values
from app.store.session import transaction

_FIRST_DAY = date(1980, 1, 1)


def numbers(region: str, count: int) -> Iterator[str]:
    """Valid identity numbers of men born from 1980 on, the same ones every time."""
    for place in range(count):
        born = _FIRST_DAY + timedelta(days=place % 4000)
        digits = f"{region[:4]}81{born:%Y%m%d}{901 + 2 * (place // 4000):03d}"
        yield digits + identity_check_digit(digits)


def name(place: int) -> str:
    """A name for the person at a place."""
    family = "王李张刘陈杨赵黄周吴"
    given = "伟芳娜敏静磊军洋勇艳"
    return family[place % 10] + given[place // 10 % 10] + given[place // 100 % 10]


def insure(region: str, employer_no: str, count: int) -> list[str]:
    """Register people and insure them at an employer in all of its funds; returns their numbers."""
    found = register(region, count)
    employer_id = get_employer_by_no(employer_no).id
    funds = sorted(employer_records([employer_id])[employer_id].funds)
    people = person_records([blind(number) for number in found])
    with transaction():
        add_enrolments(
            [
                enrolment_values(
                    id=new_id(), region=region, person_id=record.id, employer_id=employer_id, fund=fund,
                    person_type="1101", from_month="2020-01", wage_fen=800_000, base_fen=800_000,
                )
                for records in people.values()
                for record in records
                for fund in funds
            ]
        )  # fmt: skip
    return found


def register(region: str, count: int) -> list[str]:
    """Put people who are insured nowhere into a region's registry; returns their numbers."""
    found = list(numbers(region, count))
    with transaction():
        add_people(
            [
                person_values(
                    region=region, id_type="01", id_number=number, name=name(place), sex="1",
                    birth_date=date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}"),
                )
                for place, number in enumerate(found)
            ]
        )  # fmt: skip
    return found
