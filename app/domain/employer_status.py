"""May an employer be paused, resumed or closed for good, and do its arrears stand in the way of a kind."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import add_months, month_of
from app.domain.enrolment import ACTIVE, ENDED
from app.domain.money import format_yuan, from_fen
from app.domain.parameters import ParameterSet
from app.domain.problem import Problem, Verdict

PAUSED = "paused"
PAUSE, RESUME = "pause", "resume"


@dataclass(frozen=True, slots=True)
class ClosingFacts:
    """What an employer still has: people after the closing month, open kinds, unpaid charges in fen."""

    status: str
    people: int = 0
    open_kinds: Collection[str] = ()
    unpaid_fen: int = 0


def check_closing(params: ParameterSet, closing_month: str, facts: ClosingFacts, today: date) -> Verdict:
    """Judge the closing of an employer: nobody insured, nothing open, nothing owed; all that is wrong."""
    if facts.status == ENDED:
        return Verdict((Problem("employer_closing.ended"),))
    problems = []
    if closing_month > month_of(today):
        problems.append(Problem("employer_closing.future", "closing_month"))
    if facts.people:
        problems.append(Problem("employer_closing.people", "closing_month", {"count": str(facts.people)}))
    if facts.open_kinds:
        kinds = "、".join(params.kind_label(each) for each in facts.open_kinds)
        problems.append(Problem("employer_closing.open_case", "", {"kinds": kinds}))
    if facts.unpaid_fen:
        amount = format_yuan(from_fen(facts.unpaid_fen))
        problems.append(Problem("employer_closing.unpaid", "", {"amount": amount}))
    return Verdict(tuple(problems))


def check_pausing(action: str, status: str) -> Verdict:
    """Judge whether an employer is paused or resumed: only the active are paused, only the paused resumed."""
    wanted = {PAUSE: ACTIVE, RESUME: PAUSED}.get(action)
    if status == wanted:
        return Verdict()
    return Verdict((Problem(f"employer_pausing.not_{action}", "pausing_action"),))


def status_after(action: str) -> str:
    """Return the status that an action makes."""
    return PAUSED if action == PAUSE else ACTIVE


def overdue_before(params: ParameterSet, today: date) -> str:
    """Return the month before which bills that are not received are arrears. Raises ParameterMissing."""
    return add_months(month_of(today), -params.integer("arrears.after_months", today))


def blocked_by_arrears(params: ParameterSet, kind: str, today: date) -> bool:
    """Return whether an employer's arrears keep it from filing a kind. Raises ParameterMissing."""
    return kind in params.listed("arrears.employer_blocked_kinds", today)
