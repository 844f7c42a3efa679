"""What the product holds of the employer, row by row, held against the model: nothing may be left over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import or_, select

from app.domain.declaration import STATUSES
from app.extensions import db
from app.services import billing
from app.store.models import (
    AccountEntry,
    Assessment,
    ContributionLine,
    Declaration,
    Enrolment,
    PaymentNotice,
    PaymentOrder,
    PaymentPosting,
    Person,
)
from app.store.personal_accounts import account_balance
from app.store.queries.hall import Filter, list_records
from app.store.queries.insured import insured_on
from tests.matrix.model import span
from tests.year.model import Model
from tests.year.rows import HERE, THERE


def differences(found: Counter, wanted: Counter) -> str:
    """What one has and the other lacks, a few of each."""
    more, less = list((found - wanted).elements()), list((wanted - found).elements())
    told = [f"the product alone has {len(more)}:", *map(str, sorted(more, key=str)[:6])]
    return "\n".join([*told, f"the model alone has {len(less)}:", *map(str, sorted(less, key=str)[:6])])


def same(what: str, found, wanted) -> None:
    found, wanted = Counter(found), Counter(wanted)
    assert found == wanted, f"{what}: {differences(found, wanted)}"


class Product:
    """The rows of an employer and its people."""

    def __init__(self, employer_id: int, names: set[str], region: str) -> None:
        db.session.rollback()
        self.employer_id = employer_id
        self.people = dict(
            db.session.execute(
                select(Person.id, Person.name).where(Person.name.in_(names), Person.region == region)
            ).all()
        )
        self.kinds = dict(db.session.execute(select(Declaration.id, Declaration.kind)).all())

    def _where(self, employer_id: int | None) -> str:
        return HERE if employer_id == self.employer_id else THERE

    def _by(self, declaration_id: int | None) -> str:
        return "" if declaration_id is None else self.kinds[declaration_id]

    def _mine(self, table):
        return select(table).where(
            or_(table.c.employer_id == self.employer_id, table.c.person_id.in_(self.people))
        )

    def enrolments(self) -> list[tuple]:
        return [
            (
                self.people[row.person_id], self._where(row.employer_id), row.fund, row.person_type,
                row.from_month, row.to_month, row.status, row.wage_fen, row.base_fen,
                self._by(row.declaration_id),
            )
            for row in db.session.execute(self._mine(Enrolment.__table__))
        ]  # fmt: skip

    def lines(self) -> list[tuple]:
        notices = {
            row.id: (row.due_month, row.kind)
            for row in db.session.scalars(
                select(PaymentNotice).where(PaymentNotice.employer_id == self.employer_id)
            )
        }
        found = []
        for row in db.session.execute(self._mine(ContributionLine.__table__)):
            assert (row.interest_fen, row.other_fen) == (0, 0)
            found.append(
                (
                    self.people[row.person_id], self._where(row.employer_id), row.fund, row.party,
                    row.due_type, row.accrual_month, row.due_month, row.base_fen, row.rate, row.fixed_fen,
                    row.amount_fen, self._by(row.declaration_id), row.retired, row.wage_fen, row.late_from,
                    row.received_on, row.late_fee_fen, row.reversed_by_id is not None,
                    row.reversal_of_id is not None, notices.get(row.notice_id),
                )
            )  # fmt: skip
        return found


def rows(model: Model, employer_id: int, names: set[str]) -> Product:
    """Registry and ledger, row by row. Gives what was read."""
    product = Product(employer_id, names, model.city.code)
    same("registry", product.enrolments(), [each.row() for each in model.stretches])
    same("ledger", product.lines(), [each.row() for each in model.lines])
    return product


def everything(model: Model, employer_id: int, names: set[str], now: datetime) -> None:
    """Registry, ledger, assessed months, notices, accounts and lists."""
    product = rows(model, employer_id, names)
    _months(model, employer_id)
    _notices(model, employer_id, now)
    _accounts(model, product)
    _lists(model, employer_id)


def _months(model: Model, employer_id: int) -> None:
    marks = select(Assessment.month, Assessment.state).where(Assessment.employer_id == employer_id)
    found = dict(db.session.execute(marks).all())
    assert found == dict.fromkeys(model.assessed, "finished")


def _notices(model: Model, employer_id: int, now: datetime) -> None:
    rows = db.session.scalars(select(PaymentNotice).where(PaymentNotice.employer_id == employer_id)).all()
    wanted = model.notices(now.date())
    assert {(row.due_month, row.kind) for row in rows} == set(wanted)
    for row in rows:
        notice, key = billing.get_notice(row.number, now), (row.due_month, row.kind)
        printed = [
            (
                each.fund, each.accrual_month, each.due_type, each.employee_fen, each.employer_fen,
                each.allocation_fen, each.late_fee_fen, each.people, each.base_fen, each.open_lines,
                each.received_lines,
            )
            for each in notice.rows
        ]  # fmt: skip
        names = ("employee", "employer", "allocation", "late_fee", "people", "base", "open", "received")
        same(
            f"notice {key}",
            printed,
            [(*at, *(each[name] for name in names)) for at, each in wanted[key].items()],
        )
        total = sum(each["employee"] + each["employer"] + each["late_fee"] for each in wanted[key].values())
        assert notice.total.total_fen == total
        state = {each["open"] > 0 for each in wanted[key].values()}
        assert (notice.state == "paid") == (state <= {False}), key
    posted = [
        ((row.due_month, row.kind), each.received_on, each.amount_fen, each.late_fee_fen, each.lines)
        for row in rows
        for each in db.session.scalars(select(PaymentPosting).where(PaymentPosting.notice_id == row.id))
    ]
    same("postings", posted, model.postings)


def _accounts(model: Model, product: Product) -> None:
    found = {name: account_balance(person_id) for person_id, name in product.people.items()}
    assert found == {name: model.balance(name) for name in found}
    entries = select(AccountEntry).where(AccountEntry.person_id.in_(product.people))
    same(
        "entries of accounts",
        [(product.people[row.person_id], row.entry, row.amount_fen) for row in db.session.scalars(entries)],
        [(who, "payout", -amount) for who, amount, _ in model.payouts],
    )
    orders = select(PaymentOrder).where(PaymentOrder.person_id.in_(product.people))
    same(
        "payment orders",
        [(product.people[row.person_id], row.amount_fen, row.status) for row in db.session.scalars(orders)],
        model.payouts,
    )
    dead = select(Person.name, Person.died_on).where(Person.id.in_(product.people), Person.life_status == "2")
    assert dict(db.session.execute(dead).all()) == model.deaths


def _lists(model: Model, employer_id: int) -> None:
    """What the hall lists of each status, kind by kind."""
    for status in STATUSES:
        listed = list_records(employer_id, Filter([status]), limit=1000)
        found = [(each.kind, each.person_name) for each in listed]
        same(f"list of {status}", found, [(kind, who) for kind, is_, who in model.filed if is_ == status])


def past(model: Model, employer_id: int, first: str, last: str) -> None:
    """Who was insured in each month, and as what, asked of the registry as it is now."""
    for when in span(first, last):
        found = {each.name: (each.person_type, set(each.funds)) for each in insured_on(employer_id, when)}
        assert found == model.insured(when), when
