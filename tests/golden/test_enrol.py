"""Enrolment checks by case file."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.enrolment import EmployerFacts, EnrolmentFacts, EnrolRequest, PersonFacts, check_enrol
from app.domain.identity import identity_check_digit
from app.domain.problem import problem_text
from tests.domain.regions import load_region
from tests.golden.cases import document

CASES = document("enrol")


def synthetic_number(birth: date, sex: str) -> str:
    """A number of no real person: the sequence part is never issued to one on purpose of tests."""
    first17 = f"320500{birth:%Y%m%d}99{1 if sex == '1' else 2}"
    return first17 + identity_check_digit(first17)


def request_of(case: dict) -> EnrolRequest:
    given = dict(case.get("request", {}))
    birth, sex = date(1990, 7, 8), "1"
    if not given.pop("keep_birth", False):
        birth, sex = given.pop("birth_date", birth), given.pop("sex", sex)
    else:
        sex = "2"
    values = {
        "id_type": "01",
        "id_number": synthetic_number(birth, sex),
        "name": "测试甲",
        "wage_yuan": "9805",
        "start_month": f"{case['today']:%Y-%m}",
        "funds": load_region(case["region"]).usual_funds(),
    } | given
    values["wage_yuan"] = Decimal(values["wage_yuan"])
    values["funds"] = tuple(values["funds"])
    return EnrolRequest(**values)


def person_of(case: dict) -> PersonFacts:
    stretches = [EnrolmentFacts(**{"region": case["region"]} | row) for row in case.get("enrolments", [])]
    return PersonFacts(**{"matches": 0, "enrolments": tuple(stretches)} | case.get("person", {}))


def employer_of(case: dict) -> EmployerFacts:
    given = dict(case.get("employer", {}))
    funds = given.pop("funds", load_region(case["region"]).usual_funds())
    months = dict.fromkeys(funds, ("2020-01", None))
    return EmployerFacts(f"{case['region']}00001", case["region"], funds=months, **given)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_enrolment_cases(case) -> None:
    params = load_region(case["region"])
    verdict = check_enrol(params, request_of(case), person_of(case), employer_of(case), case["today"])
    assert [problem.code for problem in verdict.problems] == case.get("refuse", [])
    assert [problem.code for problem in verdict.warnings] == case.get("warn", [])
    assert verdict.accepted is not bool(case.get("refuse"))
    texts = [problem_text(params, problem) for problem in verdict.problems + verdict.warnings]
    assert case.get("text", "") in "".join(texts)
    assert all("{" not in text for text in texts)
