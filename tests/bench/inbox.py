"""An inbox page with a million open tasks, against the same page with ten thousand."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from statistics import median

import psycopg
from psycopg import sql

from app import clock
from app.config import DEMO_PASSWORD
from app.services import declarations
from tests.bench import crowd
from tests.bench.browser import Browser
from tests.bench.measure import Measure
from tests.bench.people import actor_of
from tests.bench.stage import Stage

REGION, CITY = "320600", "nantong"
FEW, MANY = 10_000, 1_000_000
RUNS, WARM_UP = 60, 10
LIMIT = 1.5
PAGES = {"inbox": "/inbox", "inbox_by_kind": "/inbox?kind=enrol"}
# Cases that a page may open are whole; nobody looks into the others.
_WHOLE = 100
_TABLES = {
    "declaration": {
        "id": "8000000000000000 + n",
        "reference": "'261118-' || lpad(n::text, 10, '0')",
        "open_key": "NULL",
        "data_cipher": f"CASE WHEN n <= {_WHOLE} THEN data_cipher ELSE ''::bytea END",
    },
    "process_instance": {
        "id": "8100000000000000 + n",
        "declaration_id": "8000000000000000 + n",
        "state": f"CASE WHEN n <= {_WHOLE} THEN state ELSE ''::bytea END",
    },
    "human_task": {
        "id": "8200000000000000 + n",
        "task_uid": "md5(n::text)",
        "instance_id": "8100000000000000 + n",
        "declaration_id": "8000000000000000 + n",
        "reference": "'261118-' || lpad(n::text, 10, '0')",
        "due_at_utc": "due_at_utc + n * interval '5 seconds'",
    },
}


def inbox_1m_over_10k(stage: Stage) -> list[Measure]:
    """The auditor's page over HTTP; every task is open to that one desk, which is the worst case.

    Two installations take turns, so that a busy moment of the machine hits both.
    """
    with ExitStack() as stack:
        ports = {
            count: _installation(stage, stack, f"wt_bench_inbox_{name}", count)
            for name, count in (("10k", FEW), ("1m", MANY))
        }
        browsers = {count: _auditor(stack, port) for count, port in ports.items()}
        taken = {name: {FEW: list[float](), MANY: list[float]()} for name in PAGES}
        for _ in range(RUNS + WARM_UP):
            for name, path in PAGES.items():
                for count, browser in browsers.items():
                    taken[name][count].append(_page(browser, path))
    middle = {
        (name, count): 1000 * median(times[WARM_UP:])
        for name, sides in taken.items()
        for count, times in sides.items()
    }
    ratio = max(middle[name, MANY] / middle[name, FEW] for name in PAGES)
    return [
        Measure("inbox_1m_over_10k", ratio, "times", LIMIT),
        *(
            Measure(f"{name}_{'1m' if count == MANY else '10k'}_ms", value, "ms")
            for (name, count), value in middle.items()
        ),
    ]


def _installation(stage: Stage, stack: ExitStack, database: str, count: int) -> int:
    """A running installation with so many open tasks; its port."""
    url = stack.enter_context(stage.database(database))
    with stage.application(url):
        reference = _submitted()
    _multiply(stage, url, reference, count - 1)
    return stack.enter_context(stage.web_server(url))


def _auditor(stack: ExitStack, port: int) -> Browser:
    browser = Browser(port)
    stack.callback(browser.close)
    browser.sign_in(f"{CITY}.auditor", DEMO_PASSWORD)
    return browser


def _page(auditor: Browser, path: str) -> float:
    answer = auditor.get(path)
    if answer.status != 200 or len(set(answer.mark("data-task"))) < 10:
        raise RuntimeError(f"{path} shows no tasks: {answer.status}\n{answer.text[:2000]}")
    return answer.seconds


def _submitted() -> str:
    handler, now = actor_of(f"{CITY}.handler"), clock.now()
    (number,) = crowd.register(REGION, 1)
    form = {
        "id_number": number,
        "post": "01",
        "education": "21",
        "start_month": "2026-11",
        "wage_yuan": "8000",
    }
    return declarations.file(handler, "enrol", form, now, submit_now=True).reference


def _multiply(stage: Stage, url: str, reference: str, copies: int) -> None:
    """Make copies of one submitted case with the database's own means."""
    with stage.connection(url) as connection:
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            # The copies refer to each other by construction: checking every key takes minutes.
            connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '256MB'")
        for table, changed in _TABLES.items():
            indexes = _without_indexes(connection, table)
            _copy(connection, table, changed, reference, copies)
            for definition in indexes:
                connection.execute(definition)
            connection.commit()
        connection.autocommit = True
        for table in _TABLES:
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))


def _copy(
    connection: psycopg.Connection, table: str, changed: dict[str, str], reference: str, copies: int
) -> None:
    names = [
        row[0]
        for row in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " ORDER BY ordinal_position",
            (table,),
        )
    ]
    values = ", ".join(changed.get(name, name) for name in names)
    key = "id" if table == "declaration" else "declaration_id"
    connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}"
        f" CROSS JOIN generate_series(1, {copies}) AS n"
        f" WHERE {key} = (SELECT id FROM declaration WHERE reference = %s)",
        (reference,),
    )


def _without_indexes(connection: psycopg.Connection, table: str) -> list[str]:
    """Drop a table's indexes that are no constraints; returns how to make them again."""
    found = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass"
        " AND indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE conindid <> 0)",
        (table,),
    ).fetchall()
    for name, _definition in found:
        connection.execute(f"DROP INDEX {name}")
    return [definition for _name, definition in found]
