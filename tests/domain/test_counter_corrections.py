"""The counter's corrections as rules: an employer's data, its funds, and a personal account."""

import pytest

from app.domain.account_correction import AccountFacts, check_account_correction, signed_fen
from app.domain.employer_correction import UnitFacts, check_employer_correction, overrides_code
from app.domain.employer_funds import FundFacts, FundRequest, check_fund_change
from app.domain.enrolment import EmployerFacts, following_funds
from tests.domain.regions import load_region

SUZHOU = "320500"
# valid and one whose check digit is wrong. Source: DOMAIN 3.2
GOOD, WRONG = "913205001622519960", "913205001622519961"
NAME = {"employer_name": ("旧名", "新名")}


def code(new: str) -> dict[str, tuple[str, str]]:
    return {"employer_credit_code": ("9132050089957903X0", new)}


@pytest.mark.parametrize(
    ("changed", "facts", "confirmed", "refused", "told"),
    [
        (NAME, UnitFacts("active"), False, [], []),
        (NAME, UnitFacts("paused"), False, [], []),
        (NAME, UnitFacts("ended"), False, ["update.employer_ended"], []),
        ({}, UnitFacts("active"), True, ["employer_correction.nothing_changed"], []),
        (NAME, UnitFacts("active", bank_name="旧名"), False, [], ["employer_correction.bank_name"]),
        (NAME, UnitFacts("active", bank_name="别的名"), False, [], []),
        (code(GOOD), UnitFacts("active"), False, [], []),
        (code(GOOD), UnitFacts("active"), True, [], []),
        (code(WRONG), UnitFacts("active"), False, ["employer_correction.check_digit"], []),
        (code(WRONG), UnitFacts("active"), True, [], ["employer_correction.code_unchecked"]),
        (code(GOOD[:17]), UnitFacts("active"), True, ["credit_code.length"], []),
        (code(GOOD[:17] + "O"), UnitFacts("active"), True, ["credit_code.characters"], []),
        (code(""), UnitFacts("active"), True, ["credit_code.empty"], []),
        (
            code(GOOD),
            UnitFacts("active", ["1"], ["2", "3"]),
            False,
            [],
            ["employer_correction.same_code", "employer_correction.left_behind"],
        ),
    ],
)
def test_an_employers_data(changed, facts, confirmed, refused, told):
    verdict = check_employer_correction(changed, facts, confirmed=confirmed)
    assert [each.code for each in verdict.problems] == refused
    assert [each.code for each in verdict.warnings] == told


@pytest.mark.parametrize(
    ("changed", "confirmed", "override"),
    [(code(WRONG), True, True), (code(WRONG), False, False), (code(GOOD), True, False), (NAME, True, False)],
)
def test_the_clerks_word_is_kept_only_where_it_counted(changed, confirmed, override):
    assert overrides_code(changed, confirmed=confirmed) is override


def funds(in_fund=0, people=5, status="active", **spans):
    held = {"310": [("2001-01", None)], **{name.removeprefix("f"): each for name, each in spans.items()}}
    return FundFacts(status, held, in_fund, people, "2024-11", "2027-02")


