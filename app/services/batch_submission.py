"""One submission of a batch that is taken as a whole: everybody is submitted, or nobody.

Everybody is judged in memory before the database is held, a page at a time; then one transaction looks
whether anything has changed since and writes them all. What has changed is judged again, not under the lock:
on SQLite nobody else writes meanwhile. A batch of a few people is submitted in the request, a larger one as a
run that can be left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app import clock
from app.definitions.current import parameters
from app.errors import FieldError, NotFound, Rejected
from app.services import accounts, batch_steps, runs
from app.services.actions import REFUSALS, in_words, refused
from app.services.actors import Actor, require
from app.services.batch_checklist import people_of
from app.services.batch_steps import SubmitStep
from app.services.cases import Case, loaded_case, write
from app.services.imports import get_batch
from app.services.objects import person_key
from app.services.registry import Registry
from app.store import batch_people, declarations
from app.store import runs as store
from app.store.constraints import Duplicate
from app.store.imports import BatchRow
from app.store.materials import READY, RECEIVED, MaterialRow
from app.store.materials import REFUSED as TURNED_DOWN
from app.store.queries.batch_checklist import list_chosen
from app.store.runs import REFUSED, SUBMIT, Result, ResultRow, RunRow
from app.store.session import TransactionError, end_read, transaction

CHUNK = 200
# so many are submitted at once, while the person waits
AT_ONCE = 200
TRIES = 3


# id, case, item, and whether it counts, was refused, or neither: how far its pages are drawn says nothing
Document = tuple[int, int, str, str]


@dataclass
class Judged:
    """Everybody of a batch as the submission would leave them, and what that was decided on."""

    cases: list[Case] = field(default_factory=list)
    versions: dict[int, int] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    registries: list[Registry] = field(default_factory=list)
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)


def is_whole(batch: BatchRow, now: datetime) -> bool:
    """Whether a batch is submitted as a whole or not at all."""
    return parameters(batch.region).flag("batch.all_or_nothing", now)


def start(actor: Actor, batch_id: int, now: datetime) -> RunRow:
    """Submit a batch, at once or as a run; gives the run as it stands.

    Raises: Rejected (something is missing), Forbidden, NotFound, Conflict.
    """
    require(actor, "declaration.submit")
    batch = batch_steps.check_ready(actor, batch_id)
    total = batch_steps.count_open(batch_id)
    run_id = runs.begin(
        actor,
        SUBMIT,
        batch.region,
        total,
        now,
        employer_id=batch.employer_id,
        batch_id=batch_id,
        queued=total > AT_ONCE,
    )
    if total <= AT_ONCE:
        run(run_id, now)
    return runs.get_run(actor, run_id)


def run(run_id: int, now: datetime) -> None:
    """Do a run; a second one finds it done."""
    runs.work(run_id, lambda found: _work(found, now), now)


def progress(
    actor: Actor, batch_id: int, run_id: int, after: str, limit: int
) -> tuple[RunRow, Sequence[Result]]:
    """A run of a batch, and a page of those who were refused. Raises: NotFound, Forbidden."""
    get_batch(actor, batch_id)
    found = runs.get_run(actor, run_id)
    if found.batch_id != batch_id:
        raise NotFound("run")
    return found, store.list_results(run_id, REFUSED, after, limit)


def under_way(batch_id: int) -> RunRow | None:
    """The submission of a batch that has not ended."""
    found = store.find_last(SUBMIT, batch_id)
    return found if found is not None and found.state in store.UNFINISHED else None


def _work(run: RunRow, now: datetime) -> RunRow:
    actor, batch_id = _actor(run), run.batch_id or 0
    batch = get_batch(actor, batch_id)
    for _ in range(TRIES):
        end_read()
        try:
            judged = _judge(actor, batch_id, now, run)
        except TransactionError:
            # a step of this region's diagram wants to hold rows: there is no judging before
            judged = None
        if judged is not None and judged.refused:
            raise _kept(run, batch, judged)
        try:
            with transaction():
                # held first: whose run was stopped or taken over writes nothing
                runs.keep(run)
                ready = judged if judged is not None else _judge(actor, batch_id, now)
                if judged is None and ready.refused:
                    raise _Refused(ready)
                if judged is None or _is_unchanged(ready, batch_id):
                    # nobody is left where the worker died after its commit: then the count stands already
                    count = len(ready.cases) or run.total
                    later = replace(run, total=count, done=count)
                    runs.keep(later)
                    write(ready.cases)
                    return later
        except _Refused as error:
            raise _kept(run, batch, error.judged) from None
        except Duplicate as error:
            raise Rejected([FieldError("", "batch.changed", str(in_words(error)))]) from error
    words = "提交期间本批人员或材料有变动，没有提交，请核对后重新提交"
    raise Rejected([FieldError("", "batch.changed", words)])


class _Refused(Exception):
    """Somebody is refused while the database is held: nothing is written."""

    def __init__(self, judged: Judged) -> None:
        super().__init__("refused")
        self.judged = judged


def _actor(run: RunRow) -> Actor:
    """Who submitted, with the rights of today. Raises: Rejected."""
    account = None
    if run.created_by_id is not None:
        account = accounts.load_account(run.created_by_id, clock.real_utcnow())
    actor = account.actor if account is not None and account.active else None
    if actor is None or not actor.may("declaration.submit") or not actor.sees(run.region, run.employer_id):
        raise Rejected([FieldError("", "batch.no_right", "提交人已没有提交的权限，本批没有提交")])
    return actor


def _judge(actor: Actor, batch_id: int, now: datetime, run: RunRow | None = None) -> Judged:
    """Take everybody through the submission in memory; `run` is told how far it is."""
    judged, after = Judged(), 0
    while page := batch_people.list_by_status(batch_id, batch_steps.SUBMITTABLE, after, CHUNK):
        references = [reference for _, reference in page]
        documents = batch_people.list_documents_of(references)
        judged.documents += [_document(row) for row in documents]
        registry = Registry()
        judged.registries.append(registry)
        step = SubmitStep(actor, documents, now)
        found = declarations.find_waiting(references) if run else declarations.load_waiting(references)
        cases = [loaded_case(found[each], registry) for each in references if each in found]
        registry.read_employers(case.declaration.employer_id for case in cases)
        registry.read_people(
            case.declaration.person_hash for case in cases if case.declaration.person_hash is not None
        )
        keys = {case.declaration.open_key for case in cases} | {_person_key(case, now) for case in cases}
        registry.read_open(key for key in keys if key)
        for case in cases:
            _judge_one(judged, case, step)
        after = page[-1][0]
        if run is not None:
            runs.keep_alone(replace(run, done=min(len(judged.cases) + len(judged.refused), run.total)))
    return judged


def _person_key(case: Case, now: datetime) -> str | None:
    """The key that is asked for when the form is checked once more."""
    row = case.declaration
    return None if row.person_hash is None else person_key(case.parameters, row.kind, row.person_hash, now)


def _judge_one(judged: Judged, case: Case, step: SubmitStep) -> None:
    row = case.declaration
    judged.versions[row.id] = row.lock_version
    try:
        step.take(case)
    except TransactionError:
        raise
    except REFUSALS as error:
        judged.refused[row.id] = (row.reference, refused(row.reference, error).message)
    else:
        judged.cases.append(case)


def _is_unchanged(judged: Judged, batch_id: int) -> bool:
    """Whether the database, held now, still says what everybody was judged by."""
    if declarations.hold_versions(batch_id, batch_steps.SUBMITTABLE) != judged.versions:
        return False
    documents: list[Document] = []
    references = [case.declaration.reference for case in judged.cases]
    for start in range(0, len(references), CHUNK):
        rows = batch_people.list_documents_of(references[start : start + CHUNK])
        documents += [_document(row) for row in rows]
    return documents == judged.documents and all(each.is_unchanged(()) for each in judged.registries)


def _document(row: MaterialRow) -> Document:
    kind = "given" if row.state in (READY, RECEIVED) else "refused" if row.state == TURNED_DOWN else ""
    return row.id, row.declaration_id, row.item, kind


def _kept(run: RunRow, batch: BatchRow, judged: Judged) -> Rejected:
    """Keep who was refused and why; gives the refusal of the whole."""
    rows = {row.id: row for row in list_chosen(people_of(batch), judged.refused)}
    results = [
        ResultRow(
            run.id,
            f"{rows[each].row_number:08d}",
            batch.employer_id,
            REFUSED,
            reference,
            f"第{rows[each].row_number}行 {rows[each].name}：{words}",
        )
        for each, (reference, words) in judged.refused.items()
        if each in rows
    ]
    with transaction():
        runs.keep(replace(run, refused=len(results)))
        store.remove_results(run.id)
        store.add_results(results)
    count = len(results)
    words = f"有{count}人不能提交，本批没有提交；请按原因处理后重新提交"
    return Rejected([FieldError("people", "batch.refused", words)])
