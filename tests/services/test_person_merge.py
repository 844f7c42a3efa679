"""Two records of one person become one (SZ-1.4, SZ-2.4): what moves, what is refunded, what blocks it."""

from datetime import date

import pytest
from sqlalchemy import select, update

from app.clock import to_utc
from app.errors import Conflict, Rejected
from app.extensions import db
from app.services import assessing, audits, declarations, trials
from app.store.crypto import blind
from app.store.enrolments import add_enrolments, enrolment_values
from app.store.facts import person_records
from app.store.ids import new_id
from app.store.ledger import add_lines, line_values
from app.store.merges import moves_of
from app.store.models import (
    AccountEntry,
    ContributionLine,
    Declaration,
    Employer,
    Enrolment,
    EnrolmentChange,
    Person,
    PersonMove,
)
from app.store.people import add_people, person_values
from app.store.personal_accounts import CORRECTION, account_balance, add_entries, entry_values
from app.store.queries.hall import find_person
from app.store.queries.insured import insured_on
from app.store.session import transaction
from tests.services.conftest import SUZHOU, citizen, rows, suzhou_form, task_of
from tests.services.test_races import at_once  # noqa: F401 - a fixture

PAID = date(2026, 10, 20)


@pytest.fixture
def clerk(person):
    return person("suzhou.counter")


@pytest.fixture
def decider(person):
    return person("suzhou.auditor")


@pytest.fixture
def pair():
    """The demonstration's person with two records, oldest first."""
    found = citizen(SUZHOU, "double_record")
    records = rows(Person, id_hash=blind(found.id_number), region=SUZHOU)
    assert len(records) == 2
    return found, records


def employer_of(place: int) -> int:
    return db.session.scalars(select(Employer.id).where(Employer.employer_no == f"{SUZHOU}{place:05d}")).one()


def insure(person_id, employer_id, first="2026-01", last=None, funds=("310", "330")):
    made = [
        enrolment_values(
            id=new_id(), region=SUZHOU, person_id=person_id, employer_id=employer_id, fund=fund,
            person_type="1101", from_month=first, to_month=last, wage_fen=800000, base_fen=800000,
        )
        for fund in funds
    ]  # fmt: skip
    with transaction():
        add_enrolments(made)
    return {row["fund"]: row["id"] for row in made}


def charge(person_id, employer_id, month, now, received=None, party="employer", fen=48000):
    row = line_values(
        region=SUZHOU, person_id=person_id, employer_id=employer_id, fund="310", party=party, due_type="10",
        due_month=month, accrual_month=month, base_fen=800000, rate="0.06", fixed_fen=None, amount_fen=fen,
        declaration_id=None, created_at_utc=to_utc(now), received_on=received,
    )  # fmt: skip
    with transaction():
        add_lines([row])
    return row["id"]


def merge_form(found, **more):
    return {"id_number": found.id_number, **more}


def merge(actor, auditor, found, now, employer_id=None, **more):
    made = declarations.file(actor, "person_merge", merge_form(found, **more), now, employer_id=employer_id)
    assert made.status == "submitted"
    return audits.decide(auditor, task_of(made.reference), "approve", "", [], now)


def codes(act):
    with pytest.raises(Rejected) as caught:
        act()
    return [error.code for error in caught.value.errors]


def test_sz_1_4_message_4_an_employer_asks_and_the_agency_merges(suzhou, decider, pair, now):
    found, (first, second) = pair
    start = suzhou_form(found)
    refused = codes(lambda: declarations.file(suzhou, "enrol", start, now))
    assert refused == ["person.duplicate"]
    done = merge(suzhou, decider, found, now)
    assert (done.status, done.message_code) == ("approved", "person_merge.accepted")
    assert first.person_no in done.message
    (alias,) = rows(Person, merged_into_id=first.id)
    assert alias.id == second.id
    # and now the person can be enrolled
    assert declarations.file(suzhou, "enrol", start, now).status == "done"
    assert {row.person_id for row in rows(Enrolment, person_id=first.id)} == {first.id}