@pytest.mark.parametrize(
    ("action", "fund", "month", "facts", "refused", "told"),
    [
        ("add", "320", "2026-11", funds(), "", "not_enrolled"),
        ("add", "320", "2026-11", funds(people=0), "", ""),
        ("add", "320", "2026-11", funds(status="ended"), "employer_ended", ""),
        ("add", "390", "2026-11", funds(), "not_here", ""),
        ("add", "310", "2026-11", funds(), "held", ""),
        ("add", "320", "2027-03", funds(), "month_limits", ""),
        ("add", "320", "2024-10", funds(), "month_limits", ""),
        # ended before the month: it begins again; ended after it, or begun later: it overlaps
        ("add", "320", "2026-11", funds(people=0, f320=[("2020-01", "2026-10")]), "", ""),
        ("add", "320", "2026-10", funds(f320=[("2020-01", "2026-10")]), "held", ""),
        ("add", "320", "2026-11", funds(f320=[("2026-12", None)]), "held", ""),
        ("end", "320", "2026-11", funds(f320=[("2020-01", None)]), "", ""),
        ("end", "320", "2026-11", funds(in_fund=2, f320=[("2020-01", None)]), "people", ""),
        ("end", "320", "2026-11", funds(), "not_held", ""),
        ("end", "320", "2026-11", funds(f320=[("2020-01", "2026-12")]), "not_held", ""),
        ("end", "320", "2026-11", funds(f320=[("2026-12", None)]), "not_held", ""),
        ("end", "310", "2026-11", funds(), "last", ""),
        ("end", "310", "2026-11", funds(f320=[("2020-01", "2026-11")]), "last", ""),
        ("end", "310", "2026-11", funds(f320=[("2020-01", None)]), "", ""),
    ],
)
def test_an_employers_funds(action, fund, month, facts, refused, told):
    verdict = check_fund_change(load_region(SUZHOU), FundRequest(action, fund, month), facts)
    assert [each.code for each in verdict.problems] == ([f"employer_funds.{refused}"] if refused else [])
    assert [each.code for each in verdict.warnings] == ([f"employer_funds.{told}"] if told else [])


def test_nobody_begins_in_a_fund_whose_end_is_on_record():
    employer = EmployerFacts(
        "1",
        SUZHOU,
        funds={"310": ("2001-01", None), "320": ("2027-01", None), "410": ("2001-01", "2026-12")},
        earlier_funds={"320": [("2010-01", "2015-12")]},
    )
    assert employer.has_fund("410", "2026-12")
    assert not employer.takes_in("410", "2026-11")
    assert employer.has_fund("320", "2012-06")
    assert not employer.has_fund("320", "2026-11")
    assert (employer.takes_in("320", "2026-12"), employer.takes_in("320", "2027-01")) == (False, True)
    assert not employer.takes_in("510", "2026-11")


def test_forced_funds_follow_the_month_of_the_start():
    params = load_region(SUZHOU)
    employer = EmployerFacts("1", SUZHOU, funds={"310": ("2001-01", None), "410": ("2026-12", None)})
    assert following_funds(params, employer, ["310", "410"], "2026-11") == ["310"]
    assert following_funds(params, employer, ["310", "410"], "2026-12") == ["310", "410"]
    # what the employer has never had is for the check to refuse
    assert following_funds(params, employer, ["310", "510"], "2026-11") == ["310", "510"]


@pytest.mark.parametrize(
    ("amount", "facts", "refused", "told"),
    [
        (100, AccountFacts(1, 0), "", ""),
        (-100, AccountFacts(1, 100), "", ""),
        (-101, AccountFacts(1, 100), "account_correction.below_zero", ""),
        (-1, AccountFacts(1, -50), "account_correction.below_zero", ""),
        (50, AccountFacts(1, -50), "", ""),
        (49, AccountFacts(1, -50), "", "account_correction.still_negative"),
        (0, AccountFacts(1, 100), "account_correction.zero", ""),
        (1, AccountFacts(0), "stop.unknown", ""),
        (1, AccountFacts(2), "person.duplicate", ""),
        (1, AccountFacts(1, of_employer=False), "account_correction.not_of_employer", ""),
        (1, AccountFacts(1, open_kinds=["withdrawal"]), "account_correction.open_case", ""),
    ],
)
def test_a_personal_account(amount, facts, refused, told):
    verdict = check_account_correction(load_region(SUZHOU), amount, facts)
    assert [each.code for each in verdict.problems] == ([refused] if refused else [])
    assert [each.code for each in verdict.warnings] == ([told] if told else [])


def test_the_direction_makes_the_sign():
    assert (signed_fen("increase", 5), signed_fen("decrease", 5)) == (5, -5)
