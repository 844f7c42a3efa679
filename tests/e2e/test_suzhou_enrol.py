"""Suzhou: no audit, rules decide at once, past months are paid back by themselves."""

import json
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import pytest
from playwright.sync_api import Page, expect

from app.services.demo import DemoPerson
from tests.e2e.hall_steps import check, file, fill, refused, sign_in
from tests.fixtures.server import LiveServer

pytestmark = pytest.mark.e2e
SUZHOU = "320500"
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FORCED = ["310", "330", "33001", "37001", "410", "510"]
# The manual's rates of 2022, which the demonstration keeps: fund, party, share of the base or a sum a head.
RATES = (
    ("310", "employer", "0.06"),
    ("310", "employee", "0.02"),
    ("310", "allocation_employee", "0.02"),
    ("310", "allocation_employer", "0.01"),
    ("37001", "employer", "0.01"),
    ("510", "employer", "0.008"),
)
PER_HEAD = (("330", "employee", "5.00"),)
PAID_BACK = "参保成功，补缴成功。后续请到“已审核数据查询”中查询信息"
NOT_PAID_BACK = "参保成功，但补缴失败，没有查询到可以补收的时间段！"
TOO_EARLY = "处理失败！当月结算期之前，参保日期不可选择为下个月！"


def expected_lines(wage: str, months: list[str]) -> dict[tuple[str, str, str], Decimal]:
    """What must be charged, worked out here and nowhere in the product."""
    cents = Decimal("0.01")
    found = {}
    for month in months:
        for fund, party, rate in RATES:
            amount = (Decimal(wage) * Decimal(rate)).quantize(cents, rounding=ROUND_HALF_UP)
            found[month, fund, party] = amount
        for fund, party, amount in PER_HEAD:
            found[month, fund, party] = Decimal(amount)
    return found


def shared(lines: dict[tuple[str, str, str], Decimal], *parties: str) -> Decimal:
    return sum((amount for key, amount in lines.items() if key[2] in parties), Decimal(0))


def form_of(person: DemoPerson, start: str = "2026-11-01", wage: str = "9805") -> dict[str, str]:
    return {
        "id_number": person.id_number,
        "name": person.name,
        "ethnicity": "01",
        "first_work_date": "20200101",
        "start_date": start,
        "phone": person.phone,
        "wage_yuan": wage,
    }


def open_form(page: Page, server: LiveServer, values: dict[str, str]) -> None:
    page.goto(f"{server.url}/declare/enrol")
    fill(page, values)


def trial_months(page: Page, months: str) -> None:
    """Wait until the side card shows these months to be paid back."""
    expect(page.locator("[data-trial-months]")).to_have_attribute("data-trial-months", months)


def message(page: Page) -> str:
    return page.locator("[data-message-text]").inner_text()


def test_a_start_three_months_back(
    live_server: Callable[..., LiveServer], database_url_of_test: str, page: Page, citizen
) -> None:
    server = live_server(database_url_of_test, now="2026-11-18T10:00:00")
    person = citizen(SUZHOU, "not_insured")
    months = ["2026-08", "2026-09", "2026-10", "2026-11"]
    lines = expected_lines("9805", months)
    paid = f"{shared(lines, 'employer', 'employee'):,.2f}"
    sign_in(page, server, "suzhou.handler")

    # the number fills what follows from it; trial amounts follow month and wage
    open_form(page, server, form_of(person, "2026-08-01"))
    expect(page.locator("[name=birth_date]")).to_have_value(person.birth_date.isoformat())
    expect(page.locator("[name=sex]")).to_have_value(person.sex)
    expect(page.locator("[name=nationality]")).to_have_value("CHN")
    trial_months(page, ",".join(months))
    expect(page.locator("[data-trial-employer]")).to_have_text(f"{shared(lines, 'employer'):,.2f}")
    expect(page.locator("[data-trial-employee]")).to_have_text(f"{shared(lines, 'employee'):,.2f}")
    expect(page.locator("[data-trial-total]")).to_have_text(paid)
    expect(page.locator("#trial-card")).to_contain_text("示例参数")

    # the check page says it all once more, and leads back without losing anything
    check(page)
    expect(page.locator("[data-value=id_number]")).to_have_text(person.id_number)
    expect(page.locator("[data-value=wage_yuan]")).to_contain_text("9,805.00")
    assert page.locator("tr[data-line]").count() == 4 * len(months)
    page.get_by_role("link", name=re.compile("修改.*人员参保信息")).click()
    expect(page.locator("[name=wage_yuan]")).to_have_value("9805.00")
    check(page)
    reference = file(page)

    assert message(page) == PAID_BACK
    expect(page.locator("[data-months]")).to_have_text("、".join(months))
    expect(page.locator("[data-amount]")).to_have_text(f"{paid} 元")
    page.get_by_role("link", name="查看详情").click()
    expect(page.locator("[data-status=done]")).to_be_visible()
    page.get_by_role("link", name=re.compile("缴费明细")).click()
    assert page.locator("tr[data-line]").count() == 4 * len(months)
    expect(page.locator("tr[data-total]")).to_contain_text(paid)

    shown = json.loads(server.flask("declaration", "show", reference, "--json").stdout)
    assert {
        (line["accrual_month"], line["fund"], line["party"]): Decimal(line["amount"])
        for line in shown["lines"]
    } == lines
    assert {(line["due_month"], line["due_type"], line["base"]) for line in shown["lines"]} == {
        ("2026-11", "31", "9805.00")
    }
    page.goto(f"{server.url}/submitted?view=decided")
    expect(page.get_by_role("heading", name="已审核数据查询")).to_be_visible()
    expect(page.locator(f"tr[data-ref='{reference}']")).to_be_visible()


