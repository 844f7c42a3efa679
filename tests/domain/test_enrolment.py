from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import add_months, months_apart
from app.domain.enrolment import backpay_months, enrol_outcome, enrolment_status, person_type
from tests.domain.regions import load_region

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(DAYS, st.integers(-30, 1), st.sets(st.integers(-30, 1)))
def test_backpay_never_reaches_too_far_nor_charges_twice(today: date, back: int, charged: set[int]) -> None:
    month = f"{today:%Y-%m}"
    start = add_months(month, back)
    taken = {add_months(month, step) for step in charged}
    months = backpay_months(load_region("320500"), start, today, taken)
    assert months == sorted(set(months))
    assert not set(months) & taken
    assert len(months) <= 6
    for each in months:
        assert start <= each <= month
        assert months_apart(each, month) <= 6
        assert each != month or today.day >= 7


def test_the_outcome_names_suzhous_two_messages() -> None:
    params, today = load_region("320500"), date(2022, 9, 22)
    assert params.message(enrol_outcome(params, today, ["2022-09"])) == (
        "参保成功，补缴成功。后续请到“已审核数据查询”中查询信息"
    )
    assert params.message(enrol_outcome(params, today, [])) == (
        "参保成功，但补缴失败，没有查询到可以补收的时间段！"
    )
    assert enrol_outcome(load_region("320600"), today, ["2022-09"]) == "enrol.accepted"


@pytest.mark.parametrize(
    ("start", "status"), [("2026-12", "upcoming"), ("2026-11", "active"), ("2026-01", "active")]
)
def test_a_later_start_is_upcoming(start: str, status: str) -> None:
    assert enrolment_status(start, date(2026, 11, 30)) == status


def test_the_civil_servants_fund_makes_a_civil_servant() -> None:
    params = load_region("320500")
    assert person_type(params, params.usual_funds()) == "1101"
    assert person_type(params, (*params.usual_funds(), "320")) == "1102"
