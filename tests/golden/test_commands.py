"""Every case of the tables passes through the commands, as an outside reader would try them."""

import json
from decimal import Decimal

import pytest
from flask import Flask

from app.cli import parameter_source
from app.cli.calc import COMMANDS
from tests.golden.cases import table


@pytest.fixture(scope="module")
def command():
    app = Flask("commands")
    for each in COMMANDS:
        app.cli.add_command(each)
    runner = app.test_cli_runner()

    def run(*arguments: str, code: int = 0) -> dict:
        words = 2 if arguments[0] == "calc" else 1
        result = runner.invoke(args=[*arguments[:words], "--json", *arguments[words:]])
        assert result.exit_code == code, result.output
        return json.loads(result.output) if code < 2 else {"usage": result.output}

    return run


@pytest.fixture(autouse=True)
def repository_files(monkeypatch):
    """The files' own values, whatever a database has published."""
    monkeypatch.setattr("app.cli.calc.parameters", parameter_source.from_files)


def amount_of(lines: list[dict], fund: str, party: str) -> Decimal:
    """The allocation is printed as one sum of two lines."""
    found = [line for line in lines if line["fund"] == fund and line["party"].startswith(party)]
    return sum((Decimal(line["amount"]) for line in found), Decimal("0.00"))


@pytest.mark.parametrize("case", table("contribution"))
def test_printed_amounts_of_one_person(command, case) -> None:
    quote = command("quote", "--region", case["region"], "--month", case["month"], "--wage", case["wage"])
    assert amount_of(quote["lines"], case["fund"], case["party"]) == Decimal(case["amount"])


@pytest.mark.parametrize("case", table("quote_totals"))
def test_printed_totals_of_one_person(command, case) -> None:
    quote = command("quote", "--region", case["region"], "--month", case["month"], "--wage", case["wage"])
    assert quote["totals"] == {side: case[side] for side in ("employer", "employee", "allocation")}
    assert len({line["fund"] for line in quote["lines"]}) == int(case["funds_with_lines"])


@pytest.mark.parametrize("case", table("uppercase"))
def test_amounts_in_words(command, case) -> None:
    assert command("calc", "uppercase", "--", case["amount"])["text"] == case["words"]


@pytest.mark.parametrize("case", table("retirement"))
def test_retirement_months(command, case) -> None:
    found = command("calc", "retirement", "--birth", case["birth"], "--category", case["category"])
    assert found == {
        "month": case["month"],
        **{name: int(case[name]) for name in ("age_years", "age_months", "delay_months")},
    }


@pytest.mark.parametrize("case", table("minimum_months"))
def test_minimum_contribution_months(command, case) -> None:
    assert command("calc", "minimum-months", "--year", case["year"]) == {"months": int(case["months"])}


@pytest.mark.parametrize("case", table("identity"))
def test_identity_numbers(command, case) -> None:
    found = command("calc", "identity", case["number"], code=1 if case["reason"] else 0)
    assert found["valid"] is not bool(case["reason"])
    assert (found["reason"] or "") == case["reason"]
    assert ((found["birth_date"] or ""), (found["sex"] or "")) == (case["birth_date"], case["sex"])


@pytest.mark.parametrize("case", table("credit_code"))
def test_credit_codes(command, case) -> None:
    found = command("calc", "credit-code", case["code"], code=1 if case["reason"] else 0)
    assert (found["valid"], found["reason"] or "") == (not case["reason"], case["reason"])


@pytest.mark.parametrize("case", table("late_fee"))
def test_late_fees(command, case) -> None:
    found = command("calc", "late-fee", "--principal", case["principal"], "--days", case["days"])
    assert found == {"amount": case["amount"]}


