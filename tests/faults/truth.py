"""What must be true in the end, whatever was killed on the way: the rows, held against the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from app.domain.declaration import FINAL
from app.extensions import db
from app.store.crypto import blind
from app.store.models import (
    ContributionLine,
    Declaration,
    Effect,
    Employer,
    EmployerFund,
    Enrolment,
    Event,
    HumanTask,
    ImportBatch,
    ImportRow,
    Incident,
    Lease,
    Notice,
    Outbox,
    Person,
    ProcessInstance,
)
from app.store.session import transaction
from tests.faults.ground import REGION, Ground
from tests.faults.people import START_MONTH, WAGE
from tests.fixtures.database import TEST_NOW
from tests.matrix import model

DECISIVE = {"approved": "decided_approve", "rejected": "decided_reject", "returned": "decided_return"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the model says that an approved enrolment of the tests leaves behind."""

    enrolments: dict[str, tuple[str, str, int]]
    lines: dict[tuple[str, str, str], int]


def wanted_of(employer_id: int) -> Wanted:
    """What one approved person has, by the model that knows nothing of the product."""
    city = model.City(REGION)
    form = model.Form(number="", start=START_MONTH, wage=Decimal(WAGE))
    today: date = TEST_NOW.date()
    made = model.outcome(city, form, model.Person(records=1), _employer(employer_id), today, today)
    return Wanted(dict(made.enrolments), dict(made.lines))


def _employer(employer_id: int) -> model.Employer:
    row = db.session.get(Employer, employer_id)
    assert row is not None
    funds: dict[str, tuple[tuple[str, str | None], ...]] = {}
    for each in db.session.scalars(select(EmployerFund).where(EmployerFund.employer_id == employer_id)):
        funds[each.fund] = (*funds.get(each.fund, ()), (each.from_month, each.to_month))
    return model.Employer(row.employer_no, row.status, funds)


def problems_of(numbers: Sequence[str]) -> list[str]:
    """Everything that is wrong about these people and their cases; nothing where all is well."""
    db.session.rollback()
    return [*_people(numbers), *_cases(numbers), *_registry(numbers), *_outside()]


def _people(numbers: Sequence[str]) -> Iterable[str]:
    hashes = [blind(number) for number in numbers]
    found = Counter(db.session.scalars(select(Person.id_hash).where(Person.id_hash.in_(hashes))))
    for number, key in zip(numbers, hashes, strict=True):
        if found[key] != 1:
            yield f"person {number} is there {found[key]} times"


def _declarations(numbers: Sequence[str]) -> list[Any]:
    hashes = [blind(number) for number in numbers]
    return list(
        db.session.scalars(
            select(Declaration).where(Declaration.person_hash.in_(hashes)).order_by(Declaration.id)
        )
    )


def _cases(numbers: Sequence[str]) -> Iterable[str]:
    rows = _declarations(numbers)
    ids = [row.id for row in rows]
    instances = {
        row.declaration_id: row.status
        for row in db.session.execute(
            select(ProcessInstance.declaration_id, ProcessInstance.status).where(
                ProcessInstance.declaration_id.in_(ids)
            )
        )
    }
    tasks = Counter(
        db.session.scalars(select(HumanTask.declaration_id).where(HumanTask.declaration_id.in_(ids)))
    )
    decided = Counter(
        (row.declaration_id, row.action)
        for row in db.session.execute(
            select(Event.declaration_id, Event.action).where(
                Event.declaration_id.in_(ids), Event.action.in_(DECISIVE.values())
            )
        )
    )
    for row in rows:
        ended = row.status in FINAL
        if instances.get(row.id) != ("completed" if ended else "running"):
            yield f"case {row.reference} {row.status}: its process is {instances.get(row.id)}"
        if tasks[row.id] != (0 if ended else 1):
            yield f"case {row.reference} {row.status} has {tasks[row.id]} tasks"
        acts = {action: count for (owner, action), count in decided.items() if owner == row.id}
        expected = {DECISIVE[row.status]: 1} if row.status in DECISIVE else {}
        if acts != expected:
            yield f"case {row.reference} {row.status} was decided {acts}"
    open_cases = Counter(row.person_hash for row in rows if row.status not in FINAL)
    for count in open_cases.values():
        if count > 1:
            yield f"a person has {count} open cases"
    for (orphan,) in db.session.execute(
        select(HumanTask.reference)
        .outerjoin(ProcessInstance.__table__, ProcessInstance.id == HumanTask.instance_id)
        .outerjoin(Declaration.__table__, Declaration.id == HumanTask.declaration_id)
        .where(ProcessInstance.id.is_(None) | Declaration.id.is_(None))
    ):
        yield f"a task of {orphan} has no case"


