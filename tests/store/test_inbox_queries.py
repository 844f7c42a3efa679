"""The inbox reads index ranges: no plan walks through the tasks, and pages fit together without gaps."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from app.extensions import db
from app.store import session
from app.store.models import HumanTask
from app.store.queries import inbox
from app.store.queries.inbox import ALL, EVERYBODY, GROUP, MINE, Scope, TaskFilter

REGION, ME, OTHER = "320600", 11, 12
START = datetime(2026, 11, 1, tzinfo=UTC)
TASKS = 4_000
SCOPE = Scope(ME, {REGION}, {"auditor"})


@pytest.fixture
def tasks(app) -> Iterator[None]:
    """Many tasks without the cases around them: only their order and their indexes matter here."""
    with app.app_context():
        employer = db.session.execute(text("SELECT min(id) FROM employer")).scalar_one()
        db.session.rollback()
        _without_foreign_keys(True)
        with session.transaction():
            db.session.execute(text("DELETE FROM human_task"))
            session.insert_rows(HumanTask, [_task(place, employer) for place in range(TASKS)])
        db.session.execute(text("ANALYZE human_task"))
        db.session.rollback()
        yield
        _without_foreign_keys(False)
        db.session.remove()


def _without_foreign_keys(off: bool) -> None:
    """For the connections that open from now on."""
    if session.is_postgresql():
        statement = f"ALTER ROLE CURRENT_USER SET session_replication_role = {'replica' if off else 'origin'}"
        with db.engine.connect() as connection:
            connection.execute(text(statement))
            connection.commit()
        db.session.remove()
        db.engine.dispose()
    else:
        db.session.execute(text("COMMIT"))
        db.session.execute(text(f"PRAGMA foreign_keys = {'OFF' if off else 'ON'}"))
        db.session.execute(text("BEGIN"))
        db.session.rollback()


def _task(place: int, employer: int) -> dict:
    claimed = {0: ME, 1: OTHER}.get(place % 50)
    return {
        "id": place + 1,
        "task_uid": f"uid-{place}",
        "instance_id": place + 1,
        "declaration_id": place + 1,
        "reference": f"261118-{place:010d}",
        "process_id": "audit",
        "element_id": "first_audit",
        "kind": "stop" if place % 3 == 0 else "enrol",
        "title": "初审",
        "summary": {},
        "region": REGION if place % 4 else "320500",
        "employer_id": employer,
        "role": "auditor" if place % 5 else "senior",
        "form": "audit",
        "settings": {},
        "priority": 50,
        # equal moments: the id must decide
        "due_at_utc": START + timedelta(hours=place // 40),
        "batch_id": None,
        "claimed_by_id": claimed,
        "claimed_at_utc": START if claimed else None,
        "created_at_utc": START,
    }


def test_pages_fit_together(tasks):
    wanted = TaskFilter(ALL)
    seen, after, last = [], None, None
    for _ in range(6):
        rows = inbox.list_tasks(SCOPE, wanted, 50, after=after)
        seen += rows
        last, after = after, rows[-1].cursor
    keys = [row.cursor for row in seen]
    assert keys == sorted(keys)
    assert len({row.id for row in seen}) == 300
    assert all(row.claimed_by_id in (None, ME) for row in seen)
    assert all(row.claimed_by_id == ME or (row.region, row.role) == (REGION, "auditor") for row in seen)
    back = inbox.list_tasks(SCOPE, wanted, 50, before=seen[250].cursor)
    assert [row.id for row in back] == [row.id for row in seen[200:250]]
    assert last is not None


def test_boxes_hold_what_they_say(tasks):
    mine = inbox.list_tasks(SCOPE, TaskFilter(MINE), 500)
    assert {row.claimed_by_id for row in mine} == {ME}
    assert len(mine) == TASKS // 50
    group = inbox.list_tasks(SCOPE, TaskFilter(GROUP), 500)
    assert {row.claimed_by_id for row in group} == {None}
    assert {(row.region, row.role) for row in group} == {(REGION, "auditor")}
    region = inbox.list_tasks(SCOPE, TaskFilter(EVERYBODY), 500)
    assert {row.region for row in region} == {REGION}
    assert {row.role for row in region} == {"auditor", "senior"}
    assert inbox.count_tasks(SCOPE, TaskFilter(GROUP)) == inbox.LIMIT
    assert inbox.count_tasks(SCOPE, TaskFilter(MINE)) == TASKS // 50


def test_filters_narrow(tasks):
    kind = inbox.list_tasks(SCOPE, TaskFilter(GROUP, kind="stop"), 100)
    assert {row.kind for row in kind} == {"stop"}
    until = START + timedelta(hours=10)
    due = inbox.list_tasks(SCOPE, TaskFilter(GROUP, due_until_utc=until), 1000)
    assert due
    assert all(row.due_at_utc < until for row in due)
    later = inbox.list_tasks(SCOPE, TaskFilter(GROUP, due_from_utc=until), 1)
    assert later[0].due_at_utc == until
    assert inbox.list_tasks(SCOPE, TaskFilter(GROUP, employer_ids=()), 10) == []
    found = inbox.list_tasks(SCOPE, TaskFilter(GROUP, declaration_ids=(2, 3)), 10)
    assert {row.declaration_id for row in found} <= {2, 3}
    assert inbox.list_tasks(replace(SCOPE, regions=()), TaskFilter(GROUP), 10) == []


@pytest.mark.parametrize(
    "wanted",
    [
        TaskFilter(ALL),
        TaskFilter(GROUP),
        TaskFilter(MINE),
        TaskFilter(GROUP, kind="stop"),
        TaskFilter(EVERYBODY),
        TaskFilter(GROUP, due_until_utc=START + timedelta(hours=50)),
        TaskFilter(GROUP, declaration_ids=(2, 3)),
    ],
    ids=lambda wanted: "-".join(filter(None, (wanted.box, wanted.kind, "due" * bool(wanted.due_until_utc)))),
)
def test_every_page_comes_from_an_index(tasks, wanted):
    plan = _plan(lambda: inbox.list_tasks(SCOPE, wanted, 21, after=(START, 5)))
    if session.is_postgresql():
        assert "Seq Scan on human_task" not in plan
        assert "Index" in plan
    else:
        lines = [line for line in plan.splitlines() if "human_task" in line]
        assert lines
        assert all("USING" in line and "SCAN" not in line for line in lines), plan


def _plan(read) -> str:
    """What the database says it will do for the statement that `read` sends."""
    sent = []

    def keep(_connection, _cursor, statement, parameters, *_rest):
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", keep)
    read()
    event.remove(db.engine, "before_cursor_execute", keep)
    statement, parameters = sent[-1]
    explain = "EXPLAIN" if session.is_postgresql() else "EXPLAIN QUERY PLAN"
    rows = db.session.connection().exec_driver_sql(f"{explain} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)
