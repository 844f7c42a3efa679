"""Payment notices: which lines belong to them, and the money posted to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select, text, update
from sqlalchemy.orm import aliased

from app.extensions import db
from app.store.ids import new_id
from app.store.models import ContributionLine, NoticeSerial, PaymentNotice, PaymentPosting
from app.store.session import insert_rows, lock

Line = ContributionLine
REFUND_TYPE = "20"
IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One payment notice."""

    id: int
    number: str
    region: str
    employer_id: int
    due_month: str
    kind: str
    settled: bool
    made_at_utc: datetime


_NOTICE: tuple[Any, ...] = (
    PaymentNotice.id,
    PaymentNotice.number,
    PaymentNotice.region,
    PaymentNotice.employer_id,
    PaymentNotice.due_month,
    PaymentNotice.kind,
    PaymentNotice.settled,
    PaymentNotice.made_at_utc,
)


def find_notice(number: str, *, held: bool = False) -> NoticeRow | None:
    """A notice by its number; `held` keeps others from posting to it until the commit."""
    query = select(*_NOTICE).where(PaymentNotice.number == number)
    row = db.session.execute(lock(query) if held else query).one_or_none()
    return None if row is None else NoticeRow(*row)


def newest_notices(employer_id: int) -> list[NoticeRow]:
    """The notices of an employer's last due month, normal dues first."""
    last = select(func.max(PaymentNotice.due_month)).where(PaymentNotice.employer_id == employer_id)
    rows = db.session.execute(
        select(*_NOTICE)
        .where(PaymentNotice.employer_id == employer_id, PaymentNotice.due_month == last.scalar_subquery())
        .order_by(PaymentNotice.kind.desc(), PaymentNotice.id)
    )
    return [NoticeRow(*row) for row in rows]


def notices_of_months(employer_id: int, months: Collection[str]) -> dict[tuple[str, str], NoticeRow]:
    """An employer's notices of due months: {(due month, kind): notice}."""
    rows = db.session.execute(
        select(*_NOTICE).where(PaymentNotice.employer_id == employer_id, PaymentNotice.due_month.in_(months))
    )
    found = (NoticeRow(*row) for row in rows)
    return {(each.due_month, each.kind): each for each in found}


def add_notices(rows: Sequence[NoticeRow]) -> None:
    """Add notices, in one statement."""
    insert_rows(PaymentNotice, [{name: getattr(row, name) for name in NoticeRow.__slots__} for row in rows])


_SERIAL = text(
    f"INSERT INTO {NoticeSerial.__tablename__} (prefix, last) VALUES (:prefix, :count) "  # noqa: S608
    "ON CONFLICT (prefix) DO UPDATE SET last = notice_serial.last + :count RETURNING last"
)


def take_serial(prefix: str, count: int = 1) -> int:
    """Take the next serial numbers of a prefix; gives the first of them."""
    last = db.session.connection().execute(_SERIAL, {"prefix": prefix, "count": count}).scalar_one()
    return int(last) - count + 1


def standing() -> ColumnElement[bool]:
    """What a notice counts of its lines: those not taken back, paid ones, and refunds that stand.

    A line that was paid and then refunded stays where it was paid; its refund is a line of its own.
    """
    other = aliased(Line)
    stands = and_(
        Line.due_type == REFUND_TYPE,
        Line.reversed_by_id == Line.reversal_of_id,
        select(other.id).where(other.id == Line.reversal_of_id, other.due_type != REFUND_TYPE).exists(),
    )
    return or_(Line.reversed_by_id.is_(None), Line.received_on.is_not(None), stands)


def favours_employer(credit_types: Collection[str]) -> ColumnElement[bool]:
    """What is no charge: differences that lower what was charged."""
    return and_(Line.due_type.in_(credit_types), Line.amount_fen < 0)


def kinds_to_notify(
    employer_id: int, until_month: str, credit_types: Collection[str]
) -> list[tuple[str, str]]:
    """The due months and due types of an employer's lines that belong to no notice yet, credits left out."""
    rows = db.session.execute(
        select(Line.due_month, Line.due_type)
        .where(
            Line.employer_id == employer_id,
            Line.notice_id.is_(None),
            Line.due_month <= until_month,
            Line.reversed_by_id.is_(None),
            ~favours_employer(credit_types),
        )
        .distinct()
    )
    return [(month, due_type) for month, due_type in rows]


