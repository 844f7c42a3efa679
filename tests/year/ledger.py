"""What is known in the year's model, and what comes back every month: charges, notices, money."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from tests.matrix.model import month
from tests.year.rows import CHARGE, CORRECTED, HERE, NORMAL, REFUND, Line, Stretch
from tests.year.tariff import ALLOCATED, PAID_IN, City


class Ledger:
    """The employer's registry and ledger."""

    def __init__(self, code: str) -> None:
        self.city = City(code)
        self.stretches: list[Stretch] = []
        self.lines: list[Line] = []
        self.assessed: set[str] = set()
        self.payouts: list[tuple[str, int, str]] = []
        self.deaths: dict[str, date] = {}
        self.postings: list[tuple] = []
        self.civil: dict[str, str] = {}  # since when somebody is a civil servant
        self.filed: list[tuple[str, str, str]] = []  # kind, status, who

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

    def take_back(self, lines: list[Line], decided: date, by: str) -> set[str]:
        """Unpaid lines are reversed, paid ones refunded; gives the months."""
        for each in lines:
            kind = REFUND if each.received else each.kind
            made = Line(
                each.who, each.fund, each.party, kind, each.accrual, month(decided), each.base, each.rate,
                each.fixed, -each.amount, by, each.retired, at=each.at, late_fee=-each.late_fee,
                takes_back=each, back=each,
            )  # fmt: skip
            each.back = made
            self.lines.append(made)
        return {each.accrual for each in lines}

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
            each.late_fee += self.open_fee(each, day)
            each.received = day
            fees += each.late_fee
            total += (each.amount if each.party in PAID_IN else 0) + each.late_fee
        self.postings.append((key, day, total, fees, len(chosen)))

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
