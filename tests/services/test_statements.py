"""One action is one transaction and one commit, of few statements, however much there is to do."""

import pytest

from app.services import audits, declarations
from app.store.models import ContributionLine, EmployerFund
from tests.services.conftest import (
    NANTONG,
    SUZHOU,
    SUZHOU_FUNDS,
    citizen,
    nantong_form,
    rows,
    suzhou_form,
    task_of,
)


@pytest.fixture
def counted(statement_counter):
    """Run an action and give its number of statements; it must be one transaction with one commit."""

    def run(act):
        with statement_counter() as seen:
            result = act()
        assert len(seen.writes) == seen.commits == 1
        return result, seen.total

    return run


@pytest.fixture(autouse=True)
def _warm(suzhou, nantong, now):
    # the first case of a kind and region keeps its set of definitions
    declarations.save_draft(suzhou, "enrol", {}, now)
    declarations.save_draft(nantong, "enrol", {}, now)


def test_without_effects(nantong, auditor, counted, now):
    form = nantong_form(citizen(NANTONG, "not_insured"))
    draft, count = counted(lambda: declarations.save_draft(nantong, "enrol", form, now))
    assert count <= 6
    _, count = counted(
        lambda: declarations.save_draft(nantong, "enrol", form, now, reference=draft.reference)
    )
    assert count <= 6
    _, count = counted(lambda: declarations.file(nantong, "enrol", form, now, reference=draft.reference))
    assert count <= 12
    _, count = counted(lambda: declarations.submit(nantong, [draft.reference], now))
    assert count <= 12
    _, count = counted(lambda: audits.claim(auditor, task_of(draft.reference), now))
    assert count <= 6
    task = task_of(draft.reference)
    _, count = counted(lambda: audits.decide(auditor, task, "return", "请核对工资", ["wage_yuan"], now))
    assert count <= 12
    _, count = counted(lambda: declarations.file(nantong, "enrol", form, now, reference=draft.reference))
    assert count <= 12
    task = task_of(draft.reference)
    _, count = counted(lambda: audits.decide(auditor, task, "reject", "不符", [], now))
    assert count <= 12
    other = nantong_form(citizen(NANTONG, "not_insured", 1))
    made, count = counted(lambda: declarations.file(nantong, "enrol", other, now))
    assert count <= 12
    _, count = counted(lambda: declarations.discard(nantong, [made.reference], now))
    assert count <= 12


def test_with_effects_the_same_for_one_and_six_months_and_four_and_seven_funds(suzhou, counted, now):
    with_all = min({row.employer_id for row in rows(EmployerFund, fund="320")} & suzhou.employer_ids)
    counts = set()
    for place, (start, funds) in enumerate(
        [("2026-11-01", SUZHOU_FUNDS), ("2026-06-01", SUZHOU_FUNDS), ("2026-06-01", [*SUZHOU_FUNDS, "320"])]
    ):
        form = suzhou_form(citizen(SUZHOU, "unknown", place), start, funds=funds)
        _, count = counted(
            lambda form=form: declarations.file(suzhou, "enrol", form, now, employer_id=with_all)
        )
        counts.add(count)
    assert len(counts) == 1
    assert max(counts) <= 20
    assert (
        len({row.accrual_month for row in rows(ContributionLine, due_type="31", employer_id=with_all)}) == 6
    )


def test_an_approval(submitted, auditor, counted, now):
    counts = set()
    for place, start in enumerate(("2026-11", "2026-09")):
        task = task_of(submitted(place, start_month=start).reference)
        _, count = counted(lambda task=task: audits.decide(auditor, task, "approve", "", [], now))
        counts.add(count)
    # supplementary lines are one statement more, whether of one month or of many; another one asks which
    # months were assessed meanwhile
    assert max(counts) <= 16


def test_many_records_cost_as_much_as_one(nantong, counted, now):
    references = [
        declarations.file(nantong, "enrol", nantong_form(citizen(NANTONG, "not_insured", n)), now).reference
        for n in range(6)
    ]
    _, one = counted(lambda: declarations.submit(nantong, references[:1], now))
    _, five = counted(lambda: declarations.submit(nantong, references[1:], now))
    assert five <= one
