"""What a bench gives back, and how it is shown and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number; `limit` is the most it may be, None where it is only reported."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def ok(self) -> bool:
        return self.limit is None or self.value <= self.limit


def table(measures: Iterable[Measure]) -> str:
    """The measures as lines to read."""
    lines = [("bench", "value", "unit", "at most", "")]
    for each in measures:
        limit = "" if each.limit is None else f"{each.limit:g}"
        verdict = "" if each.limit is None else "ok" if each.ok else "BROKEN"
        lines.append((each.name, f"{each.value:.2f}", each.unit, limit, verdict))
    widths = [max(len(line[place]) for line in lines) for place in range(5)]
    ways = ("<", ">", "<", ">", "<")
    shown = ([f"{line[at]:{ways[at]}{widths[at]}}" for at in range(5)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in shown)


def keep(measures: Iterable[Measure], path: Path = REPORT) -> None:
    """Write the measures for machines; those of benches that did not run now stay as they were."""
    held = json.loads(path.read_text()) if path.exists() else {}
    for each in measures:
        held[each.name] = {
            "value": round(each.value, 4), "unit": each.unit, "limit": each.limit, "ok": each.ok,
        }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(held, ensure_ascii=False, indent=2) + "\n")
