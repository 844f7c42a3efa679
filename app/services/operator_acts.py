"""What an act on an operator's account does, whoever may do it: inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.clock import to_utc
from app.domain.declaration import DRAFT, PENDING, RETURNED
from app.domain.operator import ACTIVE, DISABLED, INVITED, REMOVED
from app.errors import Conflict
from app.services.actors import Actor
from app.services.sms import send_sms
from app.store import operators as store
from app.store.events import EventRow, add_events
from app.store.ids import new_id
from app.store.models import User
from app.store.operators import OperatorRow

HANDED_OVER = (DRAFT, PENDING, RETURNED)


def take_password(user: User, nobody: str, words: str, now: datetime) -> str:
    """Take a password away, end all sessions and tell by message how to set a new one; gives the old status.

    `nobody` is a hash that no password fits. Raises: Conflict (the account is disabled).
    """
    if user.status not in (ACTIVE, INVITED):
        raise Conflict("账号已停用，请先启用")
    before = user.status
    user.status, user.must_change_password = INVITED, True
    user.password_history = [*(user.password_history or []), user.password_hash]
    user.password_hash = nobody
    user.failed_logins, user.locked_until_utc = 0, None
    user.session_version += 1
    send_sms(None, user.username, words, now)
    return before


def shut(user: User) -> str:
    """Keep an account out; gives the old status. Raises: Conflict."""
    if user.status == DISABLED:
        raise Conflict("账号已停用")
    before, user.status = user.status, DISABLED
    user.session_version += 1
    return before


def let_in(user: User) -> None:
    """Let a disabled account in again, with a password that its owner sets by a code. Raises: Conflict."""
    if user.status != DISABLED:
        raise Conflict("账号没有停用")
    user.status = INVITED


def cut(row: OperatorRow, user: User, employer_ids: Collection[int]) -> None:
    """End an account's acting for employers; one that is left with none is closed."""
    store.unlink([row.id], employer_ids)
    if set(row.employer_ids) <= set(employer_ids):
        user.status = REMOVED
        # what it might do anywhere ends: the account may come back as somebody else's operator
        store.clear_roles(row.id)
    user.session_version += 1


def hand_over(actor: Actor, row: OperatorRow, employer_ids: Collection[int], now: datetime) -> int:
    """Note in the history of unfinished cases who looks after them from now on; gives how many.

    Drafts and pending records belong to the employer: every operator of it sees and finishes them.
    """
    cases = store.open_references(row.id, employer_ids, HANDED_OVER)
    add_events(
        [
            EventRow(
                new_id(), case_id, "handed_over", to_utc(now), actor_id=actor.id, actor_name=actor.name,
                detail={"from": row.name},
            )
            for case_id, _ in cases
        ]
    )  # fmt: skip
    return len(cases)
