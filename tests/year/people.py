"""Thirty people of a made-up employer, and what each city's forms ask about them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DIGITS = "零一二三四五六七八九"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
NANTONG, HUAIAN, LIANYUNGANG = "320600", "320800", "320700"
SUZHOU, NANJING, WEINAN = "320500", "320100", "610500"
PLATFORM = (HUAIAN, LIANYUNGANG)
# His statutory month is August 2027: sixty years and seven months of delay.
RETIREE, RETIREE_BIRTH = 5, "19670120"
# Odd fen make roundings visible; Nantong and Weinan refuse what lies outside the bounds, the others clip it.
WAGES = ("5783", "9805", "7800", "6577", "12196", "8111", "20333", "5491", "10179", "7777")
BROKEN = {1: "6233.37", 3: "7191.93", 7: "3000", 12: "31000.5", 18: "5060.01"}


@dataclass(frozen=True)
class Human:
    """One of the employer's people; the wage in yuan as somebody types it."""

    place: int
    name: str
    number: str
    wage: str

    @property
    def wage_fen(self) -> int:
        return int(Decimal(self.wage) * 100)


def human(region: str, place: int) -> Human:
    """The person of a place, 1 to 30."""
    birth = RETIREE_BIRTH if place == RETIREE else f"19{80 + place % 15}0{place % 9 + 1}1{place % 10}"
    first = f"{region[:4]}02{birth}{700 + 2 * place + (place % 3 > 0)}"
    check = "10X98765432"[sum(int(a) * b for a, b in zip(first, WEIGHTS, strict=True)) % 11]
    wage = WAGES[place % len(WAGES)]
    if region not in (NANTONG, WEINAN):
        wage = BROKEN.get(place, wage)
    return Human(place, f"年{DIGITS[place // 10]}{DIGITS[place % 10]}", first + check, wage)


def funds_of(region: str) -> list[str]:
    """What the city's enrolment form has ticked."""
    return {
        SUZHOU: ["310", "37001", "330", "510", "410", "33001"], NANJING: ["310", "510", "330", "410"],
    }.get(region, ["310", "330", "510"])  # fmt: skip


def number_of(region: str, who: Human) -> dict[str, Any]:
    """The number as a form of the city asks for it."""
    return (
        {"id_number": who.number}
        if region in (NANTONG, NANJING)
        else {"id_type": "01", "id_number": who.number}
    )


def enrol_form(region: str, who: Human, month: str) -> dict[str, Any]:
    """An enrolment from a month on."""
    if region == NANTONG:
        return {
            "id_number": who.number, "post": "01", "education": "21", "start_month": month,
            "wage_yuan": who.wage,
        }  # fmt: skip
    if region == NANJING:
        return {
            "id_number": who.number, "start_date": f"{month}-01", "phone": "13900000000",
            "wage_yuan": who.wage, "funds": funds_of(region),
        }  # fmt: skip
    form = {
        **number_of(region, who), "name": who.name, "ethnicity": "01", "first_work_date": "2020-01-01",
        "phone": "13900000000", "person_type": "1101", "wage_yuan": who.wage, "funds": funds_of(region),
    }  # fmt: skip
    if region == WEINAN:
        return {**form, "start_month": month}
    bank = {"bank_name": "示例银行", "bank_account_name": who.name, "bank_account": "6222000011112222"}
    return {**form, "start_date": f"{month}-01", **(bank if region in PLATFORM else {})}


def enrol_cells(region: str, who: Human, month: str) -> dict[str, str]:
    """A row of the city's batch file."""
    if region == NANTONG:
        return {
            "id_number": who.number, "name": who.name, "post": "专业技术人员", "education": "大学本科毕业",
            "start_month": month.replace("-", ""), "wage_yuan": who.wage,
        }  # fmt: skip
    start = f"{month.replace('-', '/')}/01"
    cells = {"id_number": who.number, "name": who.name, "wage_yuan": who.wage, "phone": "13900000000"}
    if region == NANJING:
        return {**cells, "start_date": start}
    own = {} if region == SUZHOU else {"start_date": start}
    return {**cells, "id_type": "居民身份证(户口簿)", "first_work_date": "2020/01/01", **own}


def stop_form(region: str, who: Human, month: str, day: int) -> dict[str, Any]:
    """A stop with the end of a month."""
    if region == NANTONG:
        return {"id_number": who.number, "stop_reason": "10"}
    if region == WEINAN:
        return {**number_of(region, who), "stop_month": month, "stop_reason": "02"}
    return {**number_of(region, who), "stop_date": f"{month}-{day:02d}", "stop_reason": "6301"}


def retirement_form(who: Human, day: str, pension: str) -> dict[str, Any]:
    """A retirement with all the months that it needs."""
    return {
        "id_number": who.number, "retirement_type": "1", "retirement_date": day,
        "retirement_wage_yuan": pension, "total_months": "360", "paid_months": "300", "deemed_months": "60",
        "pension_employer_name": "示例单位", "pension_agency": "示例社保中心", "sender_phone": "13900000000",
    }  # fmt: skip


def withdrawal_form(who: Human, died: str) -> dict[str, Any]:
    """The account of somebody who died, paid out to a relative."""
    return {
        "id_number": who.number, "termination_reason": "6401", "termination_date": died,
        "bank_account_name": "示例亲属", "payee_relation": "02", "bank_name": "示例银行",
        "bank_account": "6222000011112222",
    }  # fmt: skip
