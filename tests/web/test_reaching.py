"""Who reaches the age of retirement: the list, its months, and whom nobody else sees (SZ-6.6)."""

import re

import pytest

from app.config import DEMO_PASSWORD
from app.definitions.current import parameters
from app.domain.retirement import statutory_month
from app.extensions import db
from app.store.models import Employer, Enrolment, Person
from tests.fixtures.database import TEST_NOW

PAGE = "/people/reaching-retirement"


@pytest.fixture
def handler(sign_in):
    return lambda city: sign_in(f"{city}.handler", DEMO_PASSWORD)


def _expected(app, number: str, first: str, last: str) -> list[tuple[str, int]]:
    """Everybody in service who reaches the age in the months, straight from the tables."""
    with app.app_context():
        employer = db.session.scalars(db.select(Employer).where(Employer.employer_no == number)).one()
        rules = parameters(employer.region)
        people = db.session.scalars(
            db.select(Person)
            .join(Enrolment, Enrolment.person_id == Person.id)
            .where(
                Enrolment.employer_id == employer.id,
                Enrolment.fund == "310",
                Enrolment.status == "active",
                Enrolment.to_month.is_(None),
                Enrolment.person_type.startswith("11"),
            )
        ).all()
        found = [
            (
                statutory_month(rules, each.birth_date, each.sex, each.details.get("post_category", "")),
                each.id,
            )
            for each in people
        ]
        return sorted(pair for pair in found if first <= pair[0] <= last)


def _shown(text: str) -> list[tuple[str, int]]:
    rows = re.findall(r'<tr data-person="(\d+)">(.*?)</tr>', text, re.S)
    return [(re.search(r"\d{4}-\d{2}(?=<| )", row.split("到龄时间")[1])[0], int(one)) for one, row in rows]


def test_sz_6_6_everybody_who_reaches_the_age_between_two_months(app, handler):
    client = handler("suzhou")
    months = {"from": "2027-01", "to": "2030-12"}
    expected = _expected(app, "32050000001", "2027-01", "2030-12")
    assert len(expected) > 3
    found, address = [], f"{PAGE}?from=2027-01&to=2030-12"
    while address:
        page = client.get(address)
        assert page.status_code == 200
        found += _shown(page.text)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = following[1].replace("&amp;", "&") if following else ""
    assert found == expected
    month, person = expected[0]
    with app.app_context():
        name = db.session.get(Person, person).name
    narrowed = _shown(client.get(PAGE, query_string={**months, "q": name}).text)
    assert (month, person) in narrowed
    assert len(narrowed) < len(expected)


def test_sz_6_6_the_menu_has_it_and_months_that_are_none_are_the_next_year(handler):
    client = handler("suzhou")
    assert f'href="{PAGE}"' in client.get("/hall").text
    page = client.get(f"{PAGE}?from=soon&to=0000")
    assert page.status_code == 200
    first = TEST_NOW.strftime("%Y-%m")
    assert f'value="{first}"' in page.text
    nobody = client.get(f"{PAGE}?q=没有这个人")
    assert "没有到龄的职工" in nobody.text


def test_nj_4_1_the_list_leads_to_retirement_where_the_hall_takes_it(app, handler):
    text = handler("nanjing").get(f"{PAGE}?from=2026-11&to=2036-10").text
    person = re.search(r'data-person="(\d+)"', text)[1]
    assert f"/declare/retirement?person={person}" in text
    assert "/declare/retirement" not in handler("suzhou").get(f"{PAGE}?from=2026-11&to=2036-10").text


def test_only_employers_see_it(sign_in):
    assert sign_in("suzhou.auditor", DEMO_PASSWORD).get(PAGE).status_code == 403
