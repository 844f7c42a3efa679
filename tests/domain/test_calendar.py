from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import (
    add_months,
    add_months_to_date,
    add_working_days,
    check_month,
    month_end,
    month_of,
    months_apart,
    months_between,
    working_days_left,
)
from tests.domain.regions import load_region

MONTHS = st.dates(date(1900, 1, 1), date(2999, 12, 31)).map(month_of)


@given(MONTHS, st.integers(-600, 600))
def test_months_add_and_measure(month: str, count: int) -> None:
    later = add_months(month, count)
    assert months_apart(month, later) == count
    assert add_months(later, -count) == month
    assert (later > month) is (count > 0)


@given(MONTHS, st.integers(0, 48))
def test_all_months_between_are_there_once_and_in_order(month: str, count: int) -> None:
    months = months_between(month, add_months(month, count))
    assert len(months) == count + 1
    assert months == sorted(set(months))
    assert (months[0], months[-1]) == (month, add_months(month, count))


def test_months_between_is_empty_backwards() -> None:
    assert months_between("2026-11", "2026-10") == []


@pytest.mark.parametrize("wrong", ["2026-13", "2026-00", "202611", "2026-1", "2026-011", "", "２０２６-11"])
def test_what_is_no_month_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a month"):
        check_month(wrong)


def test_the_last_day_holds_where_a_day_is_missing() -> None:
    assert add_months_to_date(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months_to_date(date(2022, 9, 10), 1) == date(2022, 10, 10)
    assert month_end("2028-02") == date(2028, 2, 29)


def test_working_days_skip_weekends_and_holidays_and_keep_moved_days() -> None:
    common = load_region("")
    before = datetime(2026, 9, 30, 15, 30)  # a Wednesday before the national holiday
    # 1 to 7 October are off; the 8th, the 9th and Saturday the 10th are worked.
    assert add_working_days(before, 3, common.holidays, common.workdays) == datetime(2026, 10, 10, 15, 30)
    assert add_working_days(before, 3) == datetime(2026, 10, 5, 15, 30)
    assert add_working_days(before, 0) == before


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30)), st.integers(1, 30))
def test_days_left_count_what_was_added(moment: datetime, count: int) -> None:
    common = load_region("")
    due = add_working_days(moment, count, common.holidays, common.workdays)
    assert working_days_left(moment, due, common.holidays, common.workdays) == count


def test_days_left_turn_negative() -> None:
    assert working_days_left(datetime(2026, 11, 20), datetime(2026, 11, 18)) == -2
    assert working_days_left(datetime(2026, 11, 20, 8), datetime(2026, 11, 20, 23)) == 0
