"""One case while it is being worked on, and the one place that writes what a transaction gathered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.clock import to_utc
from app.definitions.current import Bundle, get_bundle, parameters
from app.domain.parameters import ParameterSet
from app.services import assessed, outbox
from app.services.actors import Actor
from app.services.objects import turnover
from app.services.registry import Registry
from app.store import (
    bases,
    contacts,
    declarations,
    enrolments,
    events,
    incidents,
    instances,
    ledger,
    merges,
    objects,
    people,
    tasks,
)
from app.store.bases import BaseRow
from app.store.constraints import unique_rules
from app.store.crypto import decrypt_json
from app.store.declarations import DeclarationRow, Loaded
from app.store.employers import FundRow, StatusRow, change_funds, set_statuses
from app.store.enrolments import ChangeRow
from app.store.events import EffectRow, EventRow
from app.store.identities import IdentityRow, correct_people
from app.store.ids import new_id
from app.store.instances import InstanceRow
from app.store.ledger import Reversal
from app.store.merges import MergeRow
from app.store.outbox import OutboxRow, add_outbox
from app.store.people import LifeRow
from app.store.person_types import TypeRow, change_types
from app.store.personal_accounts import add_entries, add_orders, cancel_orders
from app.store.session import after_commit
from app.store.tasks import TaskRow

Row = Mapping[str, Any]


@dataclass
class Case:
    """A case in memory. Nothing reaches the database before `write`: a case that fails leaves no trace.

    `data` is the form; `opened` and `ended` are the tasks that this action opened and ended; `held` is the
    open key as the database has it.
    """

    declaration: DeclarationRow
    instance: InstanceRow
    tasks: list[TaskRow]
    data: dict[str, Any]
    bundle: Bundle
    parameters: ParameterSet
    registry: Registry
    is_new: bool = False
    checked: bool = False
    months: list[str] | None = None
    ran: bool = False
    recovered: bool = False
    held: str | None = None
    opened: list[TaskRow] = field(default_factory=list)
    ended: list[TaskRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    effects: list[EffectRow] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)
    person_updates: list[Row] = field(default_factory=list)
    employer_updates: list[Row] = field(default_factory=list)
    enrolments: list[Row] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    bases: list[BaseRow] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    reversals: list[Reversal] = field(default_factory=list)
    account_entries: list[Row] = field(default_factory=list)
    payment_orders: list[Row] = field(default_factory=list)
    cancelled_orders: list[int] = field(default_factory=list)
    lives: list[LifeRow] = field(default_factory=list)
    identities: list[IdentityRow] = field(default_factory=list)
    type_changes: list[TypeRow] = field(default_factory=list)
    merges: list[MergeRow] = field(default_factory=list)
    employer_statuses: list[StatusRow] = field(default_factory=list)
    fund_changes: list[FundRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)

    def note(self, action: str, actor: Actor, now: datetime, detail: Mapping[str, Any] | None = None) -> None:
        """Put a person's act into the history."""
        self.events.append(
            EventRow(
                new_id(), self.declaration.id, action, to_utc(now),
                actor_id=actor.id, actor_name=actor.name, detail=dict(detail or {}),
            )
        )  # fmt: skip

    def note_waiting(self) -> None:
        """Put into the history which elements now wait for somebody."""
        self.events += [
            EventRow(
                new_id(), self.declaration.id, "waiting", task.created_at_utc,
                process_id=task.process_id, element_id=task.element_id, element_name=task.title,
                detail={"type": "userTask"},
            )
            for task in self.opened
        ]  # fmt: skip

    def effect_once(self, effect: str, now: datetime, result: Mapping[str, Any]) -> None:
        """Claim an effect: a second one of the same name cannot be written."""
        self.effects.append(EffectRow(self.declaration.id, effect, to_utc(now), dict(result)))

    def send_out(self, topic: str, payload: Row, now: datetime) -> None:
        """Have something leave the database after the commit."""
        self.outbox.append(outbox.new_row(topic, payload, now))

    def message(self, code: str, **params: str) -> str:
        """The region's words for a message code, "" where it has none."""
        if code not in self.parameters.messages:
            return ""
        return self.parameters.message(code).format_map(params)


