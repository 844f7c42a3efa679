"""How far a month may lie from today: a lock online, a hint to the auditor at the counter."""

from __future__ import annotations

from app.domain.enrolment import COUNTER_CHANNEL
from app.domain.problem import Problem, Verdict


def check_limits(
    month: str, earliest: str, latest: str = "", *, channel: str, code: str, field: str
) -> Verdict:
    """Judge a month against its limits, both included; an empty `latest` is none.

    What the region's words send to the window is taken there, and the auditor is told how far it lies; a
    month that has yet to come closer can't be taken anywhere.
    Shape: `code` is the refusal online. Source: the manuals' 到经办机构柜面办理.
    """
    if month >= earliest and (not latest or month <= latest):
        return Verdict()
    bounds = {"earliest": earliest, "latest": latest} if latest else {"earliest": earliest}
    if channel != COUNTER_CHANNEL:
        return Verdict((Problem(code, field, bounds),))
    if latest and month > latest:
        return Verdict((Problem("counter.too_late", field, bounds),))
    return Verdict((), (Problem("counter.beyond_limits" if latest else "counter.too_early", field, bounds),))
