"""What is due for one person and month: base between floor and cap, one rounded line per fund and party."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from app.domain.money import format_yuan, from_fen, round_fen, to_fen
from app.domain.parameters import Dated, Fund, ParameterSet

EMPLOYER, EMPLOYEE = "employer", "employee"
ALLOCATION_EMPLOYEE, ALLOCATION_EMPLOYER = "allocation_employee", "allocation_employer"
PARTIES = (EMPLOYEE, EMPLOYER, ALLOCATION_EMPLOYEE, ALLOCATION_EMPLOYER)
ACTIVE, RETIRED = "active", "retired"
STATUSES = (ACTIVE, RETIRED)
CLIP, REFUSE = "clip", "refuse"
RATE_SCALE = 10**9


class BaseRefused(ValueError):
    """A wage that the region refuses. `code` is base.below_floor, base.above_cap or base.not_whole."""

    def __init__(self, code: str, wage: Decimal, floor: Decimal, cap: Decimal) -> None:
        super().__init__(f"{code}: {wage} is not between {floor} and {cap}")
        self.code = code
        self.params = {"wage": format_yuan(wage), "floor": format_yuan(floor), "cap": format_yuan(cap)}


@dataclass(frozen=True, slots=True)
class Base:
    """A contribution base in yuan with the bounds it was held between; `clipped` is '', floor or cap."""

    amount: Decimal
    floor: Decimal
    cap: Decimal
    clipped: str
    demo: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One amount of one fund and party; either a rate on the base or a fixed amount, in yuan."""

    fund: str
    party: str
    base: Decimal
    rate: Decimal | None
    fixed: Decimal | None
    amount: Decimal
    source: str
    demo: bool

    def as_json(self) -> dict[str, Any]:
        """Return the line as outside readers get it: amounts as texts with two decimals."""
        return {
            "fund": self.fund,
            "party": self.party,
            "base": format_yuan(self.base),
            "rate": None if self.rate is None else f"{self.rate.normalize():f}",
            "fixed": None if self.fixed is None else format_yuan(self.fixed),
            "amount": format_yuan(self.amount),
            "source": self.source,
            "demo": self.demo,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of the rounded lines, in yuan; the allocation may be lowered by negative lines."""

    employer: Decimal
    employee: Decimal
    allocation: Decimal

    def as_json(self) -> dict[str, str]:
        """Return the three sums as texts with two decimals."""
        return {
            "employer": format_yuan(self.employer),
            "employee": format_yuan(self.employee),
            "allocation": format_yuan(self.allocation),
        }


@dataclass(frozen=True, slots=True)
class Quote:
    """All lines of one person and month with their totals."""

    lines: tuple[Line, ...]
    totals: Totals
    base: Base

    @property
    def demo(self) -> bool:
        """Whether any figure in it is only an example (示例参数)."""
        return self.base.demo or any(line.demo for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """Return lines and totals as outside readers get them."""
        return {"lines": [line.as_json() for line in self.lines], "totals": self.totals.as_json()}


class FenLine(NamedTuple):
    """One line in whole fen, for batches and tables; rate is a decimal text, '' for fixed amounts."""

    fund: str
    party: str
    base_fen: int
    rate: str
    amount_fen: int


def in_fen(line: Line) -> FenLine:
    """Return a line of a quote as tables keep it."""
    rate = "" if line.rate is None else f"{line.rate.normalize():f}"
    return FenLine(line.fund, line.party, to_fen(line.base), rate, to_fen(line.amount))


@dataclass(frozen=True, slots=True)
class Item:
    """One line before a base is known."""

    fund: str
    party: str
    rate: Decimal | None
    fixed: Decimal | None
    carries_base: bool
    source: str
    demo: bool
    scaled: int = 0
    rate_text: str = ""
    fixed_fen: int = 0


@dataclass(frozen=True, slots=True)
class Tariff:
    """All that turns a wage into lines for one region, month, status and fund set; made once, used often."""

    region: str
    month: str
    status: str
    floor: Decimal
    cap: Decimal
    policy: str
    whole_yuan: bool
    bounds_demo: bool
    items: tuple[Item, ...] = field(repr=False)

    def base(self, wage: Decimal, policy: str | None = None) -> Base:
        """Return the base for a monthly wage in yuan: clipped, or refused where the region refuses.

        A retiree's base is the pension or benefit figure and has no bounds. Raises BaseRefused.
        """
        if self.status == RETIRED:
            return Base(round_fen(wage), self.floor, self.cap, "", False)
        refuse = (policy or self.policy) == REFUSE
        if refuse and self.whole_yuan and wage != wage.to_integral_value():
            raise BaseRefused("base.not_whole", wage, self.floor, self.cap)
        if wage < self.floor:
            if refuse:
                raise BaseRefused("base.below_floor", wage, self.floor, self.cap)
            return Base(self.floor, self.floor, self.cap, "floor", self.bounds_demo)
        if wage > self.cap:
            if refuse:
                raise BaseRefused("base.above_cap", wage, self.floor, self.cap)
            return Base(self.cap, self.floor, self.cap, "cap", self.bounds_demo)
        return Base(round_fen(wage), self.floor, self.cap, "", False)

    def quote(self, wage: Decimal, policy: str | None = None) -> Quote:
        """Return lines and totals for a monthly wage in yuan. Raises BaseRefused."""
        base = self.base(wage, policy)
        made = (_line(item, base.amount) for item in self.items)
        lines = tuple(line for line in made if line.amount)
        return Quote(lines, totals(lines), base)

    def fen_lines(self, base_fen: int) -> list[FenLine]:
        """Return the lines in whole fen for a base that already lies between the bounds."""
        return [
            FenLine(
                item.fund,
                item.party,
                base_fen if item.carries_base else 0,
                item.rate_text,
                # Half-up on integers; equal to round_fen(base * rate) for every base.
                (base_fen * item.scaled + RATE_SCALE // 2) // RATE_SCALE if item.scaled else item.fixed_fen,
            )
            for item in self.items
        ]


def tariff(
    params: ParameterSet, month: str, status: str = ACTIVE, funds: Iterable[str] | None = None
) -> Tariff:
    """Compile the tariff of a month for a status and a set of funds (default: the region's usual ones).

    Lines of a zero rate or a zero sum are left out. Raises ParameterMissing where a line that
    the region has carries no value for the month; KeyError for a fund that it does not have.
    """
    if status not in STATUSES:
        raise ValueError(f"status is active or retired, not {status!r}")
    chosen = params.usual_funds() if funds is None else tuple(funds)
    items = [item for code in chosen for item in _items(params, params.fund(code), month, status)]
    floor, cap = params.dated("base.floor", month), params.dated("base.cap", month)
    return Tariff(
        region=params.region,
        month=month,
        status=status,
        floor=params.decimal("base.floor", month),
        cap=params.decimal("base.cap", month),
        policy=params.text("base.policy", month),
        whole_yuan=params.flag("base.whole_yuan", month),
        bounds_demo=floor.demo or cap.demo,
        items=tuple(items),
    )


def _items(params: ParameterSet, fund: Fund, month: str, status: str) -> Iterable[Item]:
    for party in PARTIES:
        stem = f"contribution.{status}.{fund.code}.{party}"
        for shape in ("rate", "fixed"):
            if params.has(f"{stem}.{shape}"):
                amount = params.decimal(f"{stem}.{shape}", month)
                if amount:
                    dated = params.dated(f"{stem}.{shape}", month)
                    yield _item(fund, party, shape, amount, dated)


def _item(fund: Fund, party: str, shape: str, amount: Decimal, dated: Dated) -> Item:
    fixed = shape == "fixed"
    scaled = Decimal(0) if fixed else amount * RATE_SCALE
    if scaled != scaled.to_integral_value():
        raise ValueError(f"rate {amount} of fund {fund.code} has too many decimals")
    return Item(
        fund=fund.code,
        party=party,
        rate=None if fixed else amount,
        fixed=amount if fixed else None,
        carries_base=fund.carries_base,
        source=dated.source,
        demo=dated.demo,
        scaled=int(scaled),
        rate_text="" if fixed else f"{amount.normalize():f}",
        fixed_fen=to_fen(amount) if fixed else 0,
    )


def _line(item: Item, base: Decimal) -> Line:
    amount = round_fen(base * item.rate) if item.rate is not None else round_fen(item.fixed or Decimal(0))
    shown = base if item.carries_base else Decimal(0)
    return Line(item.fund, item.party, shown, item.rate, item.fixed, amount, item.source, item.demo)


def totals(lines: Iterable[Line]) -> Totals:
    """Return the sums per side: sums of rounded amounts, never a rounded sum."""
    sums = dict.fromkeys(PARTIES, Decimal("0.00"))
    for line in lines:
        sums[line.party] += line.amount
    return Totals(sums[EMPLOYER], sums[EMPLOYEE], sums[ALLOCATION_EMPLOYEE] + sums[ALLOCATION_EMPLOYER])


def totals_fen(lines: Iterable[FenLine]) -> Totals:
    """Return the sums per side of lines in fen, in yuan."""
    sums = dict.fromkeys(PARTIES, 0)
    for line in lines:
        sums[line.party] += line.amount_fen
    allocation = sums[ALLOCATION_EMPLOYEE] + sums[ALLOCATION_EMPLOYER]
    return Totals(from_fen(sums[EMPLOYER]), from_fen(sums[EMPLOYEE]), from_fen(allocation))


def quote(
    params: ParameterSet, month: str, wage: Decimal, status: str = ACTIVE, funds: Iterable[str] | None = None
) -> Quote:
    """Return what is due for a monthly wage in yuan. Raises BaseRefused, ParameterMissing, KeyError."""
    return tariff(params, month, status, funds).quote(wage)
