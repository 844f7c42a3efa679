"""Rows of `account_event`: a chain in which every row seals the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.store import session
from app.store.crypto import blind
from app.store.models import AccountEvent

FIRST = bytes(32)
PAGE = 1000
# any number does, as long as nobody else locks it
_CHAIN_LOCK = 7_120_001


@dataclass(frozen=True, slots=True)
class AccountEventRow:
    """One act on an account. `user_id` is whose account it is, None for a name that nobody has."""

    seq: int
    at_utc: datetime
    actor_id: int | None
    actor_name: str
    user_id: int | None
    action: str
    result: str
    address: str
    detail: Mapping[str, Any]
    previous: bytes
    digest: bytes


_COLUMNS = tuple(AccountEvent.__table__.c[name] for name in AccountEventRow.__slots__)


def add_event(
    *, at_utc: datetime, actor_id: int | None, actor_name: str, user_id: int | None, action: str,
    result: str, address: str, detail: Mapping[str, Any],
) -> None:  # fmt: skip
    """Put an act at the end of the chain; other writers wait for this transaction's end, so call it last."""
    if session.is_postgresql():
        db.session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    last = db.session.execute(
        select(AccountEvent.seq, AccountEvent.digest).order_by(AccountEvent.seq.desc()).limit(1)
    ).first()
    row: dict[str, Any] = {
        "seq": last.seq + 1 if last else 1, "at_utc": at_utc, "actor_id": actor_id,
        "actor_name": actor_name[:64], "user_id": user_id, "action": action, "result": result,
        "address": address[:45], "detail": dict(detail), "previous": last.digest if last else FIRST,
    }  # fmt: skip
    session.insert_rows(AccountEvent, [{**row, "digest": digest_of(AccountEventRow(**row, digest=b""))}])


def digest_of(row: AccountEventRow) -> bytes:
    """The seal of a row: a keyed hash over its content and the seal before it."""
    content = {
        name: getattr(row, name)
        for name in AccountEventRow.__slots__
        if name not in ("at_utc", "previous", "digest")
    }
    text = json.dumps({**content, "at": row.at_utc.isoformat()}, sort_keys=True, ensure_ascii=False)
    return blind(hashlib.sha256(row.previous + text.encode()).hexdigest())


def walk_events() -> Iterator[AccountEventRow]:
    """Go through the whole chain in its order, a page at a time."""
    after = 0
    while True:
        query = select(*_COLUMNS).where(AccountEvent.seq > after).order_by(AccountEvent.seq).limit(PAGE)
        rows = [AccountEventRow(*row) for row in db.session.execute(query)]
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].seq


def list_events(user_id: int, limit: int) -> list[AccountEventRow]:
    """List what happened to an account, newest first."""
    query = select(*_COLUMNS).where(AccountEvent.user_id == user_id).order_by(AccountEvent.seq.desc())
    return [AccountEventRow(*row) for row in db.session.execute(query.limit(limit))]
