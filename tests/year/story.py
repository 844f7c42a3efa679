"""The year itself: every act is done in the product and told to the model, then both are compared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.services import declarations
from tests.year import compare
from tests.year.hands import Hands
from tests.year.model import Model
from tests.year.people import (
    NANJING,
    NANTONG,
    PLATFORM,
    SUZHOU,
    WEINAN,
    enrol_cells,
    enrol_form,
    funds_of,
    human,
    number_of,
    retirement_form,
    stop_form,
    withdrawal_form,
)
from tests.year.tariff import plus

PENSION = "4321.55"


def m(number: int) -> str:
    """A month of the year."""
    return f"2027-{number:02d}"


class Year:
    """One city's year."""

    def __init__(self, region: str) -> None:
        self.region, self.hands, self.model = region, Hands(region), Model(region)
        self.people = {place: human(region, place) for place in range(1, 31)}
        self.names = {each.name for each in self.people.values()}
        self.audited = region not in (SUZHOU, NANJING)

    # steps that come up again and again

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

    # the year

    def run(self) -> None:
        for part in (
            self.january, self.february, self.march, self.april, self.may, self.june, self.july, self.august,
            self.september, self.october, self.november, self.december,
        ):  # fmt: skip
            part()
            self.compare_all()
        compare.past(self.model, self.hands.employer_id, "2026-12", "2028-01")

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

    def july(self) -> None:
        """Somebody joins an assessed month; the undeclared are carried on; the month is run again."""
        self.hands.on(7, 12)
        self.enrol(28, m(7))
        self.enrol(27, m(7))
        self.hands.on(7, 15)
        if self.region != NANTONG:
            self.hands.at_the_counter("base_carry", {})
            self.model.carry_on(self.declared, m(7), m(5), self.today)
            self.done("base_carry", counter=True)
        self.hands.on(7, 20)
        self.assess(m(7))
        self.compare()

    def august(self) -> None:
        """July is paid sixteen days late."""
        self.hands.on(8, 10)
        self.compare()
        self.pay_all(m(7))
        self.compare()
        self.close_month(8)

    def september(self) -> None:
        """A long back-pay, a retirement behind an assessed month, a notice paid in two parts."""
        self.hands.on(9, 12)
        self.enrol(29, m(2) if self.region in (SUZHOU, NANJING) else m(8))
        self.hands.on(9, 20)
        self.assess(m(9))
        self.compare()
        self.hands.on(9, 22)
        self._retire()
        self.compare()
        self.hands.on(9, 24)
        self.pay(m(9), "normal", ("310",))
        self.compare()

    def _retire(self) -> None:
        who = self.people[5]
        if self.region == WEINAN:
            form = {**number_of(WEINAN, who), "stop_month": m(8), "stop_reason": "04"}
            self.hands.file("stop", form, ["identity_card", "retirement_approval"])
            self.model.retire(who.name, m(8), None, self.today, "stop")
            self.done("stop", 5)
            return
        form = retirement_form(who, "2027-08-31", PENSION)
        if self.region == NANJING:
            self.hands.file("retirement", form)
        else:
            self.hands.at_the_counter("retirement", form)
        self.model.retire(who.name, m(8), int(Decimal(PENSION) * 100), self.today)
        self.done("retirement", 5)

    def october(self) -> None:
        """The rest of September with its late fee; somebody changes employer or becomes a civil servant."""
        self.hands.on(10, 11)
        self.pay(m(9))
        self.compare()
        self.hands.on(10, 18)
        waiting = self._submit(3, m(10))
        self.hands.on(10, 20)
        self.assess(m(10))
        self.hands.on(10, 21)
        self._change()
        self.compare()
        self.hands.on(10, 24)
        self.pay_all(m(10))
        self.compare()
        self.hands.on(10, 26)
        if self.region in (*PLATFORM, NANTONG):
            self.declare(7, "9233", m(8))
            self.compare()
        self.hands.on(11, 3)
        self._approve(3, m(10), date(2027, 10, 18), waiting)

    def _submit(self, place: int, start: str) -> str:
        """Hand an enrolment over that somebody decides in the next month; where nobody does, it is done."""
        who = self.people[place]
        if not self.audited or self.region == WEINAN:
            self.enrol(place, start)
            return ""
        form = enrol_form(self.region, who, start)
        return declarations.file(self.hands.actor, "enrol", form, self.hands.now, submit_now=True).reference

    def _approve(self, place: int, start: str, filed: date, reference: str) -> None:
        """The start stays as it was submitted; what was assessed meanwhile is charged with the approval."""
        if reference:
            who = self.people[place]
            assert self.hands.decide(reference).status == "approved"
            self.model.enrol(who.name, start, who.wage_fen, filed, self.today)
            self.done("enrol", place)

    def _change(self) -> None:
        who = self.people[6]
        if self.region == NANTONG:
            form = {"id_number": who.number, "person_type": "1102", "from_month": m(9)}
            self.hands.at_the_counter("person_type_change", form)
            self.model.civil_servant(who.name, m(9), self.today)
            self.done("person_type_change", 6)
            return
        form = {
            "target_employer_no": self.hands.other_employer(), "transfer_month": m(9),
            "transfer_reason": "740311", "people": who.number,
        }  # fmt: skip
        self.hands.file("employer_transfer", form)
        self.model.move(who.name, m(9), self.today)
        self.done("employer_transfer", 6)

    def november(self) -> None:
        """A death in September is reported: October was paid, November is assessed."""
        self.hands.on(11, 20)
        self.assess(m(11))
        self.hands.on(11, 22)
        form = withdrawal_form(self.people[8], "2027-09-15")
        if self.region == NANJING:
            self.hands.file("withdrawal", form)
        else:
            self.hands.at_the_counter("withdrawal", form)
        assert self.model.die(self.name(8), date(2027, 9, 15), self.today) > 0
        self.done("withdrawal", 8)
        self.compare_all()
        self.hands.on(11, 24)
        self.pay_all(m(11))
        self.hands.pay_order()
        self.model.paid_out(self.name(8))

    def _stops_by_file(self, places: tuple[int, ...]) -> None:
        when = {
            NANTONG: {"stop_reason": "12-辞职"},
            WEINAN: {"stop_reason": "02-解除或终止劳动合同", "stop_month": "202712"},
            NANJING: {"stop_reason": "人员调动", "stop_date": "2027/12/31"},
        }.get(self.region, {"stop_reason": "辞职", "stop_date": "2027/12/31"})  # fmt: skip
        people = [self.people[place] for place in places]
        if self.region == NANTONG:
            content = self.hands.roster("stop", {who.number: when for who in people})
        else:
            card = {} if self.region == NANJING else {"id_type": "居民身份证(户口簿)"}
            cells = [{**card, "id_number": who.number, "name": who.name, **when} for who in people]
            content = self.hands.filled("stop", cells)
        self.hands.upload("stop", content, {}, len(people))
        for place in places:
            self.model.stop(self.name(place), m(12), self.today)
            self.done("stop", place)

    def december(self) -> None:
        """Somebody comes back; a stop still waits where somebody looks at it; the year's last dues."""
        self.hands.on(12, 12)
        self.enrol(2, m(12))
        self.enrol(30, m(12))
        self._stops_by_file((14, 15, 16))
        if self.audited and self.region != WEINAN:
            form = stop_form(self.region, self.people[9], m(12), 31)
            made = declarations.file(self.hands.actor, "stop", form, self.hands.now)
            self.model.list_("stop", made.status, self.name(9))
            assert made.status == ("pending" if self.region == NANTONG else "submitted")
        self.hands.on(12, 20)
        self.assess(m(12))
        self.assess(plus(m(12), 1))
        self.compare()
