"""The monthly assessment: everybody insured in a month is charged once, however often it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from app.clock import to_utc
from app.domain.assessment import check_assessed_month
from app.domain.calendar import month_of
from app.domain.contribution import EMPLOYEE, EMPLOYER
from app.errors import FieldError, Rejected
from app.services import billing
from app.services.assessed import charge_month
from app.services.billing import Notice
from app.store import assessments as store
from app.store.assessments import FINISHED, EmployerRow
from app.store.business import hold_people
from app.store.constraints import Duplicate, unique_rules
from app.store.ledger import month_totals
from app.store.session import end_read, transaction

PEOPLE_AT_ONCE = 500
EMPLOYERS_AT_ONCE = 200


@dataclass
class Assessed:
    """What an assessment did and what the month comes to.

    Shape: `people` and `lines` are all that the month carries of normal dues, `added_people` and
    `added_lines` what this run charged; totals in fen: {employer, employee, allocation}; the numbers of the
    month's notices.
    """

    month: str
    employers: int = 0
    people: int = 0
    lines: int = 0
    added_people: int = 0
    added_lines: int = 0
    totals_fen: dict[str, int] = field(
        default_factory=lambda: {"employer": 0, "employee": 0, "allocation": 0}
    )
    notices: list[str] = field(default_factory=list)


Progress = Callable[[Assessed], None]


def assess(
    month: str,
    now: datetime,
    *,
    employer_id: int | None = None,
    region: str | None = None,
    progress: Progress | None = None,
) -> Assessed:
    """Charge the normal dues of an accrual month, for one employer, a region or all of them.

    Each chunk of people is a transaction of its own: a run that died half way is simply run again, and a
    second run adds nothing. Once a month is begun for an employer, whoever joins it later is charged by his
    own declaration. Raises: Rejected (`month`: too early, or not a month), ParameterMissing.
    """
    check_month_open(month, now)
    done = Assessed(month)
    for employer in _employers(region, employer_id):
        _assess_employer(employer, month, now, done)
        done.employers += 1
        if progress is not None:
            progress(done)
    return done


def check_month_open(month: str, now: datetime) -> None:
    """Refuse what cannot be assessed today. Raises: Rejected (`month`)."""
    try:
        open_now = check_assessed_month(month, month_of(now))
    except ValueError:
        words = "请填写年-月，例如 2026-11"
        raise Rejected([FieldError("month", "ledger.month", words)]) from None
    if not open_now:
        words = f"{month} 尚不能核定：最晚可核定到本月的下一个月"
        raise Rejected([FieldError("month", "ledger.month_too_early", words)])


def _employers(region: str | None, employer_id: int | None) -> Iterator[EmployerRow]:
    after = 0
    while True:
        end_read()
        page = store.list_employers(region, employer_id, after, EMPLOYERS_AT_ONCE)
        yield from page
        if len(page) < EMPLOYERS_AT_ONCE:
            return
        after = page[-1].id


def _assess_employer(employer: EmployerRow, month: str, now: datetime, done: Assessed) -> None:
    with transaction():
        store.hold_employer(employer.id)
        state = store.begin_assessment(employer, month, to_utc(now))
    if state != FINISHED:
        _charge_everybody(employer, month, now, done)
    with transaction():
        store.hold_employer(employer.id)
        store.finish_assessment(employer.id, month, to_utc(now))
        billing.issue(employer.id, employer.region, month, now)
        made = billing.numbers_of(employer.id, month)
    done.notices += made
    _count(employer, month, done)


def _charge_everybody(employer: EmployerRow, month: str, now: datetime, done: Assessed) -> None:
    after = 0
    while True:
        end_read()
        people = store.insured_people(employer.id, month, after, PEOPLE_AT_ONCE)
        if people:
            found, lines = _charge_chunk(employer.id, month, people, now)
            done.added_people += found
            done.added_lines += lines
        if len(people) < PEOPLE_AT_ONCE:
            return
        after = people[-1]


def _charge_chunk(employer_id: int, month: str, people: list[int], now: datetime) -> tuple[int, int]:
    for looked_again in (False, True):
        try:
            with transaction(), unique_rules():
                hold_people(people)
                found, lines = charge_month(employer_id, month, people, now)
                if lines:
                    store.count_charged(employer_id, month, found, lines)
                return found, lines
        except Duplicate:
            # somebody was charged by a declaration just now: the second look leaves him out
            if looked_again:
                raise
    raise AssertionError("unreachable")


def _count(employer: EmployerRow, month: str, done: Assessed) -> None:
    end_read()
    people, lines, sums = month_totals(employer.id, month)
    done.people += people
    done.lines += lines
    for party, total in sums.items():
        name = party if party in (EMPLOYER, EMPLOYEE) else "allocation"
        done.totals_fen[name] += total


def notices_of(done: Assessed, now: datetime) -> list[Notice]:
    """The notices of an assessed month, as they stand."""
    return [billing.get_notice(number, now) for number in done.notices]


def count_employers(region: str | None, employer_id: int | None = None) -> int:
    """How many employers an assessment goes through."""
    return store.count_employers(region, employer_id)
