"""Nantong whole: submission, audit, correction, filing again after a refusal, and the registry after it."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.services.demo import DemoPerson
from app.store.models import Declaration, Enrolment, User, UserRole
from app.store.session import insert_rows, transaction
from tests.e2e.agency_steps import counts, model_lines, open_case, press, row
from tests.e2e.hall_steps import check, file, fill, sign_in
from tests.fixtures.database import Bed
from tests.fixtures.server import ROOT, LiveServer

pytestmark = pytest.mark.e2e
NANTONG = "320600"
PARAMETERS = ROOT / "bpmn" / "parameters" / f"{NANTONG}.yaml"
NOW = "2026-11-18T10:00:00"
WAGES = ("8000", "7700", "6543")


def shown(server: LiveServer, reference: str) -> dict[str, Any]:
    return json.loads(server.flask("declaration", "show", reference, "--json").stdout)


def file_one(page: Page, server: LiveServer, person: DemoPerson, month: str, wage: str) -> str:
    page.goto(f"{server.url}/declare/enrol")
    with page.expect_response(re.compile("/declare/enrol/person")):
        fill(page, {"id_number": person.id_number})
    fill(page, {"post": "01", "education": "21", "start_month": month, "wage_yuan": wage})
    check(page)
    return file(page)


def submit_all(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/pending")
    page.get_by_role("button", name="全部提交").click()
    page.locator("dialog button.btn-primary").click()
    expect(page.get_by_text("没有待提交的申报")).to_be_visible()


def reminders(page: Page, server: LiveServer) -> dict[str, str]:
    """The employer's bar: what waits for submission, was returned, was refused."""
    page.goto(f"{server.url}/hall")
    found = {}
    for link in page.locator("header.bar a.bar-item:has([data-reminder])").all():
        number = link.locator("[data-reminder]").inner_text()
        found[link.inner_text().replace(number, "").strip()] = number
    return found


def conclusion(page: Page, server: LiveServer, reference: str) -> str:
    page.goto(f"{server.url}/submitted?month=2026-11")
    return page.locator(f"tr[data-ref='{reference}'] [data-status-badge]").inner_text().strip()


@pytest.fixture
def journey(
    live_server: Callable[..., LiveServer], database_url_of_test: str, new_page: Callable[..., Page]
) -> tuple[LiveServer, Page, Page]:
    """The server, the handler's page and the auditor's."""
    server = live_server(database_url_of_test, now=NOW)
    handler, auditor = new_page(), new_page()
    sign_in(handler, server, "nantong.handler")
    sign_in(auditor, server, "nantong.auditor")
    return server, handler, auditor


