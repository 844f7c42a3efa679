"""Reading a hostile file safely, against reading it."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from statistics import median

from python_calamine import CalamineWorkbook

from app.formspec.workbook import read_workbook
from tests.bench.measure import Measure
from tests.bench.sheet import enrol_form, workbook
from tests.bench.stage import Stage

ROWS, RUNS = 10_000, 11
LIMIT = 3.0


def batch_read_over_calamine(stage: Stage) -> list[Measure]:
    """Read 10,000 lines of eleven columns with every protection, and with the reader library alone."""
    with stage.database("wt_bench_read") as url, stage.application(url):
        form = enrol_form()
        content = workbook(form, ROWS)
    sheet = form.batch.sheet if form.batch else ""
    safe: list[float] = []
    bare: list[float] = []
    for _ in range(RUNS):
        bare.append(_timed(lambda: _calamine(content, sheet)))
        safe.append(_timed(lambda: _safely(content, form)))
    return [
        Measure("batch_read_over_calamine", median(safe) / median(bare), "times", LIMIT),
        Measure("batch_read_ms", 1000 * median(safe), "ms"),
        Measure("calamine_read_ms", 1000 * median(bare), "ms"),
    ]


def _calamine(content: bytes, sheet: str) -> int:
    return len(CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_name(sheet).to_python())


def _safely(content: bytes, form) -> int:
    return len(read_workbook(content, form).rows)


def _timed(act: Callable[[], int]) -> float:
    began = time.perf_counter()
    if act() < ROWS:
        raise RuntimeError("not all lines were read")
    return time.perf_counter() - began