def test_everything_moves_and_each_move_can_be_answered(suzhou, clerk, decider, pair, now):
    found, (first, second) = pair
    here, there = employer_of(1), employer_of(2)
    going_on = insure(second.id, here)
    earlier = insure(second.id, there, "2025-01", "2025-12")
    line = charge(second.id, here, "2026-09", now, PAID, "allocation_employee", 16000)
    charge(first.id, there, "2025-05", now, PAID, "allocation_employee", 10000)
    entry = entry_values(
        region=SUZHOU, person_id=second.id, entry=CORRECTION, amount_fen=-500, declaration_id=None,
        created_at_utc=to_utc(now),
    )  # fmt: skip
    with transaction():
        add_entries([entry])
    before = account_balance(first.id) + account_balance(second.id)
    assert before == 25500

    done = merge(clerk, decider, found, now, here, kept_person_no=first.person_no)
    assert done.status == "approved"
    assert account_balance(first.id) == before
    assert rows(Enrolment, person_id=second.id) == rows(ContributionLine, person_id=second.id) == []
    (case,) = rows(Declaration, reference=done.reference)
    moved = {(each.subject, each.row_id) for each in moves_of(from_person_id=second.id)}
    ids = {*going_on.values(), *earlier.values()}
    assert moved == {*(("enrolment", each) for each in ids), ("line", line), ("entry", entry["id"])}
    assert {row.to_person_id for row in rows(PersonMove, declaration_id=case.id)} == {first.id}
    assert rows(AccountEntry, id=entry["id"])[0].person_id == first.id
    # as-of: the person was insured here in June, under the number that stays
    assert [row.person_no for row in insured_on(here, "2026-06", [first.id, second.id])] == [first.person_no]
    assert [row.person_id for row in insured_on(there, "2025-06", [first.id, second.id])] == [first.id]


def test_the_record_whose_insurance_goes_on_is_proposed(suzhou, pair, now):
    found, (first, second) = pair
    insure(second.id, employer_of(2))
    checked = trials.check(suzhou, "person_merge", merge_form(found), now)
    assert checked.ok
    assert checked.data["kept_person_no"] == second.person_no
    assert checked.data["merged_person_no"] == first.person_no
    # where somebody is insured is not for every employer to know
    assert str(employer_of(2)) not in checked.data["records_found"]
    assert f"{SUZHOU}00002" not in checked.data["records_found"]


def test_months_charged_twice_are_taken_back(suzhou, clerk, decider, pair, now):
    found, (first, second) = pair
    here, there = employer_of(1), employer_of(2)
    insure(first.id, here)
    insure(second.id, there, "2026-03")
    kept = charge(first.id, here, "2026-08", now, PAID)
    twice_paid = charge(second.id, there, "2026-08", now, PAID)
    charge(first.id, here, "2026-09", now)
    twice_unpaid = charge(second.id, there, "2026-09", now)
    alone = charge(second.id, there, "2026-07", now, PAID)
    done = merge(clerk, decider, found, now, here, kept_person_no=first.person_no)
    assert done.message_code == "person_merge.accepted_with_refund"
    (case,) = rows(Declaration, reference=done.reference)
    made = rows(ContributionLine, declaration_id=case.id)
    back = {row.reversal_of_id: row for row in made if row.reversal_of_id is not None}
    assert {key: (row.due_type, row.amount_fen, row.employer_id) for key, row in back.items()} == {
        twice_paid: ("20", -48000, there),
        twice_unpaid: ("10", -48000, there),
    }
    assert {row.person_id for row in back.values()} == {first.id}
    standing = rows(ContributionLine, person_id=first.id, reversed_by_id=None)
    assert {kept, alone} <= {row.id for row in standing}
    # one open enrolment for each fund: the other one never took effect beside it
    (ended,) = [row for row in rows(Enrolment, person_id=first.id, employer_id=there) if row.fund == "310"]
    assert (ended.status, ended.to_month) == ("ended", "2026-02")
    assert {row.action for row in rows(EnrolmentChange, declaration_id=case.id)} == {"merged"}


def test_paid_by_the_same_employer_stays_paid(clerk, decider, pair, now):
    found, (first, second) = pair
    here = employer_of(1)
    unpaid = charge(first.id, here, "2026-08", now)
    paid = charge(second.id, here, "2026-08", now, PAID)
    merge(clerk, decider, found, now, here, kept_person_no=first.person_no)
    assert rows(ContributionLine, id=paid)[0].reversed_by_id is None
    assert rows(ContributionLine, id=unpaid)[0].reversed_by_id is not None


def test_an_earlier_enrolment_ends_before_the_one_that_stays(clerk, decider, pair, now):
    found, (first, second) = pair
    insure(first.id, employer_of(1), "2026-05")
    old = insure(second.id, employer_of(2), "2025-01")
    merge(clerk, decider, found, now, employer_of(1), kept_person_no=first.person_no)
    ended = rows(Enrolment, id=old["310"])[0]
    assert (ended.status, ended.to_month, ended.person_id) == ("active", "2026-04", first.id)


