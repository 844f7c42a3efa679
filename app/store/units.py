"""Units as registration and linking look at them: by number or credit code, with funds and account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update

from app.extensions import db
from app.store import session
from app.store.constraints import unique_rules
from app.store.crypto import encrypt
from app.store.models import Employer, EmployerFund

APPLYING, VOID = "applying", "void"


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit of one region."""

    id: int
    region: str
    employer_no: str
    credit_code: str
    name: str
    status: str
    details: Mapping[str, Any]


_COLUMNS = tuple(Employer.__table__.c[name] for name in UnitRow.__slots__)


def find_unit(region: str, *, employer_no: str = "", credit_code: str = "") -> UnitRow | None:
    """The one unit of a region with this number, else with this credit code; None where several have it."""
    query = select(*_COLUMNS).where(Employer.region == region, Employer.status.not_in([APPLYING, VOID]))
    if employer_no:
        query = query.where(Employer.employer_no == employer_no)
    else:
        query = query.where(Employer.credit_code == credit_code)
    rows = db.session.execute(query.order_by(Employer.employer_no).limit(2)).all()
    return UnitRow(*rows[0]) if len(rows) == 1 else None


def get_unit(employer_id: int) -> UnitRow:
    """One unit by its id."""
    return UnitRow(*db.session.execute(select(*_COLUMNS).where(Employer.id == employer_id)).one())


def same_credit_code(region: str, credit_code: str) -> list[UnitRow]:
    """The units of a region with a credit code, those that are being registered too."""
    query = select(*_COLUMNS).where(
        Employer.region == region, Employer.credit_code == credit_code, Employer.status != VOID
    )
    return [UnitRow(*row) for row in db.session.execute(query.order_by(Employer.employer_no))]


def next_number(region: str) -> str:
    """The next free unit number of a region; two at once get the same, and the unique rule lets one in."""
    length = len(region) + 5
    newest = db.session.execute(
        select(func.max(Employer.employer_no)).where(
            Employer.region == region,
            Employer.employer_no.like(f"{region}%"),
            func.length(Employer.employer_no) == length,
        )
    ).scalar()
    return f"{region}{int(newest[len(region) :]) + 1 if newest else 1:05d}"


def add_unit(values: Mapping[str, Any]) -> None:
    """Insert a unit. Raises: Duplicate (`employer_no`)."""
    with unique_rules():
        session.insert_rows(Employer, [values])


def set_unit(employer_id: int, values: Mapping[str, Any], bank_account: str = "") -> None:
    """Change columns of a unit; the bank account is kept as ciphertext."""
    table = Employer.__table__
    given = {**values, **({"bank_cipher": encrypt(bank_account)} if bank_account else {})}
    db.session.execute(update(table).where(table.c.id == employer_id).values(**given))


def set_funds(employer_id: int, funds: Sequence[str], from_month: str) -> None:
    """Give a new unit its funds, open-ended from a month."""
    table = EmployerFund.__table__
    db.session.execute(delete(table).where(table.c.employer_id == employer_id))
    session.insert_rows(
        EmployerFund,
        [
            {"employer_id": employer_id, "fund": fund, "from_month": from_month, "to_month": None}
            for fund in funds
        ],
    )
