"""Money that came in for notices, and money paid out by order: entered once, whoever enters it twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from app.clock import to_region, to_utc
from app.definitions.current import parameters
from app.domain import billing as rules
from app.domain.money import format_yuan, from_fen
from app.errors import Conflict, FieldError, NotFound, Rejected
from app.services.actors import SYSTEM, Actor, require, require_region
from app.services.billing import items_of, late_fees, release_surplus
from app.store import payment_notices as store
from app.store import payment_orders, refunds
from app.store.assessments import hold_employers_shared
from app.store.business import hold_people
from app.store.payment_notices import NoticeRow, PostingRow
from app.store.payment_orders import OrderRow
from app.store.session import transaction

VOUCHER_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Posted:
    """What a posting did; amounts in fen. `repeated` tells that it had been entered before.

    Shape: `left_fen` covers no further person and month, and was not entered; `state` is the notice's.
    """

    number: str
    lines: int
    amount_fen: int
    late_fee_fen: int
    left_fen: int
    state: str
    repeated: bool = False


def post(
    number: str,
    received_on: date,
    now: datetime,
    *,
    actor: Actor = SYSTEM,
    amount_fen: int | None = None,
    funds: Collection[str] = (),
    voucher: str = "",
) -> Posted:
    """Enter money for a notice: all that is open of it, of some funds, or as far as an amount reaches.

    Whole persons and months are paid, in the notice's order, allocations with them. The same voucher, or
    the same day and amount where none is named, is entered once.
    Raises: Forbidden, NotFound, Rejected (`amount_yuan`, `received_on`), ParameterMissing.
    """
    if actor is not SYSTEM:
        require(actor, "ledger.post")
    _check_day(received_on, now)
    with transaction():
        known = store.find_notice(number)
        if known is None:
            raise NotFound("notice")
        if actor is not SYSTEM:
            require_region(actor, known.region)
        _check_not_before(known, received_on)
        # nobody bills the employer meanwhile: whoever bills holds it before notices and lines
        hold_employers_shared([known.employer_id])
        notice = store.find_notice(number, held=True) or known
        # whoever takes charges back looks at what was paid under the same lock
        hold_people(store.people_of_notice(notice.id))
        release_surplus(notice.id)
        return _post(notice, received_on, now, actor, amount_fen, funds, voucher.strip()[:VOUCHER_LENGTH])


def _check_day(day: date, now: datetime) -> None:
    if day > now.date():
        words = "到账日期不能晚于今天"
        raise Rejected([FieldError("received_on", "ledger.received_later", words)])


def _check_not_before(notice: NoticeRow, day: date) -> None:
    first = rules.earliest_receipt(notice.due_month, to_region(notice.made_at_utc).date())
    if day < first:
        earliest = first.isoformat()
        words = f"到账日期不能早于 {earliest}，此前该通知单尚未开具，所属月份也未开始"
        raise Rejected([FieldError("received_on", "ledger.received_earlier", words)])


def _post(
    notice: NoticeRow,
    received_on: date,
    now: datetime,
    actor: Actor,
    amount_fen: int | None,
    funds: Collection[str],
    voucher: str,
) -> Posted:
    before = store.postings_of(notice.id)
    lines = store.open_lines(notice.id)
    name = voucher or _name(received_on, amount_fen, funds, len(before))
    if not lines or any(each.voucher == name for each in before):
        store.set_settled([notice.id])
        state = rules.notice_state(len(lines), 1)
        return Posted(notice.number, 0, 0, 0, amount_fen or 0, state, repeated=True)
    chosen = [line for line in lines if not funds or line.fund in funds]
    if not any(line.amount_fen > 0 for line in chosen):
        words = "通知单上没有所选险种的未到账费用"
        raise Rejected([FieldError("funds", "ledger.no_fund", words)])
    fees = late_fees(parameters(notice.region), chosen, received_on)
    items = items_of(chosen, fees)
    paid = rules.cover(items, amount_fen)
    _check_amount(amount_fen, sum(item.owed_fen for item in items), paid)
    ids = [line for item in paid.items for line in item.line_ids]
    done = store.set_received(ids, received_on, fees)
    given_back = {line.id: line.late_fee_fen for line in chosen}
    fee = sum(fees.get(line, 0) + given_back[line] for line in ids)
    store.set_settled([notice.id])
    store.add_posting(
        PostingRow(notice.id, name, received_on, paid.paid_fen, fee, done, actor.id, actor.name, to_utc(now))
    )
    state = rules.notice_state(len(lines) - done, done)
    return Posted(notice.number, done, paid.paid_fen, fee, paid.left_fen, state)


def _name(received_on: date, amount_fen: int | None, funds: Collection[str], earlier: int) -> str:
    if amount_fen is None:
        # what is open is paid: entered again it finds nothing, or what has joined the notice since
        return f"{received_on.isoformat()}/{earlier + 1}"
    what = format_yuan(from_fen(amount_fen))
    return f"{received_on.isoformat()}/{what}/{','.join(sorted(funds))}"[:VOUCHER_LENGTH]


def _check_amount(amount_fen: int | None, owed_fen: int, paid: rules.Cover) -> None:
    if amount_fen is None:
        return
    if amount_fen > owed_fen:
        words = f"金额超过未到账的 {format_yuan(from_fen(owed_fen))} 元，请核对后再登记"
        raise Rejected([FieldError("amount_yuan", "ledger.amount_too_high", words)])
    if paid.paid_fen <= 0:
        # a credit alone would enter less than nothing
        words = "金额不足以缴清第一笔应缴（按月份、人员、险种的顺序），不能登记"
        raise Rejected([FieldError("amount_yuan", "ledger.amount_too_low", words)])


def pay_order(order_id: int, paid_on: date, now: datetime, *, actor: Actor = SYSTEM) -> bool:
    """Enter that an order was paid; False where that was entered before.

    What was due back to an employer is settled with it, and entered by somebody else than who ordered it.
    Raises: Forbidden, NotFound, Conflict (the order was cancelled, or is the actor's own), Rejected
    (`paid_on`).
    """
    if actor is not SYSTEM:
        require(actor, "ledger.pay")
    with transaction():
        known = payment_orders.find_order(order_id)
        if known is None:
            raise NotFound("order")
        if actor is not SYSTEM:
            require_region(actor, known.region)
        if known.employer_id is not None:
            # nobody makes the order void meanwhile: whoever does holds the employer first
            hold_employers_shared([known.employer_id])
        order = payment_orders.find_order(order_id, held=True) or known
        if order.status == payment_orders.PAID:
            return False
        _check_payment(order, paid_on, now, actor)
        payment_orders.set_paid(order.id, paid_on, actor.id, actor.name, to_utc(now))
        if order.employer_id is not None:
            # a credit of an allocation lowers the account: whoever pays it out looks under the same lock
            hold_people(refunds.people_of_order(order.id))
            refunds.set_given_back(order.id, paid_on)
        return True


def _check_payment(order: OrderRow, paid_on: date, now: datetime, actor: Actor) -> None:
    if order.status != payment_orders.ISSUED:
        raise Conflict("该支付单已作废，不能登记支付")
    if actor is not SYSTEM and order.employer_id is not None and actor.id == order.ordered_by_id:
        raise Conflict("开具支付单的人员不能登记支付，请由其他人员办理")
    if paid_on > now.date():
        words = "支付日期不能晚于今天"
        raise Rejected([FieldError("paid_on", "ledger.paid_later", words)])
    ordered = to_region(order.created_at_utc).date()
    if paid_on < ordered:
        earliest = ordered.isoformat()
        words = f"支付日期不能早于支付单开具日期 {earliest}"
        raise Rejected([FieldError("paid_on", "ledger.paid_earlier", words)])


def open_orders(actor: Actor, after_id: int, limit: int) -> list[OrderRow]:
    """Orders of the actor's regions that wait to be paid, oldest first. Raises: Forbidden."""
    require(actor, "ledger.pay")
    return payment_orders.list_issued(sorted(actor.regions), after_id, limit)
