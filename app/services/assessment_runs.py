"""The assessment of a region as a job: asked for on a page, with its progress in the run's row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.errors import FieldError, Rejected
from app.services import assessing, runs
from app.services.actors import Actor, require, require_region
from app.services.assessing import Assessed
from app.store.employers import find_employer_by_no
from app.store.runs import ASSESS, RunRow


def start(actor: Actor, region: str, month: str, employer_no: str, now: datetime) -> int:
    """Have a month assessed for a region, or for one of its employers; gives the run.

    A run of the same scope that has not ended is that run. Raises: Forbidden, NotFound, Rejected.
    """
    require(actor, "ledger.assess")
    require_region(actor, region)
    assessing.check_month_open(month, now)
    employer_id = _employer(region, employer_no.strip())
    total = assessing.count_employers(region, employer_id)
    return runs.begin(actor, ASSESS, region, total, now, month=month, employer_id=employer_id)


def _employer(region: str, employer_no: str) -> int | None:
    if not employer_no:
        return None
    employer = find_employer_by_no(employer_no)
    if employer is None or employer.region != region:
        words = "本统筹区没有该单位编号，请核对后再核定"
        raise Rejected([FieldError("employer_no", "ledger.no_employer", words)])
    return employer.id


def run(run_id: int, now: datetime) -> None:
    """Do a run, from the job; a second one finds what is left, or nothing."""

    def act(found: RunRow) -> RunRow:
        def reached(done: Assessed) -> RunRow:
            return replace(found, done=done.employers, people=done.people, lines=done.lines)

        done = assessing.assess(
            found.month,
            now,
            employer_id=found.employer_id,
            region=found.region,
            progress=lambda done: runs.keep_alone(reached(done)),
        )
        return replace(reached(done), total=done.employers)

    runs.work(run_id, act, now)