def loaded_case(loaded: Loaded, registry: Registry) -> Case:
    """Make a case from its rows, with the definitions that it is pinned to."""
    return Case(
        declaration=loaded.declaration,
        instance=loaded.instance,
        tasks=loaded.tasks,
        data=decrypt_json(loaded.declaration.data_cipher),
        bundle=get_bundle(loaded.instance.bundle_id),
        parameters=parameters(loaded.declaration.region),
        registry=registry,
        held=loaded.declaration.open_key,
    )


def write(cases: Sequence[Case]) -> None:
    """Write everything that the cases gathered: one statement per table, however many cases.

    Raises: Duplicate.
    """
    for case in cases:
        case.note_waiting()
    turned = turnover(cases)
    with unique_rules():
        people.add_people([row for case in cases for row in case.people])
        declarations.add_declarations([case.declaration for case in cases if case.is_new])
        objects.drop_objects(turned.dropped)
        objects.release_objects(turned.released)
        objects.add_objects(turned.claimed)
        instances.add_instances([case.instance for case in cases if case.is_new])
        declarations.set_declarations([case.declaration for case in cases if not case.is_new])
        instances.set_instances([case.instance for case in cases if not case.is_new and case.ran])
        tasks.remove_tasks([task.id for case in cases if not case.is_new for task in case.ended])
        tasks.add_tasks([task for case in cases for task in case.opened])
        assessed.hold_employers(cases)
        # what ends makes room for what begins
        enrolments.change_enrolments([row for case in cases for row in case.changes])
        change_types([row for case in cases for row in case.type_changes])
        ledger.set_reversed([row for case in cases for row in case.reversals])
        enrolments.add_enrolments([row for case in cases for row in case.enrolments])
        bases.change_bases([row for case in cases for row in case.bases])
        people.refuse_dead({row["person_id"] for case in cases for row in case.enrolments})
        ledger.add_lines([row for case in cases for row in case.lines])
        merges.merge_people([row for case in cases for row in case.merges])
        assessed.charge_late(cases)
        add_entries([row for case in cases for row in case.account_entries])
        add_orders([row for case in cases for row in case.payment_orders])
        set_statuses([row for case in cases for row in case.employer_statuses])
        change_funds([row for case in cases for row in case.fund_changes])
        _refuse_moved(cases)
        cancel_orders([row for case in cases for row in case.cancelled_orders])
        people.set_life_statuses([row for case in cases for row in case.lives])
        correct_people([row for case in cases for row in case.identities])
        contacts.set_people([row for case in cases for row in case.person_updates])
        contacts.set_employers([row for case in cases for row in case.employer_updates])
        events.add_effects([row for case in cases for row in case.effects])
        events.add_events([row for case in cases for row in case.events])
        recovered = [case.declaration for case in cases if case.recovered]
        if recovered:
            # the case went on: what had stopped it is over
            incidents.set_resolved_of([row.id for row in recovered], recovered[0].updated_at_utc)
        leaving = [row for case in cases for row in case.outbox]
        add_outbox(leaving)
    if leaving:
        after_commit(lambda: outbox.enqueue([(row.id, row.topic) for row in leaving]))


def _refuse_moved(cases: Sequence[Case]) -> None:
    """Refuse what was written for a record that was merged, or an employer or fund that ended, meanwhile."""
    begun = [row for case in cases for row in case.enrolments]
    restored = [row for case in cases for row in case.changes if row.after.to_month is None]
    written = (row for case in cases for row in (*case.lines, *case.account_entries))
    merges.refuse_moved(
        {row["person_id"] for row in (*begun, *written)},
        {(row["employer_id"], row["fund"]) for row in begun if row["employer_id"] is not None},
        {row.enrolment_id for row in restored},
    )
