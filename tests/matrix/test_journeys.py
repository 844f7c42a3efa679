"""Each city from form to registry: file, correct, discard, recall, approve, reject, return, resubmit.

After each step the registry holds exactly what the model says, and before the last one nothing of it.
"""

from datetime import datetime

import pytest

from app.clock import configure
from app.errors import Conflict
from app.services import declarations
from tests.matrix import model, registry
from tests.matrix.conftest import Hall, actor_of, declaration
from tests.matrix.forms import Filled, fill
from tests.matrix.words import SAID

NOW = datetime(2026, 11, 18, 10)
every_city = pytest.mark.parametrize("code", model.REGIONS)


def file_and_compare(hall: Hall, filled: Filled, decided: datetime | None = None) -> str:
    """Walk one form to its end and hold the registry against the model at every stage."""
    filed = hall.today
    person, employer = registry.person_of(hall.city.code, filled.form.number), hall.employer
    judged = model.judge(hall.city, filled.form, person, employer, filed)
    assert judged.refusals == frozenset()
    before = registry.mark()
    reference = hall.file(filled)
    way = hall.city.way
    if way.pending:
        assert hall.status(reference) == "pending"
        assert registry.added_since(before).nothing
        hall.submit(reference)
    if way.audits:
        assert hall.status(reference) == "submitted"
        assert registry.added_since(before).nothing
        if decided:
            configure(decided)
        assert hall.desk.decide(reference, "approve") == "approved"
    compare(hall, filled, person, employer, before, filed, reference)
    return reference


def compare(hall, filled, person, employer, before, filed, reference) -> None:
    way = hall.city.way
    last_day = hall.today if way.audits else None
    wanted = model.outcome(hall.city, filled.form, person, employer, filed, last_day)
    added = registry.added_since(before)
    registry.compare(hall.city, wanted, added, hall.employer_id, filled.start_day)
    assert hall.status(reference) == ("approved" if way.audits else "done")
    assert len(added.people) == (0 if person.records else 1)
    for row in added.people:
        number = filled.form.number
        assert (row.region, row.birth_date, row.sex) == (
            hall.city.code, model.birth_in(number), model.sex_in(number),
        )  # fmt: skip
    owner = {row.person_id for row in (*added.enrolments, *added.lines)}
    assert owner == {declaration(reference).person_id}


def starts(city: model.City) -> list[str]:
    """Starts of this month, of past months where they are paid back, and of next month."""
    return ["2026-11-18", "2026-08-01", "2026-12-01"]


@every_city
def test_filed_enrolments_are_in_the_registry(hall, code):
    here = hall(code)
    old = registry.everything()
    for start in starts(here.city):
        file_and_compare(here, fill(here.city, here.citizen("not_insured"), start))
    now = registry.everything()
    assert all(old[name] <= now[name] for name in old), "rows that were there have changed"


@every_city
def test_people_stopped_before_and_people_typed_in(hall, code):
    here = hall(code)
    known_only = here.city.value("enrol.person_must_exist", "2026-11") == "yes"
    for case in ("stopped", "charged_partly", *(() if known_only else ("unknown",))):
        file_and_compare(here, fill(here.city, here.citizen(case), "2026-11-02"))


@every_city
def test_the_months_are_fixed_by_the_day_of_submission(hall, code):
    here = hall(code)
    filled = fill(here.city, here.citizen("not_insured"), "2026-09-01")
    file_and_compare(here, filled, decided=datetime(2027, 1, 25, 9) if here.city.way.audits else None)


@every_city
def test_civil_servants(hall, code):
    here = hall(code)
    if code == "320600":
        # its form asks for no funds: nobody is enrolled as a civil servant here
        assert "funds" not in here.hand.open("/declare/enrol").text
        return
    here.choose(3)
    funds = [*here.city.usual(), "320"]
    reference = file_and_compare(
        here,
        fill(
            here.city,
            here.citizen("not_insured"),
            "2026-10-01",
            funds=sorted(funds, key=here.city.funds.index),
        ),
    )
    assert declaration(reference).status in ("done", "approved")