@pytest.fixture
def other(clerk):
    """A record of the same person under another, mistaken number."""
    found = citizen(SUZHOU, "not_insured", 2)
    (right,) = rows(Person, id_hash=blind(found.id_number))
    wrong = person_values(
        region=SUZHOU, id_type="04", id_number="E12345678", name=right.name, sex=right.sex,
        birth_date=right.birth_date,
    )  # fmt: skip
    with transaction():
        add_people([wrong])
    return found, right, wrong


class TestDifferingNumbers:
    def test_only_the_agency_and_only_with_a_statement(self, suzhou, clerk, other, now):
        found, right, wrong = other
        named = {"kept_person_no": right.person_no, "merged_person_no": wrong["person_no"]}
        asked = merge_form(found, **named)
        assert codes(lambda: declarations.file(suzhou, "person_merge", asked, now)) == [
            "person_merge.differs_at_counter"
        ]
        here = employer_of(1)
        assert codes(lambda: declarations.file(clerk, "person_merge", asked, now, employer_id=here)) == [
            "person_merge.statement_missing"
        ]

    def test_the_old_number_finds_the_survivor_everywhere(self, suzhou, clerk, decider, other, now):
        found, right, wrong = other
        named = {"kept_person_no": right.person_no, "merged_person_no": wrong["person_no"]}
        words = "护照登记有误，以身份证为准"
        done = merge(clerk, decider, found, now, employer_of(1), correction_statement=words, **named)
        assert done.status == "approved"
        old = blind("E12345678")
        (record,) = person_records([old])[old]
        assert (record.id, record.id_hash) == (right.id, blind(found.id_number))
        assert find_person(SUZHOU, "E12345678").name == right.name
        both = person_records([old, record.id_hash])
        assert [each.id for key in (old, record.id_hash) for each in both[key]] == [right.id, right.id]
        # an enrolment by the old number is one of the survivor, and holds the survivor's object
        form = suzhou_form(found) | {
            "id_type": "04", "id_number": "E12345678", "sex": right.sex, "nationality": "CHN",
            "birth_date": right.birth_date.isoformat(),
        }  # fmt: skip
        at = employer_of(1)
        filed = declarations.file(clerk, "enrol", form, now, employer_id=at)
        (case,) = rows(Declaration, reference=filed.reference)
        assert (case.person_id, case.person_hash) == (right.id, blind(found.id_number))

    def test_an_alias_of_an_alias_stays_one_step_away(self, clerk, decider, other, now):
        found, right, wrong = other
        third = citizen(SUZHOU, "not_insured", 3)
        (last,) = rows(Person, id_hash=blind(third.id_number))
        words = {"correction_statement": "同一人，以后者为准"}
        at = employer_of(1)
        first = {"kept_person_no": right.person_no, "merged_person_no": wrong["person_no"]}
        merge(clerk, decider, found, now, at, **words, **first)
        second = {"kept_person_no": last.person_no, "merged_person_no": right.person_no}
        merge(clerk, decider, third, now, at, **words, **second)
        old = blind("E12345678")
        assert [each.id for each in person_records([old])[old]] == [last.id]
        assert {row.id for row in rows(Person, merged_into_id=last.id)} == {right.id, wrong["id"]}


def test_refusals(clerk, suzhou, pair, now):
    found, (first, second) = pair
    at = employer_of(1)

    def asked(**more):
        return codes(
            lambda: declarations.file(clerk, "person_merge", merge_form(found, **more), now, employer_id=at)
        )

    assert asked(kept_person_no="1") == ["person_merge.record_unknown"]
    assert asked(merged_person_no="1") == ["person_merge.record_unknown"]
    assert asked(kept_person_no=first.person_no, merged_person_no=first.person_no) == ["person_merge.same"]
    stranger = citizen(SUZHOU, "not_insured")
    alone = merge_form(stranger)
    assert codes(lambda: declarations.file(clerk, "person_merge", alone, now, employer_id=at)) == [
        "person_merge.nothing"
    ]
    named = merge_form(stranger, kept_person_no=first.person_no, merged_person_no=second.person_no)
    assert codes(lambda: declarations.file(clerk, "person_merge", named, now, employer_id=at)) == [
        "person_merge.other_number"
    ]
    unknown = merge_form(citizen(SUZHOU, "unknown"))
    assert codes(lambda: declarations.file(clerk, "person_merge", unknown, now, employer_id=at)) == [
        "stop.unknown"
    ]