def _registry(numbers: Sequence[str]) -> Iterable[str]:
    """The registry against the model: what approved cases make, once, and nothing else."""
    rows = _declarations(numbers)
    approved = {row.id: row for row in rows if row.status == "approved"}
    effects = Counter(
        db.session.scalars(
            select(Effect.declaration_id).where(Effect.declaration_id.in_([row.id for row in rows]))
        )
    )
    for row in rows:
        if effects[row.id] != (row.id in approved):
            yield f"case {row.reference} {row.status} has {effects[row.id]} effects"
    wanted = {employer: wanted_of(employer) for employer in {row.employer_id for row in approved.values()}}
    owners = {row.person_id: row for row in approved.values()}
    hashes = [blind(number) for number in numbers]
    people = select(Person.id).where(Person.id_hash.in_(hashes))
    enrolments: dict[int, list[Any]] = {}
    for each in db.session.scalars(select(Enrolment).where(Enrolment.person_id.in_(people))):
        enrolments.setdefault(each.person_id, []).append(
            (each.fund, (each.person_type, each.from_month, each.base_fen))
        )
    lines: dict[int, list[Any]] = {}
    for line in db.session.scalars(select(ContributionLine).where(ContributionLine.person_id.in_(people))):
        key = (line.accrual_month, line.fund, line.party)
        lines.setdefault(line.person_id, []).append((key, line.amount_fen))
    for person in {*enrolments, *lines, *owners}:
        row = owners.get(person)
        expected = wanted[row.employer_id] if row else Wanted({}, {})
        if sorted(enrolments.get(person, [])) != sorted(expected.enrolments.items()):
            yield f"person {person} is enrolled {enrolments.get(person)}, not {expected.enrolments}"
        if sorted(lines.get(person, [])) != sorted(expected.lines.items()):
            yield f"person {person} is charged {lines.get(person)}, not {expected.lines}"


def _outside() -> Iterable[str]:
    """What leaves the database, once; and nothing that somebody would have to look at."""
    for row in db.session.scalars(select(Outbox).where(Outbox.done_at_utc.is_(None))):
        yield f"outbox {row.topic} {row.payload} waits after {row.attempts} attempts: {row.last_error}"
    told = Counter(db.session.scalars(select(Notice.outbox_id).where(Notice.outbox_id.is_not(None))))
    for key, count in Counter(db.session.scalars(select(Outbox.id).where(Outbox.topic == "notice"))).items():
        if told[key] != count:
            yield f"outbox {key} was told {told[key]} times"
    for incident in db.session.scalars(select(Incident)):
        yield f"incident {incident.action} {incident.status}: {incident.message}"


def problems_of_batch(batch_id: int, total: int) -> list[str]:
    """What is wrong about a batch that has ended."""
    db.session.rollback()
    batch = db.session.scalars(select(ImportBatch).where(ImportBatch.id == batch_id)).one()
    found = []
    numbers = (batch.total_rows, batch.done_rows, batch.accepted_rows + batch.rejected_rows)
    if batch.state != "finished" or numbers != (total, total, total):
        found.append(f"batch {batch.state} {batch.message}: total, done, accepted + rejected {numbers}")
    by_state = select(ImportRow.state, func.count()).where(ImportRow.batch_id == batch_id)
    states = {row[0]: row[1] for row in db.session.execute(by_state.group_by(ImportRow.state))}
    if states != {
        name: count
        for name, count in (("accepted", batch.accepted_rows), ("rejected", batch.rejected_rows))
        if count
    }:
        found.append(f"rows {states}, batch {batch.accepted_rows} + {batch.rejected_rows}")
    cases = db.session.scalar(select(func.count()).where(Declaration.batch_id == batch_id))
    if cases != batch.accepted_rows:
        found.append(f"{cases} cases of {batch.accepted_rows} accepted rows")
    return found


def unsettled() -> int:
    """How many outbox rows wait."""
    db.session.rollback()
    return int(
        db.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.done_at_utc.is_(None))) or 0
    )


def settle(ground: Ground) -> None:
    """Wait until everything that was to leave the database has left it.

    The sweepers' patience is cut short: as if the minutes that they wait had passed.
    """
    installation = ground.installation
    installation.wait_for_parts()

    def settled() -> bool:
        try:
            if unsettled() == 0:
                return True
            _hurry()
        except OperationalError:
            db.session.rollback()
        return False

    installation.wait_until(settled, "something is left in the outbox")


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _hurry() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=10)
    with transaction():
        db.session.execute(
            update(Outbox.__table__)
            .where(Outbox.done_at_utc.is_(None), Outbox.not_before_utc > soon)
            .values(not_before_utc=LONG_AGO)
        )
        end_lease()


def end_lease() -> None:
    """Let the lease of a scheduler that was killed end now; one that lives takes it again."""
    db.session.execute(update(Lease.__table__).values(until_utc=LONG_AGO))
