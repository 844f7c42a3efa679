"""What became of a batch's rows: page by page, and as a workbook that can be corrected and sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.definitions.current import get_bundle
from app.errors import NotFound
from app.formspec.excel import Refused, build_error_workbook
from app.formspec.form import Form
from app.formspec.rows import Row
from app.services.actors import Actor
from app.services.imports import get_batch
from app.services.templates import Workbook, facts_of, file_name, form_version
from app.store import imports as store
from app.store.crypto import decrypt_json
from app.store.facts import employer_records
from app.store.imports import REJECTED, AcceptedRow, BatchRow, ResultRow

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class RejectedPage:
    """A page of the rows that were not taken over; `next_after` is where the next page goes on."""

    batch: BatchRow
    form: Form
    rows: Sequence[ResultRow]
    cells: Sequence[Mapping[str, str]]
    next_after: int | None


def rejected_page(actor: Actor, batch_id: int, after_row: int = 0, limit: int = PAGE_ROWS) -> RejectedPage:
    """One page of the rows that were not taken over. Raises: NotFound, Forbidden."""
    batch = get_batch(actor, batch_id)
    found = store.list_results(batch_id, REJECTED, after_row, limit + 1)
    rows = found[:limit]
    return RejectedPage(
        batch,
        get_bundle(batch.bundle_id).form(batch.kind),
        rows,
        [decrypt_json(row.cells_cipher) for row in rows],
        rows[-1].row_number if len(found) > limit else None,
    )


def accepted_page(
    actor: Actor, batch_id: int, after_row: int = 0, limit: int = PAGE_ROWS
) -> tuple[BatchRow, Sequence[AcceptedRow], int | None]:
    """One page of the rows that became cases, and where the next one goes on. Raises: NotFound, Forbidden."""
    batch = get_batch(actor, batch_id)
    found = store.list_accepted(batch_id, after_row, limit + 1)
    rows = found[:limit]
    return batch, rows, rows[-1].row_number if len(found) > limit else None


def error_workbook(actor: Actor, batch_id: int) -> Workbook:
    """Return the refused rows with their reasons, in the same template. Raises: NotFound, Forbidden."""
    batch = get_batch(actor, batch_id)
    bundle = get_bundle(batch.bundle_id)
    form = bundle.form(batch.kind)
    if form.batch is None:
        raise NotFound("batch")
    employer = employer_records([batch.employer_id])[batch.employer_id]
    rows = (
        Refused(
            Row(row.row_number, decrypt_json(row.cells_cipher)),
            [error["message"] for error in row.errors],
        )
        for row in store.list_results(batch_id, REJECTED, 0, None)
    )
    version = form_version(bundle)
    content = build_error_workbook(form, version, rows, facts_of(bundle, employer))
    return Workbook(file_name(form.batch.file_name, employer, "_错误数据"), content, version)


def errors_of(batch_id: int) -> list[tuple[int, dict[str, str]]]:
    """All refusals of a batch in the order of the file: (row number, refusal)."""
    rows = store.list_results(batch_id, REJECTED, 0, None)
    return [(row.row_number, error) for row in rows for error in row.errors]
