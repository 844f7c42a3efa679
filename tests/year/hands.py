"""The employer and the agency at work in the product: each act ends where the city's way of it ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import select

from app import clock as region_clock
from app.definitions.current import parameters
from app.extensions import db
from app.services import (
    accounts,
    activating,
    assessing,
    audits,
    batch_documents,
    batch_results,
    batch_run,
    batch_steps,
    declarations,
    imports,
    materials,
    posting,
    sms,
    templates,
    throttle,
    unit_entry,
    unit_registration,
)
from app.services.activating import Claim
from app.services.actors import Actor
from app.services.demo.identities import credit_code
from app.services.results import Receipt
from app.store import units
from app.store.models import Declaration, Employer, HumanTask, Outbox, PaymentNotice, User
from tests.documents.samples import picture
from tests.year.people import HUAIAN, LIANYUNGANG, NANJING, NANTONG, SUZHOU, WEINAN

PASSWORD, PHONE = "Quiet-river-42", "13600000077"
# The way of each kind online: P a pending stage, A0 to A2 audits, m materials. All else is at the counter.
_PLATFORM_WAYS = {
    "enrol": "A1", "stop": "A1", "base": "A1", "base_annual": "A1", "collection": "A1",
    "employer_transfer": "A1",
}  # fmt: skip
WAYS = {
    NANTONG: {"enrol": "P A1", "stop": "P A1", "base": "P A1", "employer_transfer": "A1"},
    SUZHOU: {
        "enrol": "A0", "stop": "A0", "base_annual": "A0", "collection_cancel": "A0",
        "employer_transfer": "A1",
    },
    NANJING: {
        "person_record": "A0", "enrol": "A0", "stop": "A0", "revert": "A0", "retirement": "m A2",
        "withdrawal": "m A2", "base_annual": "A0", "employer_transfer": "A1",
    },
    WEINAN: {"enrol": "m P A1", "stop": "m P A1", "base_annual": "m A1", "employer_transfer": "A1"},
    HUAIAN: _PLATFORM_WAYS,
    LIANYUNGANG: _PLATFORM_WAYS,
}  # fmt: skip
MATERIALS = {
    "enrol": ["identity_card", "labour_contract"], "stop": ["identity_card"], "base_annual": ["payroll"],
    "retirement": ["pension_assessment"], "withdrawal": ["withdrawal_picture"],
}  # fmt: skip
FIRST_ROW = 4


@cache
def _picture(text: str) -> bytes:
    return picture(size=(80, 50), text=text)


def last_code(now: datetime) -> str:
    """The newest code in the local table of text messages."""
    for row in db.session.scalars(select(Outbox).where(Outbox.topic == "sms")).all():
        sms.deliver(row.id, now)
    return re.search(r"验证码(\d{6})", sms.kept_messages()[0].text)[1]


@dataclass
class Hands:
    """Everybody of a city who acts in the year; `today` is the day on the region's clock."""

    region: str
    today: date = date(2027, 1, 1)
    employer: Actor | None = None

    def __post_init__(self) -> None:
        slug = parameters(self.region).slug
        self.auditor, self.senior, self.supervisor, self.counter = (
            self._account(f"{slug}.{role}") for role in ("auditor", "senior", "supervisor", "counter")
        )

    def on(self, month: int, day: int, hour: int = 10) -> date:
        """Let it be a day of the year."""
        self.now = datetime(2027, month, day, hour)
        self.today = self.now.date()
        region_clock.configure(self.now)
        return self.today

    def _account(self, username: str) -> Actor:
        user_id = db.session.scalars(select(User.id).where(User.username == username)).one()
        account = accounts.load_account(user_id, region_clock.real_utcnow())
        assert account is not None
        return account.actor

    # the unit's account

    def register(self) -> None:
        """The city's own way: the unit states who it is, or the counter enters it; a code proves it."""
        throttle._local.clear()
        if self.region == NANTONG:
            self._open_at_the_counter()
            activating.request_code(Claim(phone=PHONE), "10.0.0.1", self.now)
            claim, then = Claim(phone=PHONE), None
        else:
            unit = units.find_unit(self.region, employer_no=f"{self.region}00004")
            stated = {
                NANJING: {"credit_code": [unit.credit_code]},
                WEINAN: {"employer_no": [unit.employer_no], "funds": ["310", "330", "510"]},
            }.get(self.region, {"employer_no": [unit.employer_no], "credit_code": [unit.credit_code]})
            started = unit_registration.register(self.region, stated, "10.0.0.1", self.now)
            claim, then = Claim(user_id=started.user_id), unit_registration.complete
        ticket = activating.confirm_code(claim, last_code(self.now), "10.0.0.1")
        account = activating.set_password(ticket, PASSWORD, PASSWORD, self.now, "10.0.0.1", then=then)
        self.employer = account.actor
        assert account.actor.roles == {"admin"}

    def _open_at_the_counter(self) -> None:
        name, code = "南通新来企业有限公司", credit_code(self.region, "91", 77)
        begun = unit_entry.begin(
            self.counter, self.region, {"employer_name": name, "credit_code": code}, self.now
        )
        form = {
            "employer_name": name, "credit_code": code, "unit_type": "企业", "management_type": "01",
            "funds": ["310", "330", "510", "410", "320"], "start_month": "2027-01", "contact_name": "何平",
            "contact_mobile": PHONE, "bank_name": "示例银行", "address": "示例路77号",
            "bank_account_name": name, "bank_account": "6222003206000000077",
        }  # fmt: skip
        declarations.file(self.counter, "employer_opening", form, self.now, reference=begun.reference)
        self.decide(begun.reference)

    # declarations

    def file(self, kind: str, form: Mapping[str, Any], items: Iterable[str] | None = None) -> Receipt:
        """File online and go the whole way; gives the last receipt."""
        way = WAYS[self.region][kind]
        made = declarations.file(self.actor, kind, form, self.now)
        if self.region == WEINAN and kind == "enrol":
            # the wizard's first step shows what was typed
            declarations.proceed(self.actor, made.reference, "next", self.now)
        if "m" in way:
            for item in MATERIALS[kind] if items is None else items:
                materials.upload(self.actor, made.reference, item, f"{item}.jpg", _picture(item), self.now)
            declarations.proceed(self.actor, made.reference, "next", self.now)
        return self.finish(kind, made.reference)

    def finish(self, kind: str, reference: str, submitted: bool = False) -> Receipt:
        """Submit and have decided what the city submits and decides."""
        way = WAYS[self.region][kind]
        if "P" in way and not submitted:
            assert self.status(reference) == "pending"
            assert declarations.submit(self.actor, [reference], self.now).done == 1
        if "A0" in way:
            assert self.status(reference) == "done"
            return declarations.get_case(self.actor, reference, self.now)
        assert self.status(reference) == "submitted"
        done = self.decide(reference)
        if "A2" in way:
            assert done.status == "in_audit" or done.status == "submitted", done
            done = self.decide(reference, self.senior)
        assert done.status == "approved", done
        return done

    def at_the_counter(self, kind: str, form: Mapping[str, Any]) -> Receipt:
        """A clerk files it for the employer, somebody else decides."""
        clerk = replace(self.counter, employer_id=self.actor.employer_id)
        made = declarations.file(clerk, kind, form, self.now)
        assert made.status == "submitted", made
        done = self.decide(made.reference)
        assert done.status == "approved", done
        return done

    def decide(
        self, reference: str, who: Actor | None = None, decision: str = "approve", why: str = ""
    ) -> Receipt:
        db.session.rollback()
        task = db.session.scalars(select(HumanTask.id).where(HumanTask.reference == reference)).one()
        return audits.decide(who or self.auditor, task, decision, why, [], self.now)

    @property
    def employer_id(self) -> int:
        assert self.actor.employer_id is not None
        return self.actor.employer_id

    @property
    def actor(self) -> Actor:
        assert self.employer is not None
        return self.employer

    def status(self, reference: str) -> str:
        db.session.rollback()
        return db.session.scalars(select(Declaration.status).where(Declaration.reference == reference)).one()

    # files

    def upload(self, kind: str, content: bytes, settings: Mapping[str, Any], rows: int) -> None:
        """Work a file through and have its cases go the whole way."""
        made = imports.upload(
            self.actor, kind, f"{kind}.xlsx", content, dict(settings), self.now, queued=False
        )
        batch_run.run(made.batch.id)
        batch = imports.get_batch(self.actor, made.batch.id)
        refused = list(batch_results.errors_of(batch.id))
        assert (batch.accepted_rows, batch.rejected_rows) == (rows, 0), (batch.message, refused)
        way, cases = (
            WAYS[self.region][kind],
            select(Declaration.reference).where(Declaration.batch_id == batch.id),
        )
        references = list(db.session.scalars(cases.order_by(Declaration.id)))
        if "m" in way:
            # one document stands for everybody, one submission hands all of them over
            for item in MATERIALS[kind]:
                document = (f"{item}.jpg", _picture(f"{item}{batch.id}"))
                batch_documents.take_files(self.actor, batch.id, [document], self.now, item, everybody=True)
            assert batch_steps.run_slice("submit", self.actor, batch.id, 0, self.now).done == rows
        for reference in references:
            self.finish(kind, reference, submitted="m" in way)

    def filled(self, kind: str, cells: Iterable[Mapping[str, str]]) -> bytes:
        """The employer's template with these rows."""
        book = load_workbook(BytesIO(templates.template_of(self.actor, kind, self.now).content))
        sheet = book.active
        places = {cell.value: cell.column for cell in sheet[2]}
        for number, row in enumerate(cells, FIRST_ROW):
            for name, value in row.items():
                sheet.cell(number, places[name]).value = value
        return _saved(book)

    def roster(self, kind: str, rows: Mapping[str, Mapping[str, str]]) -> bytes:
        """The template with the whole roster, of which only these numbers stay, with their new cells."""
        book = load_workbook(BytesIO(templates.template_of(self.actor, kind, self.now).content))
        sheet = book.active
        places = {cell.value: cell.column for cell in sheet[2]}
        listed = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=FIRST_ROW)]
        kept = [row for row in listed if row[places["id_number"] - 1] in rows]
        assert len(kept) == len(rows)
        sheet.delete_rows(FIRST_ROW, sheet.max_row)
        for number, row in enumerate(kept, FIRST_ROW):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column).value = value
            for name, value in rows[row[places["id_number"] - 1]].items():
                sheet.cell(number, places[name]).value = value
        return _saved(book)

    # the ledger

    def assess(self, month: str) -> None:
        assessing.assess(month, self.now, employer_id=self.actor.employer_id)

    def pay(self, due_month: str, kind: str, funds: tuple[str, ...] = ()) -> None:
        """Enter the money for a notice, as it came in today."""
        db.session.rollback()
        number = db.session.scalars(
            select(PaymentNotice.number).where(
                PaymentNotice.employer_id == self.actor.employer_id,
                PaymentNotice.due_month == due_month,
                PaymentNotice.kind == kind,
            )
        ).one()
        posting.post(number, self.today, self.now, actor=self.supervisor, funds=funds)

    def pay_order(self) -> None:
        """Carry out the orders that wait to be paid."""
        for order in posting.open_orders(self.supervisor, 0, 10):
            assert posting.pay_order(order.id, self.today, self.now, actor=self.supervisor)

    def other_employer(self) -> str:
        """The number of another employer of the city."""
        return db.session.scalars(
            select(Employer.employer_no).where(Employer.employer_no == f"{self.region}00002")
        ).one()


def _saved(book: Any) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()
