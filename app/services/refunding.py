"""What is due back to an employer: seen by both sides, ordered to be paid to its account, or left to wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.clock import to_utc
from app.definitions.current import parameters
from app.domain import billing as rules
from app.domain.billing import CREDIT_TYPES, PAYABLE
from app.domain.calendar import month_of
from app.domain.money import format_yuan, from_fen, uppercase
from app.errors import Conflict, NotFound
from app.services.actors import SYSTEM, Actor, require, require_region, require_row
from app.services.billing import Row, items_of, rows_of, total_of
from app.store import payment_orders, refunds
from app.store.contacts import BANK_ACCOUNT, employer_data
from app.store.employers import find_employer_by_no, get_employer, hold_employer
from app.store.payment_notices import take_serial
from app.store.payment_orders import OrderRow
from app.store.queries.insured import unpaid
from app.store.refunds import Waiting
from app.store.session import transaction

ORDERS_SHOWN = 20
PAYEE, BANK = "bank_account_name", "bank_name"


@dataclass(frozen=True, slots=True)
class Credits:
    """What waits for one employer, with the account on record and what was ordered before.

    Shape: `amount_fen` is positive where something is due back; `account_last4` is '' where no account is
    on record; `arrears_fen` is what the employer owes.
    """

    employer_id: int
    employer_no: str
    employer_name: str
    region: str
    status: str
    rows: Sequence[Row]
    payee: str
    bank_name: str
    account_last4: str
    arrears_fen: int
    orders: Sequence[OrderRow]

    @property
    def total(self) -> Row:
        """The sums of the columns."""
        return total_of(self.rows)

    @property
    def amount_fen(self) -> int:
        """What would be paid out."""
        return -self.total.total_fen

    @property
    def words(self) -> str:
        """The same in words."""
        return uppercase(from_fen(self.amount_fen))


@dataclass(frozen=True, slots=True)
class Order:
    """An order to pay an employer, as it is printed. Shape: no rows once it is void."""

    row: OrderRow
    employer_no: str
    rows: Sequence[Row]

    @property
    def total(self) -> Row:
        """The sums of the columns."""
        return total_of(self.rows)

    @property
    def words(self) -> str:
        """The amount in words."""
        return uppercase(from_fen(self.row.amount_fen))


def waiting_employers(actor: Actor, after_no: str, limit: int) -> list[Waiting]:
    """Employers of the actor's regions to whom something is due back, by number. Raises: Forbidden."""
    require(actor, "ledger.view")
    return refunds.list_waiting(sorted(actor.regions), CREDIT_TYPES, PAYABLE, after_no, limit)


def credits_of(actor: Actor, employer_no: str) -> Credits:
    """What waits for an employer that the actor may see. Raises: Forbidden, NotFound."""
    if actor is not SYSTEM:
        require(actor, "ledger.view")
    employer = find_employer_by_no(employer_no)
    if employer is None:
        raise NotFound("employer")
    if actor is not SYSTEM:
        require_row(actor, employer.region, employer.id)
    data = employer_data(employer.id)
    return Credits(
        employer_id=employer.id,
        employer_no=employer.employer_no,
        employer_name=employer.name,
        region=employer.region,
        status=employer.status,
        rows=_shown(rows_of(refunds.waiting_sums(employer.id, CREDIT_TYPES), _funds(employer.region))),
        payee=str(data.get(PAYEE) or employer.name),
        bank_name=str(data.get(BANK) or ""),
        account_last4=str(data.get(BANK_ACCOUNT) or "")[-4:],
        arrears_fen=max(unpaid(employer.id).amount_fen, 0),
        orders=payment_orders.list_of_employer(employer.id, ORDERS_SHOWN),
    )


def _funds(region: str) -> list[str]:
    return list(parameters(region).fund_codes())


def _shown(rows: Sequence[Row]) -> list[Row]:
    """What somebody is paid: what was only allocated comes back to no account of the employer."""
    return [row for row in rows if row.total_fen]


def order(employer_no: str, now: datetime, *, actor: Actor = SYSTEM, seen_fen: int | None = None) -> OrderRow:
    """Order everything that waits for an employer to be paid to its account.

    `seen_fen` is the amount that the actor saw. From now on no notice takes the credits, and nothing takes
    them back; the employer is held, so that neither a notice nor another order takes them at the same time.
    Raises: Forbidden, NotFound, Conflict.
    """
    if actor is not SYSTEM:
        require(actor, "ledger.post")
    with transaction():
        employer = find_employer_by_no(employer_no)
        if employer is None:
            raise NotFound(f"there is no employer {employer_no}")
        if actor is not SYSTEM:
            require_region(actor, employer.region)
        hold_employer(employer.id)
        data = employer_data(employer.id)
        items = items_of(refunds.waiting_credits(employer.id, CREDIT_TYPES))
        amount = -sum(item.owed_fen for item in items)
        _check(amount, seen_fen, data)
        prefix = rules.order_prefix(employer.region, month_of(now.date()))
        order_id = payment_orders.add_employer_order(
            region=employer.region,
            number=f"{prefix}{take_serial(prefix):04d}",
            employer_id=employer.id,
            amount_fen=amount,
            payee=str(data.get(PAYEE) or employer.name),
            bank_name=str(data[BANK]),
            bank_account=str(data[BANK_ACCOUNT]),
            created_at_utc=to_utc(now),
            by_id=actor.id,
            by_name=actor.name,
        )
        refunds.put_on_order(order_id, [line for item in items for line in item.line_ids])
        return _found(payment_orders.find_order(order_id))


def _check(amount_fen: int, seen_fen: int | None, data: dict[str, object]) -> None:
    if amount_fen <= 0:
        raise Conflict("该单位没有待退费用")
    if seen_fen is not None and seen_fen != amount_fen:
        amount = format_yuan(from_fen(amount_fen))
        raise Conflict(f"待退金额已变为 {amount} 元，请核对后重新办理")
    if not data.get(BANK) or not data.get(BANK_ACCOUNT):
        raise Conflict("该单位没有登记开户银行和银行账号，请先办理单位信息变更")


def cancel(order_id: int, now: datetime, *, actor: Actor = SYSTEM) -> bool:
    """Make an order void before it is paid: its credits wait again. False where it was void before.

    Raises: Forbidden, NotFound, Conflict (it was paid).
    """
    if actor is not SYSTEM:
        require(actor, "ledger.post")
    with transaction():
        known = _found(payment_orders.find_order(order_id))
        if known.employer_id is None:
            # a person's account is put back by undoing the declaration that emptied it
            raise NotFound("order")
        if actor is not SYSTEM:
            require_region(actor, known.region)
        hold_employer(known.employer_id)
        row = _found(payment_orders.find_order(order_id, held=True))
        if row.status == payment_orders.PAID:
            raise Conflict("该支付单已登记支付，不能作废")
        if row.status == payment_orders.CANCELLED:
            return False
        payment_orders.set_cancelled(order_id, actor.name, to_utc(now))
        refunds.free_lines(order_id)
        return True


def order_for(actor: Actor, number: str) -> Order:
    """An order to pay an employer that the actor may see. Raises: Forbidden, NotFound."""
    require(actor, "ledger.view")
    row = _found(payment_orders.find_order_by_reference(number))
    if row.employer_id is None:
        raise NotFound("order")
    require_row(actor, row.region, row.employer_id)
    rows = _shown(rows_of(refunds.order_sums(row.id), _funds(row.region)))
    return Order(row, get_employer(row.employer_id).employer_no, rows)


def _found(row: OrderRow | None) -> OrderRow:
    if row is None:
        raise NotFound("order")
    return row
