"""The year itself: every act is done in the product and told to the model, then both are compared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.services import declarations
from tests.matrix.model import plus
from tests.year import compare
from tests.year.acts import m
from tests.year.first_half import FirstHalf
from tests.year.people import (
    NANJING,
    NANTONG,
    PLATFORM,
    SUZHOU,
    WEINAN,
    enrol_form,
    number_of,
    retirement_form,
    stop_form,
    withdrawal_form,
)

PENSION = "4321.55"


class Year(FirstHalf):
    """One city's year."""

    def run(self) -> None:
        for part in (
            self.january, self.february, self.march, self.april, self.may, self.june, self.july, self.august,
            self.september, self.october, self.november, self.december,
        ):  # fmt: skip
            part()
            self.compare_all()
        compare.past(self.model, self.hands.employer_id, "2026-12", "2028-01")

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
