"""Weinan's stops step by step (WN-2.2): materials by reason, back and forth, audit, and what they end in."""

import pytest
from sqlalchemy import delete, update

from app.errors import Rejected
from app.services import assessing, audits, declarations, material_work, materials
from app.store.models import (
    Assessment,
    ContributionLine,
    Declaration,
    Enrolment,
    EnrolmentChange,
    Outbox,
)
from app.store.session import transaction
from tests.documents.samples import picture
from tests.services.conftest import rows, task_of
from tests.services.test_stop import WEINAN, employee, open_funds, stop_form


@pytest.fixture
def handler(person):
    return person("weinan.handler")


@pytest.fixture
def auditor(person):
    return person("weinan.auditor")


@pytest.fixture
def filed(handler, now):
    """File a stop; gives its reference and the materials that are asked for."""

    def go(found, kind="stop", **more):
        made = declarations.file(handler, kind, stop_form(found, WEINAN, **more), now)
        listed = materials.list_items(handler, made.reference, now)
        return made.reference, {each.need.code: each.need.required for each in listed.items}

    return go


@pytest.fixture
def approve(handler, auditor, now):
    """Give what is required, hand over, and have it approved."""

    def go(reference, items):
        for item in items:
            materials.upload(handler, reference, item, f"{item}.jpg", picture(text=item), now)
        for row in [row for row in rows(Outbox) if row.done_at_utc is None and row.topic == "material"]:
            material_work.prepare(row.id, now)
        declarations.proceed(handler, reference, "next", now)
        assert declarations.submit(handler, [reference], now).done == 1
        return audits.decide(auditor, task_of(reference), "approve", "同意", [], now)

    return go


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        ("01", {"identity_card": True, "transfer_order": True}),
        ("02", {"identity_card": True, "contract_end": False}),
        ("04", {"identity_card": True, "retirement_approval": True}),
    ],
)
def test_wn_2_2_the_reason_decides_what_is_asked_for(handler, filed, now, reason, asked):
    reference, items = filed(employee(handler), stop_reason=reason)
    assert items == asked
    with pytest.raises(Rejected):
        declarations.proceed(handler, reference, "next", now)


def test_wn_2_2_another_reason_asks_for_other_materials(handler, filed, now):
    found = employee(handler)
    reference, _ = filed(found, stop_reason="01")
    assert declarations.proceed(handler, reference, "back", now).next_step == "fill"
    declarations.file(handler, "stop", stop_form(found, WEINAN, stop_reason="02"), now, reference=reference)
    listed = materials.list_items(handler, reference, now)
    assert {each.need.code for each in listed.items} == {"identity_card", "contract_end"}


def test_wn_2_2_a_stop_is_audited_and_ends_all_funds(handler, filed, approve):
    found = employee(handler)
    reference, _ = filed(found)
    done = approve(reference, ["identity_card"])
    assert (done.status, done.message_code) == ("approved", "stop.accepted")
    assert open_funds(found.person_id) == {}
    assert {row.to_month for row in rows(Enrolment, person_id=found.person_id)} == {"2026-11"}


def test_wn_2_2_it_may_be_dropped_at_every_step(handler, filed, now):
    found = employee(handler)
    reference, _ = filed(found)
    assert declarations.discard(handler, [reference], now).done == 1
    assert open_funds(found.person_id) != {}


def test_a_stop_for_retirement_makes_a_retiree(handler, filed, approve):
    found = employee(handler)
    before = {row.fund: row for row in rows(Enrolment, person_id=found.person_id)}
    reference, _ = filed(found, stop_reason="04")
    done = approve(reference, ["identity_card", "retirement_approval"])
    assert done.message_code == "stop.retired"
    after = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None]
    assert {(row.person_type, row.from_month, row.employer_id) for row in after} == {
        ("1201", "2026-12", handler.employer_id)
    }
    assert {row.fund for row in after} == {"310", "330"}
    assert {(row.base_fen, row.wage_fen) for row in after} == {
        (before[row.fund].base_fen, before[row.fund].wage_fen) for row in after
    }
    (case,) = rows(Declaration, reference=reference)
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"retired"}


def test_a_civil_servant_becomes_a_civil_servants_retiree(handler, filed, approve):
    found = employee(handler)
    with transaction() as session:
        mine = Enrolment.person_id == found.person_id
        session.execute(update(Enrolment).where(mine).values(person_type="1102"))
    reference, _ = filed(found, stop_reason="04")
    approve(reference, ["identity_card", "retirement_approval"])
    after = [row for row in rows(Enrolment, person_id=found.person_id) if row.to_month is None]
    assert {row.person_type for row in after} == {"1202"}


def test_the_trial_shows_a_retirees_lines_of_assessed_months(handler, filed, approve, now):
    found = employee(handler)
    with transaction() as session:
        session.execute(delete(Assessment).where(Assessment.employer_id == handler.employer_id))
        session.execute(delete(ContributionLine).where(ContributionLine.person_id == found.person_id))
    for month in ("2026-11", "2026-12"):
        assessing.assess(month, now, employer_id=handler.employer_id)
    shown = declarations.quote(handler, "stop", stop_form(found, WEINAN, stop_reason="04"), now)
    reference, _ = filed(found, stop_reason="04")
    approve(reference, ["identity_card", "retirement_approval"])
    (case,) = rows(Declaration, reference=reference)

    def figures(lines):
        return sorted((row.accrual_month, row.fund, row.party, row.due_type, row.amount_fen) for row in lines)

    assert figures(shown.lines) == figures(rows(ContributionLine, declaration_id=case.id))
    assert [row for row in shown.lines if row.due_type == "31" and row.party == "employee"]


def test_wn_2_2_a_retiree_has_a_kind_of_his_own(handler, filed, approve):
    found = employee(handler, person_type="1201")
    with pytest.raises(Rejected) as caught:
        filed(found)
    assert caught.value.errors[0].message == "退休人员请办理离退休减员。"
    reference, items = filed(found, "stop_retiree", stop_reason="01")
    assert items == {"identity_card": True, "death_certificate": True}
    done = approve(reference, items)
    assert done.status == "approved"
    assert open_funds(found.person_id) == {}
