"""Two auditors at work while parts of the product are killed: each case is decided once, as they meant it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import pytest
from sqlalchemy import select

from app.extensions import db
from app.store.crypto import blind
from app.store.models import Declaration
from tests.faults.chaos import Chaos, new_random
from tests.faults.ground import AUDITORS, HANDLER, Ground
from tests.faults.people import file_and_submit
from tests.faults.truth import problems_of, settle
from tests.faults.visitor import Visitor

PARTS = ("web worker", "web", "worker", "redis", "scheduler", "database")
MEANT = {"approve": "approved", "reject": "rejected", "return": "returned"}


@dataclass
class Desk:
    """What the people of a test share: what is meant for each case, and whether they may go home."""

    meant: dict[str, str] = field(default_factory=dict)
    filed: Event = field(default_factory=Event)
    closed: Event = field(default_factory=Event)


def hand_in(handler: Visitor, numbers: list[str], desk: Desk) -> None:
    """File and submit one enrolment after the other."""
    try:
        for number, decision in zip(numbers, cycle(), strict=False):
            desk.meant[file_and_submit(handler, number)] = decision
    finally:
        desk.filed.set()


def cycle() -> Iterator[str]:
    while True:
        yield from ("approve", "approve", "return", "approve", "reject")


def audit(auditor: Visitor, desk: Desk) -> None:
    """Take one case after the other and decide it, until nothing is left."""
    while not desk.closed.is_set():
        page = auditor.open(_next_case(auditor, desk))
        if 'name="decision"' in page.text:
            _decide(auditor, page.form("decision"), desk)


def _next_case(auditor: Visitor, desk: Desk) -> str:
    """The address of a case: the next one of the group, else one that is on my desk already."""
    token = dict(auditor.open("/inbox?box=mine").form("csrf_token").fields)["csrf_token"]
    taken = auditor.send("/inbox/next", [("csrf_token", token), ("box", "mine")])
    if "open=" in taken.location:
        return taken.location
    # other tests may have left cases on this desk that nobody means to decide
    mine = re.findall(r'data-ref="([^"]+)" data-task="(\d+)"', auditor.open("/inbox?box=mine").text)
    meant = [task for reference, task in mine if reference in desk.meant]
    return f"/inbox?box=mine&open={meant[0]}" if meant else "/inbox?box=group"


def _decide(auditor: Visitor, form, desk: Desk) -> None:
    reference = dict(form.fields)["reference"]
    # the handler notes what is meant once the receipt is there
    decision = desk.meant.get(reference)
    if decision is None:
        return
    typed = {"decision": decision, "opinion": "请核对工资"}
    if decision == "return":
        typed["return_fields"] = "wage_yuan"
    answer = auditor.send(form.action, form.filled(**typed))
    assert answer.status in (302, 303, 409), answer.text[:2000]


@pytest.mark.parametrize("ground", ["sqlite", "postgresql"], indirect=True)
def test_a_stream_of_audits_survives_kills(ground: Ground, full: bool) -> None:
    numbers = ground.take(300 if full else 40)
    chaos = Chaos(ground, new_random("audits"), PARTS * (3 if full else 1))
    until = len(numbers) * 3 // 4
    desk = Desk()
    handler, *auditors = [ground.visitor(name) for name in (HANDLER, *AUDITORS)]
    with ThreadPoolExecutor(3) as pool, ground.application():
        work = [pool.submit(hand_in, handler, numbers, desk)]
        work += [pool.submit(audit, auditor, desk) for auditor in auditors]

        def gone_home() -> bool:
            return any(each.done() for each in work[1:]) or (work[0].done() and bool(work[0].exception()))

        def all_decided() -> bool:
            return desk.filed.is_set() and _decided(numbers) == len(numbers)

        try:
            chaos.after_progress(lambda: _decided(numbers), until, gone_home)
            ground.installation.wait_until(
                lambda: all_decided() or gone_home(), "cases are left undecided", patience_s=300
            )
        finally:
            desk.closed.set()
            for each in work:
                each.result(timeout=120)
        print({visitor._username: visitor.seen for visitor in (handler, *auditors)})
        settle(ground)
        assert problems_of(numbers) == []
        assert _statuses(numbers) == {ref: MEANT[decision] for ref, decision in desk.meant.items()}
    assert len(chaos.killed) == chaos.planned


def _decided(numbers: list[str]) -> int:
    return sum(status in MEANT.values() for status in _statuses(numbers).values())


def _statuses(numbers: list[str]) -> dict[str, str]:
    db.session.rollback()
    rows = db.session.execute(
        select(Declaration.reference, Declaration.status).where(
            Declaration.person_hash.in_([blind(number) for number in numbers])
        )
    )
    return {row.reference: row.status for row in rows}
