"""The rules of merges, transfers, changes of person type and employers' statuses, without a database."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from app.domain import employer_status, person_merge, transfer, type_change
from app.domain.declaration import open_group, shares_objects
from app.domain.employer_status import ClosingFacts
from app.domain.enrolment import EmployerFacts, EnrolmentFacts, PersonFacts
from app.domain.person_merge import MergeFacts, MergeRequest, RecordFacts
from app.domain.transfer import Mover, Owed, TransferRequest
from app.domain.type_change import TypeRequest
from tests.domain.regions import REGIONS, load_region

TODAY = date(2026, 11, 18)
REGION = "320500"


@dataclass(frozen=True)
class Span:
    fund: str
    from_month: str
    to_month: str | None = None
    status: str = "active"


@dataclass(frozen=True)
class Line:
    accrual_month: str
    fund: str = "310"
    due_type: str = "10"
    employer_id: int | None = 1
    received_on: date | None = None


PAID = date(2026, 10, 2)
ONE = RecordFacts("1", b"a", "示例一", date(1990, 1, 1))
TWO = RecordFacts("2", b"a", "示例一", date(1990, 1, 1))


@pytest.mark.parametrize(
    ("kept", "merged", "expected"),
    [
        # side by side: the one that began earlier ends before the other begins
        ([Span("310", "2026-05")], [Span("310", "2025-01")], [("2026-04", "active")]),
        # began together or later: it has never been
        ([Span("310", "2026-05")], [Span("310", "2026-05")], [("2026-04", "ended")]),
        ([Span("310", "2026-05")], [Span("310", "2026-08")], [("2026-07", "ended")]),
        # another fund, an end of its own, or nothing beside it: it stays
        ([Span("310", "2026-05")], [Span("330", "2025-01")], []),
        ([Span("310", "2026-05")], [Span("310", "2025-01", "2026-09")], []),
        ([Span("310", "2026-05", "2026-09")], [Span("310", "2025-01")], []),
        ([Span("310", "2026-05", status="ended")], [Span("310", "2025-01")], []),
    ],
)
def test_enrolments_beside_each_other(kept, merged, expected):
    found = person_merge.ending_spans(kept, merged)
    assert [(last, status) for _, last, status in found] == expected


@pytest.mark.parametrize(
    ("mine", "other", "back"),
    [
        (Line("2026-08"), Line("2026-08", employer_id=2), "other"),
        (Line("2026-08"), Line("2026-08", employer_id=2, received_on=PAID), "other"),
        (Line("2026-08"), Line("2026-08", received_on=PAID), "mine"),
        (Line("2026-08", received_on=PAID), Line("2026-08", received_on=PAID), "other"),
        (Line("2026-08"), Line("2026-09"), ""),
        (Line("2026-08"), Line("2026-08", fund="330"), ""),
        # a difference alone is no charge of the month
        (Line("2026-08"), Line("2026-08", due_type="34"), ""),
    ],
)
def test_months_charged_twice(mine, other, back):
    expected = {"mine": [mine], "other": [other], "": []}[back]
    assert person_merge.charged_twice([mine], [other]) == expected


def test_differences_go_with_their_month():
    lines = [Line("2026-08", employer_id=2), Line("2026-08", employer_id=2, due_type="34")]
    assert person_merge.charged_twice([Line("2026-08")], lines) == lines


@pytest.mark.parametrize(
    ("spans", "kept"),
    [
        ([[], []], 0),
        ([[], [Span("310", "2026-01")]], 1),
        ([[Span("310", "2026-01")], [Span("310", "2026-01")]], 0),
        ([[Span("310", "2025-01")], [Span("310", "2026-01")]], 1),
        ([[Span("310", "2026-01", "2026-05")], [Span("310", "2025-01")]], 1),
    ],
)
def test_which_record_is_proposed(spans, kept):
    assert person_merge.record_to_keep(spans) == kept


@pytest.mark.parametrize(
    ("facts", "request_", "code"),
    [
        ({"with_number": 0}, {}, "stop.unknown"),
        ({}, {"merged_no": ""}, "person_merge.nothing"),
        ({"kept": None}, {}, "person_merge.record_unknown"),
        ({"merged": None}, {}, "person_merge.record_unknown"),
        ({"merged": ONE}, {}, "person_merge.same"),
        ({"number_key": b"z"}, {}, "person_merge.other_number"),
        ({"open_kinds": ["stop"]}, {}, "person_merge.open_case"),
        ({"merged": replace(TWO, number_key=b"b")}, {}, "person_merge.differs_at_counter"),
        ({"merged": replace(TWO, name="别名")}, {"channel": "02"}, "person_merge.statement_missing"),
        (
            {"merged": replace(TWO, birth_date=date(1991, 1, 1))},
            {"channel": "02", "statement": "以前者为准"},
            "",
        ),
        ({}, {}, ""),
    ],
)
def test_a_merge(facts, request_, code):
    known = MergeFacts(**{"with_number": 2, "number_key": b"a", "kept": ONE, "merged": TWO, **facts})
    asked = MergeRequest(**{"kept_no": "1", "merged_no": "2", **request_})
    verdict = person_merge.check_merge(load_region(REGION), asked, known)
    assert [each.code for each in verdict.problems] == ([code] if code else [])


def employer(number="A", status="active", funds=("310", "330"), region=REGION):
    return EmployerFacts(number, region, status, dict.fromkeys(funds, ("2001-01", None)))


def insured(start="2026-01", funds=("310", "330"), number="A", person_type="1101", matches=1):
    stretches = tuple(
        EnrolmentFacts("employee", REGION, start, None, number, funds=(fund,)) for fund in funds
    )
    return PersonFacts(matches=matches, name="示例", person_type=person_type, enrolments=stretches)


@pytest.mark.parametrize(
    ("mover", "receiving", "month", "code"),
    [
        (Mover("甲", insured()), employer("B"), "2026-11", ""),
        (Mover("甲", insured()), None, "2026-11", "employer_transfer.target_unknown"),
        (
            Mover("甲", insured()),
            employer("B", region="320600"),
            "2026-11",
            "employer_transfer.target_unknown",
        ),
        (Mover("甲", insured()), employer("A"), "2026-11", "employer_transfer.target_same"),
        (Mover("甲", insured()), employer("B", "ended"), "2026-11", "employer_transfer.target_inactive"),
        (Mover("甲", insured(matches=0)), employer("B"), "2026-11", "employer_transfer.unknown"),
        (Mover("甲", insured(matches=2)), employer("B"), "2026-11", "employer_transfer.duplicate"),
        (Mover("甲", insured(), "", True), employer("B"), "2026-11", "employer_transfer.outdated_number"),
        (Mover("甲", insured(), "320500-1"), employer("B"), "2026-11", "employer_transfer.one_open"),
        (Mover("甲", insured(number="C")), employer("B"), "2026-11", "employer_transfer.not_active"),
        (Mover("甲", insured("2026-12")), employer("B"), "2026-11", "employer_transfer.before_start"),
        (Mover("甲", insured()), employer("B", funds=()), "2026-11", "employer_transfer.no_fund"),
        (Mover("甲", insured()), employer("B"), "2026-07", "employer_transfer.month_limits"),
    ],
)
def test_a_transfer(mover, receiving, month, code):
    asked = TransferRequest(month, "740311")
    verdict = transfer.check_transfer(load_region(REGION), asked, [mover], employer(), receiving, TODAY)
    assert [each.code for each in verdict.problems] == ([code] if code else [])


@pytest.mark.parametrize(
    ("month", "refused", "told"),
    [("2025-01", [], ["counter.beyond_limits"]), ("2026-11", [], []), ("2099-01", ["counter.too_late"], [])],
)
def test_months_at_the_counter(month, refused, told):
    """What is sent to the window is taken there with a hint; what has yet to come closer is taken nowhere."""
    move = TransferRequest(month, "740311", channel="02")
    moved = transfer.check_transfer(
        load_region(REGION), move, [Mover("甲", insured("2024-01"))], employer(), employer("B"), TODAY
    )
    asked = TypeRequest("1102", month, channel="02")
    at = employer(funds=("310", "320"))
    changed = type_change.check_type_change(load_region(REGION), asked, insured("2024-01"), at, TODAY)
    for verdict in (moved, changed):
        assert [each.code for each in verdict.problems] == refused
        assert [each.code for each in verdict.warnings] == told


def test_a_transfer_takes_a_limited_number_and_says_what_is_lost():
    params, asked = load_region(REGION), TransferRequest("2026-11", "0990")
    many = [Mover(str(each), insured()) for each in range(301)]
    verdict = transfer.check_transfer(params, asked, many, employer(), employer("B"), TODAY)
    assert [each.code for each in verdict.problems] == ["employer_transfer.too_many"]
    nobody = transfer.check_transfer(params, asked, [], employer(), employer("B"), TODAY)
    assert [each.code for each in nobody.problems] == ["employer_transfer.nobody"]
    less = transfer.check_transfer(params, asked, many[:2], employer(), employer("B", funds=("310",)), TODAY)
    (warning,) = less.warnings
    assert (warning.code, warning.params["people"]) == ("employer_transfer.funds_lost", "0、1")
    assert asked.first_month == "2026-12"


def test_a_charge_and_its_difference_are_one_charge_again():
    key = ("2026-11", "310", "employer")
    sums = transfer.summed({}, key, Owed(800000, 48000, "0.06", None, False))
    sums = transfer.summed(sums, key, Owed(20000, 1200, "0.06", None, False))
    assert sums == {key: Owed(820000, 49200, "0.06", None, False)}
    # a rate that was announced late counts from then on, and so does a fixed amount
    sums = transfer.summed(sums, key, Owed(0, 4100, "0.065", None, False))
    assert sums == {key: Owed(820000, 53300, "0.065", None, False)}
    fixed = transfer.summed({}, key, Owed(820000, 500, None, 500, False))
    fixed = transfer.summed(fixed, key, Owed(0, 150, None, 150, False))
    assert fixed == {key: Owed(820000, 650, None, 650, False)}


@pytest.mark.parametrize(
    ("person", "at", "new", "month", "code"),
    [
        (insured(), employer(funds=("310", "330", "320")), "1102", "2026-11", ""),
        (insured(), employer(), "1102", "2026-11", "person_type_change.employer_fund"),
        (insured(), employer(), "1101", "2026-11", "person_type_change.same"),
        (insured(funds=("310", "320")), employer(), "1101", "2026-11", ""),
        (insured(person_type="1201"), employer(), "1102", "2026-11", "person_type_change.retiree"),
        (insured(number="C"), employer(), "1102", "2026-11", "stop.not_active"),
        (insured("2026-10"), employer(funds=("310", "320")), "1102", "2026-09", "base.before_start"),
        (
            insured("2024-01"),
            employer(funds=("310", "320")),
            "1102",
            "2025-01",
            "person_type_change.month_limits",
        ),
        (insured(), employer(funds=("310", "320")), "1102", "2027-02", "person_type_change.month_limits"),
    ],
)
def test_a_change_of_person_type(person, at, new, month, code):
    verdict = type_change.check_type_change(load_region(REGION), TypeRequest(new, month), person, at, TODAY)
    assert [each.code for each in verdict.problems] == ([code] if code else [])


@pytest.mark.parametrize(
    ("facts", "month", "codes"),
    [
        (ClosingFacts("active"), "2026-11", []),
        (ClosingFacts("paused"), "2026-10", []),
        (ClosingFacts("ended", 3), "2026-11", ["employer_closing.ended"]),
        (ClosingFacts("active"), "2026-12", ["employer_closing.future"]),
        (
            ClosingFacts("active", 1, ["stop"], 5),
            "2026-11",
            ["employer_closing.people", "employer_closing.open_case", "employer_closing.unpaid"],
        ),
    ],
)
def test_closing_an_employer(facts, month, codes):
    verdict = employer_status.check_closing(load_region(REGION), month, facts, TODAY)
    assert [each.code for each in verdict.problems] == codes


@pytest.mark.parametrize(
    ("action", "status", "fine"),
    [("pause", "active", True), ("pause", "paused", False), ("resume", "paused", True),
     ("resume", "active", False), ("pause", "ended", False), ("resume", "ended", False)],
)  # fmt: skip
def test_pausing_and_resuming(action, status, fine):
    assert employer_status.check_pausing(action, status).accepted is fine


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_the_kinds_and_blocks_none_for_arrears(region):
    params = load_region(region)
    kinds = (
        "person_merge",
        "employer_transfer",
        "person_type_change",
        "employer_closing",
        "employer_pausing",
    )
    assert all(params.offers(kind, "counter") for kind in kinds)
    assert params.offers("employer_transfer")
    assert not params.offers("employer_closing")
    assert not any(employer_status.blocked_by_arrears(params, kind, TODAY) for kind in ("enrol", "stop"))
    assert employer_status.overdue_before(params, TODAY) == "2026-10"


def test_what_collides_with_a_declaration_about_many():
    assert open_group("employer_transfer") == open_group("stop") == open_group("person_type_change")
    assert shares_objects("stop")
    assert not shares_objects("enrol")
