"""A batch file while everything around it is killed: every row once, in the file's own words."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select, update

from app.clock import to_utc
from app.extensions import db
from app.services import accounts
from app.store.crypto import blind
from app.store.models import Declaration, ImportBatch, User
from app.store.session import transaction
from tests.bench.crowd import name
from tests.faults.chaos import Chaos, new_random
from tests.faults.ground import HANDLER, Ground
from tests.faults.people import START_MONTH, WAGE
from tests.faults.test_same_twice import at_once
from tests.faults.truth import LONG_AGO, end_lease, problems_of, problems_of_batch, settle
from tests.faults.visitor import Visitor
from tests.fixtures.database import TEST_NOW
from tests.services.batch_files import filled

BOTH = pytest.mark.parametrize("ground", ["sqlite", "postgresql"], indirect=True)
PARTS = ("horse", "worker", "redis", "scheduler", "database", "web worker")
MANY = ("horse",) * 4 + ("worker",) * 3 + ("redis",) * 3 + ("database",) * 4 + ("web worker",) * 3
ENDED = ("finished", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class File:
    """A batch file: the people of its good rows, and how many rows cannot be taken."""

    content: bytes
    numbers: list[str]
    bad: int

    @property
    def rows(self) -> int:
        return len(self.numbers) + self.bad


def file_of(ground: Ground, rows: int) -> File:
    """A filled template: one row in fifty has a number that cannot be, one in fifty comes twice."""
    bad = max(rows // 25, 2)
    people = [(number, place) for place, number in ground.numbered(rows - bad)]
    cells = [_cells(number, name(place)) for number, place in people]
    wrong = [_cells("11010519491231002X", "王错号")] * (bad - bad // 2)
    with ground.application():
        user = db.session.scalars(select(User.id).where(User.username == HANDLER)).one()
        account = accounts.load_account(user, to_utc(TEST_NOW))
        assert account is not None
        content = filled(account.actor, "enrol", cells + cells[: bad // 2] + wrong)
    return File(content, [number for number, _ in people], bad)


def _cells(number: str, person: str) -> dict[str, str]:
    return {
        "id_number": number, "name": person, "post": "专业技术人员", "education": "大学本科毕业",
        "start_month": START_MONTH.replace("-", ""), "wage_yuan": WAGE,
    }  # fmt: skip


def upload(handler: Visitor, file: File, file_name: str):
    """Upload a file from the page."""
    token = dict(handler.open("/imports/enrol").form("csrf_token").fields)["csrf_token"]
    return handler.hand_over("/imports/enrol", [("csrf_token", token)], file_name, file.content)


def batches(file_name: str) -> list[ImportBatch]:
    """The batches of a file name, as the database has them now."""
    db.session.rollback()
    return list(
        db.session.scalars(
            select(ImportBatch).where(ImportBatch.file_name == file_name).order_by(ImportBatch.id)
        )
    )


def hurry(ground: Ground, batch_id: int) -> None:
    """Let a lease whose holder is dead end now: as if its time had passed."""
    if ground.installation.horses():
        return
    with transaction():
        db.session.execute(
            update(ImportBatch.__table__)
            .where(ImportBatch.id == batch_id, ImportBatch.state.in_(("queued", "running")))
            .values(lease_until_utc=LONG_AGO)
        )
        end_lease()


def work_through(ground: Ground, batch_id: int, hurried: bool) -> None:
    """Wait until a batch has ended."""

    def ended() -> bool:
        state = _state(batch_id)
        if state in ENDED:
            return True
        if hurried:
            hurry(ground, batch_id)
        return False

    ground.installation.wait_until(ended, "the batch does not end", patience_s=600)


def _state(batch_id: int) -> str:
    db.session.rollback()
    return str(db.session.scalar(select(ImportBatch.state).where(ImportBatch.id == batch_id)))


def _done(batch_id: int) -> int:
    db.session.rollback()
    return int(db.session.scalar(select(ImportBatch.done_rows).where(ImportBatch.id == batch_id)) or 0)


@BOTH
def test_a_batch_survives_kills(ground: Ground, full: bool) -> None:
    file = file_of(ground, 5000 if full else 900)
    handler = ground.visitor(HANDLER)
    parts = (*MANY, "scheduler", "scheduler", "web") if full else PARTS
    chaos = Chaos(ground, new_random("batch"), parts)
    with ground.application():
        assert upload(handler, file, "批量增员.xlsx").status == 303
        (batch_id,) = [batch.id for batch in batches("批量增员.xlsx")]

        def progress() -> int:
            if not full:
                hurry(ground, batch_id)
            page = handler.open("/imports/enrol/progress")
            seen = re.search(rf'data-batch="{batch_id}".*?data-done="(\d+)"', page.text, re.DOTALL)
            assert seen
            return int(seen[1])

        chaos.within_a_job(progress, lambda: _state(batch_id) in ENDED, slice_s=0.1)
        work_through(ground, batch_id, hurried=not full)
        settle(ground)
        assert problems_of_batch(batch_id, file.rows) == []
        assert problems_of(file.numbers) == []
        (batch,) = batches("批量增员.xlsx")
        assert (batch.accepted_rows, batch.rejected_rows) == (len(file.numbers), file.bad)
        assert _filed(file.numbers) == {"pending": len(file.numbers)}
        page = handler.open("/imports/enrol/progress")
        assert f'data-accepted="{batch.accepted_rows}" data-rejected="{batch.rejected_rows}"' in page.text
    assert len(chaos.killed) >= (15 if full else 4)


@BOTH
def test_one_file_uploaded_twice_at_once_is_worked_through_once(ground: Ground) -> None:
    file = file_of(ground, 40)
    windows = ground.windows(HANDLER, 2)
    answers = at_once(*[lambda window=window: upload(window, file, "同一文件.xlsx") for window in windows])
    assert {answer.status for answer in answers} == {303}
    assert sorted("/again" in answer.location for answer in answers) == [False, True]
    asked = windows[0].open(next(answer.location for answer in answers if "/again" in answer.location))
    assert "已经上传过" in asked.text
    with ground.application():
        worked, held = sorted(batches("同一文件.xlsx"), key=lambda batch: batch.state == "stopped")
        work_through(ground, worked.id, hurried=True)
        assert held.state == "stopped"
        assert problems_of_batch(worked.id, file.rows) == []
        assert problems_of(file.numbers) == []
        assert _filed(file.numbers) == {"pending": len(file.numbers)}


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
def test_without_a_worker_a_file_is_shown_as_waiting(ground: Ground) -> None:
    file = file_of(ground, 30)
    handler = ground.visitor(HANDLER)
    with ground.application():
        with ground.installation.frozen("worker"):
            assert upload(handler, file, "等待.xlsx").status == 303
            page = handler.open("/imports/enrol")
            assert 'data-state="queued"' in page.text
            assert "排队中" in page.text
        (batch,) = batches("等待.xlsx")
        work_through(ground, batch.id, hurried=True)
        assert problems_of_batch(batch.id, file.rows) == []


def _filed(numbers: list[str]) -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(
        select(Declaration.status, func.count())
        .where(Declaration.person_hash.in_([blind(number) for number in numbers]))
        .group_by(Declaration.status)
    )
    return {row[0]: row[1] for row in rows}
