"""What a rule table may ask: each fact by hand-made people, and nothing but JSON primitives."""

import json
from dataclasses import replace
from datetime import date

import pytest

from app.domain.enrolment import EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.form_facts import FACTS, Asked, facts_of, names_for

TODAY = date(2026, 11, 18)
HERE = EnrolmentFacts("employee", "320600", "2020-01", None, "32060000001", funds=("310",))
PERSON = PersonFacts(
    1, "示例人", date(1990, 11, 18), "1", "1101", (HERE, replace(HERE, funds=("510",))),
    charged_months=frozenset({"2026-09", "2026-10"}),
)  # fmt: skip
EMPLOYER = EmployerFacts("32060000001", "320600", funds={"310": ("2020-01", None), "330": ("2027-01", None)})
ASKED = Asked(
    data={
        "name": "示例人",
        "bank_account_name": "甲 公司",
        "born": "2026-11-01",
        "count": 2,
        "funds": ["1", "2"],
    },
    fields=("name", "bank_account_name", "born", "count", "funds", "empty"),
    dates=("born",),
    channel="03",
    employer_name="甲公司",
    employer=EMPLOYER,
    person=PERSON,
    alive=True,
)  # fmt: skip


def test_nt_8_the_facts_of_an_employee():
    facts = facts_of(ASKED, TODAY)
    assert facts == {
        "today": "2026-11-18", "month": "2026-11", "channel": "03", "employer_no": "32060000001",
        "employer_name": "甲公司", "employer_status": "active", "employer_funds": "310",
        "account_name_is_employer": True, "account_name_is_person": False, "person_records": 1,
        "person_alive": True, "person_sex": "1", "person_age": 36, "person_birth_date": "1990-11-18",
        "person_name_differs": False, "person_type": "1101", "person_active_here": True,
        "person_retired_here": False, "person_active_elsewhere": False, "person_funds": "310,510",
        "person_months": 2, "form_name": "示例人", "form_bank_account_name": "甲 公司",
        "form_born": "2026-11-01", "form_born_days": 17, "form_count": 2, "form_funds": "1,2",
        "form_empty": "",
    }  # fmt: skip
    assert set(facts) == set(names_for(ASKED.fields, ASKED.dates))
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"person_active_here": True}),
        ({"person_type": "1201"}, {"person_active_here": False, "person_retired_here": True}),
        (
            {"enrolments": (replace(HERE, start_month="2026-12"),)},
            {"person_active_here": False, "person_funds": ""},
        ),
        ({"enrolments": (replace(HERE, end_month="2026-10"),)}, {"person_active_here": False}),
        (
            {"enrolments": (replace(HERE, employer_no="32060000002"),)},
            {"person_active_here": False, "person_active_elsewhere": True},
        ),
        (
            {"enrolments": (replace(HERE, category="resident"),)},
            {"person_active_here": False, "person_active_elsewhere": False},
        ),
        ({"name": "别人"}, {"person_name_differs": True}),
        ({"birth_date": date(1990, 11, 19)}, {"person_age": 35}),
        ({"birth_date": None}, {"person_age": -1, "person_birth_date": ""}),
    ],
)
def test_what_a_person_is_here(change, expected):
    facts = facts_of(replace(ASKED, person=replace(PERSON, **change)), TODAY)
    assert {name: facts[name] for name in expected} == expected


def test_nobody_is_known():
    facts = facts_of(replace(ASKED, person=PersonFacts(), data={}), TODAY)
    assert (facts["person_records"], facts["person_sex"], facts["person_age"]) == (0, "", -1)
    assert (facts["account_name_is_employer"], facts["account_name_is_person"]) == (False, False)
    assert (facts["form_born"], facts["form_born_days"]) == ("", 0)


def test_a_fact_with_listed_values_has_no_others():
    facts = facts_of(ASKED, TODAY)
    for name, values in FACTS.items():
        assert not values or facts[name] in values, name