@every_city
def test_dropped_drafts_and_pending_records_leave_nothing(hall, code):
    here = hall(code)
    before = registry.mark()
    filled = fill(here.city, here.citizen("not_insured"), "2026-11-01")
    here.hand.open("/declare/enrol")
    here.hand.press(("action", "save"), **filled.typed)
    reference = here.hand.page.tree.xpath("//input[@name='reference']/@value")[0]
    assert here.status(reference) == "draft"
    here.discard(reference)
    assert here.status(reference) == "discarded"
    if here.city.way.pending:
        reference = here.file(filled)
        here.discard(reference)
        assert here.status(reference) == "discarded"
    assert registry.added_since(before).nothing
    file_and_compare(here, filled)


@every_city
def test_recall(hall, code):
    here = hall(code)
    if not here.city.way.audits:
        return
    before = registry.mark()
    filled = fill(here.city, here.citizen("not_insured"), "2026-11-01")
    reference = here.file(filled)
    if here.city.way.pending:
        here.submit(reference)
    if here.city.way.recall:
        here.recall(reference)
        assert here.status(reference) == "recalled"
        assert registry.added_since(before).nothing
        file_and_compare(here, filled)
        return
    with pytest.raises(Conflict):
        declarations.recall(actor_of(here.hand.username), reference, NOW)
    assert here.status(reference) == "submitted"


@every_city
def test_refused_and_filed_again(hall, code):
    here = hall(code)
    if not here.city.way.audits:
        return
    before = registry.mark()
    filled = fill(here.city, here.citizen("not_insured"), "2026-10-01")
    reference = here.file(filled)
    if here.city.way.pending:
        here.submit(reference)
    assert here.desk.decide(reference, "reject", "人员身份不符") == "rejected"
    assert registry.added_since(before).nothing
    here.hand.open(f"/declare/enrol?copy={reference}")
    person, employer = registry.person_of(code, filled.form.number), here.employer
    again = refile(here)
    assert again != reference
    assert declaration(again).copied_from_id == declaration(reference).id
    if here.city.way.pending:
        here.submit(again)
    here.desk.decide(again, "approve")
    compare(here, filled, person, employer, before, here.today, again)


def refile(here: Hall) -> str:
    """Press on from the copied form as it stands."""
    if here.city.way.wizard:
        return here.through_the_wizard(here.hand.press(("action", "file")))
    page = here.hand.press(("action", "check"))
    assert page.status == 200, page.refusals
    return here.file_checked()


@every_city
def test_returned_corrected_and_approved(hall, code):
    here = hall(code)
    if not here.city.way.audits:
        return
    before = registry.mark()
    citizen = here.citizen("not_insured")
    reference = here.file(fill(here.city, citizen, "2026-09-01"))
    if here.city.way.pending:
        here.submit(reference)
    assert here.desk.decide(reference, "return", "工资与合同不符", ("wage_yuan",)) == "returned"
    assert registry.added_since(before).nothing
    better = fill(here.city, citizen, "2026-09-01", wage="9100")
    person, employer = registry.person_of(code, better.form.number), here.employer
    here.hand.open(f"/declare/enrol?reference={reference}")
    page = here.hand.press(("action", "file" if here.city.way.wizard else "check"), wage_yuan="9100")
    assert page.status == 200, page.refusals
    if not here.city.way.wizard:
        here.file_checked()
    assert here.status(reference) == "submitted"
    here.desk.decide(reference, "approve")
    compare(here, better, person, employer, before, here.today, reference)


def test_suzhou_says_what_its_manual_prints(hall):
    here = hall("320500")
    here.file(fill(here.city, here.citizen("not_insured"), "2026-08-01"))
    assert SAID["paid back"] in here.hand.page.text
    here.file(fill(here.city, here.citizen("not_insured"), "2026-12-01"))
    assert SAID["nothing to pay back"] in here.hand.page.text
