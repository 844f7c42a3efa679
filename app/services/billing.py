"""Payment notices: made of what was assessed, read as they stand today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from app.clock import to_region, to_utc
from app.definitions.current import parameters
from app.domain import billing as rules
from app.domain.billing import CREDIT_TYPES, NORMAL_NOTICE, NOTICE_KINDS, PAYABLE, TYPES_OF, Item
from app.domain.contribution import EMPLOYEE, EMPLOYER
from app.domain.money import from_fen, uppercase
from app.domain.parameters import ParameterSet
from app.errors import NotFound
from app.services.actors import Actor, require, require_row
from app.store import payment_notices as store
from app.store.employers import find_employer_by_no, get_employer
from app.store.ids import new_id
from app.store.payment_notices import NoticeRow, OpenLine, PostingRow, Sum
from app.store.refunds import waiting_credits


@dataclass
class Row:
    """One line of a notice as it is printed: a fund of an accrual month and due type; amounts in fen."""

    fund: str
    accrual_month: str
    due_type: str
    employee_fen: int = 0
    employer_fen: int = 0
    interest_fen: int = 0
    late_fee_fen: int = 0
    other_fen: int = 0
    allocation_fen: int = 0
    base_fen: int = 0
    people: int = 0
    open_lines: int = 0
    received_lines: int = 0

    @property
    def total_fen(self) -> int:
        """What is paid in: allocations are moved within it."""
        return self.employee_fen + self.employer_fen + self.interest_fen + self.late_fee_fen + self.other_fen

    @property
    def state(self) -> str:
        """unpaid, partly or paid."""
        return rules.notice_state(self.open_lines, self.received_lines)

    def add(self, found: Sum) -> None:
        """Count the sum of a party."""
        if found.party == EMPLOYEE:
            self.employee_fen += found.amount_fen
        elif found.party == EMPLOYER:
            self.employer_fen += found.amount_fen
        else:
            self.allocation_fen += found.amount_fen
        self.interest_fen += found.interest_fen
        self.late_fee_fen += found.late_fee_fen
        self.other_fen += found.other_fen
        self.base_fen = max(self.base_fen, found.base_fen)
        self.people = max(self.people, found.people)
        self.open_lines += found.open_lines
        self.received_lines += found.received_lines


@dataclass
class Notice:
    """A payment notice with its rows; `owed_fen` is what is still to be paid, late fee of today included."""

    number: str
    region: str
    employer_id: int
    employer_no: str
    employer_name: str
    kind: str
    due_month: str
    due_on: date
    made_at: datetime
    rows: list[Row] = field(default_factory=list)
    postings: list[PostingRow] = field(default_factory=list)
    owed_fen: int = 0
    id: int = 0

    @property
    def total(self) -> Row:
        """The sums of the columns."""
        return total_of(self.rows)

    @property
    def words(self) -> str:
        """The total in words, as the notice prints it."""
        return uppercase(from_fen(self.total.total_fen))

    @property
    def state(self) -> str:
        """unpaid, partly or paid."""
        return self.total.state


def issue(employer_id: int, region: str, month: str, now: datetime) -> list[NoticeRow]:
    """Put lines due up to a month on notices, inside the caller's transaction that holds the employer.

    A line that comes later joins the notice of its due month. Gives the notices that were made or changed.
    Source: Suzhou manual 7 (normal dues and back-pay are separate notices).
    """
    wanted = {
        (due_month, kind)
        for due_month, due_type in store.kinds_to_notify(employer_id, month, CREDIT_TYPES)
        for kind in NOTICE_KINDS
        if due_type in TYPES_OF[kind]
    }
    for notice_id in store.notices_with_credits(employer_id, CREDIT_TYPES):
        release_surplus(notice_id)
    notices = store.notices_of_months(employer_id, {*(each for each, _ in wanted), month})
    missing = sorted(key for key in wanted if key not in notices)
    made = [_new(employer_id, region, due_month, kind, now) for due_month, kind in missing]
    store.add_notices(made)
    notices.update({(each.due_month, each.kind): each for each in made})
    changed = {key for key in wanted if store.join_lines(notices[key], TYPES_OF[key[1]], CREDIT_TYPES)}
    latest = notices.get((month, NORMAL_NOTICE))
    if latest is not None and _take_credits(latest, month):
        changed.add((month, NORMAL_NOTICE))
    store.set_settled_of(employer_id)
    return [notices[key] for key in sorted(changed)]


def _new(employer_id: int, region: str, due_month: str, kind: str, now: datetime) -> NoticeRow:
    prefix = rules.notice_prefix(region, due_month)
    number = f"{prefix}{store.take_serial(prefix):04d}"
    return NoticeRow(new_id(), number, region, employer_id, due_month, kind, False, to_utc(now))


def _take_credits(notice: NoticeRow, month: str) -> bool:
    """Lower a normal notice, to which nothing was posted, by what is due back to the employer."""
    waiting = items_of(waiting_credits(notice.employer_id, CREDIT_TYPES, month))
    if not waiting or store.postings_of(notice.id):
        return False
    owed = sum(item.owed_fen for item in items_of(store.open_lines(notice.id)))
    taken = rules.offset(waiting, owed)
    store.attach(notice.id, [line for item in taken for line in item.line_ids])
    return bool(taken)


def release_surplus(notice_id: int) -> None:
    """Let credits of a notice wait for another one where its charges were taken back from under them.

    Whatever is paid of it would else settle them against nothing. The caller lets nobody bill the employer.
    """
    store.detach(_surplus(store.open_lines(notice_id)))


def _surplus(lines: Iterable[OpenLine]) -> list[int]:
    """The open credits of a notice that are more than what they are set against."""
    items = items_of(lines)
    kept = set(rules.cover(items, None).items)
    return [line for item in items if item not in kept for line in item.line_ids]


def numbers_of(employer_id: int, due_month: str) -> list[str]:
    """The numbers of an employer's notices of a due month, normal dues first."""
    found = store.notices_of_months(employer_id, [due_month])
    return [found[key].number for key in sorted(found, reverse=True)]


