"""Enrolments, stops, reverts and assessments interleaved at random, against a small model of the registry.

The model knows a person as one stretch after another and a set of charged months; it is worked out here
and nowhere in the product.
"""

from __future__ import annotations

import random
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from app.clock import to_utc
from app.errors import Rejected
from app.extensions import db
from app.services import declarations
from app.store.ids import new_id
from app.store.ledger import line_values
from app.store.models import ContributionLine, Enrolment
from app.store.session import insert_rows, transaction
from tests.services.conftest import citizen, rows, suzhou_form
from tests.services.test_stop import NANJING, SUZHOU, stop_form

STEPS = 22
MONTHS_BACK = 6
OPEN = "9999-12"
Stretch = tuple[str, str]


def shifted(month: str, count: int) -> str:
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + count, 12)
    return f"{year:04d}-{number + 1:02d}"


def span(first: str, last: str) -> list[str]:
    found = []
    while first <= last:
        found.append(first)
        first = shifted(first, 1)
    return found


@dataclass(frozen=True)
class State:
    """Who is insured from when to when (9999-12 goes on), and which months carry which kind of charge."""

    stretches: frozenset[Stretch] = frozenset()
    normal: frozenset[str] = frozenset()
    backpaid: frozenset[str] = frozenset()

    @property
    def going_on(self) -> Stretch | None:
        return next((each for each in self.stretches if each[1] == OPEN), None)


@dataclass
class Model:
    """One person of one city; `done` are the acts that still stand, with the state before each."""

    state: State = field(default_factory=State)
    done: list[tuple[str, str, State]] = field(default_factory=list)
    reverted_on: str = ""

    def enrol(self, start: str, month: str) -> bool:
        old = self.state
        if start > shifted(month, 1) or any(last >= start for _, last in old.stretches):
            return False
        earliest = max(start, shifted(month, 1 - MONTHS_BACK))
        paid = {each for each in span(earliest, month) if each not in old.normal | old.backpaid}
        new = State(old.stretches | {(start, OPEN)}, old.normal, old.backpaid | paid)
        return self._did("enrol", month, new)

    def stop(self, last: str, month: str, allowed: list[str]) -> bool:
        old, going = self.state, self.state.going_on
        if going is None:
            return False
        start = going[0]
        if start > max(last, month):
            kept = old.stretches - {going}
        elif last not in allowed or last < start:
            return False
        else:
            kept = old.stretches - {going} | {(start, last)}
        normal = frozenset(each for each in old.normal if each <= last)
        return self._did("stop", month, State(kept, normal, old.backpaid))

    def revert(self, kind: str, today: str) -> bool:
        month = today[:7]
        if self.reverted_on == today or not self.done or self.done[-1][:2] != (kind, month):
            return False
        self.state = self.done.pop()[2]
        self.reverted_on = today
        return True

    def assess(self, month: str) -> bool:
        covered = any(first <= month <= last for first, last in self.state.stretches)
        if not covered or month in self.state.normal | self.state.backpaid:
            return False
        old = self.state
        self.state = State(old.stretches, old.normal | {month}, old.backpaid)
        # what is reverted later takes its own months along, what came before it keeps its months
        self.done = [
            (
                kind,
                at,
                before
                if kind == "enrol"
                else State(before.stretches, before.normal | {month}, before.backpaid),
            )
            for kind, at, before in self.done
        ]
        return True

    def _did(self, kind: str, month: str, new: State) -> bool:
        self.done.append((kind, month, self.state))
        self.state = new
        return True


