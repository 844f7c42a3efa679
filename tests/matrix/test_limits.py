"""What holds between people and cities: one open declaration, four eyes, own rows, late decisions."""

from dataclasses import replace
from datetime import datetime

import pytest

from app.errors import Conflict, Forbidden, NotFound, Rejected
from app.services import audits, declarations
from tests.matrix import model, registry
from tests.matrix.conftest import actor_of, declaration, task_id
from tests.matrix.forms import fill
from tests.matrix.test_journeys import every_city
from tests.matrix.test_refusals import assert_sentences

# what is asked here lies above the database: one is enough
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NOW = datetime(2026, 11, 18, 10)
AUDITED = [code for code in model.REGIONS if model.WAYS[code].audits]
audited = pytest.mark.parametrize("code", AUDITED)
START = "2026-11-01"


def open_case(here, filled) -> str:
    """A case that waits for its auditor."""
    reference = here.file(filled)
    if here.city.way.pending:
        here.submit(reference)
    assert here.status(reference) == "submitted"
    return reference


@audited
def test_one_open_declaration_of_a_person(hall, code):
    """A pending record counts as open; a decision frees the person."""
    here = hall(code)
    filled = fill(here.city, here.citizen("not_insured"), START)
    reference = here.file(filled)
    page = here.check(filled)
    assert page.status == 422
    assert_sentences(here, page.refusals, frozenset({"another open declaration"}))
    if here.city.way.pending:
        here.submit(reference)
    assert here.check(filled).status == 422
    here.desk.decide(reference, "reject", "资料不符")
    page = here.check(filled)
    assert page.status == 200, page.refusals


def test_an_open_declaration_of_another_employer_holds_too(hall):
    here = hall("320600")
    filled = fill(here.city, here.citizen("not_insured"), START)
    here.file(filled)
    here.choose(2)
    assert here.check(filled).status == 422
    assert_sentences(here, here.hand.page.refusals, frozenset({"another open declaration"}))


def test_cities_do_not_see_each_others_open_declarations(hall):
    first, second = hall("320700"), hall("320800")
    citizen = first.citizen("unknown")
    open_case(first, fill(first.city, citizen, START))
    open_case(second, fill(second.city, citizen, START))


@audited
def test_who_filed_does_not_decide(hall, code):
    """Four eyes: one person with both roles is refused, whoever submitted it."""
    here = hall(code)
    reference = open_case(here, fill(here.city, here.citizen("not_insured"), START))
    auditor, handler = actor_of(here.desk.username), actor_of(here.hand.username)
    both = replace(auditor, id=handler.id, name=handler.name)
    before = registry.mark()
    for act in (
        lambda: audits.claim(both, task_id(reference), NOW),
        lambda: audits.decide(both, task_id(reference), "approve", "", [], NOW),
    ):
        with pytest.raises(Forbidden):
            act()
    assert here.status(reference) == "submitted"
    assert registry.added_since(before).nothing


@every_city
def test_rows_of_others_are_out_of_reach(hall, code):
    here = hall(code)
    filled = fill(here.city, here.citizen("not_insured"), START)
    reference = here.file(filled)
    neighbour = model.REGIONS[model.REGIONS.index(code) - 1]
    stranger = hall(neighbour)
    for page in (
        f"/cases/{reference}", f"/cases/{reference}/receipt", f"/declare/enrol?reference={reference}",
        f"/declare/enrol?copy={reference}", f"/declare/enrol/check/{reference}",
    ):  # fmt: skip
        assert stranger.hand.open(page).status == 404, page
    assert reference not in stranger.hand.open("/submitted").text
    auditor = stranger.desk.browser
    assert auditor.open(f"/cases/{reference}").status == 404
    assert reference not in auditor.open("/inbox").text
    actor = actor_of(stranger.hand.username)
    for act in (
        lambda: declarations.recall(actor, reference, NOW),
        lambda: declarations.file(actor, "enrol", filled.typed, NOW, reference=reference),
        lambda: declarations.save_draft(actor, "enrol", {}, NOW, reference=reference),
        lambda: declarations.copy(actor, reference, NOW),
    ):
        with pytest.raises(NotFound):
            act()
    assert declarations.discard(actor, [reference], NOW).done == 0
    if here.city.way.audits:
        with pytest.raises((NotFound, Conflict, Forbidden)):
            audits.decide(actor_of(stranger.desk.username), task_id(reference), "approve", "", [], NOW)
        # another employer of the same operator: chosen, it is another scope
        if here.city.way.pending:
            here.choose(2)
            assert reference not in here.hand.open("/pending?kind=enrol").text


