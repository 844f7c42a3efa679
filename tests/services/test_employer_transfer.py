"""People who move to another employer of the region in one declaration (NJ-3.1: reasons 740311 and 0990)."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select, update

from app.clock import to_utc
from app.errors import Conflict, Rejected
from app.extensions import db
from app.services import audits, declarations, notices, trials
from app.store.crypto import blind
from app.store.ledger import add_lines, line_values
from app.store.models import (
    ContributionLine,
    Declaration,
    DeclarationObject,
    Employer,
    EmployerFund,
    Enrolment,
    EnrolmentChange,
    Notice,
    Outbox,
)
from app.store.objects import declarations_about
from app.store.queries.insured import insured_on
from app.store.session import transaction
from tests.services.conftest import citizen, rows, task_of
from tests.services.test_races import at_once  # noqa: F401 - a fixture
from tests.services.test_stop import NANJING, NANTONG, employee, open_funds, stop_form

PAID = date(2026, 11, 26)


@pytest.fixture
def handler(person):
    return person("nanjing.handler")


@pytest.fixture
def decider(person):
    return person("nanjing.auditor")


def employer_no(place: int, region: str = NANJING) -> str:
    return f"{region}{place:05d}"


def employer_id(place: int, region: str = NANJING) -> int:
    return db.session.scalars(
        select(Employer.id).where(Employer.employer_no == employer_no(place, region))
    ).one()


def form(*people, month="2026-11", target=2, region=NANJING, **more):
    return {
        "target_employer_no": employer_no(target, region), "transfer_month": month,
        "transfer_reason": "740311", "people": "\n".join(each.id_number for each in people), **more,
    }  # fmt: skip


def file(actor, now, *people, **more):
    return declarations.file(actor, "employer_transfer", form(*people, **more), now)


def moved(actor, auditor, now, *people, **more):
    made = file(actor, now, *people, **more)
    assert made.status == "submitted"
    return audits.decide(auditor, task_of(made.reference), "approve", "", [], now)


def codes(act):
    with pytest.raises(Rejected) as caught:
        act()
    return [error.code for error in caught.value.errors]


def charge(actor, found, month, now, received=None, due_type="10", fen=48000, fund="310"):
    row = line_values(
        region=NANJING, person_id=found.person_id, employer_id=actor.employer_id, fund=fund,
        party="employer", due_type=due_type, due_month=month, accrual_month=month, base_fen=800000,
        rate="0.06", fixed_fen=None, amount_fen=fen, declaration_id=None, created_at_utc=to_utc(now),
        received_on=received,
    )  # fmt: skip
    with transaction():
        add_lines([row])
    return row["id"]


def staff(actor, count=3):
    return [employee(actor, place) for place in range(count)]


def test_nj_3_1_many_people_go_on_without_a_gap(handler, decider, now):
    people = staff(handler)
    before = {
        each.person_id: {
            row.id: (row.fund, row.wage_fen, row.base_fen)
            for row in rows(Enrolment, person_id=each.person_id)
            if row.to_month is None
        }
        for each in people
    }
    done = moved(handler, decider, now, *people)
    assert (done.status, done.message_code) == ("approved", "employer_transfer.accepted")
    assert "3人自2026-12起" in done.message
    (case,) = rows(Declaration, reference=done.reference)
    assert case.person_name.endswith("等3人")
    there = employer_id(2)
    for each in people:
        old = before[each.person_id]
        after = {row.id: row for row in rows(Enrolment, person_id=each.person_id)}
        assert {(after[one].to_month, after[one].reason) for one in old} == {("2026-11", "740311")}
        begun = [row for row in after.values() if row.declaration_id == case.id]
        assert {(row.employer_id, row.from_month) for row in begun} == {(there, "2026-12")}
        assert {(row.fund, row.wage_fen, row.base_fen) for row in begun} == set(old.values())
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"transferred"}
    # as-of: every month has exactly one employer
    ids = [each.person_id for each in people]
    here = handler.employer_id
    for month, where in (("2026-11", here), ("2026-12", there)):
        for employer in (here, there):
            found = {row.person_id for row in insured_on(employer, month, ids)}
            assert found == (set(ids) if employer == where else set())


def test_the_receiving_employer_is_told(handler, decider, now):
    people = staff(handler, 2)
    made = file(handler, now, *people)
    audits.decide(decider, task_of(made.reference), "approve", "", [], now)
    for row in rows(Outbox):
        if row.topic == "notice":
            notices.deliver(row.id, now)
            assert not notices.deliver(row.id, now)
    told = rows(Notice, employer_id=employer_id(2))
    assert [(each.title, each.declaration_id) for each in told] == [("人员已转入本单位", None)]
    assert f"{people[0].name}等2人已从原单位转入本单位，自2026-12起" in told[0].body
    assert made.reference in told[0].body
    assert [each.title for each in rows(Notice, employer_id=handler.employer_id)] == ["申报已审核通过"]


def test_the_receiving_employer_lacks_a_fund(handler, decider, now):
    (found,) = staff(handler, 1)
    with transaction() as session:
        session.execute(
            delete(EmployerFund).where(EmployerFund.employer_id == employer_id(2), EmployerFund.fund == "410")
        )
    checked = trials.check(handler, "employer_transfer", form(found), now)
    assert [each.code for each in checked.warnings] == ["employer_transfer.funds_lost"]
    assert "失能险" in checked.warnings[0].message
    moved(handler, decider, now, found)
    assert "410" not in open_funds(found.person_id)
    assert set(open_funds(found.person_id)) == {"310", "330", "510"}


def test_charged_months_move_as_they_were(handler, decider, now):
    (found,) = staff(handler, 1)
    with transaction() as session:
        session.execute(delete(ContributionLine).where(ContributionLine.person_id == found.person_id))
    kept = charge(handler, found, "2026-10", now)
    paid = charge(handler, found, "2026-11", now, PAID)
    more = charge(handler, found, "2026-11", now, None, "34", 1200)
    checked = trials.check(handler, "employer_transfer", form(found, month="2026-10"), now)
    assert "employer_transfer.moves_charges" in [each.code for each in checked.warnings]
    assert {(line.accrual_month, line.amount_fen) for line in checked.amounts.lines} == {
        ("2026-11", -48000), ("2026-11", -1200),
    }  # fmt: skip
    done = moved(handler, decider, now, found, month="2026-10")
    (case,) = rows(Declaration, reference=done.reference)
    made = rows(ContributionLine, declaration_id=case.id)
    back = {row.reversal_of_id: (row.due_type, row.employer_id) for row in made if row.reversal_of_id}
    here, there = handler.employer_id, employer_id(2)
    assert back == {paid: ("20", here), more: ("34", here)}
    again = [
        row for row in made if row.employer_id == there and row.fund == "310" and row.party == "employer"
    ]
    assert [(row.accrual_month, row.amount_fen, row.base_fen, row.due_type) for row in again] == [
        ("2026-11", 49200, 1600000, "31")
    ]
    assert rows(ContributionLine, id=kept)[0].reversed_by_id is None


@pytest.mark.parametrize("month", ["2026-06", "2027-01"])
def test_the_month_lies_too_far(handler, now, month):
    assert codes(lambda: file(handler, now, *staff(handler, 1), month=month)) == [
        "employer_transfer.month_limits"
    ]


def test_refusals_name_the_people(handler, now):
    (found,) = staff(handler, 1)
    stopped, double, unknown = (citizen(NANJING, case) for case in ("stopped", "double_record", "unknown"))

    def refused(*people, **more):
        with pytest.raises(Rejected) as caught:
            file(handler, now, *people, **more)
        return {error.code: error.message for error in caught.value.errors}

    words = refused(found, stopped, double, unknown)
    assert set(words) == {
        "employer_transfer.not_active", "employer_transfer.duplicate", "employer_transfer.unknown",
    }  # fmt: skip
    assert stopped.name in words["employer_transfer.not_active"]
    assert stopped.id_number not in str(words)
    assert set(refused(found, target=1)) == {"employer_transfer.target_same"}
    assert set(refused(found, region=NANTONG)) == {"employer_transfer.target_unknown"}
    with transaction() as session:
        session.execute(update(Employer).where(Employer.id == employer_id(2)).values(status="paused"))
    assert set(refused(found)) == {"employer_transfer.target_inactive"}


class TestOneOpenDeclaration:
    def test_a_stop_of_one_of_them_is_refused_until_it_is_decided(self, handler, decider, now):
        people = staff(handler)
        made = file(handler, now, *people)
        refused = codes(lambda: declarations.file(handler, "stop", stop_form(people[1], NANJING), now))
        assert refused == ["enrol.one_open"]
        keys = rows(DeclarationObject)
        assert len([row for row in keys if row.open_key]) == 3
        audits.decide(decider, task_of(made.reference), "reject", "不符", [], now)
        assert [row for row in rows(DeclarationObject) if row.open_key] == []
        # whom it was about stays on record
        (case,) = rows(Declaration, reference=made.reference)
        assert declarations_about(blind(people[1].id_number)) == [case.id]
        assert declarations.file(handler, "stop", stop_form(people[1], NANJING), now).status == "done"

    def test_a_second_transfer_with_one_of_them(self, handler, now):
        people = staff(handler)
        first = file(handler, now, *people[:2])
        with pytest.raises(Rejected) as caught:
            file(handler, now, *people[1:])
        (error,) = caught.value.errors
        assert error.code == "employer_transfer.one_open"
        assert first.reference in error.message
        declarations.recall(handler, first.reference, now)
        assert file(handler, now, *people[1:]).status == "submitted"

    def test_returned_with_other_people_holds_those(self, handler, decider, now):
        people = staff(handler)
        made = file(handler, now, *people[:2])
        audits.decide(decider, task_of(made.reference), "return", "人员有误", ["people"], now)
        declarations.file(handler, "employer_transfer", form(*people[1:]), now, reference=made.reference)
        assert declarations.file(handler, "stop", stop_form(people[0], NANJING), now).status == "done"
        refused = codes(lambda: declarations.file(handler, "stop", stop_form(people[2], NANJING), now))
        assert refused == ["enrol.one_open"]

    def test_the_same_in_a_region_where_every_kind_excludes_the_others(self, nantong, now):
        person = employee(nantong)
        made = file(nantong, now, person, region=NANTONG)
        assert made.status == "submitted"
        refused = codes(lambda: declarations.file(nantong, "stop", stop_form(person, NANTONG), now))
        assert refused == ["enrol.one_open"]
        other = employee(nantong, 1)
        declarations.file(nantong, "stop", stop_form(other, NANTONG), now)
        assert codes(lambda: file(nantong, now, other, region=NANTONG)) == ["employer_transfer.one_open"]


def test_a_hundred_cost_as_many_statements_as_two(handler, decider, statement_counter, now):
    counts = []
    people = staff(handler, 14)
    for group in (people[:2], people[2:14]):
        with statement_counter() as seen:
            made = file(handler, now, *group)
        filed = seen.total
        task = task_of(made.reference)
        with statement_counter() as seen:
            audits.decide(decider, task, "approve", "", [], now)
        counts.append((filed, seen.total))
    # the first one keeps the set of definitions as well
    assert all(more <= fewer for fewer, more in zip(*counts, strict=True))
    assert max(counts[1]) <= 32


def test_a_transfer_against_a_stop(handler, decider, at_once, now):  # noqa: F811
    people = staff(handler)
    made = file(handler, now, *people[:2])
    declarations.recall(handler, made.reference, now)
    good, refused = at_once(
        lambda: file(handler, now, *people),
        lambda: declarations.file(handler, "stop", stop_form(people[1], NANJING), now),
    )
    assert good
    assert all(isinstance(error, Conflict | Rejected) for error in refused)
    waiting = [row for row in rows(DeclarationObject) if row.open_key]
    assert len(waiting) in (0, 3)
    stopped = {row.to_month for row in rows(Enrolment, person_id=people[1].person_id)} == {"2026-11"}
    # both cannot have happened: the transfer waits for nobody who was stopped
    assert not (stopped and waiting)


def test_two_transfers_of_one_person_at_once(handler, at_once, now):  # noqa: F811
    people = staff(handler)
    good, refused = at_once(
        lambda: file(handler, now, *people[:2]),
        lambda: file(handler, now, *people[1:], target=3),
    )
    assert (len(good), len(refused)) == (1, 1)
    assert isinstance(refused[0], Conflict | Rejected)
    assert len([row for row in rows(DeclarationObject) if row.open_key]) == 2


def test_an_operator_moves_only_the_own_people(handler, now):
    (found,) = staff(handler, 1)
    other = replace(handler, employer_id=employer_id(3))
    assert codes(lambda: file(other, now, found)) == ["employer_transfer.not_active"]