def items_of(lines: Iterable[OpenLine], fees: Mapping[int, int] | None = None) -> list[Item]:
    """Lines as items that are paid together: one person, fund, month and due type of one act, in order."""
    groups: dict[tuple[object, ...], list[OpenLine]] = {}
    for line in lines:
        key = (line.person_id, line.fund, line.accrual_month, line.due_type, line.declaration_id)
        groups.setdefault(key, []).append(line)
    return [
        Item(
            tuple(line.id for line in group),
            sum(line.amount_fen for line in group if line.party in PAYABLE)
            + sum(line.interest_fen + line.late_fee_fen + line.other_fen for line in group)
            + sum((fees or {}).get(line.id, 0) for line in group),
        )
        for group in groups.values()
    ]


def late_fees(params: ParameterSet, lines: Iterable[OpenLine], paid_on: date) -> dict[int, int]:
    """The late fee in fen of each line that has one when paid on a day. Raises: ParameterMissing."""
    found = {}
    for line in lines:
        if line.party in PAYABLE and line.due_type in rules.LATE_TYPES:
            charged_on = to_region(line.created_at_utc).date()
            due = line.late_from or rules.due_date(params, line.due_month, charged_on)
            fee = rules.late_fee_fen(params, line.amount_fen, due, paid_on)
            if fee:
                found[line.id] = fee
    return found


def get_notice(number: str, now: datetime) -> Notice:
    """A notice as it stands today. Raises: NotFound."""
    row = store.find_notice(number)
    if row is None:
        raise NotFound("notice")
    return _read(row, now)


def notice_for(actor: Actor, number: str, now: datetime) -> Notice:
    """A notice that the actor may see. Raises: Forbidden, NotFound."""
    require(actor, "ledger.view")
    row = store.find_notice(number)
    if row is None:
        raise NotFound("notice")
    require_row(actor, row.region, row.employer_id)
    return _read(row, now)


def notices_named(name: str, now: datetime) -> list[Notice]:
    """The notice with a number, or an employer's newest ones. Raises: NotFound."""
    row = store.find_notice(name)
    if row is not None:
        return [_read(row, now)]
    employer = find_employer_by_no(name)
    if employer is None:
        raise NotFound(f"there is neither a notice nor an employer {name}")
    found = store.newest_notices(employer.id)
    if not found:
        raise NotFound(f"employer {name} has no notice yet")
    return [_read(each, now) for each in found]


def _read(row: NoticeRow, now: datetime) -> Notice:
    params, employer = parameters(row.region), get_employer(row.employer_id)
    lines = store.open_lines(row.id)
    # the next run, or whoever posts, takes them off the notice: nobody is asked for less than nothing
    surplus = _surplus(lines)
    lines = [line for line in lines if line.id not in surplus]
    fees = late_fees(params, lines, now.date())
    rows = rows_of(store.sums_of([row.id], without=surplus)[row.id], params.fund_codes())
    by_row: dict[tuple[str, str, str], int] = {}
    for line in lines:
        key = (line.fund, line.accrual_month, line.due_type)
        by_row[key] = by_row.get(key, 0) + fees.get(line.id, 0)
    for each in rows:
        each.late_fee_fen += by_row.get((each.fund, each.accrual_month, each.due_type), 0)
    return Notice(
        number=row.number,
        region=row.region,
        employer_id=row.employer_id,
        employer_no=employer.employer_no,
        employer_name=employer.name,
        kind=row.kind,
        due_month=row.due_month,
        due_on=rules.due_date(params, row.due_month, to_region(row.made_at_utc).date()),
        made_at=to_region(row.made_at_utc),
        rows=rows,
        postings=store.postings_of(row.id),
        owed_fen=sum(item.owed_fen for item in items_of(lines, fees)),
        id=row.id,
    )


def total_of(rows: Iterable[Row]) -> Row:
    """The sums of the columns of rows."""
    found = Row("", "", "")
    for row in rows:
        for name in (
            "employee_fen", "employer_fen", "interest_fen", "late_fee_fen", "other_fen",
            "allocation_fen", "open_lines", "received_lines",
        ):  # fmt: skip
            setattr(found, name, getattr(found, name) + getattr(row, name))
    return found


def totals_of(notice_ids: Collection[int]) -> dict[int, Row]:
    """What notices come to, for lists: without the late fee of what is still open."""
    found = {}
    for notice_id, sums in store.sums_of(notice_ids).items():
        found[notice_id] = total = Row("", "", "")
        for each in sums:
            total.add(each)
    return found


def rows_of(sums: Sequence[Sum], funds: Collection[str]) -> list[Row]:
    """Sums as rows: months in order, in each the due types, and the funds in the region's order."""
    order = {code: place for place, code in enumerate(funds)}
    rows: dict[tuple[str, str, str], Row] = {}
    for each in sums:
        key = (each.accrual_month, each.due_type, each.fund)
        row = rows.setdefault(key, Row(each.fund, each.accrual_month, each.due_type))
        row.add(each)
    return [rows[key] for key in sorted(rows, key=lambda key: (*key[:2], order.get(key[2], len(order))))]
