"""One act for a whole batch: submitted once everybody's materials are there, or discarded; slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from app.definitions.current import get_bundle, parameters
from app.domain.declaration import DRAFT, PENDING, RETURNED
from app.errors import Conflict, FieldError, Rejected
from app.services import declarations, filing, host
from app.services.actions import STALE, run_many
from app.services.actors import Actor, require
from app.services.batch_checklist import COMPLETE, MISSING, PersonLine, page_of, people_of
from app.services.batch_documents import forget_files
from app.services.bulk import SECONDS, Slice
from app.services.cases import Case
from app.services.imports import get_batch
from app.services.material_needs import FORM, missing, needs_of
from app.services.results import ItemResult
from app.store import batch_people as store
from app.store.imports import BatchRow
from app.store.materials import READY, RECEIVED, REFUSED, MaterialRow
from app.store.queries import batch_checklist as queries
from app.store.session import transaction

CHUNK = 100
# so many people without their materials are named; the list below the summary has them all
NAMED_MISSING = 20
SUBMIT, DISCARD = "submit", "discard"
SUBMITTABLE = (DRAFT, PENDING)
FILES_LEFT = "files"
CONFIRM = "confirm"


def check_ready(actor: Actor, batch_id: int) -> BatchRow:
    """Refuse to submit a batch while anything is missing, person by person; gives the batch.

    Raises: Rejected, NotFound, Forbidden, Conflict (nobody waits).
    """
    require(actor, "declaration.file")
    batch = get_batch(actor, batch_id)
    people = people_of(batch)
    short = page_of(people, parameters(batch.region), (MISSING,), limit=NAMED_MISSING).lines
    if not short and not queries.list_people(people, (COMPLETE,), limit=1):
        raise Conflict(STALE)
    errors = [FieldError(line.field, "material.missing", _missing_words(line)) for line in short]
    form = get_bundle(batch.bundle_id).form(batch.kind)
    if form.batch and form.batch.confirm and batch.confirmed_at_utc is None:
        names = "、".join(form.by_name[name].title for name in form.batch.confirm)
        errors.insert(0, FieldError(CONFIRM, "batch.confirm", f"请先确认{names}"))
    more = queries.count_people(people, MISSING) - NAMED_MISSING if len(short) == NAMED_MISSING else 0
    if more > 0:
        errors.append(FieldError("people", "material.missing", f"另有{more}人的材料不齐"))
    left = store.count_files(batch_id)
    if left:
        words = f"还有{left}个文件没有指定人员，请指定或删除"
        errors.append(FieldError(FILES_LEFT, "material.unmatched", words))
    if errors:
        raise Rejected(errors)
    return batch


def count_open(batch_id: int) -> int:
    """How many people of a batch can be submitted."""
    return queries.count_status(batch_id, SUBMITTABLE)


def run_slice(
    act: str, actor: Actor, batch_id: int, after_id: int, now: datetime, seconds: float = SECONDS
) -> Slice:
    """Act on the people of a batch who are still in the employer's hands, until the time is used up.

    Submitting refuses nobody's absence silently: the first slice asks for everybody's materials.
    Raises: Rejected, Forbidden, NotFound, KeyError.
    """
    require(actor, "declaration.file")
    get_batch(actor, batch_id)
    if act == SUBMIT and not after_id:
        check_ready(actor, batch_id)
    deadline = monotonic() + seconds
    done, failures = 0, list[ItemResult]()
    while page := store.list_by_status(batch_id, _OPEN[act], after_id, CHUNK):
        results = _ACTS[act](actor, [reference for _, reference in page], now)
        done += sum(item.ok for item in results)
        failures += [item for item in results if not item.ok]
        after_id = page[-1][0]
        if len(page) < CHUNK:
            break
        if monotonic() > deadline:
            return Slice(done, failures, after_id, False)
    if act == DISCARD and not failures:
        _forget_held(batch_id)
    return Slice(done, failures, after_id, True)


class SubmitStep:
    """Takes cases from the materials to the submission; documents are read for many of them at once."""

    def __init__(self, actor: Actor, documents: Sequence[MaterialRow], now: datetime) -> None:
        self._actor = actor
        self._now = now
        self._rows: dict[int, list[MaterialRow]] = {}
        for row in documents:
            self._rows.setdefault(row.declaration_id, []).append(row)

    def take(self, case: Case) -> None:
        """Hand one case over. Raises: Rejected, Conflict, Forbidden."""
        filing.require_filer(self._actor, case)
        self._refuse_incomplete(case)
        for form, decision in ((FORM, "next"), ("", "submit")):
            for task in case.tasks:
                at_end = task.settings.get("status") == PENDING and not form
                if (form and task.form == form) or at_end:
                    host.complete(case, task.element_id, {"decision": decision}, self._actor, self._now)
                    break
        if case.declaration.status in (DRAFT, PENDING):
            raise Conflict(STALE)

    def _refuse_incomplete(self, case: Case) -> None:
        needs = needs_of(case.declaration, case.parameters)
        if not needs:
            return
        rows = self._rows.get(case.declaration.id, [])
        given = {row.item for row in rows if row.state in (READY, RECEIVED)}
        errors = missing(needs, given, {row.item for row in rows if row.state == REFUSED})
        if errors:
            raise Rejected(errors)


def _submit(actor: Actor, references: Sequence[str], now: datetime) -> Sequence[ItemResult]:
    require(actor, "declaration.submit")
    read_for: list[object] = [None]
    steps: list[SubmitStep] = []

    def step(case: Case) -> None:
        # cases that were loaded together share their registry: another one means another transaction
        if read_for[0] is not case.registry:
            read_for[0] = case.registry
            steps[:] = [SubmitStep(actor, store.list_documents_of(references), now)]
        steps[0].take(case)

    return run_many("submit", actor, references, now, step)


def _discard(actor: Actor, references: Sequence[str], now: datetime) -> Sequence[ItemResult]:
    return declarations.discard(actor, references, now).items


_ACTS: dict[str, Callable[[Actor, Sequence[str], datetime], Sequence[ItemResult]]] = {
    SUBMIT: _submit,
    DISCARD: _discard,
}
_OPEN = {SUBMIT: SUBMITTABLE, DISCARD: (DRAFT, PENDING, RETURNED)}


def _missing_words(line: PersonLine) -> str:
    person = line.member.person
    lacking = [item.need.name for item in line.items if item.missing and not item.refused]
    refused = [item.need.name for item in line.items if item.refused]
    words = []
    if lacking:
        words.append(f"缺少{'、'.join(lacking)}")
    if refused:
        words.append(f"{'、'.join(refused)}中有文件未通过检查")
    return f"第{person.row_number}行 {person.name}：{'；'.join(words)}"


def _forget_held(batch_id: int) -> None:
    with transaction():
        rows = store.list_files(batch_id)
        store.delete_files([row.id for row in rows])
    forget_files(rows)
