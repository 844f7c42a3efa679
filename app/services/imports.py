"""Batch files from the employer's side: upload, progress, stop, go on, results, remove."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from app import clock, queue
from app.definitions.current import parameters
from app.domain.parameters import ParameterSet
from app.domain.problem import problem_text
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.formspec.form import Form
from app.formspec.validate import field_error, validate
from app.services import batch_lease, batch_rows, filing
from app.services.actors import Actor, require, require_employer, require_row
from app.services.kinds import handling
from app.store import batch_people
from app.store import imports as store
from app.store.batch_people import BatchFileRow
from app.store.crypto import encrypt, encrypt_json
from app.store.files import file_store
from app.store.ids import new_id
from app.store.imports import FAILED, FINISHED, QUEUED, REJECTED, RUNNING, STOPPED, BatchRow
from app.store.session import after_commit, transaction

log = logging.getLogger(__name__)

FILE_FIELD = "file"
JOB, JOB_QUEUE, JOB_SECONDS = "jobs.imports.process", "imports", 1800
# until the sweeper asks whether the job was lost
FIRST_SWEEP_SECONDS, NEXT_SWEEP_SECONDS = 20, 60
SWEEP_CHUNK = 50
EXTENSIONS = (".xlsx", ".xls")
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A batch that was made; `held` where the same file was uploaded before and nobody agreed yet."""

    batch: BatchRow
    held: bool


def upload(
    actor: Actor,
    kind: str,
    name: str,
    content: bytes,
    settings: Mapping[str, Any],
    now: datetime,
    employer_id: int | None = None,
    again: bool = False,
    queued: bool = True,
) -> Uploaded:
    """Keep an uploaded file and have it worked through; `again` agrees to the same content once more.

    Without `queued` no job is asked for: the caller works it through himself.

    Shape: `settings` are what the page asks once for the whole file, as posted.
    Raises: Rejected (`file`, settings), NotFound (no batch here), Forbidden.
    """
    require(actor, "import.upload")
    target = filing.target_of(actor, kind, employer_id)
    form = target.bundle.form(kind)
    if form.batch is None:
        raise NotFound("batch")
    confirmed = all(settings.get(name) for name in form.batch.confirm)
    proposed = {} if confirmed else _proposed(kind, form.batch.confirm, target.parameters, now)
    values, errors = read_settings(form, {**proposed, **settings}, now)
    errors = [
        *_closed(kind, target.parameters, now),
        *_file_errors(name, content, target.parameters, now),
        *errors,
    ]
    if errors:
        raise Rejected(errors)
    if actor.id is None:
        raise ValueError("a file is uploaded by somebody")
    batch = BatchRow(
        id=new_id(),
        region=target.employer.region,
        employer_id=target.employer.id,
        kind=kind,
        file_name=_plain_name(name),
        file_key="",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        bundle_id=target.bundle.id,
        created_by_id=actor.id,
        created_at_utc=clock.to_utc(now),
        settings_cipher=encrypt_json(values),
        # whoever says it with the file has said it
        confirmed_at_utc=clock.to_utc(now) if form.batch.confirm and confirmed else None,
    )
    batch.file_key = f"imports/{now:%Y%m}/{batch.id}.sealed"
    file_store().put(batch.file_key, encrypt(content))
    try:
        return _add(batch, target.parameters, now, again, queued)
    except BaseException:
        file_store().delete(batch.file_key)
        raise


def _add(batch: BatchRow, rules: ParameterSet, now: datetime, again: bool, queued: bool) -> Uploaded:
    with transaction():
        # two uploads of one file at once: the second one sees the first
        store.hold_employer(batch.employer_id)
        same = None if again else store.find_same_file(batch.employer_id, batch.kind, batch.sha256)
        if same is None:
            batch.lease_until_utc = _sweep_after(FIRST_SWEEP_SECONDS)
            if queued:
                after_commit(lambda: enqueue(batch.id, batch.fence))
        else:
            batch.state = STOPPED
            batch.purge_after_utc = batch_lease.purge_time(batch, now)
            moment = clock.to_region(same.created_at_utc)
            batch.message = rules.message("import.same_file").format(
                time=f"{moment:%Y-%m-%d %H:%M}", file=same.file_name
            )
        store.add_batch(batch)
    return Uploaded(batch, same is not None)