@audited
def test_what_changed_since_submission_is_refused_at_approval(hall, code):
    """Enrolled elsewhere in the city meanwhile: the approval is refused, the case stays for a decision."""
    here = hall(code)
    citizen = here.citizen("not_insured")
    reference = open_case(here, fill(here.city, citizen, START))
    registry.enrol_behind_its_back(here.city.code, citizen.id_number, START[:7])
    before = registry.mark()
    auditor = actor_of(here.desk.username)
    with pytest.raises(Rejected) as caught:
        audits.decide(auditor, task_id(reference), "approve", "", [], NOW)
    assert "enrol.active_at_employer" in [error.code for error in caught.value.errors]
    assert registry.added_since(before).nothing
    assert here.status(reference) in ("submitted", "in_audit")
    assert audits.decide(auditor, task_id(reference), "reject", "已在他处参保", [], NOW).status == "rejected"


def test_weinan_goes_back_step_by_step(hall):
    here = hall("610500")
    filled = fill(here.city, here.citizen("not_insured"), START)
    page = here.check(filled)
    reference = page.mark("case")
    here.proceed(reference, "back")
    assert here.hand.page.tree.xpath("//input[@name='id_number']/@value") == [filled.form.number]
    page = here.hand.press(("action", "file"), wage_yuan="8100")
    here.proceed(reference, "next")
    here.hand.open(f"/cases/{reference}/materials")
    here.hand.press(
        ("decision", "next"), action=f"/cases/{reference}/materials/done", materials_confirmed="1"
    )
    assert here.hand.page.status == 422
    assert len(here.hand.page.linked_fields) == 2
    here.hand_in_materials(reference)
    assert here.status(reference) == "pending"
    here.proceed(reference, "back")
    assert here.status(reference) == "draft"
    here.hand.open(f"/cases/{reference}/materials")
    here.hand.press(("decision", "back"), action=f"/cases/{reference}/materials/done")
    here.proceed(reference, "next")
    here.hand.open(f"/cases/{reference}/materials")
    here.hand.press(
        ("decision", "next"), action=f"/cases/{reference}/materials/done", materials_confirmed="1"
    )
    assert here.status(reference) == "pending"
    here.proceed(reference, "edit")
    assert here.status(reference) == "draft"
    here.hand.press(("action", "file"), wage_yuan="8200")
    here.proceed(reference, "next")
    here.hand.open(f"/cases/{reference}/materials")
    here.hand.press(
        ("decision", "next"), action=f"/cases/{reference}/materials/done", materials_confirmed="1"
    )
    assert here.status(reference) == "pending"
    before = registry.mark()
    here.submit(reference)
    assert here.desk.decide(reference, "approve") == "approved"
    assert {row.wage_fen for row in registry.added_since(before).enrolments} == {820000}


def test_a_copy_leaves_out_a_start_that_the_rules_allow_no_more(hall, clock):
    """Filed again after a refusal, long after: the start is blank and it is said why; the rest is kept."""
    here = hall("320800")
    filled = fill(here.city, here.citizen("not_insured"), "2025-01-15")
    reference = open_case(here, filled)
    here.desk.decide(reference, "reject", "资料不符")
    page = here.hand.open(f"/declare/enrol?copy={reference}")
    assert page.tree.xpath("//input[@name='start_date']/@value") == ["2025-01-15"]
    clock.set("2027-03-01T10:00:00")
    page = here.hand.open(f"/declare/enrol?copy={reference}")
    assert page.tree.xpath("//input[@name='start_date']/@value") == [""]
    assert "参保时间最早可选" in page.text
    assert page.tree.xpath("//input[@name='id_number']/@value") == [filled.form.number]


def test_a_second_case_for_the_same_month_is_an_overlap(hall):
    """Enrolled once, the same person is refused at the same and at another employer; 待生效 counts too."""
    here = hall("320500")
    for start in (START, "2026-12-01"):
        filled = fill(here.city, here.citizen("not_insured"), start)
        here.file(filled)
        for place in (1, 2):
            here.choose(place)
            assert here.check(filled).status == 422
            assert_sentences(here, here.hand.page.refusals, frozenset({"insured at an employer"}))
        here.choose(1)


def test_the_case_tells_the_auditor_what_was_only_warned_of(hall):
    for code in AUDITED:
        here = hall(code)
        filled = fill(here.city, here.citizen("active_elsewhere_region"), START)
        reference = open_case(here, filled)
        page = here.desk.browser.open(f"/cases/{reference}")
        assert "该人员在其他统筹区正常参保" in page.text, code
        assert [each["code"] for each in declaration(reference).facts["warnings"]] == [
            "enrol.active_elsewhere"
        ]