def found_state(person_id: int | None, fund: str = "310") -> State:
    """The registry as the model speaks of it; the sums must agree with what stands."""
    if person_id is None:
        return State()
    stretches = {
        (row.from_month, row.to_month or OPEN)
        for row in rows(Enrolment, person_id=person_id, fund=fund)
        if row.status == "active"
    }
    lines = rows(ContributionLine, person_id=person_id, fund=fund, party="employer")
    standing = [line for line in lines if line.reversed_by_id is None]
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.accrual_month] = sums.get(line.accrual_month, 0) + line.amount_fen
    assert {month for month, total in sums.items() if total} == {line.accrual_month for line in standing}
    assert len({line.accrual_month for line in standing}) == len(standing)
    return State(
        frozenset(stretches),
        frozenset(line.accrual_month for line in standing if line.due_type == "10"),
        frozenset(line.accrual_month for line in standing if line.due_type == "31"),
    )


def assess(actor, region: str, person_id: int, month: str, now: datetime) -> None:
    """Charge a month as the monthly assessment does, by one line."""
    line = line_values(
        region=region, person_id=person_id, employer_id=actor.employer_id, fund="310", party="employer",
        due_type="10", due_month=month, accrual_month=month, base_fen=800000, rate="0.06", fixed_fen=None,
        amount_fen=48000, declaration_id=None, created_at_utc=to_utc(now),
    )  # fmt: skip
    assert line["id"] < new_id()
    with transaction():
        insert_rows(ContributionLine, [line])


class City:
    """How a city's forms are filled, and which months its stops may end."""

    def __init__(self, region: str, actor) -> None:
        self.region = region
        self.actor = actor

    def enrol_form(self, found, start: str) -> dict:
        if self.region == SUZHOU:
            return suzhou_form(found, f"{start}-01")
        return {
            "id_number": found.id_number, "start_date": f"{start}-01", "phone": "13900000000",
            "wage_yuan": "8000", "funds": ["310", "510", "330", "410"],
        }  # fmt: skip

    def stop_form(self, found, last: str) -> dict:
        day = monthrange(int(last[:4]), int(last[5:]))[1]
        return stop_form(found, self.region, stop_date=f"{last}-{day}")

    def stop_months(self, month: str) -> list[str]:
        if self.region == SUZHOU:
            return [shifted(month, -1), month]
        return span(shifted(month, -12), shifted(month, 1))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("region", "city"), [(SUZHOU, "suzhou"), (NANJING, "nanjing")])
def test_the_registry_is_what_the_model_says_after_every_step(person, now, region, city, seed):
    chance = random.Random(f"{region}-{seed}")
    here = City(region, person(f"{city}.handler"))
    found = citizen(region, "not_insured", seed % 12)
    model, moment, person_id = Model(), now, None
    acts = ["enrol", "enrol", "stop", "stop", "assess"] + ["revert", "revert"] * (region == NANJING)
    accepted = 0
    for _step in range(STEPS):
        # some acts on one day, then a day or a few weeks later, never in the first days of a month
        moment += timedelta(days=chance.choice([0, 0, 1, 9]))
        moment = moment if moment.day >= 11 else moment.replace(day=11)
        month = f"{moment:%Y-%m}"
        act, other = chance.choice(acts), shifted(month, chance.choice([-2, -1, 0, 0, 1]))
        if act == "assess":
            if model.assess(month):
                assess(here.actor, region, person_id, month, moment)
            continue
        kind = chance.choice(["enrol", "stop"])
        if act == "enrol":
            expected, form = model.enrol(other, month), here.enrol_form(found, other)
        elif act == "stop":
            expected, form = model.stop(other, month, here.stop_months(month)), here.stop_form(found, other)
        else:
            expected = model.revert(kind, f"{moment:%Y-%m-%d}")
            form = {"revert_type": kind, "id_number": found.id_number}
        try:
            receipt = declarations.file(here.actor, act, form, moment)
            done = receipt.status == "done"
        except Rejected as refused:
            done = False
            words = [error.code for error in refused.errors]
        assert done == expected, (act, other, kind, moment, model, None if done else words)
        accepted += done
        if done and person_id is None:
            person_id = declarations.get_case(here.actor, receipt.reference, moment).person_id
        assert found_state(person_id) == model.state, (act, other, moment)
        db.session.rollback()
    assert accepted >= 2
