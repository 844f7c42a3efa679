"""Actions that failed through nobody's input: kept with what is needed to run them again."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from app.clock import to_utc
from app.errors import Conflict, NotFound, ServiceFailure
from app.services.actors import AGENCY, Actor, require
from app.store import incidents as store
from app.store import instances
from app.store.crypto import decrypt_json, encrypt_json
from app.store.declarations import find_reference
from app.store.ids import new_id
from app.store.incidents import IncidentRow
from app.store.session import read, transaction

log = logging.getLogger(__name__)
WORDS = "系统处理失败，没有保存任何更改。故障编号：{number}，请稍后重试或联系经办机构。"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried: an action's name with its arguments (JSON primitives), by whom, on which case."""

    action: str
    arguments: Mapping[str, Any]
    actor: Actor
    region: str = ""
    declaration_id: int | None = None
    batch_id: int | None = None


def record(attempt: Attempt, error: BaseException, now: datetime) -> ServiceFailure:
    """Keep a failed attempt in a transaction of its own, and give the error that says so in plain words.

    The same action on the same case counts up its open incident.
    """
    element = str(getattr(error, "service", "") or getattr(error, "element", ""))
    cause = error.__cause__ or error
    detail = "".join(traceback.format_exception(cause, limit=-8))[-6000:]
    # an error's own text may quote a row: outside the ciphertext only its kind is kept
    message = type(cause).__name__
    log.error("%s failed at %s: %s", attempt.action, element or "-", type(cause).__name__)
    sealed = encrypt_json(
        {"arguments": dict(attempt.arguments), "actor": _actor_data(attempt.actor), "detail": detail}
    )
    with transaction():
        number = None
        if attempt.declaration_id is not None:
            number = store.find_open_of(attempt.declaration_id, attempt.action)
            instances.set_status(attempt.declaration_id, instances.INCIDENT)
        if number is not None:
            store.set_failed_again(number, message, "", sealed)
        else:
            number = new_id()
            store.add_incident(_row(number, attempt, element, message, sealed, now))
    return ServiceFailure(element, WORDS.format(number=number), context={"incident_id": number})


def _row(
    number: int, attempt: Attempt, element: str, message: str, sealed: bytes, now: datetime
) -> IncidentRow:
    return IncidentRow(
        id=number,
        action=attempt.action,
        action_cipher=sealed,
        message=message,
        created_at_utc=to_utc(now),
        region=attempt.region,
        declaration_id=attempt.declaration_id,
        batch_id=attempt.batch_id,
        element_id=element,
        actor_id=attempt.actor.id,
    )


def retry(actor: Actor, incident_id: int, now: datetime) -> Any:
    """Run the failed action again as the person who tried it; closes the incident together with it.

    Raises: Conflict where it is closed already, NotFound outside the scope, and what the action raises.
    """
    from app.services.retrying import ACTIONS

    require(actor, "incident.retry")
    found = store.find_incident(incident_id)
    if found is None or (actor.side == AGENCY and found.region not in actor.regions):
        raise NotFound("incident")
    kept = decrypt_json(found.action_cipher)

    def close() -> None:
        held = store.hold_incident(incident_id)
        if held is None or held.status != store.OPEN:
            raise Conflict("该故障已经处理完毕")
        store.set_resolved(incident_id, actor.id, to_utc(now))

    return ACTIONS[found.action](_actor(kept["actor"]), kept["arguments"], now, close)


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with who tried it, on which case, and the trace of the error."""

    row: IncidentRow
    reference: str | None
    tried_by: str
    trace: str


def get_incident(actor: Actor, incident_id: int) -> IncidentView:
    """Return one incident in the actor's scope. Raises: NotFound, Forbidden."""
    require(actor, "incident.view")
    found = store.find_incident(incident_id)
    if found is None or (actor.side == AGENCY and found.region not in actor.regions):
        raise NotFound("incident")
    kept = decrypt_json(found.action_cipher)
    reference = find_reference(found.declaration_id) if found.declaration_id else None
    return IncidentView(found, reference, str(kept["actor"].get("name", "")), str(kept.get("detail", "")))


def list_open(actor: Actor, before_id: int | None = None, limit: int = 50) -> list[IncidentRow]:
    """List open incidents in the actor's scope, newest first. Raises: Forbidden."""
    require(actor, "incident.view")
    read()
    regions = actor.regions if actor.side == AGENCY else None
    return store.list_incidents(store.OPEN, regions, before_id, limit)


def detail_of(actor: Actor, incident_id: int) -> str:
    """Return the error's text and trace, for who runs the installation. Raises: Forbidden, NotFound."""
    require(actor, "job.view")
    found = store.find_incident(incident_id)
    if found is None:
        raise NotFound("incident")
    return str(decrypt_json(found.action_cipher)["detail"])


def _actor_data(actor: Actor) -> dict[str, Any]:
    data = asdict(actor)
    return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in data.items()}


def _actor(data: Mapping[str, Any]) -> Actor:
    sets = ("roles", "regions", "employer_ids")
    kept: dict[str, Any] = {key: frozenset(value) if key in sets else value for key, value in data.items()}
    return Actor(**kept)


Retry = Callable[[Actor, Mapping[str, Any], datetime, Callable[[], None]], Any]
