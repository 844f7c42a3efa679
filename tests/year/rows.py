"""Rows of the year's model: one fund of one person for some months, and one line of the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

NORMAL, REFUND, BACKPAY, DIFFERENCE = "10", "20", "31", "34"
CHARGE = (NORMAL, BACKPAY)  # what charges a month; a month is charged once
CORRECTED = (NORMAL, BACKPAY, DIFFERENCE)  # what a month carries
HERE, THERE = "here", "there"
NEVER = "9999-12"


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
