"""Months at the edges: of uploads and late approvals, under arrears, and where no values are published."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import delete

from app import clock
from app.definitions.current import parameters
from app.domain.parameters import ParameterMissing
from app.errors import NotFound, WangtingError
from app.services import assessing, audits, batch_run, declarations, filing, imports, trials
from app.services.billing import notices_named
from app.store.employers import get_employer
from app.store.models import Assessment, ContributionLine, Declaration, Enrolment
from app.store.session import transaction
from tests.services.any_form import filled as any_filled
from tests.services.batch_files import filled, platform_cells
from tests.services.conftest import SUZHOU, citizen, nantong_form, rows, task_of
from tests.services.test_stop import employee

LATE = datetime(2026, 12, 9, 9)
CITIES = {
    "nanjing": "320100",
    "suzhou": "320500",
    "nantong": "320600",
    "huaian": "320800",
    "weinan": "610500",
}
FAR = ("1990-01", "2000-12", "2019-12", "2099-12")


def clear(actor, *people):
    with transaction() as session:
        session.execute(delete(Assessment).where(Assessment.employer_id == actor.employer_id))
        ids = [each.person_id for each in people]
        session.execute(delete(ContributionLine).where(ContributionLine.person_id.in_(ids)))


def test_months_of_a_file_are_those_of_its_upload(suzhou, monkeypatch):
    """Uploaded on the last evening of a month and worked through in the next: nothing moves."""
    evening = datetime(2026, 11, 30, 23, 50)
    funds = ["310", "37001", "330", "510", "410", "33001"]
    found = citizen(SUZHOU, "unknown")
    content = filled(suzhou, "enrol", [platform_cells(found)])
    given = {"funds": funds, "start_date": "2026-11-01"}
    made = imports.upload(suzhou, "enrol", "申报.xlsx", content, given, evening, queued=False)
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 1, 0, 5))
    batch_run.run(made.batch.id)
    (case,) = rows(Declaration, batch_id=made.batch.id)
    assert (case.status, case.facts["months"]) == ("done", ["2026-11"])
    assert {row.from_month for row in rows(Enrolment, declaration_id=case.id)} == {"2026-11"}
    lines = rows(ContributionLine, declaration_id=case.id)
    assert {(row.accrual_month, row.due_month) for row in lines} == {("2026-11", "2026-11")}


def test_a_base_approved_in_a_later_month_reaches_what_was_assessed_since(nantong, auditor, now):
    found = employee(nantong)
    clear(nantong, found)
    form = {"id_number": found.id_number, "from_month": "2026-11", "wage_yuan": "9000"}
    made = declarations.file(nantong, "base", form, now, submit_now=True)
    for month in ("2026-11", "2026-12"):
        assessing.assess(month, LATE, employer_id=nantong.employer_id)
    audits.decide(auditor, task_of(made.reference), "approve", "", [], LATE)
    (case,) = rows(Declaration, reference=made.reference)
    lines = rows(ContributionLine, declaration_id=case.id)
    assert {(row.due_type, row.due_month) for row in lines} == {("34", "2026-12")}
    assert {row.accrual_month for row in lines} == {"2026-11", "2026-12"}
    for month in ("2026-11", "2026-12"):
        of_month = rows(ContributionLine, person_id=found.person_id, fund="310", accrual_month=month)
        employer = [row for row in of_month if row.party == "employer"]
        assert sum(row.base_fen for row in employer) == 900000
        assert sum(row.amount_fen for row in employer) == round(
            900000 * parameters("320600").decimal("contribution.active.310.employer.rate", month)
        )


def test_arrears_keep_nobody_from_enrolling_declaring_or_updating(nantong, now):
    """Stop: tests of endings. Every kind but those of the parameter goes on while months are unpaid."""
    for month in ("2026-07", "2026-08"):
        assessing.assess(month, now, employer_id=nantong.employer_id)
    assert any(
        notice.owed_fen for notice in notices_named(get_employer(nantong.employer_id).employer_no, now)
    )
    found = employee(nantong, 1)
    made = [
        declarations.file(nantong, "enrol", nantong_form(citizen("320600", "not_insured", 7)), now),
        declarations.file(
            nantong,
            "base",
            {"id_number": found.id_number, "from_month": "2026-11", "wage_yuan": "9000"},
            now,
        ),
        declarations.file(
            nantong,
            "person_update",
            {"id_number": employee(nantong, 2).id_number, "phone": "13800000001"},
            now,
        ),
    ]
    assert {each.status for each in made} == {"pending"}


@pytest.mark.parametrize("city", sorted(CITIES))
def test_months_without_values_are_refused_in_words_whatever_the_kind(person, now, city):
    """Nothing breaks: a month too early or too late for the parameters is a refusal on every page."""
    clerk, handler = person(f"{city}.counter"), person(f"{city}.handler")
    rules = parameters(CITIES[city])
    found = employee(handler)
    for actor in (handler, replace(clerk, employer_id=None)):
        channel = "online" if actor is handler else "counter"
        for kind in rules.kinds:
            if not rules.offers(kind, channel) or kind in ("employer_registration", "employer_opening"):
                continue
            _try(actor, kind, handler.employer_id, found, now)


def _try(actor, kind, employer_id, found, now):
    try:
        target = filing.target_of(actor, kind, None if actor.employer_id else employer_id)
    except (NotFound, WangtingError):
        return
    form = target.bundle.form(kind)
    plain = any_filled(form, found.id_number, found.name)
    dated = [entry.name for entry in form.fields if entry.kind in ("date", "month") and not entry.readonly]
    for month in FAR:
        for name in dated:
            entry = form.by_name[name]
            data = {**plain, name: month if entry.kind == "month" else f"{month}-01"}
            where = None if actor.employer_id else employer_id
            checked = trials.check(actor, kind, data, now, employer_id=where)
            assert all(error.message for error in checked.errors), (kind, name, month)
            # the page says in words which month has no values
            with suppress(ParameterMissing):
                trials.quote(actor, kind, data, now, employer_id=where)