def test_quote_lines_have_all_that_readers_are_promised(command) -> None:
    quote = command("quote", "--region", "320500", "--month", "2022-08", "--wage", "9805")
    assert all(
        set(line) == {"fund", "party", "base", "rate", "fixed", "amount", "source", "demo"}
        for line in quote["lines"]
    )
    fixed = next(line for line in quote["lines"] if line["fund"] == "330")
    assert (fixed["rate"], fixed["fixed"], fixed["amount"]) == (None, "5.00", "5.00")
    rated = next(line for line in quote["lines"] if (line["fund"], line["party"]) == ("310", "employer"))
    assert (rated["base"], rated["rate"], rated["fixed"], rated["demo"]) == ("9805.00", "0.06", None, False)
    # Long-term care and serious illness cost nothing and stay away.
    assert not {"410", "33001"} & {line["fund"] for line in quote["lines"]}


def test_retirees_pay_no_basic_insurance(command) -> None:
    quote = command(
        "quote", "--region", "320800", "--month", "2022-02", "--wage", "6412.57", "--status", "retired"
    )
    assert amount_of(quote["lines"], "310", "employe") == 0
    assert amount_of(quote["lines"], "330", "employee") == Decimal("8.00")


def test_civil_servants_are_a_choice(command) -> None:
    arguments = ("quote", "--region", "320500", "--month", "2022-09", "--wage", "9805")
    assert "320" not in {line["fund"] for line in command(*arguments)["lines"]}
    chosen = command(*arguments, "--funds", "310,320")
    assert amount_of(chosen["lines"], "320", "employer") == Decimal("1321.05")


def test_a_month_without_a_value_is_a_problem(command) -> None:
    problems = command("quote", "--region", "320500", "--month", "1999-08", "--wage", "9805", code=1)
    assert problems["problems"][0]["code"] == "parameter.missing"
    assert "1999-08" in problems["problems"][0]["message"]


def test_a_wage_outside_the_bounds_is_refused_where_the_region_refuses(command) -> None:
    problems = command("quote", "--region", "320600", "--month", "2026-11", "--wage", "100", code=1)
    assert problems["problems"] == [
        {"code": "base.below_floor", "message": "申报工资低于当月最低缴费基数5060.00元。"}
    ]
    assert command("quote", "--region", "320600", "--month", "2026-11", "--wage", "0", code=1)["problems"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("quote", "--region", "999999", "--month", "2026-11", "--wage", "9805"),
        ("quote", "--region", "../320500", "--month", "2026-11", "--wage", "9805"),
        ("quote", "--region", "320500", "--month", "2026-13", "--wage", "9805"),
        ("quote", "--region", "320500", "--month", "2026-11", "--wage", "9805.001"),
        ("quote", "--region", "320500", "--month", "2026-11", "--wage", "nan"),
        ("quote", "--region", "320500", "--month", "2026-11", "--wage", "9805", "--funds", "999"),
        ("quote", "--region", "320500", "--month", "2026-11", "--wage", "9805", "--status", "asleep"),
        ("calc", "retirement", "--birth", "1965-01", "--category", "m65"),
        ("calc", "uppercase", "1.001"),
        ("calc", "uppercase", "1" + "0" * 20),
        ("calc", "late-fee", "--principal", "-1", "--days", "3"),
        ("calc", "late-fee", "--principal", "1", "--days", "-3"),
    ],
)
def test_wrong_usage_is_told_apart_from_problems(command, arguments) -> None:
    assert "Error:" in command(*arguments, code=2)["usage"]


def test_people_read_words_and_marks() -> None:
    app = Flask("commands")
    for each in COMMANDS:
        app.cli.add_command(each)
    runner = app.test_cli_runner()
    arguments = ["quote", "--region", "320500", "--wage", "9805", "--month"]
    sourced = runner.invoke(args=[*arguments, "2022-08"]).output
    assert "单位 764.79  个人 201.10  划拨 294.15" in sourced
    assert "示例参数" not in sourced
    assert "示例参数" in runner.invoke(args=[*arguments, "2026-11"]).output
    assert runner.invoke(args=["calc", "identity", "110105491231002"]).output.startswith("请填写18位")