@ON_SQLITE
def test_every_message_of_the_manual(
    live_server: Callable[..., LiveServer], database_url_of_test: str, page: Page, citizen
) -> None:
    server = live_server(database_url_of_test, now="2026-11-18T10:00:00")
    sign_in(page, server, "suzhou.handler")
    for case, words, field in (
        ("double_record", "该人员存在多条基础信息，请到柜台做人员合并", "id_number"),
        ("past_age_female", "处理失败！女性 50 周岁不允许网办参保，请去统筹区医保局办理", "id_number"),
        ("past_age_male", "处理失败！男性 60 周岁不允许网办参保，请去统筹区医保局办理", "id_number"),
        ("flexible", "处理失败！该人员存在灵活就业参保。请先办理停保!", "id_number"),
        (
            "active_elsewhere_employer",
            "处理失败！该人员在单位编号：*****下存在正常参保的险种，不允许新增!",
            "id_number",
        ),
        (
            "resident",
            "处理失败！处理失败！该人员曾经做过转移,且在新单位下正常参保!",
            "id_number",
        ),
    ):
        values = form_of(citizen(SUZHOU, case))
        open_form(page, server, values)
        found = refused(page)
        assert [text for text in found if text.startswith(words)], (case, found)
        expect(page.locator(f"#error-{field}")).to_contain_text(words)
        expect(page.locator("[role=alert] a").first).to_have_attribute("href", f"#field-{field}")
        # nothing that was typed is lost
        for name in ("id_number", "name", "phone", "start_date"):
            expect(page.locator(f"[name={name}]")).to_have_value(values[name])

    # all months are charged already: enrolled, but nothing to pay back
    open_form(page, server, form_of(citizen(SUZHOU, "charged_fully")))
    trial_months(page, "")
    check(page)
    file(page)
    assert message(page) == NOT_PAID_BACK


@ON_SQLITE
def test_days_five_eight_and_twelve(
    live_server: Callable[..., LiveServer], database_url_of_test: str, page: Page, citizen
) -> None:
    server = live_server(database_url_of_test, now="2026-11-05T10:00:00")
    sign_in(page, server, "suzhou.handler")
    # day 5: the tail of November's period; October is settled, December is not open yet
    open_form(page, server, form_of(citizen(SUZHOU, "not_insured", 1), "2026-12-01"))
    assert refused(page) == [TOO_EARLY]
    fill(page, {"start_date": "2026-10-01"})
    trial_months(page, "2026-10")
    fill(page, {"start_date": "2026-11-01"})
    trial_months(page, "")
    check(page)
    file(page)
    assert message(page) == NOT_PAID_BACK

    for place, now in ((2, "2026-11-08T10:00:00"), (4, "2026-11-12T10:00:00")):
        # from day 7 on November is settled and paid back, and December may be chosen
        server.restart(now)
        open_form(page, server, form_of(citizen(SUZHOU, "not_insured", place)))
        trial_months(page, "2026-11")
        check(page)
        file(page)
        assert message(page) == PAID_BACK
        open_form(page, server, form_of(citizen(SUZHOU, "not_insured", place + 1), "2026-12-01"))
        trial_months(page, "")
        check(page)
        file(page)
        assert message(page) == NOT_PAID_BACK


@ON_SQLITE
def test_forced_funds_and_the_choice_of_civil_servants(
    live_server: Callable[..., LiveServer], database_url_of_test: str, page: Page, citizen
) -> None:
    server = live_server(database_url_of_test, now="2026-11-18T10:00:00")
    sign_in(page, server, "suzhou.handler")
    page.goto(f"{server.url}/declare/enrol")
    boxes = page.locator("input[type=checkbox][name=funds]")
    assert sorted(box.get_attribute("value") or "" for box in boxes.all()) == FORCED
    for box in boxes.all():
        expect(box).to_be_checked()
        expect(box).to_be_disabled()

    # the public body has the civil servants' fund: now it can be chosen
    page.locator("summary.employer-switch").click()
    page.get_by_role("button", name=re.compile("32050000003")).click()
    expect(page.locator("summary.employer-switch")).to_contain_text("示例公共服务中心")
    open_form(page, server, form_of(citizen(SUZHOU, "not_insured", 6)))
    choice = page.locator("input[type=checkbox][name=funds][value='320']")
    expect(choice).not_to_be_checked()
    expect(page.locator("[name=person_type]")).to_have_value("1101")
    choice.check()
    expect(page.locator("[name=person_type]")).to_have_value("1102")
    expect(page.locator("#trial-card")).to_contain_text("公务员医疗保险")
    check(page)
    expect(page.locator("[data-value=person_type]")).to_have_text("公务员在职")
    reference = file(page)
    shown = json.loads(server.flask("declaration", "show", reference, "--json").stdout)
    assert shown["data"]["person_type"] == "1102"
    assert "320" in {line["fund"] for line in shown["lines"]}
    assert shown["employer"]["employer_no"] == "32050000003"
