"""May an enrolment or a stop of this month be taken back as if it had not happened."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import month_of
from app.domain.enrolment import COUNTER_CHANNEL
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict

REVERT = "revert"
REVERTIBLE = ("enrol", "stop")
# Business that changes no insurance: it neither builds on another one nor stands in its way.
HARMLESS = frozenset(
    {
        REVERT, "death_undo", "person_update", "employer_update", "person_record", "identity_correction",
        "account_correction",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Business:
    """One finished declaration about a person; `reverts_id` is what a revert took back."""

    id: int
    kind: str
    employer_id: int
    done_on: date
    reverts_id: int | None = None


@dataclass(frozen=True, slots=True)
class RevertFacts:
    """What is known of a revert: the business it is about, and what has been built upon it since.

    Shape: `business` is all finished business of the person in the order it was done; `paid` tells that
    money of the target has moved; `elsewhere` that the person is insured elsewhere now; `ended_funds` are
    the names of funds that would go on although the employer has ended them since.
    """

    matches: int
    employer_id: int
    business: Sequence[Business]
    paid: bool = False
    elsewhere: bool = False
    channel: str = "03"
    ended_funds: Collection[str] = ()


def standing(business: Sequence[Business]) -> list[Business]:
    """Return the business that was not taken back, without what changes no insurance."""
    undone = {each.reverts_id for each in business if each.reverts_id is not None}
    return [each for each in business if each.id not in undone and each.kind not in HARMLESS]


def find_target(business: Sequence[Business], kind: str, employer_id: int, today: date) -> Business | None:
    """Return the latest business of a kind that the employer did this month and that still stands."""
    found = [
        each
        for each in standing(business)
        if each.kind == kind and each.employer_id == employer_id and month_of(each.done_on) == month_of(today)
    ]
    return found[-1] if found else None


def built_upon(business: Sequence[Business], target: Business) -> Collection[str]:
    """Return the kinds of business that came after the target and still stand, oldest first."""
    left = standing(business)
    return list(dict.fromkeys(each.kind for each in left[left.index(target) + 1 :]))


def check_revert(params: ParameterSet, kind: str, facts: RevertFacts, today: date) -> Verdict:
    """Judge one revert. Source: Nanjing manual 03 (人员变更回退)."""
    if facts.matches > 1:
        return _refused("person.duplicate")
    if facts.matches == 0:
        return _refused("stop.unknown")
    if any(each.kind == REVERT and each.done_on == today for each in facts.business):
        return _refused("revert.once_a_day")
    target = find_target(facts.business, kind, facts.employer_id, today)
    if target is None:
        return _refused("revert.nothing", type=params.codes("revert_type").label(kind))
    later = built_upon(facts.business, target)
    if later:
        return _refused("revert.built_upon", kind="、".join(params.kind_label(each) for each in later))
    if facts.elsewhere:
        return _refused("revert.built_upon", kind=params.kind_label("enrol"))
    if facts.ended_funds:
        return _refused("revert.fund_ended", funds="、".join(facts.ended_funds))
    if facts.paid and facts.channel == COUNTER_CHANNEL:
        # what was paid in is given back: the auditor looks at the sums
        return Verdict((), (Problem("counter.refunds", "id_number"),))
    if facts.paid:
        return _refused("revert.charged")
    return Verdict()


def _refused(code: str, **params: str) -> Verdict:
    return Verdict((Problem(code, "id_number", params),))
