"""Working through one uploaded file: the rows in order, a few hundred to a transaction.

A second run goes on after the last row that has a result, and ends in the same result.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from app import clock
from app.formspec.rows import Row
from app.formspec.workbook import WorkbookError
from app.services import batch_lease, filing, incidents
from app.services.actions import REFUSALS, in_words
from app.services.actors import SYSTEM
from app.services.batch_lease import LeaseLost
from app.services.batch_plan import FileRefused, Plan, plan_of
from app.services.batch_rows import OTHERS, Checked, as_documents, check_rows, reasons_of
from app.services.cases import Case, write
from app.services.incidents import Attempt
from app.store import imports as store
from app.store.constraints import Duplicate
from app.store.crypto import encrypt_json
from app.store.imports import ACCEPTED, REJECTED, ResultRow
from app.store.session import end_read, transaction

log = logging.getLogger(__name__)

CHUNK = 400


def run(batch_id: int) -> None:
    """Work through a batch, or what is left of it. Harmless where it is done or somebody else is at it.

    A failure that is nobody's input is counted; the sweeper tries again, the third one ends the batch as
    an incident.
    """
    batch = batch_lease.claim(batch_id)
    if batch is None:
        return
    try:
        plan = plan_of(batch)
        with transaction():
            batch_lease.hold(batch)
            store.set_batch(batch_id, total_rows=len(plan.rows), lease_until_utc=batch_lease.lease_end())
        done = store.list_done(batch_id)
        left = [row for row in plan.rows if row.number not in done]
        step = max(len(left), 1) if plan.all_or_nothing else CHUNK
        for start in range(0, len(left), step):
            if not _work(plan, left[start : start + step]):
                return
        batch_lease.finish(batch)
    except LeaseLost:
        log.warning("batch %s: another worker has taken over", batch_id)
    except FileRefused as error:
        batch_lease.refuse(batch, str(error))
    except WorkbookError as error:
        batch_lease.refuse(batch, error.message)
    except Exception as error:  # noqa: BLE001 - counted, tried again, and an incident in the end
        log.error("batch %s failed: %s", batch_id, type(error).__name__)
        batch_lease.count_failure(batch, error)


def _work(plan: Plan, rows: Sequence[Row]) -> bool:
    """Check and file rows and keep their results; False where the batch was told to stop."""
    checked = check_rows(plan.form, rows, plan.now.date(), plan.settings, plan.repeated, plan.rules)
    if plan.all_or_nothing:
        return _commit_whole(plan, checked)
    return _commit(plan, checked)


def _commit(plan: Plan, checked: Sequence[Checked]) -> bool:
    for _looked_again in (False, True):
        try:
            return _commit_once(plan, checked)
        except Duplicate as error:
            clash = error
    if len(checked) > 1:
        # one row of the chunk is in the way: alone, each one answers for itself
        return all(_commit(plan, [each]) for each in checked)
    end_read()
    tried = [each for each in _file(plan, checked) if isinstance(each, Case)]
    return _commit_once(plan, checked, refused=in_words(clash, tried))


def _commit_once(plan: Plan, checked: Sequence[Checked], refused: Exception | None = None) -> bool:
    good = [each for each in checked if not each.errors]
    failures: list[Exception] = []
    with transaction():
        if batch_lease.is_stopping(plan.batch):
            return False
        answers = [refused] * len(good) if refused else _file(plan, good)
        write([answer for answer in answers if isinstance(answer, Case)])
        by_number = {each.row.number: answer for each, answer in zip(good, answers, strict=True)}
        results = [_result(plan, each, by_number.get(each.row.number), failures) for each in checked]
        batch_lease.keep(plan.batch, results)
    _note_failures(plan, failures)
    return True


def _commit_whole(plan: Plan, checked: Sequence[Checked]) -> bool:
    """All rows or none: one refusal gives all of them back.

    The rows are filed in memory before the database is held for writing: thousands of them would keep
    everybody else waiting. Under the lock what was read is read again; what differs is filed again.
    """
    bad = [each for each in checked if each.errors]
    answers: dict[int, Exception] = {}
    if not bad:
        early = _filed_early(plan, checked)
        try:
            with transaction():
                if batch_lease.is_stopping(plan.batch):
                    return False
                own = {each.declaration.reference for each in early}
                current = bool(early) and plan.target.registry.is_unchanged(own)
                filed: Sequence[Case | Exception] = early if current else _file(plan, checked)
                answers = {
                    each.row.number: answer
                    for each, answer in zip(checked, filed, strict=True)
                    if isinstance(answer, Exception)
                }
                if not answers:
                    write([answer for answer in filed if isinstance(answer, Case)])
                    pairs = zip(checked, filed, strict=True)
                    batch_lease.keep(plan.batch, [_result(plan, each, answer, []) for each, answer in pairs])
                    return True
        except Duplicate as error:
            answers = {checked[0].row.number: in_words(error)}
    return _give_all_back(plan, checked, answers, len(bad) + len(answers))


def _filed_early(plan: Plan, checked: Sequence[Checked]) -> list[Case]:
    """All rows as cases that nobody has written yet; none of them where a single one is refused."""
    end_read()
    filed = _file(plan, checked)
    cases = [each for each in filed if isinstance(each, Case)]
    return cases if len(cases) == len(filed) else []


def _give_all_back(
    plan: Plan, checked: Sequence[Checked], answers: Mapping[int, Exception], count: int
) -> bool:
    words = plan.rules.message(OTHERS).format(rows=count)
    failures: list[Exception] = []
    with transaction():
        if batch_lease.is_stopping(plan.batch):
            return False
        results = [_result(plan, each, answers.get(each.row.number), failures) for each in checked]
        for result in results:
            result.errors = result.errors or [{"field": "", "code": OTHERS, "message": words}]
        batch_lease.keep(plan.batch, results)
    _note_failures(plan, failures)
    return True


def _file(plan: Plan, good: Sequence[Checked]) -> list[Case | Exception]:
    return filing.file_rows(
        plan.actor,
        plan.target,
        [each.data for each in good],
        plan.now,
        batch_id=plan.batch.id,
        one=plan.stamper.file,
    )


def _result(
    plan: Plan, checked: Checked, answer: Case | Exception | None, failures: list[Exception]
) -> ResultRow:
    if isinstance(answer, Case):
        row = answer.declaration
        return ResultRow(
            plan.batch.id,
            checked.row.number,
            ACCEPTED,
            warnings=list(row.facts.get("warnings", ())),
            declaration_id=row.id,
        )
    errors = list(checked.errors)
    if answer is not None:
        errors = reasons_of(answer, plan.rules)
        if not isinstance(answer, REFUSALS):
            failures.append(answer)
    cells = encrypt_json(checked.cells)
    return ResultRow(plan.batch.id, checked.row.number, REJECTED, cells, as_documents(errors))


def _note_failures(plan: Plan, failures: Sequence[Exception]) -> None:
    """Keep one incident for the rows of a chunk that failed through nobody's input."""
    if failures:
        batch = plan.batch
        attempt = Attempt(
            "import_rows", {"batch_id": batch.id}, SYSTEM, region=batch.region, batch_id=batch.id
        )
        incidents.record(attempt, failures[0], clock.now())
