"""A year of an employer worked out a second time: who is insured, what is owed, what was filed.

It knows the cities' rules as the manuals and the rules about them say, and their figures from the parameter
files. It imports nothing of the product: a wrong rule there must show here. Money is whole fen, months are
`YYYY-MM`, people go by their names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date

from tests.year.tariff import ALLOCATED, PAID_IN, City, month, plus, span

NORMAL, REFUND, BACKPAY, DIFFERENCE = "10", "20", "31", "34"
CHARGE = (NORMAL, BACKPAY)  # what charges a month; a month is charged once
CORRECTED = (NORMAL, BACKPAY, DIFFERENCE)  # what a month carries
HERE, THERE = "here", "there"
NEVER = "9999-12"


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


@dataclass(eq=False)
class Stretch:
    """One fund of one person at an employer; the wage as declared last, `wages` what was declared when."""

    who: str
    fund: str
    kind: str
    first: str
    last: str | None
    wage: int
    base: int
    by: str
    at: str = HERE
    active: bool = True
    begun_with: int = 0
    wages: list[tuple[str, str | None, int]] = field(default_factory=list)

    @property
    def retired(self) -> bool:
        return self.kind.startswith("12")

    def covers(self, when: str) -> bool:
        return self.active and self.first <= when <= (self.last or NEVER)

    def wage_in(self, when: str) -> int:
        for first, last, wage in reversed(self.wages):
            if first <= when <= (last or NEVER):
                return wage
        return self.begun_with

    def row(self) -> tuple:
        status = "active" if self.active else "ended"
        return (
            self.who, self.at, self.fund, self.kind, self.first, self.last, status, self.wage, self.base,
            self.by,
        )  # fmt: skip


@dataclass(eq=False)
class Line:
    """One line of the ledger."""

    who: str
    fund: str
    party: str
    kind: str
    accrual: str
    due: str
    base: int
    rate: str | None
    fixed: int | None
    amount: int
    by: str
    retired: bool = False
    wage: int | None = None
    at: str = HERE
    late_from: date | None = None
    received: date | None = None
    late_fee: int = 0
    back: Line | None = None  # the line that took this one back, or that this one takes back
    takes_back: Line | None = None
    notice: tuple[str, str] | None = None

    @property
    def stands(self) -> bool:
        return self.back is None

    @property
    def early(self) -> bool:
        """A month that had not come when it was charged: nothing that was paid back."""
        return self.accrual > self.due

    @property
    def counts(self) -> bool:
        """Whether a notice counts it: paid lines stay where they were paid, refunds count by themselves."""
        given_back = self.kind == REFUND and self.takes_back is not None and self.back is self.takes_back
        return self.stands or self.received is not None or given_back

    @property
    def credit(self) -> bool:
        return self.kind == REFUND or (self.kind == DIFFERENCE and self.amount < 0)

    def row(self) -> tuple:
        return (
            self.who, self.at, self.fund, self.party, self.kind, self.accrual, self.due, self.base, self.rate,
            self.fixed, self.amount, self.by, self.retired, self.wage, self.late_from, self.received,
            self.late_fee, not self.stands, self.takes_back is not None, self.notice,
        )  # fmt: skip


class Model:
    """The employer's registry, ledger and list of declarations."""

    def __init__(self, code: str) -> None:
        self.city, self.rules = City(code), RULES[code]
        self.stretches: list[Stretch] = []
        self.lines: list[Line] = []
        self.assessed: set[str] = set()
        self.payouts: list[tuple[str, int, str]] = []
        self.deaths: dict[str, date] = {}
        self.postings: list[tuple] = []
        self.civil: dict[str, str] = {}  # since when somebody is a civil servant
        self.filed: list[tuple[str, str, str]] = []  # kind, status, who

    # what is known

    def of(self, who: str, when: str | None = None) -> list[Stretch]:
        """A person's insurance here: what goes on, or what covers a month."""
        own = [each for each in self.stretches if each.who == who and each.at == HERE and each.active]
        return [each for each in own if (each.last is None if when is None else each.covers(when))]

    def carried(self, who: str, after: str = "", kinds: tuple[str, ...] = CORRECTED) -> list[Line]:
        """What stands of a person's months after a month."""
        return [
            each for each in self.lines
            if each.who == who and each.at == HERE and each.stands and each.kind in kinds
            and each.accrual > after
        ]  # fmt: skip

    def charged(self, who: str, fund: str, when: str) -> bool:
        return any(
            each.fund == fund and each.accrual == when and each.at == HERE
            for each in self.carried(who, "", CHARGE)
        )

    def balance(self, who: str) -> int:
        """Allocations received and not given back, less what was paid out."""
        came = sum(
            each.amount for each in self.lines
            if each.who == who and each.party in ALLOCATED and each.received and each.stands
        )  # fmt: skip
        return came - sum(amount for name, amount, _ in self.payouts if name == who)

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

    def _begin(self, who: str, fund: str, kind: str, first: str, wage: int, by: str) -> Stretch:
        base = wage if kind.startswith("12") else self.city.base(wage, first)
        made = Stretch(who, fund, kind, first, None, wage, base, by, begun_with=wage)
        self.stretches.append(made)
        return made

    def _charge(
        self, who: str, when: str, kind: str, due: str, by: str, late_from: date | None = None
    ) -> int:
        """Charge a month's funds that carry no charge; gives how many lines that made."""
        before = len(self.lines)
        for each in self.of(who, when):
            if not self.charged(who, each.fund, when):
                wage, status = each.wage_in(when), "retired" if each.retired else "active"
                base = wage if each.retired else self.city.base(wage, when)
                for figures in self.city.lines([each.fund], base, when, status):
                    fund, party, shown, rate, fixed, amount = figures
                    self.lines.append(
                        Line(
                            who, fund, party, kind, when, due, shown, rate, fixed, amount, by, each.retired,
                            wage, late_from=late_from,
                        )
                    )  # fmt: skip
        return len(self.lines) - before

    def _late(self, who: str, since: str, decided: date, by: str, again: set[str] = frozenset()) -> None:
        """Whoever joins or turns in an assessed month is charged by his own declaration."""
        for when in sorted(self.assessed):
            if when >= since or when in again:
                self._charge(who, when, BACKPAY, month(decided), by)

    def take_back(self, lines: list[Line], decided: date, by: str) -> set[str]:
        """Unpaid lines are reversed, paid ones refunded; gives the months."""
        for each in lines:
            kind = REFUND if each.received else each.kind
            made = Line(
                each.who, each.fund, each.party, kind, each.accrual, month(decided), each.base, each.rate,
                each.fixed, -each.amount, by, each.retired, at=each.at, takes_back=each, back=each,
            )  # fmt: skip
            each.back = made
            self.lines.append(made)
        return {each.accrual for each in lines}

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

    # months, notices, money

    def assess(self, when: str) -> None:
        """Charge everybody insured once, and put what is due up to the month on notices."""
        if when not in self.assessed:
            self.assessed.add(when)
            for who in sorted({each.who for each in self.stretches if each.at == HERE}):
                self._charge(who, when, NORMAL, when, "")
        own = [each for each in self.lines if each.at == HERE and each.notice is None and each.due <= when]
        for each in own:
            if each.stands and not each.credit:
                each.notice = (each.due, "normal" if each.kind == NORMAL else "backpay")
        key = (when, "normal")
        if any(key == each.notice for each in self.lines) and not self.posted(key):
            waiting = [
                each for each in own
                if each.notice is None and each.credit and each.counts and each.received is None
            ]  # fmt: skip
            owed = sum(each.amount for each in self.on(key) if each.party in PAID_IN)
            assert owed + sum(each.amount for each in waiting if each.party in PAID_IN) >= 0
            for each in waiting:
                each.notice = key

    def posted(self, key: tuple[str, str]) -> bool:
        return any(each[0] == key for each in self.postings)

    def on(self, key: tuple[str, str]) -> list[Line]:
        """What a notice counts."""
        return [each for each in self.lines if each.notice == key and each.counts]

    def open_fee(self, line: Line, day: date) -> int:
        if line.received or line.kind not in CHARGE or line.party not in PAID_IN:
            return 0
        return self.city.late_fee(line.amount, line.late_from or self.city.due_day(line.due), day)

    def pay(self, key: tuple[str, str], day: date, funds: tuple[str, ...] = ()) -> None:
        """All that is open of a notice, or of some of its funds, with the late fee of the day."""
        chosen = [each for each in self.on(key) if not each.received and (not funds or each.fund in funds)]
        total = fees = 0
        for each in chosen:
            each.late_fee = self.open_fee(each, day)
            each.received = day
            fees += each.late_fee
            total += (each.amount if each.party in PAID_IN else 0) + each.late_fee
        self.postings.append((key, day, total, fees, len(chosen)))

    # what is compared

    def notices(self, day: date) -> dict[tuple[str, str], Counter]:
        """Each notice as it is printed: fund, accrual month and type, with sums, people and open lines."""
        found: dict[tuple[str, str], dict] = {}
        for key in {each.notice for each in self.lines if each.notice}:
            found[key] = rows = {}
            people: dict[tuple, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
            bases: dict[tuple, Counter] = defaultdict(Counter)
            for each in self.on(key):
                at = (each.fund, each.accrual, each.kind)
                row = rows.setdefault(at, Counter())
                row[each.party if each.party in PAID_IN else "allocation"] += each.amount
                row["late_fee"] += each.late_fee + self.open_fee(each, day)
                row["open" if each.received is None else "received"] += 1
                people[at][each.party].add(each.who)
                bases[at][each.party] += each.base
            for at, row in rows.items():
                row["people"] = max(map(len, people[at].values()))
                # what is printed is the largest of the parties' sums, never below nothing
                row["base"] = max(0, *bases[at].values())
        return found

    def insured(self, when: str) -> dict[str, tuple[str, set[str]]]:
        """Who is insured here in a month, as what, and in which funds."""
        found: dict[str, tuple[str, set[str]]] = {}
        for each in self.stretches:
            if each.at == HERE and each.covers(when):
                kind = "1101" if when < self.civil.get(each.who, "") else each.kind
                _, funds = found.setdefault(each.who, (kind, set()))
                funds.add(each.fund)
        return found
