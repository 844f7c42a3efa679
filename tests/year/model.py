"""A year of an employer worked out a second time: who is insured, what is owed, what was filed.

It knows the cities' rules as the manuals and the rules about them say, and their figures from the parameter
files. It imports nothing of the product: a wrong rule there must show here. Money is whole fen, months are
`YYYY-MM`, people go by their names.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from tests.matrix.model import month, plus, span
from tests.year.ledger import Ledger
from tests.year.rows import BACKPAY, DIFFERENCE, HERE, NEVER, THERE, Line


@dataclass(frozen=True)
class Rules:
    """What a city does with past months when somebody is enrolled.

    `backpay`: none (the platform: another declaration collects them), at_once (Suzhou and Nanjing, at most
    six months back; Suzhou counts this month from its 7th day on) or assessed (Nantong and Weinan: with the
    approval, whatever has been assessed without the person).
    """

    backpay: str
    this_month_from: int = 1


RULES = {
    "320600": Rules("assessed"),
    "610500": Rules("assessed"),
    "320800": Rules("none"),
    "320700": Rules("none"),
    "320500": Rules("at_once", 7),
    "320100": Rules("at_once"),
}


class Model(Ledger):
    """The employer's registry, ledger and list of declarations."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.rules = RULES[code]

    # what is filed, and done with it

    def list_(self, kind: str, status: str, who: str = "") -> None:
        self.filed.append((kind, status, who))

    def enrol(self, who: str, start: str, wage: int, filed: date, decided: date | None = None) -> None:
        """Enrol in all funds of everybody, with the past months that the city charges at once."""
        decided = decided or filed
        for fund in self.city.funds:
            self._begin(who, fund, "1101", start, wage, "enrol")
        for when in self._paid_back(start, filed):
            self._charge(who, when, BACKPAY, month(decided), "enrol")
        self._late(who, month(filed), decided, "enrol")

    def _paid_back(self, start: str, filed: date) -> list[str]:
        if self.rules.backpay == "none":
            return []
        if self.rules.backpay == "assessed":
            return sorted(each for each in self.assessed if each >= start)
        last = month(filed) if filed.day >= self.rules.this_month_from else plus(month(filed), -1)
        return span(max(start, plus(last, -5)), last)

    def _late(self, who: str, since: str, decided: date, by: str, again: set[str] = frozenset()) -> None:
        """Whoever joins or turns in an assessed month is charged by his own declaration."""
        for when in sorted(self.assessed):
            if when >= since or when in again:
                self._charge(who, when, BACKPAY, month(decided), by)

    def _end(self, who: str, last: str, filed: date) -> None:
        for each in self.of(who):
            if each.first > max(last, month(filed)):
                # it has not begun: it never takes effect
                each.active, each.last = False, plus(each.first, -1)
            else:
                each.last = last

    def stop(self, who: str, last: str, filed: date, decided: date | None = None) -> None:
        """End with a month; dues beyond it are taken back, months that were paid back stay."""
        self._end(who, last, filed)
        beyond = [each for each in self.carried(who, last) if each.kind != BACKPAY or each.early]
        self.take_back(beyond, decided or filed, "stop")

    def retire(self, who: str, last: str, pension: int | None, filed: date, by: str = "retirement") -> None:
        """Charged as employed through the month, a retiree from the next; the pension is the base then."""
        going = self.of(who)
        for each in going:
            each.last = last
        months = self.take_back(self.carried(who, last), filed, by)
        for each in going:
            if each.fund in self.city.retirees_funds:
                self._begin(who, each.fund, "1201", plus(last, 1), pension or each.wage, by)
        self._late(who, month(filed), filed, by, months)

    def paid_out(self, who: str) -> None:
        """The order to pay the account out was carried out."""
        self.payouts = [
            (name, amount, "paid" if name == who else state) for name, amount, state in self.payouts
        ]

    def die(self, who: str, died: date, reported: date) -> int:
        """Months after the death are taken back, whatever they were; the account is paid out."""
        last = month(died)
        self._end(who, last, reported)
        self.take_back(self.carried(who, last), reported, "withdrawal")
        self.deaths[who] = died
        left = self.balance(who)
        if left:
            self.payouts.append((who, left, "issued"))
        return left

    def declare(self, who: str, wage: int, first: str, last: str | None, filed: date, by: str) -> None:
        """A base for months: later assessments take it, charged months get the difference."""
        going = self.of(who)
        for each in going:
            each.wages.append((first, last, wage))
            if last is None or last >= month(filed):
                each.wage, each.base = wage, self.city.base(wage, first)
        retired = going[0].retired
        sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for each in self.carried(who, plus(first, -1)):
            if each.accrual <= (last or NEVER) and each.retired == retired:
                sums[each.accrual, each.fund, each.party][0] += each.base
                sums[each.accrual, each.fund, each.party][1] += each.amount
        for when in sorted({key[0] for key in sums}):
            funds = [each.fund for each in going]
            new = self.city.lines(funds, self.city.base(wage, when), when, "active")
            for fund, party, base, rate, _fixed, amount in new:
                if rate and (when, fund, party) in sums:
                    base0, amount0 = sums[when, fund, party]
                    if amount != amount0:
                        self.lines.append(
                            Line(
                                who, fund, party, DIFFERENCE, when, month(filed), base - base0, rate, None,
                                amount - amount0, by, retired, wage,
                            )
                        )  # fmt: skip

    def carry_on(self, declared: set[str], year: str, season: str, filed: date) -> None:
        """The undeclared keep their old base; whoever came since the season began keeps the wage."""
        for who in sorted({each.who for each in self.stretches if each.at == HERE}):
            going = [each for each in self.of(who) if not each.retired]
            if going and who not in declared:
                since = min(each.first for each in going)
                wage = going[0].wage if since >= season else going[0].base
                self.declare(who, wage, year, None, filed, "base_carry")

    def collect(self, who: str, first: str, last: str, filed: date) -> None:
        """Past months that carry no charge yet, each in default from its own due day."""
        for when in span(first, last):
            self._charge(who, when, BACKPAY, month(filed), "collection", self.city.due_day(when))

    def cancel_collection(self, who: str, first: str, last: str, filed: date) -> None:
        """Back-pay that was not paid in is taken back, with the corrections of its months."""
        chosen = [each for each in self.carried(who) if first <= each.accrual <= last]
        months = {each.accrual for each in chosen if each.kind == BACKPAY}
        self.take_back([each for each in chosen if each.accrual in months], filed, "collection_cancel")

    def move(self, who: str, last: str, filed: date) -> None:
        """To another employer without a gap, with the wage of then; charged months move along."""
        for each in self.of(who):
            each.last = last
            base = self.city.base(each.wage_in(plus(last, 1)), plus(last, 1))
            made = self._begin(
                who, each.fund, each.kind, plus(last, 1), each.wage_in(plus(last, 1)), "employer_transfer"
            )
            made.at, made.base = THERE, base
        sums: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
        beyond = self.carried(who, last)
        for each in beyond:
            held = sums[each.accrual, each.fund, each.party, each.rate, each.fixed]
            held[0], held[1] = held[0] + each.base, held[1] + each.amount
        self.take_back(beyond, filed, "employer_transfer")
        for (when, fund, party, rate, fixed), (base, amount) in sums.items():
            self.lines.append(
                Line(
                    who, fund, party, BACKPAY, when, month(filed), base, rate, fixed, amount,
                    "employer_transfer", at=THERE,
                )
            )  # fmt: skip

    def civil_servant(self, who: str, first: str, filed: date) -> None:
        """The civil servants' fund joins from a month on, on the base that each month carries."""
        going = self.of(who)
        self.civil[who] = first
        for each in going:
            each.kind = "1102"
        bases: dict[str, int] = defaultdict(int)
        for each in self.carried(who, plus(first, -1)):
            if (each.fund, each.party) == ("310", "employer"):
                bases[each.accrual] += each.base
        medical = next(each for each in going if each.fund == "310")
        made = self._begin(who, "320", "1102", first, medical.wage, "person_type_change")
        made.base = medical.base
        for when, base in sorted(bases.items()):
            for fund, party, shown, rate, fixed, amount in self.city.lines(["320"], base, when, "active"):
                self.lines.append(
                    Line(
                        who, fund, party, BACKPAY, when, month(filed), shown, rate, fixed, amount,
                        "person_type_change",
                    )
                )  # fmt: skip

    def revert_enrolment(self, who: str, day: date) -> None:
        """As if it had never been: what was charged on it is taken back."""
        for each in self.of(who):
            each.active, each.last = False, plus(each.first, -1)
        self.take_back(self.carried(who), day, "revert")

    def revert_stop(self, who: str, last: str, day: date) -> None:
        """The insurance goes on; what the stop took back stands again, by a third line."""
        for each in self.stretches:
            if each.who == who and each.last == last and each.active:
                each.last = None
        for each in [line for line in self.lines if line.who == who and line.by == "stop"]:
            first = each.takes_back
            assert first is not None
            made = Line(
                who, each.fund, each.party, each.kind, each.accrual, month(day), each.base, each.rate,
                each.fixed, -each.amount, "revert", each.retired, takes_back=each, back=each,
            )  # fmt: skip
            each.back, first.back = made, None
            self.lines.append(made)