def read_settings(
    form: Form, posted: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], list[FieldError]]:
    """Read what is asked once for the whole file; gives what was read and the refusals."""
    if form.batch is None:
        raise NotFound("batch")
    names = [name for name in form.batch.settings if name in form.by_name]
    typed = form.parse(posted)
    values = {name: typed[name] for name in names if typed.get(name) not in (None, "", [])}
    found = {each.field: each for each in validate(form, values, partial=True, today=now.date())}
    errors = [found[name] for name in names if name in found]
    for name in names:
        field = form.by_name[name]
        if name not in values and field.required and name not in form.batch.optional:
            errors.append(field_error(form, name, "required_choice" if field.choice else "required"))
    return values, errors


def _proposed(kind: str, names: Sequence[str], rules: ParameterSet, now: datetime) -> dict[str, list[str]]:
    """What is confirmed after the import starts with what the kind proposes for today."""
    found = handling(kind).defaults(names, rules, now.date())
    return {name: [str(value)] for name, value in found.items() if name in names}


def _closed(kind: str, rules: ParameterSet, now: datetime) -> list[FieldError]:
    """Why no file of this kind is taken today."""
    problem = handling(kind).closed(rules, now.date())
    return [] if problem is None else [FieldError("file", problem.code, problem_text(rules, problem))]


def _file_errors(name: str, content: bytes, rules: ParameterSet, now: datetime) -> list[FieldError]:
    most = rules.integer("batch.max_megabytes", now)
    if not name:
        return [FieldError(FILE_FIELD, "file_missing", "请选择要上传的文件")]
    if len(content) > most * MEGABYTE:
        words = rules.message("import.too_large").format(megabytes=most)
        return [FieldError(FILE_FIELD, "too_big", words)]
    if not content:
        return [FieldError(FILE_FIELD, "empty_file", "文件是空的，请重新选择文件")]
    if not name.lower().endswith(EXTENSIONS):
        words = "只能上传 .xlsx 或 .xls 文件，请下载模板填写后上传"
        return [FieldError(FILE_FIELD, "not_workbook", words)]
    return []


def _plain_name(name: str) -> str:
    plain = PurePath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in plain if letter.isprintable())
    return kept[-120:] or "file.xlsx"


def enqueue(batch_id: int, fence: int) -> bool:
    """Put the job for a batch into the queue; without Redis the sweeper does it later."""
    try:
        queue.enqueue(
            JOB,
            queue_name=JOB_QUEUE,
            job_id=f"batch-{batch_id}-{fence + 1}",
            timeout_seconds=JOB_SECONDS,
            batch_id=batch_id,
        )
    except queue.QueueError as error:
        log.warning("batch %s waits for the sweeper: %s", batch_id, error)
        return False
    return True


def sweep() -> int:
    """Enqueue again what nobody works on; gives how many. Safe to run twice at once."""
    now = clock.real_utcnow()
    with transaction():
        taken = store.take_waiting(now, now + timedelta(seconds=NEXT_SWEEP_SECONDS), SWEEP_CHUNK)
    return sum(enqueue(batch_id, fence) for batch_id, fence in taken)


def purge(now: datetime) -> int:
    """Forget ended batches whose time is over, with their files; gives how many. The cases stay."""
    outdated = store.list_outdated(clock.to_utc(now), SWEEP_CHUNK)
    for batch_id, file_key in outdated:
        held = batch_people.list_files(batch_id)
        with transaction():
            store.remove_batch(batch_id)
        # files after the commit: what a kill leaves behind is found by the sweep of files
        file_store().delete(file_key)
        _forget(held)
    return len(outdated)


def _forget(held: Sequence[BatchFileRow]) -> None:
    """Remove documents that belonged to nobody when their batch was removed."""
    for row in held:
        if not batch_people.is_document_used(row.file_key):
            file_store().delete(row.file_key)


def list_batches(actor: Actor, kind: str, before_id: int | None = None, limit: int = 20) -> list[BatchRow]:
    """List the current employer's batches of a kind, newest first. Raises: Forbidden, NotFound."""
    require(actor, "import.view")
    return store.list_batches(require_employer(actor, None), kind, before_id, limit)


def count_waiting_people(batch_ids: Sequence[int]) -> dict[int, int]:
    """How many people of each batch wait for their materials or are not submitted yet."""
    return batch_people.count_drafts(batch_ids)


def get_batch(actor: Actor, batch_id: int) -> BatchRow:
    """One batch of the actor's employers. Raises: NotFound, Forbidden."""
    require(actor, "import.view")
    return _in_scope(actor, store.find_batch(batch_id))


