"""The demonstration: valid, the same every time, and able to meet every refusal of an enrolment."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.definitions import current
from app.domain.calendar import month_of
from app.domain.enrolment import EnrolRequest, check_enrol
from app.domain.identity import check_credit_code, check_identity
from app.domain.retirement import statutory_month
from app.errors import Forbidden
from app.services import demo
from app.services.demo.identities import unknown_people
from app.services.passwords import verify_password
from app.services.registry import Registry
from app.store import crypto
from app.store.accounts import employers_of, find_user, roles_of
from app.store.demo import counts
from app.store.employers import get_employer_by_no
from app.store.models import ContributionLine, Employer, Enrolment, Person
from app.store.people import id_number
from tests.fixtures.database import PEOPLE, TEST_NOW

TODAY = TEST_NOW.date()
# What an enrolment at the first employer from this month is told; None is accepted.
EXPECTED = {
    "not_insured": None,
    "stopped": None,
    "charged_partly": None,
    "flexible": "enrol.active_flexible",
    "resident": "enrol.active_resident",
    "double_record": "person.duplicate",
    "past_age_male": "enrol.age_male",
    "past_age_female": "enrol.age_female",
    "reaches_age_male": "enrol.age_male",
    "near_age_male": None,
    "near_age_female": None,
    "active_elsewhere_employer": "enrol.active_at_employer",
    "active_same_employer": "enrol.active_at_employer",
    "active_elsewhere_region": "enrol.active_elsewhere",
    "upcoming": "enrol.active_at_employer",
    "stopping": "enrol.active_at_employer",
    "retired": "enrol.person_retired",
    "unknown": None,
}


def verdict_codes(person, params) -> set[str]:
    """Refusals and warnings alike: which of both a finding is, the region decides."""
    employer = get_employer_by_no(f"{params.region}00001")
    registry = Registry()
    month = month_of(TODAY)
    floor = params.decimal("base.floor", month)
    request = EnrolRequest(
        person.id_type, person.id_number, person.name, Decimal(int(floor) + 1000), month, params.usual_funds()
    )
    facts = registry.person_facts(crypto.blind(person.id_number), params.region)
    verdict = check_enrol(params, request, facts, registry.employer_facts(employer.id), TODAY)
    return {problem.code for problem in (*verdict.problems, *verdict.warnings)}


def test_every_case_meets_its_rule_in_every_region(db_session):
    regions = [code for code, _ in current.regions()]
    assert len(regions) == 6
    for region in regions:
        params = current.parameters(region)
        people = demo.demo_people(region, count=4)
        assert {person.case for person in people} >= set(EXPECTED)
        must_exist = params.flag("enrol.person_must_exist", month_of(TODAY))
        for person in people:
            if person.case not in EXPECTED:
                continue
            # past the age: refused, or taken with a hint of its own words
            codes = {code.removesuffix("_reached") for code in verdict_codes(person, params)}
            expected = EXPECTED[person.case]
            if person.case == "unknown" and must_exist:
                expected = "enrol.person_unknown"
            if expected is None:
                assert not codes, (region, person.case, codes)
            else:
                assert expected in codes, (region, person.case, codes)


def test_the_months_of_the_paid_back_cases(db_session):
    region = current.regions()[0][0]
    registry = Registry()
    by_case = {person.case: person for person in demo.demo_people(region, count=1)}
    partly, fully = (
        registry.person_facts(crypto.blind(by_case[name].id_number), region).charged_months
        for name in ("charged_partly", "charged_fully")
    )
    assert partly == {"2026-06", "2026-07"}
    assert fully == {f"2026-{month:02d}" for month in range(4, 12)}


def test_numbers_are_valid_and_synthetic(db_session):
    for person in db_session.scalars(select(Person)):
        number = id_number(person)
        identity = check_identity(number, TODAY)
        assert identity.valid
        assert (identity.birth_date, identity.sex) == (person.birth_date, person.sex)
        assert number[4:6] == "01"
        assert person.id_hash == crypto.blind(number)
    for employer in db_session.scalars(select(Employer)):
        judged = check_credit_code(employer.credit_code)
        assert judged.valid
        assert judged.organisation_valid


def test_nobody_at_work_is_past_the_statutory_age(db_session):
    params = current.parameters(current.regions()[0][0])
    at_work = select(Enrolment.person_id).where(
        Enrolment.person_type.in_(("1101", "1102")), Enrolment.to_month.is_(None)
    )
    query = select(Person).where(Person.id.in_(at_work))
    people = list(db_session.scalars(query))
    assert len(people) > 6 * sum(PEOPLE)
    for person in people:
        post = person.details.get("post_category", "")
        assert statutory_month(params, person.birth_date, person.sex, post) > month_of(TODAY)


def test_sizes_funds_and_bounds(db_session):
    for region, _ in current.regions():
        params = current.parameters(region)
        cases = 2  # people of cases that are insured at the first employer
        first = get_employer_by_no(f"{region}00001")
        staff = db_session.scalar(
            select(func.count(Enrolment.person_id.distinct())).where(
                Enrolment.employer_id == first.id, Enrolment.person_type.like("11%")
            )
        )
        assert PEOPLE[0] <= staff <= PEOPLE[0] + 2 * cases
        month = month_of(TODAY)
        floor, cap = (int(params.decimal(f"base.{bound}", month) * 100) for bound in ("floor", "cap"))
        lowest, highest = db_session.execute(
            select(func.min(Enrolment.base_fen), func.max(Enrolment.base_fen)).where(
                Enrolment.region == region, Enrolment.person_type.like("11%")
            )
        ).one()
        assert floor <= lowest <= highest <= cap
        if "320" in params.fund_codes():
            third = get_employer_by_no(f"{region}00003")
            civil = select(func.count()).where(Enrolment.employer_id == third.id, Enrolment.fund == "320")
            assert db_session.scalar(civil) >= 1
    assert db_session.scalar(select(func.count()).where(ContributionLine.employer_id.is_not(None))) > 1000


def test_accounts_of_every_city(app, db_session):
    password = app.extensions["wangting"].demo_password
    for region, _ in current.regions():
        slug = current.parameters(region).slug
        for role in ("handler", "reviewer", "admin", "auditor", "senior", "supervisor", "counter"):
            user = find_user(f"{slug}.{role}")
            assert user.demo
            assert not user.must_change_password
            assert roles_of(user.id) == [(role, region)]
            employers = [employer.employer_no for employer in employers_of(user.id)]
            on_employer_side = role in ("handler", "reviewer", "admin")
            assert employers == ([f"{region}0000{place}" for place in (1, 2, 3)] if on_employer_side else [])
    for name in ("designer1", "designer2", "sysadmin", "secadmin", "auditadmin"):
        assert find_user(name).side == "platform"
    assert verify_password(find_user("designer1").password_hash, password)


def test_a_second_load_changes_nothing(app, db_session):
    before = counts()
    report = demo.load(app.extensions["wangting"], TEST_NOW, people=PEOPLE, months=2)
    assert report.loaded == []
    assert counts() == before


def test_only_a_demonstration_is_filled(app, db_session):
    with pytest.raises(Forbidden):
        demo.load(replace(app.extensions["wangting"], demo=False), TEST_NOW)


def test_unknown_people_are_the_same_and_without_end(db_session):
    region = current.regions()[0][0]
    few, many = (demo.demo_people(region, "unknown", count) for count in (5, 2_000))
    assert few == many[:5]
    assert len({person.id_number for person in many}) == 2_000
    assert next(unknown_people(region)).number == few[0].id_number
    assert not Registry().records(crypto.blind(few[0].id_number), region)
