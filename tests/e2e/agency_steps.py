"""What an auditor does, and an independent model of what an approval puts into the registry."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page, expect

from tests.fixtures.server import LiveServer

_PARAMETER = re.compile(r"contribution\.active\.(\d+)\.(\w+)\.(rate|fixed)")


def row(page: Page, reference: str) -> Any:
    """The row of a case in the inbox."""
    return page.locator(f"[data-row][data-ref='{reference}']")


def open_case(page: Page, server: LiveServer, reference: str) -> None:
    """Open a case from the inbox."""
    page.goto(f"{server.url}/inbox")
    row(page, reference).locator("a.row-link").click()
    expect(page.locator(f"[data-case='{reference}']")).to_be_visible()


def press(page: Page, decision: str) -> None:
    """Press a decision and wait for the server's answer."""
    with page.expect_response(re.compile(r"/inbox/\d+/decide")):
        page.locator(f"button[name=decision][value={decision}]").click()


def counts(page: Page) -> tuple[str, str]:
    """My tasks and the group's, as the bar shows them."""
    mine = page.locator("#bar-inbox-mine [data-reminder]").inner_text()
    return mine, page.locator("#bar-inbox-group [data-reminder]").inner_text()


def model_lines(file: Path, wage: Decimal, months: list[str], due_month: str) -> set[tuple[Any, ...]]:
    """The supplementary lines of an enrolment by the published rates alone: fund, party, months, amount."""
    document = yaml.safe_load(file.read_text("utf-8"))
    forced = {fund["code"] for fund in document["funds"] if fund["mode"] == "forced"}
    lines = set()
    for name, series in document["parameters"].items():
        match = _PARAMETER.fullmatch(name)
        if match is None or match[1] not in forced:
            continue
        for month in months:
            value = Decimal(next(each["value"] for each in series if _holds(each, month)))
            amount = value if match[3] == "fixed" else value * wage
            amount = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
            if amount:
                lines.add((match[1], match[2], due_month, month, f"{amount:.2f}"))
    return lines


def _holds(entry: dict[str, str], month: str) -> bool:
    return entry["from"] <= month <= entry.get("to", "9999-12")
