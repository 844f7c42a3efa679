"""What a handler does in the hall, as steps that the browser journeys share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page, expect

from app.config import DEMO_PASSWORD
from tests.fixtures.server import LiveServer


def sign_in(page: Page, server: LiveServer, username: str) -> None:
    """Sign in and arrive at the first page of the account's side."""
    page.goto(f"{server.url}/login")
    page.fill("[name=username]", username)
    page.fill("[name=password]", DEMO_PASSWORD)
    page.locator("main button.btn-primary").click()
    expect(page.locator("header.bar")).to_be_visible()


def fill(page: Page, values: Mapping[str, str]) -> None:
    """Fill a form by its property names; lists are chosen by their code."""
    for name, value in values.items():
        control = page.locator(f"[name={name}]").first
        if control.evaluate("element => element.tagName") == "SELECT":
            # a long list hides behind a box to type in: the choice itself is what is tested here
            control.select_option(value, force=True)
        elif control.get_attribute("type") == "radio":
            page.locator(f"[name={name}][value='{value}']").check()
        else:
            control.fill(value)
            control.blur()


def check(page: Page) -> None:
    """Press 下一步 and arrive at the check page."""
    page.locator("button.btn-primary[value=check]:visible").click()
    page.wait_for_url(re.compile(r"/declare/\w+/check/"))


def refused(page: Page) -> list[str]:
    """Press 下一步, be refused, and return the words of the summary."""
    with page.expect_response(
        lambda answer: (
            answer.request.method == "POST"
            and "/declare/" in answer.url
            and not answer.url.endswith(("/quote", "/person", "/autosave"))
        )
    ) as answer:
        page.locator("button.btn-primary[value=check]:visible").click()
    assert answer.value.status == 422
    summary = page.locator("[role=alert]").first
    expect(summary).to_be_focused()
    return summary.locator("li").all_inner_texts()


def file(page: Page) -> str:
    """Confirm and press the check page's button; returns the reference from the receipt."""
    box = page.locator("[name=confirmed]")
    if box.count():
        box.check()
    page.locator("button[name=action][value=file]").click()
    page.wait_for_url(re.compile(r"/cases/.+/receipt"))
    return page.locator("[data-ref]").first.get_attribute("data-ref") or ""


def yuan(text: str) -> Any:
    """12,345.60 as fen."""
    return round(float(text.replace(",", "")) * 100)
