"""January to June: a unit begins, mistakes are taken back, back-pay, stops, and the season of bases."""

from __future__ import annotations

from decimal import Decimal

from app.services import declarations
from tests.year.acts import Acts, m
from tests.year.people import (
    NANJING,
    NANTONG,
    PLATFORM,
    SUZHOU,
    WEINAN,
    enrol_cells,
    enrol_form,
    funds_of,
)


class FirstHalf(Acts):
    """One city's year up to the season of bases."""

    def january(self) -> None:
        """A new unit registers and insures its first sixteen people, ten of them by a file."""
        self.hands.on(1, 4)
        self.hands.register()
        if self.region != NANTONG:
            self.model.list_("employer_registration", "approved")
        else:
            self.model.list_("employer_opening", "approved")
        self._known()
        self.hands.on(1, 12)
        for place in range(1, 7):
            self.enrol(place, m(1))
        self.hands.on(1, 13)
        self._enrol_by_file(range(11, 21), m(1))
        self.compare()
        self.close_month(1)

    def _known(self) -> None:
        """Where nobody is insured who has no record: the record comes first."""
        if self.region == NANTONG:
            for place, who in self.people.items():
                form = {
                    "id_type": "01", "id_number": who.number, "name": who.name, "ethnicity": "01",
                    "phone": "13900000000",
                }  # fmt: skip
                self.hands.at_the_counter("person_record", form)
                self.done("person_record", place, counter=True)
        if self.region == NANJING:
            cells = [
                {"id_number": who.number, "name": who.name, "ethnicity": "汉族", "phone": "13900000000"}
                for who in self.people.values()
            ]
            self.hands.upload("person_record", self.hands.filled("person_record", cells), {}, len(cells))
            for place in self.people:
                self.done("person_record", place)

    def _enrol_by_file(self, places: range, start: str) -> None:
        if self.region == WEINAN:
            # the manual has no file for enrolments
            for place in places:
                self.enrol(place, start)
            return
        cells = [enrol_cells(self.region, self.people[place], start) for place in places]
        settings: dict[str, list[str]] = {} if self.region == NANTONG else {"funds": funds_of(self.region)}
        if self.region == SUZHOU:
            settings["start_date"] = [f"{start}-01"]
        self.hands.upload("enrol", self.hands.filled("enrol", cells), settings, len(cells))
        for place in places:
            who = self.people[place]
            self.model.enrol(who.name, start, who.wage_fen, self.today)
            self.done("enrol", place)

    def february(self) -> None:
        """One comes with this month, one should have been insured since January."""
        self.hands.on(2, 3)
        self.enrol(7, m(2))
        self.hands.on(2, 12)
        self.enrol(8, m(1))
        self.compare()
        self.close_month(2)

    def march(self) -> None:
        """Mistakes that are taken back the same day, each city's own way, and two people more."""
        self.hands.on(3, 12)
        self.enrol(9, m(3))
        self.enrol(10, m(3))
        self._mistake()
        self.compare()
        self.close_month(3)
        if self.region == NANJING:
            self._reverted_stop()

    def _mistake(self) -> None:
        who, hands = self.people[30], self.hands
        if self.region == SUZHOU:
            # from next month on: a stop cancels what has not begun
            self.enrol(30, m(4))
            self.stop(30, m(3), 31)
            return
        if self.region == NANJING:
            self.enrol(30, m(2))
            hands.on(3, 12, 15)
            hands.file("revert", {"revert_type": "enrol", "id_number": who.number})
            self.model.revert_enrolment(who.name, self.today)
            self.done("revert", 30)
            return
        made = declarations.file(hands.actor, "enrol", enrol_form(self.region, who, m(3)), hands.now)
        if self.region in PLATFORM:
            declarations.recall(hands.actor, made.reference, hands.now)
            self.model.list_("enrol", "recalled", who.name)
        else:
            assert declarations.discard(hands.actor, [made.reference], hands.now).done == 1
            self.model.list_("enrol", "discarded", who.name)
        self._refused()

    def _refused(self) -> None:
        """The auditor says no: nothing happens."""
        who, hands = self.people[29], self.hands
        if self.region == WEINAN:
            return
        made = declarations.file(
            hands.actor, "enrol", enrol_form(self.region, who, m(3)), hands.now, submit_now=True
        )
        assert (
            hands.decide(made.reference, decision="reject", why="不符合参保条件，不予办理").status
            == "rejected"
        )
        self.model.list_("enrol", "rejected", who.name)

    def _reverted_stop(self) -> None:
        """A stop with last month's end, after the assessment, undone the same afternoon."""
        self.hands.on(3, 25)
        self.assess(m(4))
        self.stop(1, m(3), 31)
        self.compare()
        self.hands.on(3, 25, 16)
        self.hands.file("revert", {"revert_type": "stop", "id_number": self.people[1].number})
        self.model.revert_stop(self.name(1), m(3), self.today)
        self.done("revert", 1)
        self.compare()

    def april(self) -> None:
        """Back-pay and its cancellation, and somebody who comes after the month was assessed."""
        self.hands.on(4, 12)
        for place in (21, 22, 23):
            self.enrol(place, m(4))
        self._backpay()
        self.compare()
        self.hands.on(4, 20)
        self.assess(m(4))
        self.hands.on(4, 22)
        self.enrol(25, m(4))
        self.compare()
        self.hands.on(4, 24)
        self.pay_all(m(4))
        self.compare()

    def _backpay(self) -> None:
        who = self.people[24]
        self.enrol(24, m(1))
        if self.region in PLATFORM:
            self.declare(24, who.wage, m(1), m(2))
            self.declare(24, "6100", m(3), m(3))
            self._collect(m(1), m(3))
        months = {"from_month": m(1), "to_month": m(2)}
        form = {"id_type": "01", "id_number": who.number, **months}
        if self.region in (NANTONG, WEINAN):
            # neither offers a cancellation
            return
        self.compare()
        if self.region == SUZHOU:
            self.hands.file("collection_cancel", form)
        else:
            self.hands.at_the_counter("collection_cancel", form)
        self.model.cancel_collection(who.name, m(1), m(2), self.today)
        self.done("collection_cancel", 24, counter=self.region != SUZHOU)

    def _collect(self, first: str, last: str) -> None:
        form = {"id_type": "01", "id_number": self.people[24].number, "from_month": first, "to_month": last}
        if self.region in PLATFORM:
            self.hands.file("collection", form)
        else:
            self.hands.at_the_counter("collection", form)
        self.model.collect(self.name(24), first, last, self.today)
        self.done("collection", 24, counter=True)

    def may(self) -> None:
        """The months that were cancelled are collected after all; stops before, within and after the dues."""
        self.hands.on(5, 12)
        if self.region not in (NANTONG, WEINAN):
            self._collect(m(1), m(2))
        self.stop(2, m(5), 31)
        self.compare()
        self.hands.on(5, 20)
        self.assess(m(5))
        if self.region != NANTONG:
            # the month is assessed, not paid: reversed
            self.hands.on(5, 22)
            self.stop(3, m(4), 30)
            self.compare()
        self.hands.on(5, 24)
        self.pay_all(m(5))
        if self.region != NANTONG:
            # and now it is paid: refunded
            self.hands.on(5, 26)
            self.stop(4, m(4), 30)
        self.compare()

    def june(self) -> None:
        """July is assessed ahead, then the season's bases change it."""
        self.hands.on(6, 12)
        self.enrol(26, m(6))
        self.close_month(6)
        self.hands.on(6, 25)
        self.assess(m(7))
        self.compare()
        self.hands.on(6, 26)
        self._season()
        self.compare()
        if self.region == NANTONG:
            # only this month's end can be chosen: July is what goes beyond it
            self.stop(3, m(6), 30)
            self.compare()
            self.pay(m(7))
            self.stop(4, m(6), 30)
        self.hands.on(6, 28)
        self.enrol(27, m(7))
        self.compare()
        self.hands.on(6, 29)
        # it has not begun: it never takes effect, and neither does the month that is charged already
        self.stop(27, m(6), 30)

    def _season(self) -> None:
        """New bases for twelve people by the region's file; out of the bounds where it clips."""
        kind = "base" if self.region == NANTONG else "base_annual"
        new = {place: f"{5600 + 373 * place}" for place in range(10, 22)}
        if self.region not in (NANTONG, WEINAN):
            new |= {11: "2500", 12: "40000", 13: "7123.45"}
        settings: dict[str, list[str]] = {}
        if self.region == WEINAN:
            settings = {"staff_group": ["active"], "declared_month": ["202706"]}
        more = {"from_month": "202707"} if self.region == NANTONG else {}
        rows = {self.people[place].number: {"wage_yuan": wage, **more} for place, wage in new.items()}
        if self.region == WEINAN:
            # an empty file: the others bring the roster
            cells = [{"id_number": number, **row} for number, row in rows.items()]
            cells = [{**row, "name": self.name(place)} for row, place in zip(cells, new, strict=True)]
            content = self.hands.filled(kind, cells)
        else:
            content = self.hands.roster(kind, rows)
        self.hands.upload(kind, content, settings, len(new))
        for place, wage in new.items():
            fen = int(Decimal(wage) * 100)
            self.model.declare(self.name(place), fen, m(7), None, self.today, kind)
            self.done(kind, place)
        self.declared = {self.name(place) for place in new}
