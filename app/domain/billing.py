"""Payment notices: which lines they collect, what they come to, and what an amount of money pays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.calendar import add_months, month_end, month_of
from app.domain.collection import (
    BASE_DIFFERENCE,
    NORMAL,
    ONE_OFF,
    RATE_DIFFERENCE,
    REFUND,
    RETIREMENT_DUE,
    SUPPLEMENTARY,
    days_late,
    late_fee,
)
from app.domain.contribution import EMPLOYEE, EMPLOYER
from app.domain.money import from_fen, to_fen
from app.domain.parameters import ParameterSet

NORMAL_NOTICE, BACKPAY_NOTICE = "normal", "backpay"
NOTICE_KINDS = (NORMAL_NOTICE, BACKPAY_NOTICE)
ONE_OFF_PAYMENT = "40"
DIFFERENCES = (BASE_DIFFERENCE, RATE_DIFFERENCE)
# What each notice collects; refunds, and differences in the employer's favour, lower the next normal notice.
TYPES_OF = {
    NORMAL_NOTICE: (NORMAL,),
    BACKPAY_NOTICE: (SUPPLEMENTARY, ONE_OFF, RETIREMENT_DUE, *DIFFERENCES, ONE_OFF_PAYMENT),
}
CREDIT_TYPES = (REFUND, *DIFFERENCES)
PAYABLE = (EMPLOYER, EMPLOYEE)
# What may be in default: a month's own charge; nobody was late with a difference found afterwards.
LATE_TYPES = (NORMAL, SUPPLEMENTARY)
UNPAID, PARTLY, PAID = "unpaid", "partly", "paid"


def notice_prefix(region: str, due_month: str) -> str:
    """Return what the numbers of a region's notices of a month begin with: 3205 and 2208; a serial follows.

    Source: Suzhou manual 7 (notice 320522090038).
    """
    return f"{region[:4]}{due_month[2:4]}{due_month[5:]}"


def order_prefix(region: str, month: str) -> str:
    """Return what the numbers of orders to pay employers begin with: T3205 and 2208; a serial follows."""
    return f"T{notice_prefix(region, month)}"


def due_date(params: ParameterSet, month: str, charged_on: date | None = None) -> date:
    """Return the last day to pay what is billed in a month. Raises: ParameterMissing.

    What is charged after that day could not have been paid by then: it is due on the next such day.
    """
    due = min(date.fromisoformat(f"{month}-{params.integer('payment.due_day', month):02d}"), month_end(month))
    if charged_on is None or charged_on <= due:
        return due
    present = month_of(charged_on)
    return due_date(params, present if present > month else add_months(month, 1), charged_on)


def earliest_receipt(due_month: str, made_on: date) -> date:
    """Return the first day on which money can have come in for a notice.

    That is the first of the month it bills, or the day it was made, where a month is billed ahead of time.
    """
    return min(date.fromisoformat(f"{due_month}-01"), made_on)


def late_fee_fen(params: ParameterSet, amount_fen: int, due: date, paid_on: date) -> int:
    """Return the late fee in fen on one line paid on a day; 0 where the region waives it.

    Raises: ParameterMissing. Source: 社会保险法 article 86.
    """
    if amount_fen <= 0 or paid_on <= due or not params.flag("collection.late_fee", month_of(paid_on)):
        return 0
    return to_fen(late_fee(params, from_fen(amount_fen), days_late(due, paid_on), paid_on))


@dataclass(frozen=True, slots=True)
class Item:
    """The lines of one person, fund and month on a notice: paid together or not at all.

    Shape: `line_ids` with the allocations; `owed_fen` what employer and employee pay of it, late fee and
    interest included; negative where money is due back.
    """

    line_ids: tuple[int, ...]
    owed_fen: int


def offset(waiting: Sequence[Item], owed_fen: int) -> list[Item]:
    """Return the credits that a notice of an amount takes, in order: it never falls below zero.

    The others wait for a later notice.
    """
    taken = []
    for credit in waiting:
        if owed_fen + credit.owed_fen >= 0:
            taken.append(credit)
            owed_fen += credit.owed_fen
    return taken


@dataclass(frozen=True, slots=True)
class Cover:
    """What an amount pays: whole items only; `left_fen` covers none of the others."""

    items: tuple[Item, ...]
    paid_fen: int
    left_fen: int


def cover(items: Iterable[Item], amount_fen: int | None) -> Cover:
    """Return what an amount in fen pays of a notice, item by item in order; None pays all of it.

    Credits come first: they add to the money. An item is never paid in part, so that a line is either
    received or not; None leaves credits open that are more than what they are set against.
    """
    ordered = sorted(items, key=lambda item: item.owed_fen > 0)
    if amount_fen is None:
        dues = [item for item in ordered if item.owed_fen > 0]
        owed = sum(item.owed_fen for item in dues)
        every = (*offset([item for item in ordered if item.owed_fen <= 0], owed), *dues)
        return Cover(every, sum(item.owed_fen for item in every), 0)
    taken, left = [], amount_fen
    for item in ordered:
        if item.owed_fen > left:
            # in order: nobody behind is paid before somebody in front
            break
        taken.append(item)
        left -= item.owed_fen
    paid = amount_fen - left
    return Cover(tuple(taken), paid, left)


def notice_state(open_lines: int, received_lines: int) -> str:
    """Return unpaid, partly or paid: a notice is paid when no line of it is open."""
    if open_lines:
        return PARTLY if received_lines else UNPAID
    return PAID
