"""Contribution lines as pages show them: one row for a fund and month, the parties side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.domain.parameters import ParameterSet
from app.services.results import AmountLine

EMPLOYER, EMPLOYEE = "employer", "employee"


@dataclass
class Row:
    """One fund of one month; amounts in fen."""

    fund: str
    base_fen: int
    employer_fen: int = 0
    employee_fen: int = 0
    allocation_fen: int = 0
    demo: bool = False

    def add(self, line: AmountLine) -> None:
        """Count a line in its party's column."""
        if line.party == EMPLOYER:
            self.employer_fen += line.amount_fen
        elif line.party == EMPLOYEE:
            self.employee_fen += line.amount_fen
        else:
            self.allocation_fen += line.amount_fen
        self.demo = self.demo or line.demo

    @property
    def total_fen(self) -> int:
        """What is paid in: both shares, without what is allocated to the personal account."""
        return self.employer_fen + self.employee_fen


@dataclass
class Month:
    """The rows of one accrual month and due month, and their sums."""

    accrual_month: str
    due_month: str
    due_type: str
    rows: list[Row] = field(default_factory=list)

    @property
    def total(self) -> Row:
        return total_of(self.rows)

    @property
    def base_fen(self) -> int:
        """The month's base; all funds of a person share it."""
        return max((row.base_fen for row in self.rows), default=0)


def months_of(lines: Iterable[AmountLine], parameters: ParameterSet) -> list[Month]:
    """Lines by month and fund, months in order, funds in the region's order."""
    names = {fund.code: fund.name for fund in parameters.funds}
    order = {code: place for place, code in enumerate(names)}
    months: dict[tuple[str, str, str], dict[str, Row]] = {}
    for line in lines:
        rows = months.setdefault((line.accrual_month, line.due_month, line.due_type), {})
        row = rows.get(line.fund)
        if row is None:
            row = rows[line.fund] = Row(names.get(line.fund, line.fund), line.base_fen)
        row.add(line)
    return [
        Month(*key, [rows[code] for code in sorted(rows, key=lambda code: order.get(code, len(order)))])
        for key, rows in sorted(months.items())
    ]


def total_of(rows: Iterable[Row]) -> Row:
    """The sum of rows."""
    found = Row("", 0)
    for row in rows:
        found.employer_fen += row.employer_fen
        found.employee_fen += row.employee_fen
        found.allocation_fen += row.allocation_fen
        found.demo = found.demo or row.demo
    return found


def total_of_months(months: Sequence[Month]) -> Row:
    """The sum over months."""
    return total_of(row for month in months for row in month.rows)
