"""`flask ledger …`: assess a month, show notices, enter payments, order refunds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any

import click
from flask.cli import AppGroup

from app import clock
from app.cli.calc import MONTH, known_region
from app.definitions.current import parameters
from app.domain.codes import code_list
from app.domain.money import format_yuan, from_fen, to_fen
from app.domain.parameters import ParameterMissing
from app.errors import NotFound, Rejected, WangtingError
from app.services import assessing, billing, posting, refunding
from app.services.actors import SYSTEM
from app.services.billing import Notice, Row
from app.store.employers import find_employer_by_no
from app.store.payment_orders import OrderRow, find_order_by_reference

PROBLEMS = 1
LISTED_EMPLOYERS = 50
group = AppGroup("ledger", help="Assess months, show payment notices, enter payments, order refunds.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _in_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Say what is wrong on one line and end with 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Rejected as error:
            words = "；".join(each.message for each in error.errors)
        except (NotFound, ParameterMissing, WangtingError) as error:
            words = str(error)
        click.echo(words, err=True)
        sys.exit(PROBLEMS)

    return run


@group.command("assess")
@click.option("--month", required=True, type=MONTH, help="Accrual month, YYYY-MM.")
@click.option("--employer", "employer_no", help="Employer number; all employers where it is left out.")
@click.option("--region", help="Region code; all regions where it is left out.")
@json_option
@_in_words
def assess(month: str, employer_no: str | None, region: str | None, as_json: bool) -> None:
    """Charge the normal dues of a month and make its notices; a second run adds nothing."""
    employer = None
    if employer_no is not None:
        employer = find_employer_by_no(employer_no)
        if employer is None:
            raise NotFound(f"there is no employer {employer_no}")
    if region is not None:
        known_region(region)
    now = clock.now()
    done = assessing.assess(month, now, employer_id=employer.id if employer else None, region=region)
    # a whole province has too many to be listed
    notices = assessing.notices_of(done, now) if done.employers <= LISTED_EMPLOYERS else []
    totals = {name: _yuan(total) for name, total in done.totals_fen.items()}
    document = {
        "month": done.month,
        "employers": done.employers,
        "people": done.people,
        "lines": done.lines,
        "added": {"people": done.added_people, "lines": done.added_lines},
        "totals": totals,
        "notices": [_head(each) for each in notices],
    }
    text = [
        f"{done.month}: {done.employers} employers, {done.people} people, {done.lines} lines"
        f" ({done.added_people} people and {done.added_lines} lines added)",
        "  ".join(f"{name} {total}" for name, total in totals.items()),
        *(f"  notice {_line_of(each)}" for each in notices),
    ]
    _print(as_json, document, text)


@group.command("notice")
@click.argument("name", metavar="NO")
@json_option
@_in_words
def notice(name: str, as_json: bool) -> None:
    """Show a payment notice by its number, or the newest ones of an employer."""
    found = billing.notices_named(name, clock.now())
    documents = [_document(each) for each in found]
    # one notice is itself; of an employer the first is that of the normal dues
    document = {**documents[0], "notices": documents} if len(documents) > 1 else documents[0]
    _print(as_json, document, [line for each in found for line in _text(each)])


@group.command("pay")
@click.argument("number", metavar="NO")
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day of receipt.")
@click.option("--amount", help="Amount in yuan; all that is open where it is left out.")
@click.option("--fund", "funds", multiple=True, help="Only this fund; may be given several times.")
@click.option("--voucher", default="", help="The payment's own number: the same one is entered once.")
@json_option
@_in_words
def pay(
    number: str, day: datetime, amount: str | None, funds: tuple[str, ...], voucher: str, as_json: bool
) -> None:
    """Enter money that came in for a notice."""
    done = posting.post(number, _day(day), clock.now(), amount_fen=_fen(amount), funds=funds, voucher=voucher)
    document = {
        "number": done.number,
        "lines": done.lines,
        "amount": _yuan(done.amount_fen),
        "late_fee": _yuan(done.late_fee_fen),
        "left": _yuan(done.left_fen),
        "state": done.state,
        "repeated": done.repeated,
    }
    _print(as_json, document, ["  ".join(f"{name} {value}" for name, value in document.items())])


@group.command("pay-order")
@click.argument("reference")
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day of payment.")
@json_option
@_in_words
def pay_order(reference: str, day: datetime, as_json: bool) -> None:
    """Enter that an order was paid: of a withdrawal by its declaration, of a refund by its number."""
    order = find_order_by_reference(reference)
    if order is None:
        raise NotFound(f"there is no payment order {reference}")
    done = posting.pay_order(order.id, _day(day), clock.now())
    document = {"reference": reference, "amount": _yuan(order.amount_fen), "repeated": not done}
    _print(as_json, document, ["  ".join(f"{name} {value}" for name, value in document.items())])


@group.command("refund")
@click.argument("employer_no", metavar="EMPLOYER")
@json_option
@_in_words
def refund(employer_no: str, as_json: bool) -> None:
    """Show what is due back to an employer, and the orders to pay it."""
    found = refunding.credits_of(SYSTEM, employer_no)
    document: dict[str, Any] = {
        "employer_no": found.employer_no,
        "name": found.employer_name,
        "amount": _yuan(found.amount_fen),
        "uppercase": found.words,
        "payee": found.payee,
        "bank": found.bank_name,
        "account": f"**** {found.account_last4}" if found.account_last4 else "",
        "lines": [
            {"fund": row.fund, "accrual_month": row.accrual_month, "due_type": row.due_type, **_amounts(row)}
            for row in found.rows
        ],
        "orders": [_order(each) for each in found.orders],
    }
    text = [
        f"{found.employer_no} {document['amount']}  {found.employer_name}",
        *(f"  {line['accrual_month']} {line['fund']:<6} {line['amount']:>13}" for line in document["lines"]),
        *(f"  order {each['number']} {each['amount']:>13} {each['state']}" for each in document["orders"]),
    ]
    _print(as_json, document, text)


@group.command("order-refund")
@click.argument("employer_no", metavar="EMPLOYER")
@json_option
@_in_words
def order_refund(employer_no: str, as_json: bool) -> None:
    """Order what is due back to an employer to be paid to its account."""
    document = _order(refunding.order(employer_no, clock.now()))
    _print(as_json, document, ["  ".join(f"{name} {value}" for name, value in document.items())])


@group.command("cancel-order")
@click.argument("number")
@json_option
@_in_words
def cancel_order(number: str, as_json: bool) -> None:
    """Make an order to pay an employer void; what it would have paid waits again."""
    order = find_order_by_reference(number)
    if order is None:
        raise NotFound(f"there is no payment order {number}")
    done = refunding.cancel(order.id, clock.now())
    document = {"number": number, "amount": _yuan(order.amount_fen), "repeated": not done}
    _print(as_json, document, ["  ".join(f"{name} {value}" for name, value in document.items())])


def _order(row: OrderRow) -> dict[str, Any]:
    return {
        "number": row.reference,
        "amount": _yuan(row.amount_fen),
        "payee": row.payee,
        "bank": row.bank_name,
        "account": f"**** {row.account_last4}",
        "state": row.status,
    }


def _day(moment: datetime) -> date:
    return moment.date()


def _fen(amount: str | None) -> int | None:
    if amount is None:
        return None
    try:
        value = Decimal(amount)
        fen = to_fen(value)
    except (InvalidOperation, ValueError) as error:
        raise click.BadParameter("an amount in yuan is needed", param_hint="--amount") from error
    if fen <= 0 or from_fen(fen) != value:
        raise click.BadParameter("a positive amount with whole fen is needed", param_hint="--amount")
    return fen


def _head(found: Notice) -> dict[str, Any]:
    return {
        "number": found.number,
        "employer_no": found.employer_no,
        "kind": found.kind,
        "due_month": found.due_month,
        "amount": _yuan(found.total.total_fen),
        "state": found.state,
    }


def _document(found: Notice) -> dict[str, Any]:
    funds = {fund.code: fund.name for fund in parameters(found.region).funds}
    types = code_list("due_type")
    return {
        **_head(found),
        "employer": {"employer_no": found.employer_no, "name": found.employer_name},
        "due_on": found.due_on.isoformat(),
        "lines": [
            {
                "fund": row.fund,
                "fund_name": funds.get(row.fund, row.fund),
                "accrual_month": row.accrual_month,
                "due_type": row.due_type,
                "due_type_name": types.label(row.due_type),
                **_amounts(row),
                "base": _yuan(row.base_fen),
                "people": row.people,
                "state": row.state,
            }
            for row in found.rows
        ],
        "totals": _amounts(found.total),
        "uppercase": found.words,
        "owed": _yuan(found.owed_fen),
        "postings": [
            {
                "received_on": each.received_on.isoformat(),
                "amount": _yuan(each.amount_fen),
                "late_fee": _yuan(each.late_fee_fen),
                "lines": each.lines,
            }
            for each in found.postings
        ],
    }


def _amounts(row: Row) -> dict[str, str]:
    return {
        "employee": _yuan(row.employee_fen),
        "employer": _yuan(row.employer_fen),
        "interest": _yuan(row.interest_fen),
        "late_fee": _yuan(row.late_fee_fen),
        "other": _yuan(row.other_fen),
        "amount": _yuan(row.total_fen),
        "allocation": _yuan(row.allocation_fen),
    }


def _yuan(fen: int) -> str:
    return format_yuan(from_fen(fen))


def _line_of(found: Notice) -> str:
    return (
        f"{found.number} {found.employer_no} {found.due_month} {found.kind:<8}"
        f" {_yuan(found.total.total_fen):>14} {found.state}"
    )


def _text(found: Notice) -> list[str]:
    document = _document(found)
    columns = ("employee", "employer", "interest", "late_fee", "other", "amount")
    return [
        f"{_line_of(found)}  {found.employer_name}",
        *(
            f"  {line['accrual_month']} {line['fund']:<6} {line['due_type_name']:<8} "
            + " ".join(f"{line[name]:>13}" for name in columns)
            for line in document["lines"]
        ),
        "  total " + " ".join(f"{document['totals'][name]:>13}" for name in columns),
        f"  {found.words}",
    ]


def _print(as_json: bool, document: dict[str, Any], text: list[str]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2) if as_json else "\n".join(text))


COMMANDS = [group]
