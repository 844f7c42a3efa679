"""`python -m tests.bench [names…]`: prints a table, writes build/bench.json, exits 1 where a limit breaks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tests.bench.batch import batch_10k_over_engine
from tests.bench.enrol import http_enrol_over_floor
from tests.bench.inbox import inbox_1m_over_10k
from tests.bench.measure import Measure, keep, table
from tests.bench.reading import batch_read_over_calamine
from tests.bench.retirement import http_retirement_over_floor
from tests.bench.stage import Stage

BENCHES: dict[str, Callable[[Stage], list[Measure]]] = {
    bench.__name__: bench
    for bench in (
        http_enrol_over_floor,
        http_retirement_over_floor,
        inbox_1m_over_10k,
        batch_read_over_calamine,
        batch_10k_over_engine,
    )
}


def main(names: list[str]) -> int:
    """Run the named benches, all without names."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    measures: list[Measure] = []
    stage = Stage()
    try:
        for name in names or BENCHES:
            began = time.perf_counter()
            measures += BENCHES[name](stage)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        stage.close()
    keep(measures)
    print(table(measures))
    return 0 if all(each.ok for each in measures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
