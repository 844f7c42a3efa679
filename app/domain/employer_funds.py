"""May an employer begin or end to take part in a fund with a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.enrolment import ENDED
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict

ADD, END = "add", "end"
Span = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class FundRequest:
    """What is asked for: to take part in a fund from `month` on, or up to and with it."""

    action: str
    fund: str
    month: str


@dataclass(frozen=True, slots=True)
class FundFacts:
    """What is known of an employer's funds.

    Shape: `spans` maps a fund to its months (first, last or None), oldest first; `in_fund` counts the people
    who are insured there in the fund after the month, `people` all who are insured there now; `earliest` and
    `latest` are the months (YYYY-MM) that may be named.
    """

    status: str
    spans: Mapping[str, Sequence[Span]]
    in_fund: int
    people: int
    earliest: str
    latest: str


def check_fund_change(params: ParameterSet, request: FundRequest, facts: FundFacts) -> Verdict:
    """Judge a change of an employer's funds: who is insured there stays so, and gets no fund silently.

    Source: PRACTICE 2.8 (dated data per employer).
    """
    names = {fund.code: fund.name for fund in params.funds}
    if facts.status == ENDED:
        return _refused("employer_ended", "")
    if request.fund not in names:
        return _refused("not_here", "fund_code")
    told = {"fund": names[request.fund], "month": request.month}
    if not facts.earliest <= request.month <= facts.latest:
        return _refused("month_limits", "change_month", earliest=facts.earliest, latest=facts.latest)
    spans = facts.spans.get(request.fund, ())
    if request.action == ADD:
        if any(last is None or last >= request.month for _, last in spans):
            return _refused("held", "fund_code", **told)
        if not facts.people:
            return Verdict()
        warned = Problem("employer_funds.not_enrolled", "fund_code", {**told, "count": str(facts.people)})
        return Verdict((), (warned,))
    if open_span(spans, request.month) is None:
        return _refused("not_held", "fund_code", **told)
    if not _others(facts.spans, request):
        return _refused("last", "fund_code")
    if facts.in_fund:
        return _refused("people", "change_month", **told, count=str(facts.in_fund))
    return Verdict()


def open_span(spans: Sequence[Span], month: str) -> Span | None:
    """Return the open-ended months that began by a month; None where there are none."""
    return next((span for span in spans if span[1] is None and span[0] <= month), None)


def _others(spans: Mapping[str, Sequence[Span]], request: FundRequest) -> bool:
    """Whether the employer goes on with another fund after the month."""
    return any(
        last is None or last > request.month
        for fund, held in spans.items()
        if fund != request.fund
        for _, last in held
    )


def _refused(code: str, field: str, **params: str) -> Verdict:
    return Verdict((Problem(f"employer_funds.{code}", field, params),))
