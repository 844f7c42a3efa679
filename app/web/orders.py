"""What is due back to employers, and the orders to pay money out: for the agency, and the employer's own."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.domain.codes import code_list
from app.domain.money import from_fen
from app.errors import Conflict, Rejected
from app.services import posting, refunding
from app.services.actors import EMPLOYER
from app.store import payment_orders
from app.store.employers import get_employer
from app.web.frame import notify, translated, translated_text, words
from app.web.ledger import employer_in_hand, ledger
from app.web.paging import row_id
from app.web.security import actor, guard

AT_ONCE = 20
ORDER_WORDS = {
    payment_orders.ISSUED: _l("待支付"),
    payment_orders.PAID: _l("已支付"),
    payment_orders.CANCELLED: _l("已作废"),
}
ORDER_TONES = {payment_orders.ISSUED: "warn", payment_orders.PAID: "good", payment_orders.CANCELLED: ""}


@ledger.get("/refunds")
@guard("ledger.view", scope="case")
def refunds() -> ResponseReturnValue:
    """Employers to whom something is due back; an employer sees its own."""
    if actor().side == EMPLOYER:
        return _refund_page(get_employer(employer_in_hand()).employer_no)
    rows = refunding.waiting_employers(actor(), request.args.get("after", "")[:32], AT_ONCE + 1)
    more = len(rows) > AT_ONCE
    rows = rows[:AT_ONCE]
    return render_template(
        "ledger/refunds.html",
        rows=rows,
        next_url=url_for("ledger.refunds", after=rows[-1].employer_no) if more else None,
    )


@ledger.get("/refunds/<employer_no>")
@guard("ledger.view", scope="case")
def refund(employer_no: str) -> ResponseReturnValue:
    """What is due back to an employer, and what was ordered."""
    return _refund_page(employer_no)


def _refund_page(employer_no: str) -> str:
    found = refunding.credits_of(actor(), employer_no)
    return render_template("ledger/refund.html", found=found, **_texts(found.region))


def _texts(region: str) -> dict[str, Any]:
    params = words(region)
    return {
        "funds": {fund.code: fund.name for fund in params.funds} if params else {},
        "due_types": dict(code_list("due_type").items),
        "order_texts": ORDER_WORDS,
        "order_tones": ORDER_TONES,
        "mine": actor().side == EMPLOYER,
    }


@ledger.post("/refunds/<employer_no>/orders")
@guard("ledger.post", scope="region")
def order_refund(employer_no: str) -> ResponseReturnValue:
    """Order what is due back to be paid to the employer's account."""
    seen = request.form.get("amount_fen", type=int)
    try:
        made = refunding.order(employer_no, clock.now(), actor=actor(), seen_fen=seen or 0)
    except Conflict as error:
        notify(translated_text(str(error)), "warn")
        return redirect(url_for("ledger.refund", employer_no=employer_no), 303)
    amount = f"{from_fen(made.amount_fen):,.2f}"
    notify(_("已开具退费支付单 %(amount)s 元，请由其他人员登记支付。", amount=amount), "good")
    return redirect(url_for("ledger.order", number=made.reference), 303)


@ledger.get("/payment-orders/<number>")
@guard("ledger.view", scope="case")
def order(number: str) -> ResponseReturnValue:
    """An order to pay an employer, to be read and printed."""
    found = refunding.order_for(actor(), number)
    return render_template(
        "ledger/order.html", found=found, order=found.row, today=clock.today(), **_texts(found.row.region)
    )


@ledger.post("/payment-orders/<int:order_id>/cancelled")
@guard("ledger.post", scope="region")
def cancel_order(order_id: int) -> ResponseReturnValue:
    """Make an order to pay an employer void."""
    try:
        done = refunding.cancel(order_id, clock.now(), actor=actor())
    except Conflict as error:
        notify(translated_text(str(error)), "warn")
    else:
        notify(
            _("支付单已作废，费用恢复为待退。") if done else _("该支付单此前已作废。"),
            "good" if done else "warn",
        )
    return redirect(url_for("ledger.orders"), 303)


@ledger.get("/payment-orders")
@guard("ledger.pay", scope="region")
def orders() -> ResponseReturnValue:
    """Orders that wait to be paid."""
    after = request.args.get("after", 0, type=row_id)
    rows = posting.open_orders(actor(), after, AT_ONCE + 1)
    more = len(rows) > AT_ONCE
    return render_template(
        "ledger/orders.html",
        rows=rows[:AT_ONCE],
        today=clock.today(),
        next_url=url_for("ledger.orders", after=rows[AT_ONCE - 1].id) if more else None,
    )


@ledger.post("/payment-orders/<int:order_id>/paid")
@guard("ledger.pay", scope="region")
def pay_order(order_id: int) -> ResponseReturnValue:
    """Enter that an order was paid."""
    try:
        day = date.fromisoformat(request.form.get("paid_on", "").strip())
        done = posting.pay_order(order_id, day, clock.now(), actor=actor())
    except ValueError:
        notify(_("请填写支付日期，例如 2026-11-25"), "bad")
    except Rejected as refused:
        notify("；".join(each.message for each in translated(refused.errors)), "bad")
    except Conflict as error:
        notify(translated_text(str(error)), "warn")
    else:
        notify(
            _("已登记支付。") if done else _("该支付单此前已登记支付，没有重复登记。"),
            "good" if done else "warn",
        )
    return redirect(url_for("ledger.orders"), 303)