def _in_scope(actor: Actor, batch: BatchRow | None) -> BatchRow:
    if batch is None:
        raise NotFound("batch")
    require_row(actor, batch.region, batch.employer_id)
    return batch


def stop(actor: Actor, batch_id: int) -> None:
    """Have a batch stop after the rows that are being worked on. Raises: Conflict, NotFound, Forbidden."""
    require(actor, "import.upload")
    with transaction():
        batch = _in_scope(actor, store.hold_batch(batch_id))
        if batch.state == QUEUED:
            batch_lease.stop(batch)
        elif batch.state == RUNNING:
            store.set_batch(batch_id, stop_requested=True)
        else:
            raise Conflict("该文件已经处理结束，请刷新页面")


def resume(actor: Actor, batch_id: int) -> None:
    """Let a stopped batch go on where it was. Raises: Conflict, NotFound, Forbidden."""
    require(actor, "import.upload")
    with transaction():
        batch = _in_scope(actor, store.hold_batch(batch_id))
        if not may_resume(batch):
            raise Conflict("该文件不能继续处理，请刷新页面")
        _requeue(batch)


def may_resume(batch: BatchRow) -> bool:
    """Whether rows are left that a further run could take over."""
    left = batch.done_rows < batch.total_rows
    return batch.state == STOPPED or (batch.state == FAILED and left)


def requeue(batch_id: int) -> bool:
    """Have a failed batch worked on again, inside the caller's transaction; False where it is gone."""
    batch = store.hold_batch(batch_id)
    if batch is None or batch.state != FAILED:
        return False
    _requeue(batch)
    return True


def requeue_failed_rows(batch_id: int) -> bool:
    """Have the rows worked on again that failed through nobody's input, inside the caller's transaction.

    Of a file that is taken as a whole that is every row. False where nothing is left to try.
    """
    batch = store.hold_batch(batch_id)
    if batch is None or batch.state not in (FINISHED, FAILED):
        return False
    results = store.list_results(batch_id, REJECTED, 0, None)
    codes = {row.row_number: {error["code"] for error in row.errors} for row in results}
    again = [number for number, found in codes.items() if batch_rows.FAILED in found]
    if again:
        # the others of a whole file came back only because of these
        again += [number for number, found in codes.items() if found == {batch_rows.OTHERS}]
    if not again:
        return False
    store.remove_results(batch_id, again)
    store.set_batch(
        batch_id,
        done_rows=batch.done_rows - len(again),
        rejected_rows=batch.rejected_rows - len(again),
    )
    _requeue(batch)
    return True


def _requeue(batch: BatchRow) -> None:
    store.set_batch(
        batch.id,
        state=QUEUED,
        message="",
        attempts=0,
        stop_requested=False,
        finished_at_utc=None,
        purge_after_utc=None,
        lease_until_utc=_sweep_after(FIRST_SWEEP_SECONDS),
    )
    after_commit(lambda: enqueue(batch.id, batch.fence))


def remove(actor: Actor, batch_id: int) -> None:
    """Remove a batch that nobody works on, with its file; its cases stay.

    Raises: Conflict while it is being worked on, NotFound, Forbidden.
    """
    require(actor, "import.upload")
    with transaction():
        batch = _in_scope(actor, store.hold_batch(batch_id))
        if batch.state == RUNNING:
            raise Conflict("文件正在处理，请先停止再删除")
        waiting = batch_people.count_drafts([batch_id]).get(batch_id, 0)
        if waiting:
            raise Conflict(f"该文件还有{waiting}人的申报没有提交，请先申报提交或废弃，再删除处理记录")
        held = batch_people.list_files(batch_id)
        store.remove_batch(batch_id)
        after_commit(lambda: file_store().delete(batch.file_key))
    _forget(held)


def retention_words(rules: ParameterSet, now: datetime) -> str:
    """How long results are kept, in the region's words."""
    hours = rules.integer("batch.retention_hours", now)
    kept = f"{hours}h" if hours < 48 else f"{hours // 24}天"
    return rules.message("import.retention").format(kept=kept)


def rules_of(batch: BatchRow) -> ParameterSet:
    """The parameters of a batch's region."""
    return parameters(batch.region)


def _sweep_after(seconds: int) -> datetime:
    return clock.real_utcnow() + timedelta(seconds=seconds)