def test_one_approved_one_returned_one_refused(journey, database: Bed, citizen) -> None:
    server, handler, auditor = journey
    people = [citizen(NANTONG, "not_insured", place) for place in range(3)]
    references = [
        file_one(handler, server, person, "202609", wage) for person, wage in zip(people, WAGES, strict=True)
    ]
    good, returned, refused = references
    assert reminders(handler, server)["待提交"] == "3"
    submit_all(handler, server)
    assert [conclusion(handler, server, each) for each in references] == ["未处理"] * 3

    # the group's inbox, and one taken from it
    auditor.goto(f"{server.url}/inbox")
    assert counts(auditor) == ("0", "3")
    for person, reference in zip(people, references, strict=True):
        expect(row(auditor, reference)).to_contain_text(person.name)
        expect(row(auditor, reference)).to_contain_text("还剩 5 个工作日")
        expect(row(auditor, reference)).not_to_contain_text(person.id_number)
    row(auditor, good).locator("[name=task]").check()
    auditor.get_by_role("button", name="认领所选").click()
    expect(auditor.get_by_text("已认领 1 件。")).to_be_visible()
    assert counts(auditor) == ("1", "2")
    auditor.goto(f"{server.url}/inbox?box=mine")
    assert [each.get_attribute("data-ref") for each in auditor.locator("[data-task]").all()] == [good]
    assert shown(server, good)["status"] == "in_audit"

    # approval, and the next case without a reload
    open_case(auditor, server, good)
    expect(auditor.locator("[data-precheck=passed]")).to_be_visible()
    auditor.evaluate("window.untouched = true")
    auditor.fill("[name=opinion]", "同意")
    press(auditor, "approve")
    expect(auditor.get_by_text(f"申报 {good} 已审核通过。")).to_be_visible()
    expect(auditor.locator(f"[data-case='{returned}']")).to_be_visible()
    assert auditor.evaluate("window.untouched")
    assert counts(auditor) == ("0", "2")

    # a return names the fields and says why
    press_return(auditor, opinion="")
    expect(auditor.locator("[role=alert] a[href='#field-opinion']")).to_be_visible()
    expect(auditor.locator("[name=return_fields][value=wage_yuan]")).to_be_checked()
    press_return(auditor, opinion="缴费工资与劳动合同不一致")
    expect(auditor.get_by_text(f"申报 {returned} 已退回单位补正。")).to_be_visible()

    # a refusal takes a stock phrase
    expect(auditor.locator(f"[data-case='{refused}']")).to_be_visible()
    auditor.locator("[data-phrase]").select_option("不符合参保条件，不予办理")
    expect(auditor.locator("[name=opinion]")).to_have_value("不符合参保条件，不予办理")
    press(auditor, "reject")
    expect(auditor.get_by_text("没有待办事项")).to_be_visible()
    auditor.goto(f"{server.url}/audited")
    assert sorted(each.get_attribute("data-ref") for each in auditor.locator("tr[data-ref]").all()) == sorted(
        references
    )
    expect(row(auditor, refused)).to_contain_text("不符合参保条件，不予办理")

    # the employer reads it
    assert [conclusion(handler, server, each)[-3:] for each in (good, refused)] == ["通过", "不通过"]
    assert reminders(handler, server)["退回补正"] == "1"
    assert reminders(handler, server)["审核未通过"] == "1"

    correct(handler, server, returned)
    assert "退回补正" not in reminders(handler, server)
    again = file_again(handler, server, refused)
    assert (reminders(handler, server)["待提交"], reminders(handler, server)["审核未通过"]) == ("1", "0")
    submit_all(handler, server)

    # the correction is marked beside what it replaced
    open_case(auditor, server, returned)
    wage = auditor.locator("[data-field=wage_yuan]")
    expect(wage).to_contain_text("9,000.00")
    expect(wage).to_contain_text("7,700.00")
    expect(wage).to_have_class(re.compile("changed"))
    press(auditor, "approve")
    expect(auditor.locator(f"[data-case='{again}']")).to_be_visible()
    press(auditor, "approve")
    expect(auditor.get_by_text("没有待办事项")).to_be_visible()

    expected = {good: Decimal(8000), returned: Decimal(9000), again: Decimal(6543)}
    for reference, wage_yuan in expected.items():
        case = shown(server, reference)
        assert case["status"] == "approved"
        found = {
            (line["fund"], line["party"], line["due_month"], line["accrual_month"], line["amount"])
            for line in case["lines"]
        }
        assert found == model_lines(PARAMETERS, wage_yuan, ["2026-09", "2026-10"], "2026-11")
    assert (shown(server, refused)["status"], shown(server, refused)["lines"]) == ("rejected", [])
    assert enrolled(database, list(expected)) == {
        (reference, fund, "2026-09", None, int(wage_yuan * 100))
        for reference, wage_yuan in expected.items()
        for fund in ("310", "330", "410", "510")
    }
    assert enrolled(database, [refused]) == set()
    assert [conclusion(handler, server, each)[-2:] for each in expected] == ["通过"] * 3


def press_return(page: Page, opinion: str) -> None:
    page.fill("[name=opinion]", opinion)
    page.check("[name=return_fields][value=wage_yuan]")
    press(page, "return")


def correct(page: Page, server: LiveServer, reference: str) -> None:
    page.goto(f"{server.url}/cases/{reference}")
    expect(page.locator("[data-status=returned]")).to_be_visible()
    expect(page.get_by_text("缴费工资与劳动合同不一致").first).to_be_visible()
    page.get_by_role("link", name="修改补正").click()
    fill(page, {"wage_yuan": "9000"})
    check(page)
    file(page)
    assert shown(server, reference)["status"] == "submitted"


def file_again(page: Page, server: LiveServer, reference: str) -> str:
    page.goto(f"{server.url}/cases/{reference}")
    page.get_by_role("link", name="按原申报复制").click()
    expect(page.locator("[name=wage_yuan]")).to_have_value(re.compile(r"6543"))
    check(page)
    made = file(page)
    assert made != reference
    return made


def enrolled(database: Bed, references: list[str]) -> set[tuple[Any, ...]]:
    with database.app.app_context():
        rows = db.session.execute(
            db.select(
                Declaration.reference, Enrolment.fund, Enrolment.from_month, Enrolment.to_month,
                Enrolment.wage_fen,
            )
            .join(Enrolment, Enrolment.declaration_id == Declaration.id)
            .where(Declaration.reference.in_(references))
        )  # fmt: skip
        found = {tuple(each) for each in rows}
        db.session.remove()
    return found


