"""A wizard's steps between form and submission, one at a time, forth and back."""

import pytest

from app.errors import Conflict, Rejected
from app.services import audits, declarations, materials
from app.store.models import Declaration, Enrolment
from tests.documents.samples import picture
from tests.services.conftest import citizen, huaian_form, rows, task_of

WEINAN = "610500"


@pytest.fixture
def form():
    found = citizen(WEINAN, "unknown")
    given = {**huaian_form(found), "start_month": "2026-11"}
    elsewhere = ("bank_name", "bank_account_name", "bank_account", "start_date")
    return {name: value for name, value in given.items() if name not in elsewhere}


def test_every_step_leads_back(person, form, now):
    handler = person("weinan.handler")
    reference = declarations.file(handler, "enrol", form, now).reference
    declarations.proceed(handler, reference, "next", now)
    assert declarations.proceed(handler, reference, "back", now).status == "draft"
    receipt = declarations.proceed(handler, reference, "next", now)
    assert elements(handler, receipt, now) == ["provide_materials"]
    for item in ("identity_card", "labour_contract"):
        materials.upload(handler, reference, item, "scan.jpg", picture(), now)
    declarations.proceed(handler, reference, "next", now)
    receipt = declarations.proceed(handler, reference, "back", now)
    assert (elements(handler, receipt, now), receipt.status) == (["provide_materials"], "draft")
    declarations.proceed(handler, reference, "next", now)
    receipt = declarations.proceed(handler, reference, "edit", now)
    assert (elements(handler, receipt, now), receipt.next_step) == (["fill"], "fill")


def elements(handler, receipt, now):
    return [task.element_id for task in declarations.get_case(handler, receipt.reference, now).tasks]


def test_forth_and_back_and_to_the_end(person, form, now):
    handler, auditor = person("weinan.handler"), person("weinan.auditor")
    receipt = declarations.file(handler, "enrol", form, now)
    assert (receipt.status, receipt.next_step) == ("draft", "proceed")
    assert "proceed" in declarations.get_case(handler, receipt.reference, now).allowed
    with pytest.raises(Conflict):
        declarations.proceed(handler, receipt.reference, "fly", now)
    receipt = declarations.proceed(handler, receipt.reference, "back", now)
    assert (elements(handler, receipt, now), receipt.next_step) == (["fill"], "fill")
    receipt = declarations.file(handler, "enrol", form, now, reference=receipt.reference)
    receipt = declarations.proceed(handler, receipt.reference, "next", now)
    assert elements(handler, receipt, now) == ["provide_materials"]
    with pytest.raises(Rejected):
        declarations.proceed(handler, receipt.reference, "next", now)
    for item in ("identity_card", "labour_contract"):
        materials.upload(handler, receipt.reference, item, "scan.jpg", picture(), now)
    receipt = declarations.proceed(handler, receipt.reference, "next", now)
    assert (receipt.status, receipt.next_step) == ("pending", "submit")
    assert declarations.submit(handler, [receipt.reference], now).done == 1
    audits.decide(auditor, task_of(receipt.reference), "approve", "", [], now)
    (case,) = rows(Declaration)
    assert case.status == "approved"
    assert rows(Enrolment, declaration_id=case.id)


def test_dropped_half_way(person, form, now):
    handler = person("weinan.handler")
    receipt = declarations.file(handler, "enrol", form, now)
    assert declarations.discard(handler, [receipt.reference], now).done == 1
    assert rows(Declaration)[0].status == "discarded"
