"""Which failed actions can be run again: a literal map from an incident's action to the use case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.services import approvals, audits, declarations, imports, material_work, notices, timers
from app.services.actors import Actor
from app.services.incidents import Retry
from app.store.session import transaction

Arguments = Mapping[str, Any]
Close = Callable[[], None]


def _file(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return declarations.file(actor, now=now, before=close, **given)


def _save(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return declarations.save_draft(actor, now=now, before=close, **given)


def _submit(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return declarations.submit(actor, [given["reference"]], now, before=close)


def _discard(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return declarations.discard(actor, [given["reference"]], now, before=close)


def _recall(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return declarations.recall(actor, given["reference"], now, before=close)


def _proceed(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return declarations.proceed(actor, given["reference"], given["decision"], now, before=close)


def _decide(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return audits.decide(actor, now=now, before=close, **given)


def _approve(actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    with transaction():
        close()
    return approvals.approve_cases(actor, [given["reference"]], now)


def _wake(_actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return timers.wake_one(given["declaration_id"], now, before=close)


def _notice(_actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return notices.deliver(given["outbox_id"], now, before=close)


def _import(_actor: Actor, given: Arguments, _now: datetime, close: Close) -> Any:
    with transaction():
        close()
        return imports.requeue(given["batch_id"])


def _import_rows(_actor: Actor, given: Arguments, _now: datetime, close: Close) -> Any:
    """The rows that failed are worked on again, where nobody has removed their batch since."""
    with transaction():
        close()
        return imports.requeue_failed_rows(given["batch_id"])


def _prepare_material(_actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return material_work.prepare(given["outbox_id"], now, before=close)


def _join_materials(_actor: Actor, given: Arguments, now: datetime, close: Close) -> Any:
    return material_work.join(given["outbox_id"], now, before=close)


ACTIONS: Mapping[str, Retry] = {
    "file": _file,
    "save_draft": _save,
    "submit": _submit,
    "discard": _discard,
    "recall": _recall,
    "proceed": _proceed,
    "decide": _decide,
    "approve": _approve,
    "timer": _wake,
    "notice": _notice,
    "material": _prepare_material,
    "material_join": _join_materials,
    "import": _import,
    "import_rows": _import_rows,
}