def join_lines(notice: NoticeRow, due_types: Collection[str], credit_types: Collection[str]) -> int:
    """Put the lines of a due month that belong to no notice on this one; gives their number."""
    done: Any = db.session.execute(
        update(Line)
        .where(
            Line.employer_id == notice.employer_id,
            Line.notice_id.is_(None),
            Line.due_month == notice.due_month,
            Line.due_type.in_(due_types),
            Line.reversed_by_id.is_(None),
            ~favours_employer(credit_types),
        )
        .values(notice_id=notice.id)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that is not paid yet, or a credit; amounts in fen. `late_fee_fen` is what a refund gives back:
    that of a charge is not known before it is paid."""

    id: int
    person_id: int
    fund: str
    party: str
    due_type: str
    due_month: str
    accrual_month: str
    amount_fen: int
    interest_fen: int
    late_fee_fen: int
    other_fen: int
    late_from: date | None
    created_at_utc: datetime
    declaration_id: int | None
    reversed: bool


OPEN_COLUMNS: tuple[Any, ...] = (
    Line.id, Line.person_id, Line.fund, Line.party, Line.due_type, Line.due_month, Line.accrual_month,
    Line.amount_fen, Line.interest_fen, Line.late_fee_fen, Line.other_fen, Line.late_from,
    Line.created_at_utc, Line.declaration_id, Line.reversed_by_id.is_not(None),
)  # fmt: skip
OPEN_ORDER = (Line.accrual_month, Line.person_id, Line.fund, Line.due_type, Line.id)


def open_lines(notice_id: int) -> list[OpenLine]:
    """The lines of a notice for which no money has come in, by month and person."""
    rows = db.session.execute(
        select(*OPEN_COLUMNS)
        .where(Line.notice_id == notice_id, Line.received_on.is_(None), standing())
        .order_by(*OPEN_ORDER)
    )
    return [OpenLine(*row) for row in rows]


def people_of_notice(notice_id: int) -> list[int]:
    """Whose lines a notice holds."""
    return list(db.session.scalars(select(Line.person_id).where(Line.notice_id == notice_id).distinct()))


def notices_with_credits(employer_id: int, credit_types: Collection[str]) -> list[int]:
    """The notices of an employer on which credits wait to be paid with the charges."""
    return list(
        db.session.scalars(
            select(Line.notice_id)
            .join(PaymentNotice, PaymentNotice.id == Line.notice_id)
            .where(
                PaymentNotice.employer_id == employer_id,
                PaymentNotice.settled.is_(False),
                Line.received_on.is_(None),
                or_(Line.due_type == REFUND_TYPE, favours_employer(credit_types)),
            )
            .distinct()
            .order_by(Line.notice_id)
        )
    )


def detach(line_ids: Sequence[int]) -> None:
    """Take these lines off their notice."""
    attach(None, line_ids)


def attach(notice_id: int | None, line_ids: Sequence[int]) -> None:
    """Put these lines on a notice."""
    for start in range(0, len(line_ids), IDS_AT_ONCE):
        db.session.execute(
            update(Line)
            .where(Line.id.in_(line_ids[start : start + IDS_AT_ONCE]))
            .values(notice_id=notice_id)
            .execution_options(synchronize_session=False)
        )


_TABLE = Line.__table__
_RECEIVE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("b_id"), _TABLE.c.received_on.is_(None))
    .values(received_on=bindparam("b_on"), late_fee_fen=bindparam("b_fee"))
)


def set_received(line_ids: Sequence[int], received_on: date, fees: Mapping[int, int]) -> int:
    """Say that money for these lines came in, with the late fee of those that have one; gives how many."""
    done = 0
    plain = [each for each in line_ids if not fees.get(each)]
    for start in range(0, len(plain), IDS_AT_ONCE):
        result: Any = db.session.execute(
            update(Line)
            .where(Line.id.in_(plain[start : start + IDS_AT_ONCE]), Line.received_on.is_(None))
            .values(received_on=received_on)
            .execution_options(synchronize_session=False)
        )
        done += int(result.rowcount)
    late = [{"b_id": each, "b_on": received_on, "b_fee": fees[each]} for each in line_ids if fees.get(each)]
    if late:
        answer: Any = db.session.connection().execute(_RECEIVE, late)
        done += int(answer.rowcount)
    return done


def set_settled(notice_ids: Iterable[int]) -> None:
    """Say of notices, for lists, whether anything of them is still open."""
    wanted = list(notice_ids)
    if wanted:
        _set_settled(PaymentNotice.id.in_(wanted))


def set_settled_of(employer_id: int) -> None:
    """The same of all notices of an employer: lines were taken back, or stand again, since they were made."""
    _set_settled(PaymentNotice.employer_id == employer_id)


def _set_settled(wanted: ColumnElement[bool]) -> None:
    still = (
        select(Line.id)
        .where(Line.notice_id == PaymentNotice.id, Line.received_on.is_(None), standing())
        .correlate(PaymentNotice)
        .exists()
    )
    db.session.execute(
        update(PaymentNotice)
        .where(wanted)
        .values(settled=~still)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Sum:
    """What one fund, accrual month, due type and party of a notice or an order comes to, in fen."""

    fund: str
    accrual_month: str
    due_type: str
    party: str
    amount_fen: int
    base_fen: int
    interest_fen: int
    late_fee_fen: int
    other_fen: int
    people: int
    open_lines: int
    received_lines: int


def sums_of(notice_ids: Collection[int], without: Collection[int] = ()) -> dict[int, list[Sum]]:
    """The sums of notices by fund, month, type and party, in one statement; sums of rounded lines.

    `without` are lines that are left out.
    """
    wanted = (Line.notice_id.in_(notice_ids), Line.id.not_in(without), standing())
    return {each: [] for each in notice_ids} | (sums_by(Line.notice_id, *wanted) if notice_ids else {})


def sums_by(owner: Any, *wanted: ColumnElement[bool]) -> dict[int, list[Sum]]:
    """Sums of lines by a column that names what they belong to, in one statement."""
    found: dict[int, list[Sum]] = {}
    is_open = case((Line.received_on.is_(None), 1), else_=0)
    rows = db.session.execute(
        select(
            owner, Line.fund, Line.accrual_month, Line.due_type, Line.party,
            func.sum(Line.amount_fen), func.sum(Line.base_fen), func.sum(Line.interest_fen),
            func.sum(Line.late_fee_fen), func.sum(Line.other_fen),
            func.count(Line.person_id.distinct()), func.sum(is_open), func.sum(1 - is_open),
        )
        .where(*wanted)
        .group_by(owner, Line.fund, Line.accrual_month, Line.due_type, Line.party)
        .order_by(owner, Line.accrual_month, Line.due_type, Line.fund, Line.party)
    )  # fmt: skip
    row: Any
    for row in rows:
        found.setdefault(row[0], []).append(Sum(*row[1:5], *map(int, row[5:])))
    return found


@dataclass(frozen=True, slots=True)
class PostingRow:
    """Money that came in for a notice; amounts in fen."""

    notice_id: int
    voucher: str
    received_on: date
    amount_fen: int
    late_fee_fen: int
    lines: int
    posted_by_id: int | None
    posted_by_name: str
    posted_at_utc: datetime


def postings_of(notice_id: int) -> list[PostingRow]:
    """The money posted to a notice, in the order it was."""
    table = PaymentPosting.__table__
    columns = [table.c[name] for name in PostingRow.__slots__]
    rows = db.session.execute(select(*columns).where(table.c.notice_id == notice_id).order_by(table.c.id))
    return [PostingRow(*row) for row in rows]


def add_posting(row: PostingRow) -> None:
    """Keep who posted what, and when."""
    insert_rows(PaymentPosting, [{"id": new_id(), **{n: getattr(row, n) for n in PostingRow.__slots__}}])
