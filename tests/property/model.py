"""A small registry and ledger: who is insured where, on which wage, and what each month then must carry.

It is worked out here from the acts that were accepted and from the parameter files, with nothing of the
product. Months are `YYYY-MM`, money is whole fen.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.matrix.model import PARTIES, City, base_fen, fen, lines_of, plus

EVER = "9999-12"


@dataclass
class Stretch:
    """One fund of one record at one employer; `last` None goes on, `alive` False has never been.

    `declared` are the wages declared since, in order: first month, last month, wage.
    """

    who: str
    employer: str
    fund: str
    kind: str
    first: str
    last: str | None
    wage: int
    declared: list[tuple[str, str, int]] = field(default_factory=list)
    alive: bool = True

    def covers(self, month: str) -> bool:
        return self.alive and self.first <= month <= (self.last or EVER)

    def wage_in(self, month: str) -> int:
        wage = self.wage
        for first, last, declared in self.declared:
            if first <= month <= last:
                wage = declared
        return wage


Undo = list[tuple[Stretch, Stretch]]


@dataclass
class Registry:
    """One region: the stretches of everybody, and the months that have to carry a charge."""

    city: City
    employer_funds: dict[str, set[str]]
    stretches: list[Stretch] = field(default_factory=list)
    assessed: set[tuple[str, str]] = field(default_factory=set)
    owed: set[tuple[str, str, str]] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    gone: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    done: dict[str, list[tuple[str, Undo, list[Stretch]]]] = field(default_factory=lambda: defaultdict(list))

    def open_at(self, who: str, employer: str) -> list[Stretch]:
        """What goes on at an employer."""
        return [
            each
            for each in self.stretches
            if (each.who, each.employer, each.last, each.alive) == (who, employer, None, True)
        ]

    def covering(self, who: str, employer: str, fund: str, month: str) -> Stretch | None:
        """The stretch of a record, employer and fund in a month."""
        for each in self.stretches:
            if (each.who, each.employer, each.fund) == (who, employer, fund) and each.covers(month):
                return each
        return None

    def insured(self, months: list[str]) -> dict[tuple[str, str, str], str]:
        """Which employer has whom, in which fund and month. Nobody is insured twice."""
        found: dict[tuple[str, str, str], str] = {}
        for each in self.stretches:
            for month in months:
                if each.covers(month):
                    key = (each.who, each.fund, month)
                    assert key not in found, f"insured twice: {key}"
                    found[key] = each.employer
        return found

    def carries(self, stretch: Stretch, month: str) -> dict[str, int]:
        """What the tariff asks of a month: {party: fen}, parties without anything left out."""
        wage = Decimal(stretch.wage_in(month)) / 100
        if not stretch.kind.startswith("12"):
            base = base_fen(self.city, wage, month)
            lines = lines_of(self.city, [stretch.fund], base, month)
            return {party: amount for (_, _, party), amount in lines.items()}
        found = {}
        for party in PARTIES:
            stem = f"contribution.retired.{stretch.fund}.{party}"
            if self.city.has_rate(f"{stem}.rate"):
                rate = Decimal(str(self.city.value(f"{stem}.rate", month)))
                found[party] = fen(wage * rate)
            if self.city.has_rate(f"{stem}.fixed"):
                found[party] = found.get(party, 0) + fen(
                    Decimal(str(self.city.value(f"{stem}.fixed", month)))
                )
        return {party: amount for party, amount in found.items() if amount}

    # What an accepted act changes. `since` is the month of submission.

    def enrol(self, who: str, employer: str, since: str, *, start: str, wage: int, funds: set[str]) -> None:
        assert not [
            each
            for each in self.stretches
            if each.who == who and each.fund in funds and each.alive and (each.last or EVER) >= start
        ], "enrolled although insured"
        kind = self.city.person_type(funds)
        made = [Stretch(who, employer, fund, kind, start, None, wage) for fund in sorted(funds)]
        self.stretches += made
        self._did("enrol", who, [], made)
        self._owe(who, since)

    def stop(self, who: str, employer: str, since: str, *, last: str, kind: str = "stop") -> None:
        going = self.open_at(who, employer)
        assert going, "stopped although not insured here"
        old: Undo = [(each, replace(each)) for each in going]
        for each in going:
            if kind == "stop" and each.first > max(last, since):
                each.alive, each.last = False, plus(each.first, -1)
            else:
                each.last = last
                each.alive = each.first <= last
        self._did(kind, who, old, [])
        self._owe(who, since)

    def undo(self, who: str, since: str, *, kind: str) -> None:
        """A revert of the last act, or a death that was none."""
        done, old, made = self.done[who].pop()
        assert done == kind, f"undone: {done} instead of {kind}"
        for stretch, before in old:
            stretch.last, stretch.alive = before.last, before.alive
        for stretch in made:
            stretch.alive = False
        self.dead.discard(who)
        self._owe(who, since)

    def die(self, who: str, since: str, *, last: str, death: bool) -> None:
        """A payout: nothing goes on after its month, and somebody who died stays dead."""
        beyond = [each for each in self.stretches if each.who == who and each.alive]
        beyond = [each for each in beyond if (each.last or EVER) > last]
        old: Undo = [(each, replace(each)) for each in beyond]
        for each in beyond:
            each.alive = each.first <= last
            each.last = last if each.alive else plus(each.first, -1)
        if death:
            self.dead.add(who)
        self._did("withdrawal", who, old, [])
        self._owe(who, since)

    def declare(self, who: str, employer: str, since: str, *, first: str, last: str, wage: int) -> None:
        going = self.open_at(who, employer)
        assert going, "a base of somebody who is not insured here"
        for each in going:
            each.declared.append((first, last, wage))
        self._did("base", who, [], [])

    def retire(self, who: str, employer: str, since: str, *, last: str, wage: int) -> None:
        going = self.open_at(who, employer)
        assert going, "retired although not insured here"
        self.stop(who, employer, since, last=last, kind="retirement")
        self.stretches += [
            Stretch(who, employer, each.fund, f"12{each.kind[2:]}", plus(last, 1), None, wage)
            for each in going
            if any(self.city.has_rate(f"contribution.retired.{each.fund}.{party}.{unit}")
                   for party in PARTIES for unit in ("rate", "fixed"))
        ]  # fmt: skip
        self._owe(who, since)

    def change_type(self, who: str, employer: str, since: str, *, kind: str, first: str) -> None:
        going = self.open_at(who, employer)
        fund = next(code for code, name in self.city._types.items() if name == "1102")
        if kind == "1102":
            assert fund not in {each.fund for each in going}
            like = next(each for each in going if each.fund == "310")
            self.stretches.append(
                Stretch(who, employer, fund, kind, first, None, like.wage, list(like.declared))
            )
        for each in going:
            if kind == "1101" and each.fund == fund:
                each.last, each.alive = plus(first, -1), each.first < first
            else:
                each.kind = kind
        self._did("type", who, [], [])
        self._owe(who, since)

    def transfer(self, who: str, employer: str, since: str, *, target: str, last: str) -> None:
        going = self.open_at(who, employer)
        assert going, "moved although not insured here"
        taken = [each.fund for each in going if each.fund in self.employer_funds[target]]
        for each in going:
            if each.fund in taken:
                first = max(each.first, plus(last, 1))
                kind = each.kind if each.kind.startswith("12") else self.city.person_type(taken)
                moved = replace(each, employer=target, kind=kind, first=first, declared=list(each.declared))
                self.stretches.append(moved)
            each.last, each.alive = last, each.first <= last
        self._did("transfer", who, [], [])
        self._owe(who, since)

    def merge(self, kept: str, other: str, since: str) -> None:
        """Everything of the other record is the kept one's; both at once in a fund: the kept one goes on."""
        going = {each.fund: each for each in self.stretches if each.who == kept and each.covers(EVER)}
        for each in self.stretches:
            if each.who != other:
                continue
            if each.covers(EVER) and each.fund in going:
                first = going[each.fund].first
                each.alive, each.last = each.first < first, plus(first, -1)
            each.who = kept
        # what either record was charged up to here stays, wherever the other one went on
        self.merged[kept] = plus(since, 1)
        self.owed = {key for key in self.owed if key[0] not in (kept, other)}
        self.gone[other] = kept
        self._did("merge", kept, [], [])
        self._owe(kept, since)

    def is_settled(self, who: str, month: str) -> bool:
        """Whether a month's charge comes from before a merge: where it is owed is no longer asked."""
        return month <= self.merged.get(who, "")

    def assess(self, employer: str, month: str) -> None:
        """Everybody insured here in the month owes it from now on; an assessed month is not begun again."""
        if (employer, month) in self.assessed:
            return
        self.assessed.add((employer, month))
        self.owed |= {
            (each.who, each.fund, month)
            for each in self.stretches
            if each.employer == employer and each.covers(month)
        }

    def _owe(self, who: str, since: str) -> None:
        mine = [each for each in self.stretches if each.who == who]
        self.owed = {key for key in self.owed if key[0] != who or self._where(key, mine)}
        for employer, month in self.assessed:
            if month >= since:
                self.owed |= {
                    (who, each.fund, month)
                    for each in mine
                    if each.employer == employer and each.covers(month)
                }

    @staticmethod
    def _where(key: tuple[str, str, str], mine: list[Stretch]) -> bool:
        return any(each.fund == key[1] and each.covers(key[2]) for each in mine)

    def _did(self, kind: str, who: str, old: Undo, made: list[Stretch]) -> None:
        self.done[who].append((kind, old, made))
