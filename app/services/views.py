"""A case as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.clock import to_region
from app.definitions.current import parameters
from app.domain.declaration import DRAFT, FINAL, IN_AUDIT, PENDING, RETURNED, SUBMITTED
from app.domain.parameters import COUNTER, ONLINE
from app.domain.permission import four_eyes
from app.domain.problem import Problem, problem_text
from app.errors import FieldError, NotFound
from app.services.actors import AGENCY, EMPLOYER, SYSTEM, Actor
from app.services.filing import CHANNEL_COUNTER
from app.services.results import AmountLine, CaseView, EventView, TaskView
from app.store import declarations as store
from app.store import incidents
from app.store.crypto import decrypt_json
from app.store.declarations import DeclarationRow, Loaded
from app.store.events import list_events
from app.store.instances import INCIDENT
from app.store.ledger import lines_of_declaration
from app.store.tasks import TaskRow, names_of


def get_case(actor: Actor, reference: str, now: datetime) -> CaseView:
    """Return one case with tasks, history and lines. Raises: NotFound outside the actor's scope."""
    found = store.find_case(reference)
    if found is None or not reaches(actor, found):
        raise NotFound("declaration")
    return view_of(found, actor)


def reaches(actor: Actor, found: Loaded) -> bool:
    """True where somebody may look at a case; who mends an incident sees the draft that it happened to."""
    row = found.declaration
    if found.instance.status == INCIDENT:
        return actor.sees(row.region, row.employer_id)
    return actor.sees_case(row)


def inspect_case(reference: str) -> CaseView:
    """Return one case whatever its employer, for the command line of the installation. Raises: NotFound."""
    found = store.find_case(reference)
    if found is None:
        raise NotFound("declaration")
    return view_of(found, SYSTEM)


def view_of(found: Loaded, actor: Actor) -> CaseView:
    """Put a case together for somebody's eyes."""
    row = found.declaration
    names = names_of(
        [row.created_by_id, row.submitted_by_id, row.decided_by_id, *(t.claimed_by_id for t in found.tasks)]
    )
    incident = incidents.find_open_of(row.id) if found.instance.status == INCIDENT else None
    return CaseView(
        reference=row.reference,
        kind=row.kind,
        region=row.region,
        status=row.status,
        channel=row.channel,
        employer_id=row.employer_id,
        employer_no=found.employer.employer_no,
        employer_name=found.employer.name,
        person_id=row.person_id,
        person_name=row.person_name,
        id_masked=row.id_masked,
        data=decrypt_json(row.data_cipher),
        message_code=row.result_code,
        message=row.result_message,
        decision=row.decision,
        opinion=row.opinion,
        return_fields=row.return_fields,
        changed_fields=row.facts.get("changed_fields", []),
        warnings=_warnings(row),
        created_by=names.get(row.created_by_id, ""),
        submitted_by=names.get(row.submitted_by_id or 0, ""),
        decided_by=names.get(row.decided_by_id or 0, ""),
        created_at=to_region(row.created_at_utc),
        updated_at=to_region(row.updated_at_utc),
        submitted_at=_region(row.submitted_at_utc),
        decided_at=_region(row.decided_at_utc),
        bundle_id=found.instance.bundle_id,
        batch_id=row.batch_id,
        copied_from=store.find_reference(row.copied_from_id) if row.copied_from_id else None,
        tasks=[task_view(task, names) for task in found.tasks],
        events=[
            EventView(
                event.process_id, event.element_id, event.element_name, event.action, event.actor_name,
                to_region(event.at_utc), event.detail,
            )
            for event in list_events(row.id)
        ],
        lines=[
            AmountLine(
                line.fund, line.party, line.due_type, line.due_month, line.accrual_month, line.base_fen,
                line.rate, line.fixed_fen, line.amount_fen,
            )
            for line in lines_of_declaration(row.id)
        ],
        allowed=allowed(found, actor),
        incident_id=incident,
        facts=row.facts,
    )  # fmt: skip


def task_view(task: TaskRow, names: Mapping[int, str]) -> TaskView:
    """An open task for a page; `due_at` far in the future means no limit."""
    return TaskView(
        id=task.id,
        element_id=task.element_id,
        process_id=task.process_id,
        title=task.title,
        role=task.role,
        form=task.form,
        status=task.settings.get("status", ""),
        due_at=to_region(task.due_at_utc),
        claimed_by_id=task.claimed_by_id,
        claimed_by=names.get(task.claimed_by_id or 0, ""),
        settings=task.settings,
    )


def allowed(found: Loaded, actor: Actor) -> frozenset[str]:
    """The acts that this actor may try on the case now; the services check again."""
    row, acts = found.declaration, set()
    at_counter = row.channel == CHANNEL_COUNTER
    if actor.side == AGENCY and not at_counter:
        return _auditor_acts(found, actor)
    if actor.side == EMPLOYER and at_counter:
        # filed at the counter: the employer follows it and changes nothing
        return frozenset()
    if row.status in (DRAFT, RETURNED) and actor.may("declaration.file"):
        at_form = any(task.form == row.kind for task in found.tasks)
        acts |= {("edit" if at_form else "proceed") if row.status == DRAFT else "correct", "discard"}
    if row.status == PENDING:
        acts |= {"submit"} if actor.may("declaration.submit") else set()
        acts |= {"discard"} if actor.may("declaration.discard") else set()
    if row.status in (SUBMITTED, IN_AUDIT) and actor.may("declaration.recall") and row.facts.get("recall"):
        acts.add("recall")
    if row.status in FINAL and actor.may("declaration.file"):
        channel = COUNTER if at_counter else ONLINE
        acts |= {"copy"} if parameters(row.region).offers(row.kind, channel) else set()
    return frozenset(acts) | (_auditor_acts(found, actor) if actor.side == AGENCY else frozenset())


def _auditor_acts(found: Loaded, actor: Actor) -> frozenset[str]:
    row = found.declaration
    filers = (row.created_by_id, row.submitted_by_id, *row.facts.get("filers", ()))
    mine = actor.id is not None and four_eyes(actor.id, filers)
    acts: set[str] = set()
    for task in found.tasks:
        if not mine or task.role not in actor.roles or not task.settings.get("decisions"):
            continue
        if task.claimed_by_id is None and actor.may("task.claim"):
            acts |= {"claim", "decide"}
        if task.claimed_by_id == actor.id and actor.may("task.decide"):
            acts |= {"release", "decide"}
    return frozenset(acts)


def _warnings(row: DeclarationRow) -> list[FieldError]:
    words = parameters(row.region)
    found: list[dict[str, Any]] = row.facts.get("warnings", [])
    problems = [Problem(each["code"], each["field"], each["params"]) for each in found]
    return [FieldError(each.field, each.code, problem_text(words, each)) for each in problems]


def _region(moment: datetime | None) -> datetime | None:
    return None if moment is None else to_region(moment)