def test_two_merges_of_one_person_one_is_open(suzhou, clerk, decider, pair, now):
    found, _ = pair
    made = declarations.file(suzhou, "person_merge", merge_form(found), now)
    at = employer_of(1)
    again = codes(lambda: declarations.file(clerk, "person_merge", merge_form(found), now, employer_id=at))
    assert "enrol.one_open" in again or "person_merge.open_case" in again
    declarations.recall(suzhou, made.reference, now)
    assert (
        declarations.file(clerk, "person_merge", merge_form(found), now, employer_id=at).status == "submitted"
    )


def test_any_other_open_case_blocks_it(suzhou, clerk, decider, pair, now):
    found, _ = pair
    made = declarations.file(suzhou, "person_merge", merge_form(found), now)
    with transaction() as session:
        # a retirement that was filed at the counter before the second record came to be
        session.execute(
            update(Declaration).where(Declaration.reference == made.reference).values(kind="retirement")
        )
    at = employer_of(1)
    assert codes(lambda: declarations.file(clerk, "person_merge", merge_form(found), now, employer_id=at))[
        :1
    ] == ["person_merge.open_case"]


def test_a_merge_against_an_enrolment_of_the_same_person(suzhou, clerk, decider, other, at_once, now):  # noqa: F811
    found, right, wrong = other
    named = {"kept_person_no": right.person_no, "merged_person_no": wrong["person_no"]}
    at = employer_of(1)
    made = declarations.file(
        clerk,
        "person_merge",
        merge_form(found, correction_statement="以身份证为准", **named),
        now,
        employer_id=at,
    )
    enrol = suzhou_form(found) | {
        "id_type": "04", "id_number": "E12345678", "sex": right.sex, "nationality": "CHN",
        "birth_date": right.birth_date.isoformat(),
    }  # fmt: skip
    task = task_of(made.reference)
    online = {**enrol, "id_type": "04"}
    good, refused = at_once(
        lambda: audits.decide(decider, task, "approve", "", [], now),
        lambda: declarations.file(suzhou, "enrol", online, now),
    )
    assert good
    assert all(isinstance(error, Conflict | Rejected) for error in refused)
    db.session.rollback()
    merged = db.session.get(Person, wrong["id"]).merged_into_id
    insured = {row.person_id for row in rows(Enrolment) if row.person_id in (right.id, wrong["id"])}
    # nobody is insured as an alias
    assert merged is None or insured <= {right.id}
    charged = {row.person_id for row in rows(ContributionLine) if row.person_id in (right.id, wrong["id"])}
    assert merged is None or charged <= {right.id}


def test_what_nobody_paid_beyond_the_end_at_the_other_employer_is_charged_where_the_person_is(
    suzhou, clerk, decider, pair, now
):
    """The other record's insurance ends with the merge: its unpaid later months follow the insurance."""
    found, (first, second) = pair
    here, there = employer_of(1), employer_of(2)
    insure(first.id, there, "2026-09")
    insure(second.id, here, "2026-07")
    assessing.assess("2026-11", now, employer_id=here)
    kept = charge(second.id, here, "2026-08", now)
    assert merge(clerk, decider, found, now, here, kept_person_no=first.person_no).status == "approved"
    standing = [row for row in rows(ContributionLine, person_id=first.id) if row.reversed_by_id is None]
    assert {(row.accrual_month, row.employer_id) for row in standing} == {("2026-08", here)}
    assert kept in {row.id for row in standing}
    assessing.assess("2026-11", now, employer_id=there)
    lines = rows(ContributionLine, person_id=first.id, accrual_month="2026-11", reversed_by_id=None)
    assert {row.employer_id for row in lines} == {there}


def test_what_was_paid_beyond_the_end_stays_paid(suzhou, clerk, decider, pair, now):
    found, (first, second) = pair
    insure(first.id, employer_of(2), "2026-09")
    insure(second.id, employer_of(1), "2026-07")
    paid = charge(second.id, employer_of(1), "2026-10", now, PAID)
    merge(clerk, decider, found, now, employer_of(1), kept_person_no=first.person_no)
    (line,) = rows(ContributionLine, id=paid)
    assert (line.person_id, line.reversed_by_id) == (first.id, None)
