"""`flask quote` and `flask calc …`: the rules at the command line. Exit 0 fine, 1 problems found, 2 usage."""

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import click

from app import clock
from app.cli.parameter_source import UnknownRegion, parameters
from app.domain import collection, contribution, identity, money, retirement
from app.domain.calendar import check_month
from app.domain.parameters import ParameterMissing, ParameterSet
from app.domain.problem import Problem, problem_text

PROBLEMS = 1


class YuanType(click.ParamType):
    """An amount in yuan, at most two decimals."""

    name = "yuan"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount as Decimal; anything else is a usage error."""
        try:
            amount = Decimal(value)
            if not amount.is_finite() or amount != amount.quantize(money.FEN):
                raise InvalidOperation
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount in yuan with at most two decimals", param, ctx)
        return amount


class MonthType(click.ParamType):
    """A month YYYY-MM."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the month unchanged; anything else is a usage error."""
        try:
            return check_month(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


YUAN, MONTH = YuanType(), MonthType()
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _show(as_json: bool, document: Mapping[str, Any], lines: Iterable[str]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else "\n".join(lines))


def _refuse(as_json: bool, found: Iterable[tuple[str, str]]) -> NoReturn:
    problems = [{"code": code, "message": message} for code, message in found]
    _show(as_json, {"problems": problems}, [problem["message"] for problem in problems])
    raise click.exceptions.Exit(PROBLEMS)


def _missing_is_a_problem(command: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **options: Any) -> None:
        try:
            command(*args, as_json=as_json, **options)
        except ParameterMissing as error:
            words = parameters("").message("parameter.missing").format(name=error.name, month=error.month)
            _refuse(as_json, [("parameter.missing", words)])

    return wrapped


@click.command("quote")
@click.option("--region", required=True, help="Region code of six digits.")
@click.option("--month", required=True, type=MONTH, help="Accrual month YYYY-MM.")
@click.option("--wage", required=True, type=YUAN, help="Declared monthly wage in yuan.")
@click.option("--status", type=click.Choice(contribution.STATUSES), default=contribution.ACTIVE)
@click.option("--funds", default="", help="Fund codes with commas; the region's usual ones if not given.")
@json_option
@_missing_is_a_problem
def quote(region: str, month: str, wage: Decimal, status: str, funds: str, as_json: bool) -> None:
    """Show what is due for a wage in a region and month."""
    params = known_region(region)
    chosen = [code.strip() for code in funds.split(",")] if funds else None
    unknown = [code for code in chosen or () if code not in params.fund_codes()]
    if unknown:
        raise click.BadParameter(f"no such fund in {region}: {', '.join(unknown)}", param_hint="--funds")
    if wage <= 0:
        _refuse(as_json, [("base.not_positive", params.message("base.not_positive"))])
    try:
        result = contribution.quote(params, month, wage, status, chosen)
    except contribution.BaseRefused as error:
        _refuse(as_json, [(error.code, problem_text(params, Problem(error.code, "wage_yuan", error.params)))])
    _show(as_json, result.as_json(), _quote_lines(params, result))


def known_region(code: str) -> ParameterSet:
    """The parameters of a region that was named on the command line; any other is a usage error."""
    try:
        return parameters(code)
    except UnknownRegion as error:
        raise click.BadParameter(f"no such region: {code}", param_hint="--region") from error


def _quote_lines(params: ParameterSet, result: contribution.Quote) -> Iterable[str]:
    for line in result.lines:
        figure = f"{line.rate * 100:f}%" if line.rate is not None else "定额"
        mark = f"  {params.message('parameter.demo')}" if line.demo else ""
        yield f"{params.fund(line.fund).name}  {line.party}  {figure}  {money.format_yuan(line.amount)}{mark}"
    sums = result.totals.as_json()
    yield f"单位 {sums['employer']}  个人 {sums['employee']}  划拨 {sums['allocation']}"


@click.group("calc")
def calc() -> None:
    """Single rules: retirement, words for amounts, numbers, late fee."""


@calc.command("retirement")
@click.option("--birth", required=True, type=MONTH, help="Birth month YYYY-MM.")
@click.option("--category", required=True, type=click.Choice(retirement.CATEGORIES))
@json_option
def calc_retirement(birth: str, category: str, as_json: bool) -> None:
    """Show the statutory retirement month of a birth month."""
    found = retirement.statutory_retirement(parameters(""), birth, category)
    words = f"{found.month}（{found.age_years}岁{found.age_months}个月，延迟{found.delay_months}个月）"
    _show(as_json, asdict(found), [words])


@calc.command("minimum-months")
@click.option("--year", required=True, type=click.IntRange(1949, 9999), help="Year of retirement.")
@json_option
def calc_minimum_months(year: int, as_json: bool) -> None:
    """Show the contribution months that a pension needs for a year of retirement."""
    months = retirement.minimum_months(parameters(""), year)
    _show(as_json, {"months": months}, [str(months)])


@calc.command("uppercase")
@click.argument("amount", type=YUAN)
@json_option
def calc_uppercase(amount: Decimal, as_json: bool) -> None:
    """Show an amount in words."""
    try:
        text = money.uppercase(amount)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="AMOUNT") from error
    _show(as_json, {"text": text}, [text])


@calc.command("identity")
@click.argument("number")
@json_option
def calc_identity(number: str, as_json: bool) -> None:
    """Judge an identity number."""
    found = identity.check_identity(number, clock.today())
    document = {
        "valid": found.valid,
        "reason": found.reason,
        "number": found.number,
        "birth_date": found.birth_date.isoformat() if found.birth_date else None,
        "sex": found.sex,
    }
    _judged(as_json, document, "identity", found.reason)


@calc.command("credit-code")
@click.argument("code")
@json_option
def calc_credit_code(code: str, as_json: bool) -> None:
    """Judge a unified social credit code."""
    found = identity.check_credit_code(code)
    _judged(as_json, asdict(found), "credit_code", found.reason)


def _judged(as_json: bool, document: Mapping[str, Any], subject: str, reason: str | None) -> None:
    words = parameters("").message(f"{subject}.{reason}") if reason else "有效"
    _show(as_json, document, [words])
    if reason:
        raise click.exceptions.Exit(PROBLEMS)


@calc.command("late-fee")
@click.option("--principal", required=True, type=YUAN, help="Amount owed in yuan.")
@click.option("--days", required=True, type=click.IntRange(0), help="Full days since the due date.")
@json_option
@_missing_is_a_problem
def calc_late_fee(principal: Decimal, days: int, as_json: bool) -> None:
    """Show the late fee on an amount owed."""
    if principal < 0:
        raise click.BadParameter("an amount owed is not negative", param_hint="--principal")
    amount = money.format_yuan(collection.late_fee(parameters(""), principal, days, clock.today()))
    _show(as_json, {"amount": amount}, [amount])


COMMANDS = (quote, calc)
