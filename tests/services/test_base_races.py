"""Two acts on one person's base or back-pay at once: one wins, the other gets words."""

import pytest

from app.errors import Conflict, Rejected
from app.services import audits, declarations
from app.store.models import ContributionLine, Declaration
from tests.services.conftest import HUAIAN, NANTONG, SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.test_base import form_of, wages
from tests.services.test_stop import employee, handlers  # noqa: F401


def test_a_base_and_a_stop_before_its_audit(handlers, person, now):  # noqa: F811
    """The stop takes effect first: the base is refused at its decision, and changes nothing."""
    actor = handlers[HUAIAN]
    found = employee(actor)
    filed = declarations.file(actor, "base", form_of(found, HUAIAN), now)
    reason = {"id_type": "01", "id_number": found.id_number, "stop_date": "2026-11-30", "stop_reason": "6301"}
    stop = declarations.file(actor, "stop", reason, now)
    auditor = person("huaian.auditor")
    audits.decide(auditor, task_of(stop.reference), "approve", "", [], now)
    with pytest.raises(Rejected) as caught:
        audits.decide(auditor, task_of(filed.reference), "approve", "", [], now)
    assert [error.code for error in caught.value.errors] == ["base.not_active"]
    (case,) = rows(Declaration, reference=filed.reference)
    assert case.status == "submitted"
    assert rows(ContributionLine, declaration_id=case.id) == []


def test_a_second_open_base_of_one_person_is_refused(handlers, now):  # noqa: F811
    actor = handlers[HUAIAN]
    found = employee(actor)
    declarations.file(actor, "base", form_of(found, HUAIAN), now)
    with pytest.raises(Rejected) as caught:
        declarations.file(actor, "base", form_of(found, HUAIAN, wage_yuan="9000"), now)
    assert [error.code for error in caught.value.errors] == ["enrol.one_open"]


def test_one_of_two_decisions_counts(nantong, auditor, second_auditor, now):
    found = employee(nantong)
    filed = declarations.file(nantong, "base", form_of(found, NANTONG), now, submit_now=True)
    task = task_of(filed.reference)
    audits.decide(auditor, task, "approve", "", [], now)
    with pytest.raises(Conflict):
        audits.decide(second_auditor, task, "reject", "工资与劳动合同不符", [], now)
    assert wages(found.person_id) == {(800000, 800000)}


def test_a_second_cancellation_finds_nothing(suzhou, now):
    found = citizen(SUZHOU, "unknown")
    declarations.file(suzhou, "enrol", suzhou_form(found, "2026-10-01"), now)
    form = {"id_type": "01", "id_number": found.id_number}
    declarations.file(suzhou, "collection_cancel", form, now)
    with pytest.raises(Rejected) as caught:
        declarations.file(suzhou, "collection_cancel", form, now)
    assert [error.code for error in caught.value.errors] == ["collection_cancel.nothing"]
