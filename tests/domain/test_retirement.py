from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import add_months, month_of
from app.domain.retirement import CATEGORIES, retirement_category, statutory_month, statutory_retirement
from tests.domain.regions import load_region

BIRTHS = st.dates(date(1930, 1, 1), date(2010, 12, 31)).map(month_of)
LIMITS = {"m60": (60, 63), "f55": (55, 58), "f50": (50, 55)}


@given(BIRTHS, st.sampled_from(CATEGORIES))
def test_the_age_lies_between_the_old_and_the_new_one(birth: str, category: str) -> None:
    found = statutory_retirement(load_region(""), birth, category)
    low, high = LIMITS[category]
    assert low * 12 <= found.age_years * 12 + found.age_months <= high * 12
    assert found.month == add_months(birth, found.age_years * 12 + found.age_months)
    assert found.delay_months == (found.age_years - low) * 12 + found.age_months


@given(BIRTHS, st.sampled_from(CATEGORIES))
def test_the_younger_never_retire_before_the_older(birth: str, category: str) -> None:
    common = load_region("")
    older = statutory_retirement(common, birth, category)
    younger = statutory_retirement(common, add_months(birth, 1), category)
    assert younger.month > older.month
    assert 0 <= younger.delay_months - older.delay_months <= 1


def test_the_post_decides_for_women_only() -> None:
    assert retirement_category("1", "worker") == "m60"
    assert retirement_category("2", "management") == "f55"
    assert retirement_category("2", "worker") == retirement_category("2") == "f50"


def test_a_date_gives_its_month() -> None:
    assert statutory_month(load_region(""), date(1965, 1, 31), "1") == "2025-02"
    assert statutory_retirement(load_region(""), "1965-01-31", "m60").month == "2025-02"


def test_unknown_categories_are_refused() -> None:
    with pytest.raises(ValueError, match="m60"):
        statutory_retirement(load_region(""), "1965-01", "m65")