def second_auditor(database: Bed) -> None:
    """Let the senior of the demonstration audit as well."""
    with database.app.app_context():
        user_id = db.session.execute(db.select(User.id).where(User.username == "nantong.senior")).scalar_one()
        db.session.rollback()
        with transaction():
            insert_rows(UserRole, [{"user_id": user_id, "role": "auditor", "region": NANTONG}])
        db.session.remove()


def test_two_auditors_and_a_stale_page(
    journey, database: Bed, new_page, citizen, console_expected: list[re.Pattern[str]]
) -> None:
    console_expected.append(re.compile(r"status of 409|Response Status Error Code 409"))
    second_auditor(database)
    server, handler, first = journey
    second = new_page()
    sign_in(second, server, "nantong.senior")
    references = [
        file_one(handler, server, citizen(NANTONG, "not_insured", place), "202612", WAGES[place])
        for place in range(2)
    ]
    submit_all(handler, server)
    decided, taken = references

    # both look at the same case; one decides
    open_case(first, server, decided)
    open_case(second, server, decided)
    press(first, "approve")
    second.fill("[name=opinion]", "不符合参保条件")
    press(second, "reject")
    expect(second.locator("[role=alert]")).to_contain_text("该任务已由他人办结，或申报已被撤销")
    assert shown(server, decided)["status"] == "approved"

    # both want the next one; the first one has it
    open_case(second, server, taken)
    open_case(first, server, taken)
    first.get_by_role("button", name="认领", exact=True).click()
    expect(first.get_by_text("已认领 1 件。")).to_be_visible()
    press(second, "approve")
    expect(second.locator("[role=alert]")).to_contain_text("认领")
    expect(second.locator("[role=alert]")).to_contain_text("请选择其他任务")
    assert shown(server, taken)["status"] == "in_audit"
    first.get_by_role("button", name="归还").click()
    expect(first.get_by_text("已归还，其他审核人员可以认领。")).to_be_visible()
    assert shown(server, taken)["status"] == "submitted"

    # 取下一件, then the keyboard: a, Enter
    second.goto(f"{server.url}/inbox")
    second.get_by_role("button", name="取下一件").click()
    expect(second.locator(f"[data-case='{taken}']")).to_be_visible()
    assert counts(second) == ("1", "0")
    second.locator("#case-title").click()
    second.keyboard.press("a")
    expect(second.locator("button[value=approve]")).to_be_focused()
    with second.expect_response(re.compile(r"/inbox/\d+/decide")):
        second.keyboard.press("Enter")
    expect(second.get_by_text("没有待办事项")).to_be_visible()
    assert shown(server, taken)["status"] == "approved"


def test_the_opinion_survives_looking_at_another_case(journey, citizen) -> None:
    server, handler, auditor = journey
    references = [
        file_one(handler, server, citizen(NANTONG, "not_insured", place), "202612", WAGES[place])
        for place in range(2)
    ]
    submit_all(handler, server)
    open_case(auditor, server, references[0])
    auditor.fill("[name=opinion]", "待核对劳动合同")
    row(auditor, references[1]).locator("a").click()
    expect(auditor.locator(f"[data-case='{references[1]}']")).to_be_visible()
    expect(auditor.locator("[name=opinion]")).to_have_value("")
    row(auditor, references[0]).locator("a").click()
    expect(auditor.locator("[name=opinion]")).to_have_value("待核对劳动合同")

    # the diagram of the case, drawn when its tab is opened
    auditor.get_by_role("tab", name="流程图").click()
    expect(auditor.locator("[data-diagram]")).to_have_attribute("data-shown", "enrol")
    expect(auditor.locator("li[data-element=first_audit]")).to_have_attribute("data-mark", "current")

    # whole numbers are shown for a reason that is kept
    auditor.get_by_role("link", name="查看完整号码").click()
    auditor.locator("dialog button.btn-primary").click()
    expect(auditor.locator("dialog [role=alert]")).to_contain_text("请填写查看原因")
    auditor.fill("dialog [name=reason]", "核对身份证复印件")
    auditor.locator("dialog button.btn-primary").click()
    expect(auditor.locator("[data-revealed]")).to_contain_text(citizen(NANTONG, "not_insured", 0).id_number)
    events = shown(server, references[0])["events"]
    assert [event["action"] for event in events].count("revealed") == 1
    assert Path(PARAMETERS).exists()
