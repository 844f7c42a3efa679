"""Acts that come up again and again: done in the product, told to the model, then both are compared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.year import compare
from tests.year.hands import Hands
from tests.year.model import Model
from tests.year.people import NANJING, SUZHOU, enrol_form, human, number_of, stop_form


def m(number: int) -> str:
    """A month of the year."""
    return f"2027-{number:02d}"


class Acts:
    """What an employer of a city does, in both."""

    def __init__(self, region: str) -> None:
        self.region, self.hands, self.model = region, Hands(region), Model(region)
        self.people = {place: human(region, place) for place in range(1, 31)}
        self.names = {each.name for each in self.people.values()}
        self.audited = region not in (SUZHOU, NANJING)

    @property
    def today(self) -> date:
        return self.hands.today

    def name(self, place: int) -> str:
        return self.people[place].name

    def done(self, kind: str, place: int | None = None, counter: bool = False) -> None:
        """An act that went its whole way is in the list of what is done or approved."""
        online = {"enrol", "stop", "base_annual", "person_record", "revert", "collection_cancel"}
        at_once = not counter and not self.audited and kind in online
        self.model.list_(kind, "done" if at_once else "approved", "" if place is None else self.name(place))

    def enrol(self, place: int, start: str) -> None:
        who = self.people[place]
        self.hands.file("enrol", enrol_form(self.region, who, start))
        self.model.enrol(who.name, start, who.wage_fen, self.today)
        self.done("enrol", place)

    def stop(self, place: int, last: str, day: int) -> None:
        who = self.people[place]
        self.hands.file("stop", stop_form(self.region, who, last, day))
        self.model.stop(who.name, last, self.today)
        self.done("stop", place)

    def declare(self, place: int, wage: str, first: str, last: str | None = None) -> None:
        """A base for some months, where the city has that on line."""
        form = {**number_of(self.region, self.people[place]), "from_month": first, "wage_yuan": wage}
        self.hands.file("base", {**form, **({"to_month": last} if last else {})})
        self.model.declare(self.name(place), int(Decimal(wage) * 100), first, last, self.today, "base")
        self.done("base", place)

    def assess(self, month: str) -> None:
        self.hands.assess(month)
        self.model.assess(month)

    def pay(self, month: str, kind: str = "normal", funds: tuple[str, ...] = ()) -> None:
        self.hands.pay(month, kind, funds)
        self.model.pay((month, kind), self.today, funds)

    def pay_all(self, until: str) -> None:
        """Pay every notice of the months up to one of which something is open."""
        waiting = {
            each.notice for each in self.model.lines if each.notice and each.counts and not each.received
        }
        for due, kind in sorted(waiting):
            if due <= until:
                self.pay(due, kind)

    def compare(self) -> None:
        """Registry and ledger, row by row."""
        compare.rows(self.model, self.hands.employer_id, self.names)

    def compare_all(self) -> None:
        """And what is made of them: notices, accounts, lists."""
        compare.everything(self.model, self.hands.employer_id, self.names, self.hands.now)

    def close_month(self, number: int) -> None:
        """The 20th: the month is assessed. The 24th: what is due is paid. Then both must agree."""
        self.hands.on(number, 20)
        self.assess(m(number))
        self.hands.on(number, 24)
        self.pay_all(m(number))
