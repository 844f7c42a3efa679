"""Transactions: the one place that begins and commits.

SQLite as a driver default loses updates between processes; here every transaction starts with an explicit
BEGIN, and one that will write starts with BEGIN IMMEDIATE, so that it never has to change its mind half-way.
"""

from __future__ import annotations

import logging
import os
import select
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Engine, Select, event, insert
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import ORMExecuteState, Session

from app.errors import WangtingError
from app.extensions import WRITING, Model, db

logger = logging.getLogger(__name__)
BUSY_TIMEOUT_MS = 15_000
AnySelect = TypeVar("AnySelect", bound=Select[Any])
_AFTER_COMMIT = "wangting.after_commit"


class TransactionError(WangtingError):
    """The code asked for something that transactions do not allow; a fault of ours, never of a user."""


@contextmanager
def transaction() -> Iterator[Session]:
    """Run one use case in one write transaction: commits once at the end, or rolls everything back.

    Ends the session's read transaction first, because a read that turns into a write in one transaction
    fails at once on SQLite; what was read before is read again when it is touched.
    Raises: TransactionError when nested, or when objects were changed outside a transaction.
    """
    session = db.session()
    if session.info.get(WRITING):
        raise TransactionError("a transaction is already open")
    if session.new or session.dirty or session.deleted:
        raise TransactionError("objects were changed outside a transaction")
    session.rollback()
    session.info[WRITING] = True
    session.info[_AFTER_COMMIT] = []
    try:
        session.connection(execution_options={"write": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        session.info.pop(_AFTER_COMMIT, None)
        raise
    finally:
        session.info.pop(WRITING, None)
    for call in session.info.pop(_AFTER_COMMIT, ()):
        try:
            call()
        except Exception:
            logger.exception("something after the commit failed")


def after_commit(call: Callable[[], object]) -> None:
    """Have something done once the open transaction has committed; dropped if it rolls back.

    A call that fails is logged and nothing more: what matters is in the outbox row of the same transaction.
    """
    calls = db.session().info.get(_AFTER_COMMIT)
    if calls is None or not in_transaction():
        raise TransactionError("there is no transaction to wait for")
    calls.append(call)


def in_transaction() -> bool:
    """Whether `transaction()` is open in this context."""
    return bool(db.session().info.get(WRITING))


def read() -> Session:
    """The session for reading; its read transaction ends with the request, job or command."""
    return db.session()


def end_read() -> None:
    """End the read transaction, so that the next read sees what others have committed since."""
    if in_transaction():
        raise TransactionError("a write transaction is open")
    db.session().rollback()


def lock(statement: AnySelect) -> AnySelect:
    """Make a select lock its rows until the commit and read them fresh.

    PostgreSQL locks the rows; on SQLite the transaction already holds the whole database for writing.
    """
    if not in_transaction():
        raise TransactionError("a lock needs a transaction")
    fresh = statement.execution_options(populate_existing=True)
    return fresh.with_for_update() if is_postgresql() else fresh


def is_postgresql() -> bool:
    """Whether the database is PostgreSQL (else it is SQLite)."""
    return db.engine.dialect.name == "postgresql"


def insert_rows(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of one table with one statement; all rows carry the same columns."""
    if not rows:
        return
    columns = rows[0].keys()
    if any(row.keys() != columns for row in rows):
        raise TransactionError("rows of one insert must carry the same columns")
    db.session.execute(insert(model.__table__), list(rows))


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


# A chunk writes tens of thousands of JSON values: the standard library takes ten times as long.
_JSON = {"json_serializer": _json_text, "json_deserializer": orjson.loads}


def engine_options(url: str) -> dict[str, Any]:
    """Engine settings by database; the pool is per process and small, as each worker has few threads."""
    # an error's text ends up in logs, where nobody's number belongs
    common = {**_JSON, "hide_parameters": True}
    if url.startswith("sqlite"):
        return common
    return {
        **common,
        "pool_size": 5,
        "max_overflow": 15,
        "pool_timeout": 15,
        "pool_recycle": 1800,
        "connect_args": {"connect_timeout": 10, "application_name": "wangting"},
    }


def prepare_engine(engine: Engine) -> None:
    """Set how connections open and how transactions begin; called once per engine by the factory."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "checkout", _refuse_dead)
    _engines.add(engine)


def _open_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin by itself: _begin_sqlite decides which kind of transaction it is.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute("PRAGMA cache_size = -16000")
    cursor.close()


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Find a dead connection before its use, so that a restarted server costs nobody an error page.

    An idle connection has nothing to say: one that can be read was ended by the server. Looking costs a
    few microseconds, where asking the server costs a round trip for every transaction.
    """
    if connection.closed:
        raise InvalidatePoolError
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if said.poll(0):
        raise InvalidatePoolError


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _refuse_flush(session: Session, _context: Any, _instances: Any) -> None:
    if not session.info.get(WRITING):
        raise TransactionError("objects are written outside a transaction")


def _refuse_statement(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not state.session.info.get(WRITING):
        raise TransactionError("a statement writes outside a transaction")


event.listen(db.session, "before_flush", _refuse_flush)
event.listen(db.session, "do_orm_execute", _refuse_statement)

_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
_left_to_parent: list[Any] = []


def _leave_connections_to_parent() -> None:
    # A forked worker must not use, nor close, the connections that its parent still holds.
    for engine in list(_engines):
        _left_to_parent.append(engine.pool)
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_connections_to_parent)
