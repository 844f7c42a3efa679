"""Late figures by case file: what a charged month owes more or less once another value is published."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal

import pytest

from app.domain.adjustment import Cover, differences, insured_in
from app.domain.assessment import Insured, charges
from app.domain.base import WageSpan
from app.domain.contribution import tariff
from app.domain.money import format_yuan, from_fen, to_fen
from app.domain.parameters import from_documents
from tests.domain.regions import document as region_document
from tests.golden.cases import document

CASES = document("adjustment")
MONTH, PERSON = "2026-08", 7


@dataclass(frozen=True)
class Line:
    id: int
    fund: str
    party: str
    due_type: str
    base_fen: int
    rate: str | None
    amount_fen: int
    retired: bool = False
    wage_fen: int | None = None
    taken_back: bool = False


def params_with(region: str, *changed: dict):
    """The region's own file, with other values in place of all that it says of some names."""
    found = deepcopy(region_document(region))
    for name, value in {key: value for each in changed for key, value in each.items()}.items():
        unit = "ratio" if name.endswith("rate") else "yuan"
        found["parameters"][name] = [{"from": "2001-01", "value": value, "unit": unit, "source": "demo"}]
    return from_documents(found, region_document("common"))


def due(params, insured, month):
    def rules(month, status, funds):
        return tariff(params, month, status, funds)

    return charges(rules, insured, month)


def rows(found, first_id, due_type=""):
    return [
        Line(
            first_id + place, each.line.fund, each.line.party, due_type or each.due_type, each.line.base_fen,
            each.line.rate or None, each.line.amount_fen, each.retired, each.wage_fen,
        )
        for place, each in enumerate(found)
    ]  # fmt: skip


def sums(lines, what="amount_fen"):
    found = Counter()
    for line in lines:
        found[line.fund, line.party] += getattr(line, what)
    return {key: total for key, total in found.items() if total}


def shown(each) -> str:
    line = each.line
    base, amount = (format_yuan(from_fen(fen)) for fen in (line.base_fen, line.amount_fen))
    return f"{line.fund} {line.party} {each.due_type} {base} {line.rate or '-'} {amount}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_adjustment_cases(case) -> None:
    region, month = case.get("region", "320500"), case.get("month", MONTH)
    retired = case.get("status") == "retired"
    funds = case.get("funds", ["310", "330", "510"])
    wage, wage_now = (to_fen(Decimal(case.get(name, case["wage"]))) for name in ("wage", "wage_now"))
    old = [Insured(PERSON, fund, retired, wage) for fund in funds]
    covers = [
        Cover(place, "2020-01", None, True, Insured(PERSON, fund, retired, wage_now))
        for place, fund in enumerate(funds)
    ]
    lines = rows(due(params_with(region, case.get("was", {})), old, month), 100, "10")
    found = []
    stages = [case.get("now", {})] + ([case["then"]] if "then" in case else [])
    for stage in stages:
        params = params_with(region, case.get("was", {}), stage)
        wanted = due(params, insured_in(PERSON, month, lines, covers), month)
        found = differences(wanted, lines)
        lines += rows(found, 1000 * len(lines))
        assert sums(lines) == {(c.line.fund, c.line.party): c.line.amount_fen for c in wanted}
        again = due(params, insured_in(PERSON, month, lines, covers), month)
        assert not differences(again, lines), "a second look finds nothing"
    assert [shown(each) for each in found] == case["expect"]
    if any(each.due_type == "34" or each.line.base_fen for each in found):
        held, bases = sums(lines, "base_fen"), {(c.line.fund, c.line.party): c.line.base_fen for c in wanted}
        assert all(
            held.get(key, 0) == bases.get(key, 0) for key in {(e.line.fund, e.line.party) for e in found}
        )


def test_a_base_declared_in_the_middle_counts_for_its_months():
    spans = (WageSpan(1, "base", "2026-08", "2026-08", 2_000_000),)
    cover = Cover(1, "2020-01", None, True, Insured(PERSON, "510", False, 400_000, spans))
    (august,) = due(params_with("320500"), insured_in(PERSON, "2026-08", _one("510"), [cover]), "2026-08")
    (september,) = due(params_with("320500"), insured_in(PERSON, "2026-09", _one("510"), [cover]), "2026-09")
    assert (august.line.base_fen, september.line.base_fen) == (2_000_000, 506_000)


def _one(fund, **more):
    return [Line(**{"id": 9, "fund": fund, "party": "employer", "due_type": "10", "base_fen": 800_000,
                    "rate": "0.008", "amount_fen": 6400} | more)]  # fmt: skip


def test_paid_back_and_stopped_since_the_wage_is_that_of_the_newest_line():
    stopped = Cover(1, "2026-01", "2026-05", True, Insured(PERSON, "510", False, 400_000))
    lines = _one("510", due_type="31", wage_fen=900_000) + _one(
        "510", id=10, due_type="34", base_fen=100, amount_fen=1, wage_fen=950_000
    )
    assert insured_in(PERSON, MONTH, lines, [stopped]) == [Insured(PERSON, "510", False, 950_000)]
    bare = _one("510", due_type="31")
    assert insured_in(PERSON, MONTH, bare, []) == [Insured(PERSON, "510", False, 800_000)]


def test_a_charge_that_was_taken_back_is_owed_no_more_and_what_stands_of_it_goes():
    gone = _one("510", taken_back=True)
    assert insured_in(PERSON, MONTH, gone, [_cover("510")]) == []
    assert differences([], gone) == []
    left = [*gone, *_one("510", id=10, due_type="34", base_fen=100, amount_fen=1)]
    (only,) = differences([], left)
    assert shown(only) == "510 employer 35 -1.00 0 -0.01"


def _cover(fund, **more):
    values = {"id": 1, "from_month": "2020-01", "to_month": None, "active": True}
    return Cover(**values | more, insured=Insured(PERSON, fund, False, 800_000))


@pytest.mark.parametrize(
    ("cover", "counts"),
    [
        ({}, True),
        ({"id": 500}, False),  # enrolled after the month had been charged: left to a collection
        ({"from_month": "2026-09"}, False),
        ({"to_month": "2026-07"}, False),
        ({"active": False}, False),
    ],
)
def test_a_fund_without_lines_counts_where_the_person_was_enrolled_in_it_by_then(cover, counts):
    found = insured_in(PERSON, MONTH, _one("510"), [_cover("510"), _cover("410", **cover)])
    assert [each.fund for each in found] == (["410", "510"] if counts else ["510"])


def test_a_fund_whose_charge_was_taken_back_is_not_charged_again():
    lines = [*_one("510"), *_one("410", taken_back=True)]
    assert [each.fund for each in insured_in(PERSON, MONTH, lines, [_cover("510"), _cover("410")])] == ["510"]
